package dev.gridstride.bench;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.kernels.Gemm;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.ejml.concurrency.EjmlConcurrency;
import org.ejml.data.DMatrixRMaj;
import org.ejml.data.FMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.CommonOps_FDRM;
import org.ejml.dense.row.CommonOps_MT_DDRM;
import org.ejml.dense.row.CommonOps_MT_FDRM;

/**
 * The matrix product {@code C = A B}, row-major: a plan on buffers, the short form on arrays
 * ({@code arrays}), EJML's {@code CommonOps} (its concurrent ones with several threads), and a
 * plain Java loop.
 */
final class GemmFamily implements Family {
  /** Rows of C that are compared with the reference; all of a small product. */
  private static final int CHECKED_ROWS = 64;

  @Override
  public String name() {
    return "gemm";
  }

  @Override
  public String description() {
    return "matrix product C = A B";
  }

  @Override
  public List<String> ops() {
    return List.of("product");
  }

  @Override
  public List<String> dtypes() {
    return List.of("f32", "f64");
  }

  @Override
  public List<String> shapes() {
    return List.of("16", "32", "64", "128", "256", "512", "1024", "2048");
  }

  @Override
  public String shapeForm() {
    return "MxNxK or N";
  }

  @Override
  public List<String> peers() {
    return List.of("arrays", "ejml", "java");
  }

  @Override
  public double flops(Case c) {
    int[] s = c.sizes(3);
    return 2.0 * s[0] * s[1] * s[2];
  }

  @Override
  public double bytes(Case c) {
    return 0;
  }

  @Override
  public Contender prepare(String impl, Case c) {
    boolean wide = c.dtype().equals("f64");
    return switch (impl) {
      case "arrays" -> wide ? new WideArrays(c) : new Arrays32(c);
      case "ejml" -> wide ? new WideEjml(c) : new Ejml(c);
      case "java" -> wide ? new WideLoop(c) : new Loop(c);
      default -> new Ours(c);
    };
  }

  /** Sizes and operands; a result as doubles is compared row by row. */
  private abstract static class Product implements Contender {
    final int m;
    final int n;
    final int k;

    Product(Case c) {
      int[] s = c.sizes(3);
      m = s[0];
      n = s[1];
      k = s[2];
    }

    float[] a() {
      return Data.floats(m * k, 1);
    }

    float[] b() {
      return Data.floats(k * n, 2);
    }

    double[] wideA() {
      return Data.doubles(m * k, 1);
    }

    double[] wideB() {
      return Data.doubles(k * n, 2);
    }

    abstract double[] result();

    @Override
    public double maxError() {
      run();
      double[] got = result();
      double[] a = wideA();
      double[] b = wideB();
      int step = Math.max(1, m / CHECKED_ROWS);
      double worst = 0;
      for (int i = 0; i < m; i += step) {
        var row = new double[n];
        for (int p = 0; p < k; p++) {
          for (int j = 0; j < n; j++) {
            row[j] += a[i * k + p] * b[p * n + j];
          }
        }
        double error = Data.error(Arrays.copyOfRange(got, i * n, i * n + n), row);
        worst = error <= worst ? worst : error; // keeps a NaN
      }
      return worst;
    }
  }

  private static final class Ours extends Product {
    private final Device cpu = Device.cpu();
    private final Gemm.Plan plan;
    private final boolean wide;
    private final Buffer a;
    private final Buffer b;
    private final Buffer c;

    Ours(Case benchmark) {
      super(benchmark);
      wide = benchmark.dtype().equals("f64");
      DType type = DType.valueOf(benchmark.dtype().toUpperCase(Locale.ROOT));
      plan = cpu.plan(Gemm.of(m, n, k).type(type));
      a = wide ? Data.buffer(wideA()) : Data.buffer(a());
      b = wide ? Data.buffer(wideB()) : Data.buffer(b());
      c = cpu.allocate(type, (long) m * n);
    }

    @Override
    public void run() {
      plan.run(cpu.defaultStream(), 1, a, b, 0, c);
    }

    @Override
    double[] result() {
      return wide ? Data.doubles(c) : widened(Data.floats(c));
    }

    @Override
    public void close() {
      a.close();
      b.close();
      c.close();
    }
  }

  private static double[] widened(float[] x) {
    var d = new double[x.length];
    Arrays.setAll(d, i -> x[i]);
    return d;
  }

  private static final class Arrays32 extends Product {
    private final float[] a = a();
    private final float[] b = b();
    private final float[] c = new float[m * n];

    Arrays32(Case benchmark) {
      super(benchmark);
    }

    @Override
    public void run() {
      Gemm.sgemm(false, false, m, n, k, 1, a, k, b, n, 0, c, n);
    }

    @Override
    double[] result() {
      return widened(c);
    }
  }

  private static final class WideArrays extends Product {
    private final double[] a = wideA();
    private final double[] b = wideB();
    private final double[] c = new double[m * n];

    WideArrays(Case benchmark) {
      super(benchmark);
    }

    @Override
    public void run() {
      Gemm.dgemm(false, false, m, n, k, 1, a, k, b, n, 0, c, n);
    }

    @Override
    double[] result() {
      return c;
    }
  }

  private static final class Ejml extends Product {
    private final FMatrixRMaj a = FMatrixRMaj.wrap(m, k, a());
    private final FMatrixRMaj b = FMatrixRMaj.wrap(k, n, b());
    private final FMatrixRMaj c = new FMatrixRMaj(m, n);
    private final int threads;

    Ejml(Case benchmark) {
      super(benchmark);
      threads = benchmark.threads();
      EjmlConcurrency.setMaxThreads(threads);
    }

    @Override
    public void run() {
      if (threads > 1) {
        CommonOps_MT_FDRM.mult(a, b, c);
      } else {
        CommonOps_FDRM.mult(a, b, c);
      }
    }

    @Override
    double[] result() {
      return widened(c.data);
    }
  }

  private static final class WideEjml extends Product {
    private final DMatrixRMaj a = DMatrixRMaj.wrap(m, k, wideA());
    private final DMatrixRMaj b = DMatrixRMaj.wrap(k, n, wideB());
    private final DMatrixRMaj c = new DMatrixRMaj(m, n);
    private final int threads;

    WideEjml(Case benchmark) {
      super(benchmark);
      threads = benchmark.threads();
      EjmlConcurrency.setMaxThreads(threads);
    }

    @Override
    public void run() {
      if (threads > 1) {
        CommonOps_MT_DDRM.mult(a, b, c);
      } else {
        CommonOps_DDRM.mult(a, b, c);
      }
    }

    @Override
    double[] result() {
      return c.data;
    }
  }

  /** Rows of B times one element of A: the loop order that the JIT can vectorise. */
  private static final class Loop extends Product {
    private final float[] a = a();
    private final float[] b = b();
    private final float[] c = new float[m * n];

    Loop(Case benchmark) {
      super(benchmark);
    }

    @Override
    public void run() {
      Arrays.fill(c, 0);
      for (int i = 0; i < m; i++) {
        for (int p = 0; p < k; p++) {
          addRow(a[i * k + p], p * n, i * n);
        }
      }
    }

    private void addRow(float x, int from, int to) {
      for (int j = 0; j < n; j++) {
        c[to + j] += x * b[from + j];
      }
    }

    @Override
    double[] result() {
      return widened(c);
    }
  }

  private static final class WideLoop extends Product {
    private final double[] a = wideA();
    private final double[] b = wideB();
    private final double[] c = new double[m * n];

    WideLoop(Case benchmark) {
      super(benchmark);
    }

    @Override
    public void run() {
      Arrays.fill(c, 0);
      for (int i = 0; i < m; i++) {
        for (int p = 0; p < k; p++) {
          addRow(a[i * k + p], p * n, i * n);
        }
      }
    }

    private void addRow(double x, int from, int to) {
      for (int j = 0; j < n; j++) {
        c[to + j] += x * b[from + j];
      }
    }

    @Override
    double[] result() {
      return c;
    }
  }
}
