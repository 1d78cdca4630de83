package dev.gridstride.bench;

import dev.gridstride.kernels.Gemm;
import java.util.Arrays;
import java.util.List;

/**
 * The matrix product {@code C = op(A) op(B)}, row-major, alone or in a batch. {@code product} takes
 * both as they are, {@code product-tn} the transpose of A, {@code product-nt} that of B.
 */
final class GemmFamily implements Family {
  /**
   * Sizes of a case.
   *
   * @param batch number of products
   * @param m rows of C
   * @param n columns of C
   * @param k length of the sums
   * @param ta whether A is stored transposed
   * @param tb whether B is stored transposed
   */
  record Sizes(int batch, int m, int n, int k, boolean ta, boolean tb) {
    int rowsA() {
      return ta ? k : m;
    }

    int colsA() {
      return ta ? m : k;
    }

    int rowsB() {
      return tb ? n : k;
    }

    int colsB() {
      return tb ? k : n;
    }
  }

  static Sizes sizes(Case c) {
    boolean square = c.shape().indexOf('x') < 0;
    boolean batched = c.shape().chars().filter(x -> x == 'x').count() == 3;
    int[] s = c.sizes(square ? 1 : batched ? 4 : 3);
    boolean ta = c.op().equals("product-tn");
    boolean tb = c.op().equals("product-nt");
    if (square) {
      return new Sizes(1, s[0], s[0], s[0], ta, tb);
    }
    return batched
        ? new Sizes(s[0], s[1], s[2], s[3], ta, tb)
        : new Sizes(1, s[0], s[1], s[2], ta, tb);
  }

  @Override
  public String name() {
    return "gemm";
  }

  @Override
  public String description() {
    return "matrix products: square, tall, wide, batched; shapes of DeepBench and BERT";
  }

  @Override
  public List<String> ops() {
    return List.of("product", "product-tn", "product-nt");
  }

  @Override
  public List<String> dtypes() {
    return List.of("f32", "f64", "bf16");
  }

  @Override
  public List<Work> quick() {
    return List.of(
        new Work("product", "16"),
        new Work("product", "64"),
        new Work("product", "256"),
        new Work("product", "1024"),
        new Work("product", "2048x64x512"),
        new Work("product", "64x2048x512"),
        new Work("product", "64x32x32x32"),
        new Work("product-nt", "64x10x128"),
        new Work("product-nt", "12x128x128x64"));
  }

  @Override
  public List<Work> full() {
    return Shapes.of("gemm");
  }

  @Override
  public String shapeForm() {
    return "MxNxK, BATCHxMxNxK or N";
  }

  @Override
  public double flops(Case c) {
    Sizes s = sizes(c);
    return 2.0 * s.batch * s.m * s.n * s.k;
  }

  @Override
  public double bytes(Case c) {
    Sizes s = sizes(c);
    return Shapes.bytes(c.dtype())
        * s.batch
        * ((double) s.m * s.k + (double) s.k * s.n + (double) s.m * s.n);
  }

  @Override
  public boolean countsFlops() {
    return true;
  }

  @Override
  public Problem problem(Case c) {
    Sizes s = sizes(c);
    float[] a = Data.floats(Math.multiplyExact(s.batch, Math.multiplyExact(s.m, s.k)), 1);
    float[] b = Data.floats(Math.multiplyExact(s.batch, Math.multiplyExact(s.k, s.n)), 2);
    if (c.dtype().equals("bf16")) {
      Data.roundToBf16(a);
      Data.roundToBf16(b);
    }
    int length = Math.multiplyExact(s.batch, Math.multiplyExact(s.m, s.n));
    int[] at = Problem.places(length);
    var expected = new double[at.length];
    for (int i = 0; i < at.length; i++) {
      int product = at[i] / (s.m * s.n);
      int row = at[i] / s.n % s.m;
      int column = at[i] % s.n;
      double sum = 0;
      for (int p = 0; p < s.k; p++) {
        int atA = product * s.m * s.k + (s.ta ? p * s.m + row : row * s.k + p);
        int atB = product * s.k * s.n + (s.tb ? column * s.k + p : p * s.n + column);
        sum += (double) a[atA] * b[atB];
      }
      expected[i] = sum;
    }
    return new Problem()
        .input("a", a, s.batch, s.rowsA(), s.colsA())
        .input("b", b, s.batch, s.rowsB(), s.colsB())
        .expect("c", length, at, expected);
  }

  @Override
  public Contender ours(Case c, Problem p) {
    Sizes s = sizes(c);
    return new Buffers(
        c,
        p,
        o -> {
          // bf16: f32 sums, rounded once when stored
          var op = Gemm.of(s.m, s.n, s.k).type(o.type).trans(s.ta, s.tb);
          var plan = o.cpu.plan(s.batch == 1 ? op : op.batched(s.batch));
          var a = o.in("a");
          var b = o.in("b");
          var out = o.out("c", (long) s.batch * s.m * s.n);
          var workspace = plan.workspaceBytes() == 0 ? null : o.bytes(plan.workspaceBytes());
          return () -> plan.run(o.stream, 1, a, b, 0, out, null, null, workspace);
        });
  }

  /** Rows of B times one element of A: the loop order that the JIT can vectorise. */
  @Override
  public Contender plain(Case c, Problem p) {
    Sizes s = sizes(c);
    if (c.dtype().equals("f64")) {
      return new WideLoops(s, p);
    }
    return new Loops(o -> {
      float[] a = p.floats("a");
      float[] b = p.floats("b");
      float[] out = o.out("c", s.batch * s.m * s.n);
      return () -> {
        Arrays.fill(out, 0);
        for (int r = 0; r < s.batch * s.m; r++) {
          int product = r / s.m;
          int row = r % s.m;
          if (s.tb) {
            for (int j = 0; j < s.n; j++) {
              float sum = 0;
              for (int q = 0; q < s.k; q++) {
                sum += a[r * s.k + q] * b[(product * s.n + j) * s.k + q];
              }
              out[r * s.n + j] = sum;
            }
          } else {
            for (int q = 0; q < s.k; q++) {
              float x = s.ta ? a[(product * s.k + q) * s.m + row] : a[r * s.k + q];
              addRow(x, b, (product * s.k + q) * s.n, out, r * s.n, s.n);
            }
          }
        }
      };
    });
  }

  private static void addRow(float x, float[] b, int from, float[] c, int to, int n) {
    for (int j = 0; j < n; j++) {
      c[to + j] += x * b[from + j];
    }
  }

  private static final class WideLoops implements Contender {
    private final Sizes s;
    private final double[] a;
    private final double[] b;
    private final double[] c;

    WideLoops(Sizes s, Problem p) {
      this.s = s;
      a = p.doubles("a");
      b = p.doubles("b");
      c = new double[s.batch * s.m * s.n];
    }

    @Override
    public void run() {
      Arrays.fill(c, 0);
      for (int r = 0; r < s.batch * s.m; r++) {
        int product = r / s.m;
        for (int q = 0; q < s.k; q++) {
          double x = s.ta ? a[(product * s.k + q) * s.m + r % s.m] : a[r * s.k + q];
          if (s.tb) {
            for (int j = 0; j < s.n; j++) {
              c[r * s.n + j] += x * b[(product * s.n + j) * s.k + q];
            }
          } else {
            addRow(x, (product * s.k + q) * s.n, r * s.n);
          }
        }
      }
    }

    private void addRow(double x, int from, int to) {
      for (int j = 0; j < s.n; j++) {
        c[to + j] += x * b[from + j];
      }
    }

    @Override
    public double[] result(String name) {
      return c;
    }
  }
}
