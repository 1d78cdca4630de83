package dev.gridstride.nn;

import dev.gridstride.Tensor;

/**
 * {@code x >= 0 ? x : alpha (e^x - 1)}, element by element; any shape and floating dtype. No
 * parameters.
 */
public final class ELU extends Module {
  private final double alpha;

  /** With alpha 1. */
  public ELU() {
    this(1);
  }

  /** With any alpha. */
  public ELU(double alpha) {
    this.alpha = alpha;
  }

  @Override
  public Tensor forward(Tensor x) {
    return x.elu(alpha);
  }
}
