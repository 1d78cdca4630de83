package dev.gridstride.nn;

import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.Pool;
import dev.gridstride.kernels.PoolAxis;
import java.util.Arrays;

/** Average pooling to a given size. */
final class AdaptivePool {
  private AdaptivePool() {}

  /** The sizes of a result in each direction. */
  static long[] sizes(String op, long[] out, int rank) {
    if (Arrays.stream(out).anyMatch(v -> v < 1)) {
      throw InvalidArgumentException.of(
          op, "out", "must be at least 1", "out=%s", Arrays.toString(out));
    }
    return Windows.each(op, "out", out, rank);
  }

  static Tensor average(String op, Tensor x, long[] out) {
    Windows.checkRank(op, x, out.length);
    var axes = new PoolAxis[out.length];
    for (int i = 0; i < out.length; i++) {
      long size = x.size(2 + i);
      if (size == 0) {
        throw InvalidArgumentException.of(
            op, "x", "must not have an empty spatial dimension", "shape=%s", x.shape());
      }
      if (size % out[i] != 0) {
        return bySlices(x, out);
      }
      axes[i] = PoolAxis.of(size, size / out[i]);
    }
    return x.pool(Pool.Kind.AVERAGE, false, axes);
  }

  private static Tensor bySlices(Tensor x, long[] out) {
    Tensor y = x;
    for (int i = 0; i < out.length; i++) {
      int axis = 2 + i;
      long size = y.size(axis);
      var means = new Tensor[Math.toIntExact(out[i])];
      for (int o = 0; o < means.length; o++) {
        long from = Math.multiplyExact((long) o, size) / out[i];
        long to = Math.ceilDiv(Math.multiplyExact(o + 1L, size), out[i]);
        means[o] = y.slice(axis, from, to).mean(true, axis);
      }
      y = means.length == 1 ? means[0] : Tensors.concat(axis, means);
    }
    return y;
  }
}
