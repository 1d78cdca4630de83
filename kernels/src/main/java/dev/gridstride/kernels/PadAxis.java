package dev.gridstride.kernels;

import dev.gridstride.device.InvalidArgumentException;

/**
 * One dimension of a padding.
 *
 * @param size length of the input
 * @param before elements added before the first; a negative number cuts elements off
 * @param after elements added after the last; a negative number cuts elements off
 */
public record PadAxis(long size, long before, long after) {
  /** Checks that the result has a length. */
  public PadAxis {
    if (size < 0 || length(size, before, after) < 0) {
      throw InvalidArgumentException.of(
          "pad",
          "before and after",
          "must leave no negative size",
          "size=%d, before=%d, after=%d",
          size,
          before,
          after);
    }
  }

  private static long length(long size, long before, long after) {
    return Math.addExact(Math.addExact(size, before), after);
  }

  /** Length of the result. */
  public long out() {
    return size + before + after;
  }
}
