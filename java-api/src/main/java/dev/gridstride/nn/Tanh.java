package dev.gridstride.nn;

import dev.gridstride.Tensor;

/** Hyperbolic tangent, element by element; any shape and floating dtype. No parameters. */
public final class Tanh extends Module {
  /** The function. */
  public Tanh() {}

  @Override
  public Tensor forward(Tensor x) {
    return x.tanh();
  }
}
