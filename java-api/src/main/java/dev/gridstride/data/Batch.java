package dev.gridstride.data;

import dev.gridstride.Tensor;

/**
 * Some examples side by side.
 *
 * @param x inputs, [batch, ...]
 * @param y targets, [batch, ...]
 */
public record Batch(Tensor x, Tensor y) implements AutoCloseable {
  /** Number of examples. */
  public long size() {
    return x.size(0);
  }

  /** Closes both tensors; needed only when no scope owns them. */
  @Override
  public void close() {
    x.close();
    y.close();
  }
}
