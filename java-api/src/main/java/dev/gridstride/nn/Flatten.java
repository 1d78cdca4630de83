package dev.gridstride.nn;

import dev.gridstride.Tensor;

/**
 * All dimensions from {@code startAxis} on as one: by default {@code [n, ...]} to {@code [n, k]}.
 */
public final class Flatten extends Module {
  private final int startAxis;

  /** From dimension 1 on. */
  public Flatten() {
    this(1);
  }

  /** From dimension {@code startAxis} on; negative axes count from the last. */
  public Flatten(int startAxis) {
    this.startAxis = startAxis;
  }

  @Override
  public Tensor forward(Tensor x) {
    return x.flatten(startAxis);
  }
}
