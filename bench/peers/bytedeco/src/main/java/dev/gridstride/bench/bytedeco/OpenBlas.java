package dev.gridstride.bench.bytedeco;

import dev.gridstride.bench.Case;
import dev.gridstride.bench.Contender;
import dev.gridstride.bench.Data;
import dev.gridstride.bench.Library;
import dev.gridstride.bench.Problem;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas;

/** OpenBLAS on native memory, with the core that it chooses for this processor. */
public final class OpenBlas implements Library {
  private static final int ROW_MAJOR = 101;
  private static final int PLAIN = 111;
  private static final int TRANSPOSED = 112;

  @Override
  public String name() {
    return "openblas";
  }

  @Override
  public boolean offers(Case c) {
    return c.family().equals("gemm") && !c.dtype().equals("bf16");
  }

  @Override
  public Map<String, String> about() {
    var about = new TreeMap<String, String>();
    about.put("version", text("openblas_get_config"));
    about.put("core", text("openblas_get_corename"));
    about.put("threads", "" + (int) call("openblas_get_num_threads", ValueLayout.JAVA_INT));
    return about;
  }

  @SuppressWarnings("restricted")
  private static String text(String function) {
    return ((MemorySegment) call(function, ValueLayout.ADDRESS)).reinterpret(4096).getString(0);
  }

  /** Calls a function of the loaded library without arguments, which the binding leaves out. */
  @SuppressWarnings("restricted")
  private static Object call(String function, MemoryLayout result) {
    openblas.blas_get_num_threads(); // loads it
    MemorySegment address = SymbolLookup.loaderLookup().findOrThrow(function);
    var handle = Linker.nativeLinker().downcallHandle(address, FunctionDescriptor.of(result));
    try {
      return handle.invoke();
    } catch (Throwable e) {
      throw new IllegalStateException(function, e);
    }
  }

  /** Sizes of a product, and how its operands are stored. */
  private record Product(int batch, int m, int n, int k, int ta, int tb, int lda, int ldb) {
    static Product of(Case c, Problem p) {
      boolean ta = c.op().endsWith("-tn");
      boolean tb = c.op().endsWith("-nt");
      int batch = (int) p.shape("a")[0];
      int rowsA = (int) p.shape("a")[1];
      int colsA = (int) p.shape("a")[2];
      int rowsB = (int) p.shape("b")[1];
      int colsB = (int) p.shape("b")[2];
      return new Product(
          batch,
          ta ? colsA : rowsA,
          tb ? rowsB : colsB,
          ta ? rowsA : colsA,
          ta ? TRANSPOSED : PLAIN,
          tb ? TRANSPOSED : PLAIN,
          colsA,
          colsB);
    }

    int count() {
      return batch * m * n;
    }
  }

  @Override
  public Contender prepare(Case c, Problem p) {
    Product product = Product.of(c, p);
    return c.dtype().equals("f64") ? new Wide(product, p) : new Single(product, p);
  }

  private static final class Single implements Contender {
    private final Product s;
    private final FloatPointer[] a;
    private final FloatPointer[] b;
    private final FloatPointer[] c;
    private final FloatPointer all;

    Single(Product s, Problem p) {
      this.s = s;
      all = new FloatPointer(s.count());
      a = parts(new FloatPointer(p.floats("a")), s.batch, (long) s.m * s.k);
      b = parts(new FloatPointer(p.floats("b")), s.batch, (long) s.k * s.n);
      c = parts(all, s.batch, (long) s.m * s.n);
    }

    private static FloatPointer[] parts(FloatPointer all, int count, long size) {
      var parts = new FloatPointer[count];
      for (int i = 0; i < count; i++) {
        parts[i] = all.getPointer(i * size);
      }
      return parts;
    }

    @Override
    public void run() {
      for (int i = 0; i < s.batch; i++) {
        openblas.cblas_sgemm(
            ROW_MAJOR, s.ta, s.tb, s.m, s.n, s.k, 1, a[i], s.lda, b[i], s.ldb, 0, c[i], s.n);
      }
    }

    @Override
    public double[] result(String name) {
      var result = new float[s.count()];
      all.get(result);
      return Data.widened(result);
    }
  }

  private static final class Wide implements Contender {
    private final Product s;
    private final DoublePointer[] a;
    private final DoublePointer[] b;
    private final DoublePointer[] c;
    private final DoublePointer all;

    Wide(Product s, Problem p) {
      this.s = s;
      all = new DoublePointer(s.count());
      a = parts(new DoublePointer(p.doubles("a")), s.batch, (long) s.m * s.k);
      b = parts(new DoublePointer(p.doubles("b")), s.batch, (long) s.k * s.n);
      c = parts(all, s.batch, (long) s.m * s.n);
    }

    private static DoublePointer[] parts(DoublePointer all, int count, long size) {
      var parts = new DoublePointer[count];
      for (int i = 0; i < count; i++) {
        parts[i] = all.getPointer(i * size);
      }
      return parts;
    }

    @Override
    public void run() {
      for (int i = 0; i < s.batch; i++) {
        openblas.cblas_dgemm(
            ROW_MAJOR, s.ta, s.tb, s.m, s.n, s.k, 1, a[i], s.lda, b[i], s.ldb, 0, c[i], s.n);
      }
    }

    @Override
    public double[] result(String name) {
      var result = new double[s.count()];
      all.get(result);
      return result;
    }
  }
}
