package dev.gridstride.examples.onnx;

import dev.gridstride.Tensor;
import java.util.function.UnaryOperator;

/**
 * Softmax and its relatives. Before operator set 13 they see the tensor as a matrix: the dimensions
 * before the axis are its rows, and the others together its columns.
 */
final class SoftmaxOps {
  private static final long ONE_AXIS = 13; // the first operator set that works along one axis

  private SoftmaxOps() {}

  /** A function of a tensor along an axis. */
  private interface Along {
    Tensor apply(Tensor x, int axis);
  }

  static void addTo(Operators ops) {
    ops.one("Softmax", n -> run(n, Tensor::softmax));
    ops.one("LogSoftmax", n -> run(n, Tensor::logSoftmax));
    ops.one("Hardmax", n -> run(n, SoftmaxOps::hardmax));
  }

  private static Tensor run(Node n, Along function) {
    Tensor x = n.in(0);
    if (n.opset() >= ONE_AXIS) {
      return function.apply(x, n.small("axis", -1));
    }
    UnaryOperator<Tensor> rows = matrix -> function.apply(matrix, 1);
    return rows.apply(asMatrix(x, n.integer("axis", 1))).reshape(x.shape().dims());
  }

  /** The dimensions before the axis as rows, the others as columns. */
  static Tensor asMatrix(Tensor x, long axis) {
    int a = Math.toIntExact(axis < 0 ? axis + x.rank() : axis);
    return x.reshape(Values.product(x, 0, a), Values.product(x, a, x.rank()));
  }

  /** 1 at the first largest element along the axis, 0 elsewhere. */
  private static Tensor hardmax(Tensor x, int axis) {
    int a = Values.axis(x, axis);
    Tensor best = x.argMax(true, a);
    var dims = new long[x.rank()];
    java.util.Arrays.fill(dims, 1);
    dims[a] = x.size(a);
    Tensor place = Values.sequence(x, 0, x.size(a)).reshape(dims);
    return place.eq(best).to(x.dtype());
  }
}
