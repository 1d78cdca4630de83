package dev.gridstride;

import dev.gridstride.kernels.ImageLayout;
import dev.gridstride.kernels.Pool;
import dev.gridstride.kernels.PoolAxis;

/**
 * Maximum and average over windows of images {@code [n, c, spatial...]}; see {@link Pool} for edge
 * cases. The result has the memory format of its input.
 */
public sealed interface Pooling permits Tensor {
  /** Largest element of each {@code kernel x kernel} window; windows lie side by side. */
  default Tensor maxPool2d(long kernel) {
    return maxPool2d(kernel, kernel, 0);
  }

  /** Largest element of each {@code kernel x kernel} window. */
  default Tensor maxPool2d(long kernel, long stride, long padding) {
    return PoolFunction.square(Pool.Kind.MAX, (Tensor) this, kernel, stride, padding, false);
  }

  /** Mean of each {@code kernel x kernel} window; windows lie side by side. */
  default Tensor avgPool2d(long kernel) {
    return avgPool2d(kernel, kernel, 0);
  }

  /** Mean of each {@code kernel x kernel} window, the padding counted as zeros. */
  default Tensor avgPool2d(long kernel, long stride, long padding) {
    return PoolFunction.square(Pool.Kind.AVERAGE, (Tensor) this, kernel, stride, padding, true);
  }

  /** Mean over all of space: {@code [n, c, spatial...]} to {@code [n, c]}. */
  default Tensor globalAvgPool() {
    Tensor x = (Tensor) this;
    var axes = new PoolAxis[PoolFunction.spatial("globalAvgPool", x)];
    for (int i = 0; i < axes.length; i++) {
      axes[i] = PoolAxis.of(x.size(2 + i), x.size(2 + i));
    }
    return pool(Pool.Kind.AVERAGE, false, axes).reshape(x.size(0), x.size(1));
  }

  /**
   * Any pooling in one to three dimensions.
   *
   * @param countIncludePad whether an average's divisor counts the padding
   * @param axes one for each spatial dimension, with the tensor's sizes
   */
  default Tensor pool(Pool.Kind kind, boolean countIncludePad, PoolAxis... axes) {
    return PoolFunction.apply(kind, (Tensor) this, countIncludePad, axes);
  }

  /**
   * Largest element of each window, and where it is.
   *
   * @param axes one for each spatial dimension, with the tensor's sizes
   */
  default MaxPoolResult maxPoolWithIndices(PoolAxis... axes) {
    return PoolFunction.maxWithIndices((Tensor) this, axes);
  }

  /** The memory format in which ops on these images work. */
  default ImageLayout imageLayout() {
    return Formats.of((Tensor) this);
  }
}
