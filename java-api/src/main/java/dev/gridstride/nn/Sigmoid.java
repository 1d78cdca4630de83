package dev.gridstride.nn;

import dev.gridstride.Tensor;

/** {@code 1 / (1 + e^-x)}, element by element; any shape and floating dtype. No parameters. */
public final class Sigmoid extends Module {
  /** The function. */
  public Sigmoid() {}

  @Override
  public Tensor forward(Tensor x) {
    return x.sigmoid();
  }
}
