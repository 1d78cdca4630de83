package dev.gridstride.nn;

import dev.gridstride.Tensor;
import dev.gridstride.kernels.Pool;

/**
 * Mean of each window of images {@code [n, c, h, w]}; the result has the memory format of its
 * input. Padding counts as zeros and, unless told otherwise, in the divisor. No parameters; see
 * {@link Pool} for NaN and for ties.
 */
public final class AvgPool2d extends Module {
  private final PoolOptions options;

  /** Windows of {@code kernel} in each direction, side by side. */
  public AvgPool2d(long kernel) {
    this(PoolOptions.of(kernel));
  }

  /** Windows of {@code kernel} in each direction. */
  public AvgPool2d(long kernel, long stride, long padding) {
    this(PoolOptions.of(kernel).withStride(stride).withPadding(padding));
  }

  /** Any windows. */
  public AvgPool2d(PoolOptions options) {
    this.options = options;
  }

  @Override
  public Tensor forward(Tensor x) {
    return options.pool("avgPool2d", Pool.Kind.AVERAGE, x, 2);
  }
}
