package dev.gridstride.bench;

import dev.gridstride.kernels.Layout;
import dev.gridstride.kernels.Reduce;
import java.util.Arrays;
import java.util.List;

/** Reductions of a matrix: of each row, of each column, of all elements. */
final class ReduceFamily implements Family {
  @Override
  public String name() {
    return "reduce";
  }

  @Override
  public String description() {
    return "sums of rows, of columns and of everything; the largest of rows";
  }

  @Override
  public List<String> ops() {
    return List.of("sum-rows", "sum-columns", "sum-all", "max-rows");
  }

  @Override
  public List<String> dtypes() {
    return List.of("f32");
  }

  @Override
  public List<Work> quick() {
    return Family.each(ops(), "256x256", "4096x4096");
  }

  @Override
  public List<Work> full() {
    return Family.each(ops(), "256x256", "65536x64", "1024x1024", "4096x4096", "64x262144");
  }

  @Override
  public String shapeForm() {
    return "ROWSxCOLS";
  }

  @Override
  public double flops(Case c) {
    return 0;
  }

  @Override
  public double bytes(Case c) {
    int[] s = c.sizes(2);
    return 4.0 * s[0] * s[1];
  }

  @Override
  public Problem problem(Case c) {
    int rows = c.sizes(2)[0];
    int cols = c.sizes(2)[1];
    // around 1, so that a sum is large beside its rounding
    float[] x = Data.floats(rows * cols, 1);
    for (int i = 0; i < x.length; i++) {
      x[i] += 1;
    }
    var y = new double[c.op().endsWith("rows") ? rows : c.op().endsWith("columns") ? cols : 1];
    boolean max = c.op().startsWith("max");
    if (max) {
      Arrays.fill(y, Double.NEGATIVE_INFINITY);
    }
    for (int r = 0; r < rows; r++) {
      for (int i = 0; i < cols; i++) {
        int to = c.op().endsWith("rows") ? r : c.op().endsWith("columns") ? i : 0;
        double v = x[r * cols + i];
        y[to] = max ? Math.max(y[to], v) : y[to] + v;
      }
    }
    return new Problem().input("x", x, rows, cols).expect("y", y);
  }

  @Override
  public Contender ours(Case c, Problem p) {
    int rows = c.sizes(2)[0];
    int cols = c.sizes(2)[1];
    return new Buffers(
        c,
        p,
        o -> {
          var kind = c.op().startsWith("max") ? Reduce.Kind.MAX : Reduce.Kind.SUM;
          int[] axes =
              c.op().endsWith("rows")
                  ? new int[] {1}
                  : c.op().endsWith("columns") ? new int[] {0} : new int[] {0, 1};
          var plan = o.cpu.plan(Reduce.of(kind, o.type, Layout.contiguous(rows, cols), axes));
          var x = o.in("x");
          var y = o.out("y", axes.length == 2 ? 1 : axes[0] == 1 ? rows : cols);
          return () -> plan.run(o.stream, x, y);
        });
  }

  @Override
  public Contender plain(Case c, Problem p) {
    int rows = c.sizes(2)[0];
    int cols = c.sizes(2)[1];
    return new Loops(o -> {
      float[] x = p.floats("x");
      float[] y = o.out("y", c.op().endsWith("rows") ? rows : c.op().endsWith("all") ? 1 : cols);
      return switch (c.op()) {
        case "sum-rows" ->
            () -> {
              for (int r = 0; r < rows; r++) {
                y[r] = (float) sum(x, r * cols, (r + 1) * cols);
              }
            };
        case "sum-columns" ->
            () -> {
              Arrays.fill(y, 0);
              for (int r = 0; r < rows; r++) {
                for (int i = 0; i < cols; i++) {
                  y[i] += x[r * cols + i];
                }
              }
            };
        case "sum-all" -> () -> y[0] = (float) sum(x, 0, x.length);
        default ->
            () -> {
              for (int r = 0; r < rows; r++) {
                float max = Float.NEGATIVE_INFINITY;
                for (int i = r * cols; i < (r + 1) * cols; i++) {
                  max = Math.max(max, x[i]);
                }
                y[r] = max;
              }
            };
      };
    });
  }

  /** In double: a chain of floats would lose digits over millions of terms. */
  private static double sum(float[] x, int from, int to) {
    double sum = 0;
    for (int i = from; i < to; i++) {
      sum += x[i];
    }
    return sum;
  }
}
