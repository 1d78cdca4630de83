package dev.gridstride.examples.onnx;

import dev.gridstride.Tensor;
import dev.gridstride.device.UnsupportedException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The operators by name. */
public final class Operators {
  private static final Set<String> DOMAINS =
      Set.of("", "ai.onnx", "ai.onnx.preview", "ai.onnx.preview.training");

  private static final Operators ALL = new Operators();

  private final Map<String, Operator> byName = new HashMap<>();

  private Operators() {
    ElementaryOps.addTo(this);
    ArithmeticOps.addTo(this);
    ActivationOps.addTo(this);
    SoftmaxOps.addTo(this);
    ProductOps.addTo(this);
    ConvolutionOps.addTo(this);
    PoolOps.addTo(this);
    NormOps.addTo(this);
    LossOps.addTo(this);
    ReduceOps.addTo(this);
    OrderOps.addTo(this);
    IndexOps.addTo(this);
    ShapeOps.addTo(this);
    PartOps.addTo(this);
    AttentionOps.addTo(this);
    OptimizerOps.addTo(this);
    RandomOps.addTo(this);
  }

  /** Adds an operator with one output. */
  void one(String name, Operator.Single operator) {
    many(name, node -> List.of(operator.run(node)));
  }

  /** Adds an operator. */
  void many(String name, Operator operator) {
    if (byName.put(name, operator) != null) {
      throw new IllegalStateException("operator defined twice: " + name);
    }
  }

  /**
   * The outputs of a node.
   *
   * @throws UnsupportedException for an operator that is not offered, or not in this form
   */
  public static List<Tensor> run(Node node) {
    Operator operator = DOMAINS.contains(node.domain()) ? ALL.byName.get(node.op()) : null;
    if (operator == null) {
      throw new UnsupportedException(
          "there is no operator " + node.op() + " of domain '" + node.domain() + "'");
    }
    return operator.run(node);
  }

  /** The names of all operators. */
  public static Set<String> names() {
    return Set.copyOf(ALL.byName.keySet());
  }
}
