package dev.gridstride.nn;

import dev.gridstride.Generator;
import dev.gridstride.Tensor;

/** In training, sets elements to 0 with probability p and scales the others; else does nothing. */
public final class Dropout extends Module {
  private final Generator generator;
  private final double p;

  /** Draws from {@code generator}. */
  public Dropout(Generator generator, double p) {
    this.generator = generator;
    this.p = p;
  }

  @Override
  public Tensor forward(Tensor x) {
    return isTraining() ? generator.dropout(x, p) : x;
  }
}
