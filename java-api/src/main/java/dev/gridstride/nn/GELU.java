package dev.gridstride.nn;

import dev.gridstride.Tensor;

/**
 * Gaussian error linear unit, element by element; any shape and floating dtype. No parameters.
 *
 * <p>Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.
 */
public final class GELU extends Module {
  /** How the normal distribution function is computed. */
  public enum Approximation {
    /** {@code x (1 + erf(x / sqrt 2)) / 2}. */
    NONE,
    /** {@code x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2}. */
    TANH
  }

  private final Approximation approximation;

  /** By erf. */
  public GELU() {
    this(Approximation.NONE);
  }

  /** By the given form. */
  public GELU(Approximation approximation) {
    this.approximation = approximation;
  }

  @Override
  public Tensor forward(Tensor x) {
    return approximation == Approximation.TANH ? x.geluTanh() : x.gelu();
  }
}
