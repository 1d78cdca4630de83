package dev.gridstride.bench.djl;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.gridstride.bench.Case;
import dev.gridstride.bench.Contender;
import dev.gridstride.bench.Data;
import dev.gridstride.bench.Library;
import dev.gridstride.bench.Problem;
import java.util.Map;
import java.util.Set;

/**
 * Deep Java Library's arrays with its PyTorch engine: each run makes a new array, as its users do.
 */
public final class Djl implements Library {
  private static final Set<String> ELEMENTWISE =
      Set.of("add", "add-row", "mul-column", "exp", "tanh");

  /** Makes it use what is on the class path. */
  public Djl() {
    System.setProperty("ai.djl.offline", "true");
  }

  @Override
  public String name() {
    return "djl";
  }

  @Override
  public boolean offers(Case c) {
    return switch (c.family()) {
      case "gemm" -> !c.dtype().equals("bf16");
      case "softmax" -> !c.op().equals("backward");
      case "elementwise" -> ELEMENTWISE.contains(c.op());
      case "reduce" -> true;
      default -> false;
    };
  }

  @Override
  public Map<String, String> about() {
    return Map.of(
        "version",
        Engine.getDjlVersion(),
        "engine",
        Engine.getInstance().getEngineName() + " " + Engine.getInstance().getVersion(),
        "threads",
        String.valueOf(System.getenv("OMP_NUM_THREADS")));
  }

  @Override
  public Contender prepare(Case c, Problem p) {
    return new Arrays(c, p);
  }

  private static final class Arrays implements Contender {
    private final NDManager manager = NDManager.newBaseManager();
    private final String op;
    private final NDArray first;
    private final NDArray second;
    private NDArray result;

    Arrays(Case c, Problem p) {
      op = c.op();
      var names = p.inputs().iterator();
      first = array(c, p, names.next(), "-tn");
      second = names.hasNext() ? array(c, p, names.next(), "-nt") : first;
      result = manager.create(0f);
    }

    private NDArray array(Case c, Problem p, String name, String transposedBy) {
      NDArray x = manager.create(p.floats(name), new Shape(p.shape(name)));
      if (c.dtype().equals("f64")) {
        x = x.toType(DataType.FLOAT64, false);
      }
      if (c.family().equals("gemm")) {
        x = c.op().endsWith(transposedBy) ? x.transpose(0, 2, 1) : x;
        x = p.shape(name)[0] == 1 ? x.squeeze(0) : x;
      }
      return x;
    }

    @Override
    public void run() {
      NDArray before = result;
      result =
          switch (op) {
            case "forward" -> first.softmax(1);
            case "log-forward" -> first.logSoftmax(1);
            case "add", "add-row" -> first.add(second);
            case "mul-column" -> first.mul(second);
            case "exp" -> first.exp();
            case "tanh" -> first.tanh();
            case "sum-rows" -> first.sum(new int[] {1});
            case "sum-columns" -> first.sum(new int[] {0});
            case "sum-all" -> first.sum();
            case "max-rows" -> first.max(new int[] {1});
            default -> first.matMul(second);
          };
      before.close();
    }

    @Override
    public double[] result(String name) {
      return result.getDataType() == DataType.FLOAT64
          ? result.toDoubleArray()
          : Data.widened(result.toFloatArray());
    }

    @Override
    public void close() {
      manager.close();
    }
  }
}
