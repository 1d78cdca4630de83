package dev.gridstride.bench;

import dev.gridstride.device.DType;
import dev.gridstride.kernels.CrossEntropy;
import java.util.List;
import java.util.SplittableRandom;

/** Mean cross-entropy of rows of logits with its gradient, in one call. */
final class CrossEntropyFamily implements Family {
  @Override
  public String name() {
    return "cross-entropy";
  }

  @Override
  public String description() {
    return "mean cross-entropy over rows with class targets, loss and gradient";
  }

  @Override
  public List<String> ops() {
    return List.of("forward-backward");
  }

  @Override
  public List<String> dtypes() {
    return List.of("f32");
  }

  @Override
  public List<Work> quick() {
    return Family.each(ops(), "64x10", "512x1000", "128x50257");
  }

  @Override
  public List<Work> full() {
    return Family.each(ops(), "64x10", "64x1000", "512x1000", "8192x100", "128x50257");
  }

  @Override
  public String shapeForm() {
    return "ROWSxCLASSES";
  }

  @Override
  public double flops(Case c) {
    return 0;
  }

  /** The logits in, the gradient out; the targets do not count. */
  @Override
  public double bytes(Case c) {
    int[] s = c.sizes(2);
    return 2 * 4.0 * s[0] * s[1];
  }

  @Override
  public Problem problem(Case c) {
    int rows = c.sizes(2)[0];
    int classes = c.sizes(2)[1];
    float[] x = Data.floats(rows * classes, 1);
    int[] targets = new SplittableRandom(2).ints(rows, 0, classes).toArray();
    var gradient = new double[x.length];
    double loss = 0;
    for (int r = 0; r < rows; r++) {
      double sum = 0;
      for (int i = r * classes; i < (r + 1) * classes; i++) {
        gradient[i] = Math.exp(x[i]); // normally distributed: no overflow
        sum += gradient[i];
      }
      for (int i = r * classes; i < (r + 1) * classes; i++) {
        gradient[i] /= sum * rows;
      }
      int target = r * classes + targets[r];
      gradient[target] -= 1.0 / rows;
      loss += (Math.log(sum) - x[target]) / rows;
    }
    return new Problem()
        .input("logits", x, rows, classes)
        .input("targets", targets, rows)
        .expect("dlogits", gradient)
        .expect("loss", loss);
  }

  @Override
  public Contender ours(Case c, Problem p) {
    int rows = c.sizes(2)[0];
    int classes = c.sizes(2)[1];
    return new Buffers(
        c,
        p,
        o -> {
          var plan = o.cpu.plan(CrossEntropy.of(o.type, DType.I32, rows, classes));
          var logits = o.in("logits");
          var targets = o.in("targets");
          var loss = o.out("loss", 1);
          var dlogits = o.out("dlogits", (long) rows * classes);
          return () -> plan.forwardBackward(o.stream, logits, targets, null, 1, loss, dlogits);
        });
  }

  @Override
  public Contender plain(Case c, Problem p) {
    int rows = c.sizes(2)[0];
    int classes = c.sizes(2)[1];
    return new Loops(o -> {
      float[] x = p.floats("logits");
      int[] targets = p.ints("targets");
      float[] dx = o.out("dlogits", rows * classes);
      float[] loss = o.out("loss", 1);
      return () -> {
        float total = 0;
        for (int r = 0; r < rows; r++) {
          total += row(x, dx, r * classes, classes, targets[r], rows);
        }
        loss[0] = total / rows;
      };
    });
  }

  private static float row(float[] x, float[] dx, int from, int classes, int target, int rows) {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = from; i < from + classes; i++) {
      max = Math.max(max, x[i]);
    }
    float sum = 0;
    for (int i = from; i < from + classes; i++) {
      dx[i] = (float) Math.exp(x[i] - max);
      sum += dx[i];
    }
    float scale = 1 / (sum * rows);
    for (int i = from; i < from + classes; i++) {
      dx[i] *= scale;
    }
    dx[from + target] -= 1f / rows;
    return (float) Math.log(sum) + max - x[from + target];
  }
}
