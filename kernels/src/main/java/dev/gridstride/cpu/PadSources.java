package dev.gridstride.cpu;

import dev.gridstride.kernels.Pad;

/** One dimension of a padding: where an output comes from, and where an input goes to. */
record PadSources(Pad.Mode mode, long size, long before, long out) {
  /** The input that output {@code o} holds; -1 for the constant. */
  long source(long o) {
    long i = o - before;
    if (i >= 0 && i < size) {
      return i;
    }
    return switch (mode) {
      case CONSTANT -> -1;
      case REFLECT -> i < 0 ? -i : 2 * (size - 1) - i;
      case REPLICATE -> i < 0 ? 0 : size - 1;
      case CIRCULAR -> i < 0 ? i + size : i - size;
    };
  }

  /**
   * The outputs that hold input {@code i}, ascending, as up to three ranges.
   *
   * @param ranges takes begin and end of each
   * @return number of ranges
   */
  int targets(long i, long[] ranges) {
    long own = i + before;
    return switch (mode) {
      case CONSTANT -> put(ranges, 0, own, own + 1);
      case REPLICATE -> put(ranges, 0, i == 0 ? 0 : own, i == size - 1 ? out : own + 1);
      case REFLECT -> {
        int n = i > 0 ? put(ranges, 0, before - i, before - i + 1) : 0;
        n = put(ranges, n, own, own + 1);
        long mirrored = 2 * (size - 1) - i + before;
        yield i < size - 1 ? put(ranges, n, mirrored, mirrored + 1) : n;
      }
      case CIRCULAR -> {
        int n = put(ranges, 0, own - size, own - size + 1);
        n = put(ranges, n, own, own + 1);
        yield put(ranges, n, own + size, own + size + 1);
      }
    };
  }

  private int put(long[] ranges, int n, long from, long to) {
    long a = Math.max(0, from);
    long b = Math.min(out, to);
    if (a >= b) {
      return n;
    }
    ranges[2 * n] = a;
    ranges[2 * n + 1] = b;
    return n + 1;
  }
}
