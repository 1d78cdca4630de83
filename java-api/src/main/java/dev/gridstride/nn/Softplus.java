package dev.gridstride.nn;

import dev.gridstride.Tensor;

/** {@code ln(1 + e^x)}, element by element; any shape and floating dtype. No parameters. */
public final class Softplus extends Module {
  /** The function. */
  public Softplus() {}

  @Override
  public Tensor forward(Tensor x) {
    return x.softplus();
  }
}
