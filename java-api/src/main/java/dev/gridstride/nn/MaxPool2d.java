package dev.gridstride.nn;

import dev.gridstride.Tensor;
import dev.gridstride.kernels.Pool;

/**
 * Largest element of each window of images {@code [n, c, h, w]}; the result has the memory format
 * of its input. Padding counts as -Inf. No parameters; see {@link Pool} for NaN and for ties.
 */
public final class MaxPool2d extends Module {
  private final PoolOptions options;

  /** Windows of {@code kernel} in each direction, side by side. */
  public MaxPool2d(long kernel) {
    this(PoolOptions.of(kernel));
  }

  /** Windows of {@code kernel} in each direction. */
  public MaxPool2d(long kernel, long stride, long padding) {
    this(PoolOptions.of(kernel).withStride(stride).withPadding(padding));
  }

  /** Any windows. */
  public MaxPool2d(PoolOptions options) {
    this.options = options;
  }

  @Override
  public Tensor forward(Tensor x) {
    return options.pool("maxPool2d", Pool.Kind.MAX, x, 2);
  }
}
