package dev.gridstride.nn;

import dev.gridstride.Tensor;

/** {@code max(x, 0)}, element by element; any shape and floating dtype. No parameters. */
public final class ReLU extends Module {
  /** The function. */
  public ReLU() {}

  @Override
  public Tensor forward(Tensor x) {
    return x.relu();
  }
}
