package dev.gridstride.nn;

import dev.gridstride.Tensor;
import dev.gridstride.kernels.Pool;
import dev.gridstride.kernels.PoolAxis;

/**
 * The windows of a pooling. Each array has one number for each spatial dimension, or a single one
 * that holds for all.
 *
 * @param kernel length of a window
 * @param stride distance of two neighbouring windows
 * @param padding elements added on both sides
 * @param dilation distance of two neighbouring elements of a window
 * @param ceil whether the number of windows is rounded up
 * @param countIncludePad whether an average's divisor counts the padding
 */
public record PoolOptions(
    long[] kernel,
    long[] stride,
    long[] padding,
    long[] dilation,
    boolean ceil,
    boolean countIncludePad) {
  /** Copies the arrays. */
  public PoolOptions {
    kernel = kernel.clone();
    stride = stride.clone();
    padding = padding.clone();
    dilation = dilation.clone();
  }

  /** Windows side by side, no padding, no dilation; averages count the padding. */
  public static PoolOptions of(long... kernel) {
    return new PoolOptions(kernel, kernel, new long[] {0}, new long[] {1}, false, true);
  }

  /** The same with another stride. */
  public PoolOptions withStride(long... value) {
    return new PoolOptions(kernel, value, padding, dilation, ceil, countIncludePad);
  }

  /** The same with other padding. */
  public PoolOptions withPadding(long... value) {
    return new PoolOptions(kernel, stride, value, dilation, ceil, countIncludePad);
  }

  /** The same with another dilation. */
  public PoolOptions withDilation(long... value) {
    return new PoolOptions(kernel, stride, padding, value, ceil, countIncludePad);
  }

  /** The same with the number of windows rounded up. */
  public PoolOptions withCeil() {
    return new PoolOptions(kernel, stride, padding, dilation, true, countIncludePad);
  }

  /** The same with averages over the elements inside the image only. */
  public PoolOptions withoutPadInAverage() {
    return new PoolOptions(kernel, stride, padding, dilation, ceil, false);
  }

  /** Pools images of {@code rank} spatial dimensions. */
  Tensor pool(String op, Pool.Kind kind, Tensor x, int rank) {
    Windows.checkRank(op, x, rank);
    var axes = new PoolAxis[rank];
    for (int i = 0; i < rank; i++) {
      long pad = at(op, "padding", padding, i, rank);
      axes[i] =
          new PoolAxis(
              x.size(2 + i),
              at(op, "kernel", kernel, i, rank),
              at(op, "stride", stride, i, rank),
              pad,
              pad,
              at(op, "dilation", dilation, i, rank),
              ceil);
    }
    return x.pool(kind, countIncludePad, axes);
  }

  private static long at(String op, String name, long[] values, int i, int rank) {
    return Windows.each(op, name, values, rank)[i];
  }
}
