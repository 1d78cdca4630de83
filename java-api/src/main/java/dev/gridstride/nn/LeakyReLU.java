package dev.gridstride.nn;

import dev.gridstride.Tensor;

/**
 * {@code x >= 0 ? x : negativeSlope x}, element by element; any shape and floating dtype. No
 * parameters.
 */
public final class LeakyReLU extends Module {
  private final double negativeSlope;

  /** With negativeSlope 0.01. */
  public LeakyReLU() {
    this(0.01);
  }

  /** With any negativeSlope. */
  public LeakyReLU(double negativeSlope) {
    this.negativeSlope = negativeSlope;
  }

  @Override
  public Tensor forward(Tensor x) {
    return x.leakyRelu(negativeSlope);
  }
}
