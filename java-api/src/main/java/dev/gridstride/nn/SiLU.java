package dev.gridstride.nn;

import dev.gridstride.Tensor;

/**
 * {@code x sigmoid(x)}, also known as swish, element by element; any shape and floating dtype. No
 * parameters.
 */
public final class SiLU extends Module {
  /** The function. */
  public SiLU() {}

  @Override
  public Tensor forward(Tensor x) {
    return x.silu();
  }
}
