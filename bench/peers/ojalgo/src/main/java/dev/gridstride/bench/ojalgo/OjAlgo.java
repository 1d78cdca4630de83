package dev.gridstride.bench.ojalgo;

import dev.gridstride.bench.Case;
import dev.gridstride.bench.Contender;
import dev.gridstride.bench.Library;
import dev.gridstride.bench.Problem;
import java.util.Map;
import org.ojalgo.OjAlgoUtils;
import org.ojalgo.matrix.store.MatrixStore;
import org.ojalgo.matrix.store.PhysicalStore;
import org.ojalgo.matrix.store.PrimitiveFactory;
import org.ojalgo.matrix.store.R032Store;
import org.ojalgo.matrix.store.R064Store;

/** ojAlgo's matrix stores, column by column in memory as they are. */
public final class OjAlgo implements Library {
  private static final double MOST_FLOPS = 2e10; // one run above this takes seconds

  @Override
  public String name() {
    return "ojalgo";
  }

  @Override
  public boolean offers(Case c) {
    if (!c.family().equals("gemm") || c.dtype().equals("bf16")) {
      return false;
    }
    double flops = 2;
    int[] sizes = c.sizes(c.shape().split("x").length);
    for (int i = 0; i < 3; i++) {
      flops *= sizes[sizes.length == 1 ? 0 : i];
    }
    return sizes.length < 4 && flops <= MOST_FLOPS;
  }

  @Override
  public Map<String, String> about() {
    return Map.of(
        "version",
        OjAlgoUtils.getVersion(),
        "threads",
        "" + OjAlgoUtils.ENVIRONMENT.threads,
        "environment",
        OjAlgoUtils.ENVIRONMENT.toString());
  }

  @Override
  public Contender prepare(Case c, Problem p) {
    OjAlgoUtils.limitThreadsTo(c.threads());
    return c.dtype().equals("f64")
        ? new Product(c, p, R064Store.FACTORY)
        : new Product(c, p, R032Store.FACTORY);
  }

  private static final class Product implements Contender {
    private final MatrixStore<Double> a;
    private final MatrixStore<Double> b;
    private final PhysicalStore<Double> c;

    Product(Case benchmark, Problem p, PrimitiveFactory<?> factory) {
      PhysicalStore<Double> first = matrix(p, "a", factory);
      PhysicalStore<Double> second = matrix(p, "b", factory);
      a = benchmark.op().endsWith("-tn") ? first.transpose() : first;
      b = benchmark.op().endsWith("-nt") ? second.transpose() : second;
      c = factory.make(a.countRows(), b.countColumns());
    }

    private static PhysicalStore<Double> matrix(
        Problem p, String name, PrimitiveFactory<?> factory) {
      long rows = p.shape(name)[1];
      long cols = p.shape(name)[2];
      float[] values = p.floats(name);
      PhysicalStore<Double> m = factory.make(rows, cols);
      for (int i = 0; i < values.length; i++) {
        m.set(i / cols, i % cols, values[i]);
      }
      return m;
    }

    @Override
    public void run() {
      c.fillByMultiplying(a, b);
    }

    @Override
    public double[] result(String name) {
      int cols = (int) c.countColumns();
      var r = new double[(int) c.countRows() * cols];
      for (int i = 0; i < r.length; i++) {
        r[i] = c.doubleValue(i / cols, i % cols);
      }
      return r;
    }
  }
}
