package dev.gridstride.bench;

import dev.gridstride.kernels.Binary;
import dev.gridstride.kernels.Layout;
import dev.gridstride.kernels.Unary;
import java.util.List;

/** Elementwise functions of a matrix, and sums and products with broadcasting. */
final class ElementwiseFamily implements Family {
  @Override
  public String name() {
    return "elementwise";
  }

  @Override
  public String description() {
    return "functions of each element, sums and products with broadcasting";
  }

  @Override
  public List<String> ops() {
    return List.of("add", "add-row", "mul-column", "relu", "exp", "tanh", "gelu");
  }

  @Override
  public List<String> dtypes() {
    return List.of("f32");
  }

  @Override
  public List<Work> quick() {
    return Family.each(ops(), "64x1000", "2048x2048");
  }

  @Override
  public List<Work> full() {
    return Family.each(ops(), "64x1000", "1024x1024", "65536x64", "4096x4096");
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
    return (c.op().equals("add") ? 3 : 2) * 4.0 * s[0] * s[1];
  }

  @Override
  public Problem problem(Case c) {
    int rows = c.sizes(2)[0];
    int cols = c.sizes(2)[1];
    float[] a = Data.floats(rows * cols, 1);
    var p = new Problem().input("a", a, rows, cols);
    float[] b =
        switch (c.op()) {
          case "add" -> Data.floats(a.length, 2);
          case "add-row" -> Data.floats(cols, 2);
          case "mul-column" -> Data.floats(rows, 2);
          default -> new float[0];
        };
    if (b.length > 0) {
      p.input("b", b, c.op().equals("add-row") ? 1 : rows, c.op().equals("mul-column") ? 1 : cols);
    }
    int[] at = Problem.places(a.length);
    var y = new double[at.length];
    for (int i = 0; i < at.length; i++) {
      double x = a[at[i]];
      y[i] =
          switch (c.op()) {
            case "add" -> x + b[at[i]];
            case "add-row" -> x + b[at[i] % cols];
            case "mul-column" -> x * b[at[i] / cols];
            case "relu" -> Math.max(x, 0);
            case "exp" -> Math.exp(x);
            case "tanh" -> Math.tanh(x);
            default -> x * normal(x);
          };
    }
    return p.expect("y", a.length, at, y);
  }

  /** The standard normal distribution function, by its series around 0: |x| stays below 6. */
  static double normal(double x) {
    double term = x;
    double sum = x;
    for (int i = 1; i < 200; i++) {
      term *= x * x / (2 * i + 1);
      sum += term;
    }
    return 0.5 + sum * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  }

  @Override
  public Contender ours(Case c, Problem p) {
    int rows = c.sizes(2)[0];
    int cols = c.sizes(2)[1];
    return new Buffers(
        c,
        p,
        o -> {
          var a = o.in("a");
          long count = (long) rows * cols;
          if (p.inputs().contains("b")) {
            var all = Layout.contiguous(rows, cols);
            var second =
                switch (c.op()) {
                  case "add-row" -> Layout.of(new long[] {rows, cols}, new long[] {0, 1});
                  case "mul-column" -> Layout.of(new long[] {rows, cols}, new long[] {1, 0});
                  default -> all;
                };
            var kind = c.op().equals("mul-column") ? Binary.Kind.MUL : Binary.Kind.ADD;
            var plan = o.cpu.plan(new Binary(kind, o.type, all, second, all));
            var b = o.in("b");
            var y = o.out("y", count);
            return () -> plan.run(o.stream, a, b, y);
          }
          var function = Unary.Function.valueOf(c.op().toUpperCase(java.util.Locale.ROOT));
          var plan = o.cpu.plan(Unary.of(function, o.type, count));
          var y = o.out("y", count);
          return () -> plan.forward(o.stream, a, y);
        });
  }

  @Override
  public Contender plain(Case c, Problem p) {
    int rows = c.sizes(2)[0];
    int cols = c.sizes(2)[1];
    return new Loops(o -> {
      float[] a = p.floats("a");
      float[] b = p.inputs().contains("b") ? p.floats("b") : new float[0];
      float[] y = o.out("y", rows * cols);
      return switch (c.op()) {
        case "add" ->
            () -> {
              for (int i = 0; i < y.length; i++) {
                y[i] = a[i] + b[i];
              }
            };
        case "add-row" ->
            () -> {
              for (int r = 0; r < rows; r++) {
                for (int i = 0; i < cols; i++) {
                  y[r * cols + i] = a[r * cols + i] + b[i];
                }
              }
            };
        case "mul-column" ->
            () -> {
              for (int r = 0; r < rows; r++) {
                for (int i = r * cols; i < (r + 1) * cols; i++) {
                  y[i] = a[i] * b[r];
                }
              }
            };
        case "relu" ->
            () -> {
              for (int i = 0; i < y.length; i++) {
                y[i] = Math.max(a[i], 0);
              }
            };
        case "exp" ->
            () -> {
              for (int i = 0; i < y.length; i++) {
                y[i] = (float) Math.exp(a[i]);
              }
            };
        case "tanh" ->
            () -> {
              for (int i = 0; i < y.length; i++) {
                y[i] = (float) Math.tanh(a[i]);
              }
            };
        default ->
            () -> { // Java has no error function
              for (int i = 0; i < y.length; i++) {
                y[i] = (float) (a[i] * normal(a[i]));
              }
            };
      };
    });
  }
}
