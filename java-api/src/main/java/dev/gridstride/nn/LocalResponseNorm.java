package dev.gridstride.nn;

import dev.gridstride.Tensor;
import dev.gridstride.device.InvalidArgumentException;

/**
 * Local response normalization of {@code [n, channels, spatial...]}: each element divided by a
 * power of its neighbours in other channels. No parameters; see {@link Tensor#localResponseNorm}
 * for the formula.
 */
public final class LocalResponseNorm extends Module {
  private final long size;
  private final double alpha;
  private final double beta;
  private final double k;

  /** With an alpha of 1e-4, a beta of 0.75 and a k of 1. */
  public LocalResponseNorm(long size) {
    this(size, 1e-4, 0.75, 1);
  }

  /**
   * Any constants of the formula.
   *
   * @param size number of neighbouring channels, at least 1
   */
  public LocalResponseNorm(long size, double alpha, double beta, double k) {
    if (size < 1) {
      throw InvalidArgumentException.of(
          "localResponseNorm", "size", "must be at least 1", "size=%d", size);
    }
    this.size = size;
    this.alpha = alpha;
    this.beta = beta;
    this.k = k;
  }

  @Override
  public Tensor forward(Tensor x) {
    return x.localResponseNorm(size, alpha, beta, k);
  }
}
