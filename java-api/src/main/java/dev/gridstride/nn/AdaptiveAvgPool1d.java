package dev.gridstride.nn;

import dev.gridstride.Tensor;

/**
 * Means over windows chosen so that images {@code [n, c, length]} of any size come out at one size.
 *
 * <p>Of {@code size} inputs, output i of {@code out} is the mean of those from {@code floor(i size
 * / out)} to {@code ceil((i + 1) size / out)}, in each direction, as in PyTorch. Where size is a
 * multiple of out in all directions this is one pooling; otherwise means of slices, one direction
 * after the other. No parameters.
 */
public final class AdaptiveAvgPool1d extends Module {
  private final long[] out;

  /**
   * To this size.
   *
   * @param out one number, at least 1
   */
  public AdaptiveAvgPool1d(long... out) {
    this.out = AdaptivePool.sizes("adaptiveAvgPool1d", out, 1);
  }

  @Override
  public Tensor forward(Tensor x) {
    return AdaptivePool.average("adaptiveAvgPool1d", x, out);
  }
}
