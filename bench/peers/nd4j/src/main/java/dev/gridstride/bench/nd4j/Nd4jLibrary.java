package dev.gridstride.bench.nd4j;

import dev.gridstride.bench.Case;
import dev.gridstride.bench.Contender;
import dev.gridstride.bench.Data;
import dev.gridstride.bench.Library;
import dev.gridstride.bench.Problem;
import java.util.Map;
import java.util.TreeMap;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** ND4J's arrays, into an existing result. */
public final class Nd4jLibrary implements Library {
  @Override
  public String name() {
    return "nd4j";
  }

  @Override
  public boolean offers(Case c) {
    return c.family().equals("gemm")
        && !c.dtype().equals("bf16")
        && c.shape().chars().filter(x -> x == 'x').count() < 3;
  }

  @Override
  public Map<String, String> about() {
    var about = new TreeMap<String, String>();
    about.put("version", String.valueOf(Nd4j.class.getPackage().getImplementationVersion()));
    about.put("backend", Nd4j.getBackend().getClass().getSimpleName());
    about.put("threads", "" + Nd4j.getEnvironment().maxThreads());
    about.put("blasMajorVersion", "" + Nd4j.getEnvironment().blasMajorVersion());
    return about;
  }

  @Override
  public Contender prepare(Case c, Problem p) {
    Nd4j.getEnvironment().setMaxThreads(c.threads());
    Nd4j.getEnvironment().setMaxMasterThreads(c.threads());
    return new Product(c, p);
  }

  private static final class Product implements Contender {
    private final INDArray a;
    private final INDArray b;
    private final INDArray c;
    private final boolean ta;
    private final boolean tb;

    Product(Case benchmark, Problem p) {
      DataType type = benchmark.dtype().equals("f64") ? DataType.DOUBLE : DataType.FLOAT;
      ta = benchmark.op().endsWith("-tn");
      tb = benchmark.op().endsWith("-nt");
      a = matrix(p, "a", type);
      b = matrix(p, "b", type);
      long m = ta ? a.columns() : a.rows();
      long n = tb ? b.rows() : b.columns();
      c = Nd4j.create(type, new long[] {m, n}, 'f'); // its products write columns
    }

    private static INDArray matrix(Problem p, String name, DataType type) {
      long[] shape = {p.shape(name)[1], p.shape(name)[2]};
      return Nd4j.create(p.floats(name), shape, 'c').castTo(type);
    }

    @Override
    public void run() {
      Nd4j.gemm(a, b, c, ta, tb, 1, 0);
    }

    @Override
    public double[] result(String name) {
      INDArray rows = c.dup('c');
      return c.dataType() == DataType.DOUBLE
          ? rows.data().asDouble()
          : Data.widened(rows.data().asFloat());
    }
  }
}
