package dev.gridstride.examples.onnx;

import dev.gridstride.Generator;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import java.util.List;

/** Operators that draw random numbers. */
final class RandomOps {
  private static final long TRAINING_INPUT = 12; // the first operator set with training_mode
  private static final long BOOL_MASK = 10; // the first with a mask of truth values

  private RandomOps() {}

  static void addTo(Operators ops) {
    ops.many("Dropout", RandomOps::dropout);
  }

  private static List<Tensor> dropout(Node n) {
    Tensor x = n.in(0);
    double ratio = ratio(n);
    DType maskType = n.opset() < BOOL_MASK ? x.dtype() : DType.BOOL;
    if (!trains(n) || ratio == 0) {
      return List.of(x, Tensors.ones(x.device(), maskType, x.shape().dims()));
    }
    var generator = new Generator(n.integer("seed", 0));
    Tensor keep =
        generator
            .uniform(x.device(), DType.F32, 0, 1, x.shape().dims())
            .ge(Tensors.full(x.device(), DType.F32, ratio));
    Tensor y = keep.where(x.mul(1 / (1 - ratio)), Values.scalar(x, 0));
    return List.of(y, keep.to(maskType));
  }

  /** The share that is set to 0. */
  static double ratio(Node n) {
    Tensor ratio = n.optional(1);
    return ratio == null ? n.real("ratio", 0.5) : ratio.item();
  }

  /** Whether this dropout draws; inference leaves all elements. */
  static boolean trains(Node n) {
    if (n.opset() < TRAINING_INPUT) {
      return n.opset() < 7 && !n.flag("is_test", false);
    }
    Tensor training = n.optional(2);
    return training != null && training.item() != 0;
  }
}
