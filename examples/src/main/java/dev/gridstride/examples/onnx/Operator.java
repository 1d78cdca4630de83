package dev.gridstride.examples.onnx;

import dev.gridstride.Tensor;
import java.util.List;

/** What an operator computes. */
@FunctionalInterface
public interface Operator {
  /**
   * The node's outputs, in the order of its definition; there may be fewer or more than the node
   * names.
   *
   * @throws dev.gridstride.device.UnsupportedException for a form that is not offered, saying why
   */
  List<Tensor> run(Node node);

  /** An operator with one output. */
  @FunctionalInterface
  interface Single {
    /** The output. */
    Tensor run(Node node);
  }
}
