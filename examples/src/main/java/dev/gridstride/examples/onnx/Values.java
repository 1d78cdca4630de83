package dev.gridstride.examples.onnx;

import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.kernels.Layout;
import java.util.Arrays;

/** What several families need: constants beside a tensor, axes, detours over other types. */
final class Values {
  private Values() {}

  /** A tensor of rank 0 with the dtype and device of {@code like}. */
  static Tensor scalar(Tensor like, double value) {
    return Tensors.full(like.device(), like.dtype(), value);
  }

  /** Not true; x is BOOL. */
  static Tensor not(Tensor x) {
    return x.xor(scalar(x, 1));
  }

  /** The sizes that all these shapes broadcast to together. */
  static long[] broadcastDims(String op, Tensor... tensors) {
    long[] dims = {};
    for (Tensor t : tensors) {
      dims = Layout.broadcastDims(op, dims, t.shape().dims());
    }
    return dims;
  }

  /** An axis in 0..rank, from one that may be negative. */
  static int axis(Tensor x, long axis) {
    return x.shape().axis("axis", Math.toIntExact(axis));
  }

  /** Axes as ints. */
  static int[] axes(long[] axes) {
    return Arrays.stream(axes).mapToInt(Math::toIntExact).toArray();
  }

  /** The product of sizes {@code from} to {@code to}, excluded. */
  static long product(Tensor x, int from, int to) {
    long product = 1;
    for (int i = from; i < to; i++) {
      product = Math.multiplyExact(product, x.size(i));
    }
    return product;
  }

  /** The values {@code first, first + step, ...}, n of them, i64. */
  static Tensor sequence(Tensor like, long first, long n) {
    return Tensors.arange(like.device(), DType.I64, n)
        .add(Tensors.full(like.device(), DType.I64, first));
  }
}
