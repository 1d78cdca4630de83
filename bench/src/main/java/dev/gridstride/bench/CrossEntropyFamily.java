package dev.gridstride.bench;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.kernels.CrossEntropy;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** Mean cross-entropy of rows of logits with its gradient, against a plain Java loop. */
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
  public List<String> shapes() {
    return List.of("64x10", "512x1000", "128x50257");
  }

  @Override
  public String shapeForm() {
    return "ROWSxCLASSES";
  }

  @Override
  public List<String> peers() {
    return List.of("java");
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
  public Contender prepare(String impl, Case c) {
    int[] s = c.sizes(2);
    return impl.equals("java") ? new Plain(s[0], s[1]) : new Ours(s[0], s[1]);
  }

  private static int[] targets(int rows, int classes) {
    return new SplittableRandom(2).ints(rows, 0, classes).toArray();
  }

  /** The gradient, then the loss. */
  private static double[] reference(float[] x, int[] targets, int classes) {
    int rows = targets.length;
    var result = new double[x.length + 1];
    for (int r = 0; r < rows; r++) {
      double sum = 0;
      for (int i = r * classes; i < (r + 1) * classes; i++) {
        result[i] = Math.exp(x[i]); // normally distributed: no overflow
        sum += result[i];
      }
      for (int i = r * classes; i < (r + 1) * classes; i++) {
        result[i] /= sum * rows;
      }
      int target = r * classes + targets[r];
      result[target] -= 1.0 / rows;
      result[x.length] += (Math.log(sum) - x[target]) / rows;
    }
    return result;
  }

  /** The larger of the gradient's and the loss's error, each relative to its own size. */
  private static double error(float[] gradient, float loss, double[] expected) {
    int n = gradient.length;
    double[] first = Arrays.copyOf(expected, n);
    double ofLoss = Data.error(new float[] {loss}, new double[] {expected[n]});
    return Math.max(Data.error(gradient, first), ofLoss);
  }

  private static final class Ours implements Contender {
    final Device cpu = Device.cpu();
    final float[] data;
    final int[] targets;
    final int classes;
    final CrossEntropy.Plan plan;
    final Buffer logits;
    final Buffer classIndices;
    final Buffer loss;
    final Buffer dlogits;

    Ours(int rows, int classes) {
      this.classes = classes;
      data = Data.floats(rows * classes, 1);
      targets = targets(rows, classes);
      plan = cpu.plan(CrossEntropy.of(DType.F32, DType.I32, rows, classes));
      logits = Data.buffer(data);
      classIndices = cpu.allocate(4L * rows);
      classIndices.copyFrom(MemorySegment.ofArray(targets));
      loss = cpu.allocate(4);
      dlogits = Data.buffer(new float[data.length]);
    }

    @Override
    public void run() {
      plan.forwardBackward(cpu.defaultStream(), logits, classIndices, null, 1, loss, dlogits);
    }

    @Override
    public double maxError() {
      run();
      return error(Data.floats(dlogits), Data.floats(loss)[0], reference(data, targets, classes));
    }

    @Override
    public void close() {
      logits.close();
      classIndices.close();
      loss.close();
      dlogits.close();
    }
  }

  private static final class Plain implements Contender {
    final float[] x;
    final float[] dx;
    final int[] targets;
    final int classes;
    float loss;

    Plain(int rows, int classes) {
      this.classes = classes;
      x = Data.floats(rows * classes, 1);
      dx = new float[x.length];
      targets = targets(rows, classes);
    }

    @Override
    public void run() {
      int rows = targets.length;
      float total = 0;
      for (int r = 0; r < rows; r++) {
        int from = r * classes;
        int to = from + classes;
        float max = Float.NEGATIVE_INFINITY;
        for (int i = from; i < to; i++) {
          max = Math.max(max, x[i]);
        }
        float sum = 0;
        for (int i = from; i < to; i++) {
          dx[i] = (float) Math.exp(x[i] - max);
          sum += dx[i];
        }
        float scale = 1 / (sum * rows);
        for (int i = from; i < to; i++) {
          dx[i] *= scale;
        }
        dx[from + targets[r]] -= 1f / rows;
        total += (float) Math.log(sum) + max - x[from + targets[r]];
      }
      loss = total / rows;
    }

    @Override
    public double maxError() {
      run();
      return error(dx, loss, reference(x, targets, classes));
    }
  }
}
