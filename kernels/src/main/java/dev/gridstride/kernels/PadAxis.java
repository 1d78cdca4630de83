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
    if (size < 0 || before < -size || after < -size - Math.min(0, before)) {
      throw bad("must leave no negative size", size, before, after);
    }
    if (after > Long.MAX_VALUE - size - Math.max(0, before) || before > Long.MAX_VALUE - size) {
      throw bad("must give a size below 2^63", size, before, after);
    }
  }

  private static InvalidArgumentException bad(String rule, long size, long before, long after) {
    return InvalidArgumentException.of(
        "pad", "before and after", rule, "size=%d, before=%d, after=%d", size, before, after);
  }

  /** Length of the result. */
  public long out() {
    return size + before + after;
  }
}
