package dev.gridstride;

import dev.gridstride.device.DType;
import dev.gridstride.kernels.Copy;
import dev.gridstride.kernels.Layout;

/** Copies of elements between tensors, outside recording. */
final class Copies {
  private Copies() {}

  /** A new tensor with x's elements in another type and layout of the same sizes. */
  static Tensor to(Tensor x, DType dtype, Layout layout) {
    Tensor y = Tensor.empty(x.device(), dtype, layout);
    into(x, y);
    return y;
  }

  /** Copies x over all elements of target, converting the type. */
  static void into(Tensor x, Tensor target) {
    Copy op = new Copy(x.dtype(), x.layout(), target.dtype(), target.layout(), 0);
    Plans.of(x.device(), op).run(x.stream(), x.buffer(), target.buffer());
  }

  /** A new row-major tensor with x's elements in the opposite order along {@code axes}. */
  static Tensor reversed(Tensor x, int[] axes) {
    Tensor y = Tensor.empty(x.device(), x.dtype(), x.shape().dims());
    Copy op = Copy.of(x.dtype(), x.layout(), y.layout()).reversing(axes);
    Plans.of(x.device(), op).run(x.stream(), x.buffer(), y.buffer());
    return y;
  }
}
