package dev.gridstride.bench;

import dev.gridstride.kernels.Softmax;
import java.util.List;

/** Softmax and its logarithm over the rows of a matrix, and softmax's gradient. */
final class SoftmaxFamily implements Family {
  @Override
  public String name() {
    return "softmax";
  }

  @Override
  public String description() {
    return "softmax and log-softmax over rows, softmax's gradient";
  }

  @Override
  public List<String> ops() {
    return List.of("forward", "log-forward", "backward");
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
    return Family.each(ops(), "64x10", "64x1000", "4096x128", "512x1000", "4096x1024", "128x50257");
  }

  @Override
  public String shapeForm() {
    return "ROWSxCOLS";
  }

  @Override
  public double flops(Case c) {
    return 0;
  }

  /** Forward x in and y out; backward y and dy in, dx out. */
  @Override
  public double bytes(Case c) {
    int[] s = c.sizes(2);
    return (c.op().equals("backward") ? 3 : 2) * 4.0 * s[0] * s[1];
  }

  @Override
  public Problem problem(Case c) {
    int rows = c.sizes(2)[0];
    int cols = c.sizes(2)[1];
    float[] x = Data.floats(rows * cols, 1);
    var y = new double[x.length];
    boolean log = c.op().equals("log-forward");
    for (int r = 0; r < rows; r++) {
      double sum = 0;
      for (int i = r * cols; i < (r + 1) * cols; i++) {
        y[i] = Math.exp(x[i]); // normally distributed: no overflow
        sum += y[i];
      }
      for (int i = r * cols; i < (r + 1) * cols; i++) {
        y[i] = log ? x[i] - Math.log(sum) : y[i] / sum;
      }
    }
    if (!c.op().equals("backward")) {
      return new Problem().input("x", x, rows, cols).expect("y", y);
    }
    float[] dy = Data.floats(x.length, 2);
    var given = new float[y.length];
    var dx = new double[y.length];
    for (int r = 0; r < rows; r++) {
      double dot = 0;
      for (int i = r * cols; i < (r + 1) * cols; i++) {
        given[i] = (float) y[i];
        dot += given[i] * (double) dy[i];
      }
      for (int i = r * cols; i < (r + 1) * cols; i++) {
        dx[i] = given[i] * (dy[i] - dot);
      }
    }
    return new Problem().input("y", given, rows, cols).input("dy", dy, rows, cols).expect("dx", dx);
  }

  @Override
  public Contender ours(Case c, Problem p) {
    int rows = c.sizes(2)[0];
    int cols = c.sizes(2)[1];
    return new Buffers(
        c,
        p,
        o -> {
          var op = Softmax.of(o.type, -1, rows, cols);
          var plan = o.cpu.plan(c.op().equals("log-forward") ? op.withLog() : op);
          if (c.op().equals("backward")) {
            var y = o.in("y");
            var dy = o.in("dy");
            var dx = o.out("dx", (long) rows * cols);
            return () -> plan.backward(o.stream, y, dy, dx);
          }
          var x = o.in("x");
          var y = o.out("y", (long) rows * cols);
          return () -> plan.forward(o.stream, x, y);
        });
  }

  @Override
  public Contender plain(Case c, Problem p) {
    int rows = c.sizes(2)[0];
    int cols = c.sizes(2)[1];
    return new Loops(o -> {
      if (c.op().equals("backward")) {
        float[] dx = o.out("dx", rows * cols);
        return () -> backward(p.floats("y"), p.floats("dy"), dx, rows, cols);
      }
      float[] y = o.out("y", rows * cols);
      boolean log = c.op().equals("log-forward");
      return () -> forward(p.floats("x"), y, rows, cols, log);
    });
  }

  private static void forward(float[] x, float[] y, int rows, int cols, boolean log) {
    for (int r = 0; r < rows; r++) {
      int from = r * cols;
      int to = from + cols;
      float max = Float.NEGATIVE_INFINITY;
      for (int i = from; i < to; i++) {
        max = Math.max(max, x[i]);
      }
      float sum = 0;
      for (int i = from; i < to; i++) {
        y[i] = (float) Math.exp(x[i] - max);
        sum += y[i];
      }
      float shift = max + (float) Math.log(sum);
      for (int i = from; i < to; i++) {
        y[i] = log ? x[i] - shift : y[i] / sum;
      }
    }
  }

  private static void backward(float[] y, float[] dy, float[] dx, int rows, int cols) {
    for (int r = 0; r < rows; r++) {
      float dot = 0;
      for (int i = r * cols; i < (r + 1) * cols; i++) {
        dot += y[i] * dy[i];
      }
      for (int i = r * cols; i < (r + 1) * cols; i++) {
        dx[i] = y[i] * (dy[i] - dot);
      }
    }
  }
}
