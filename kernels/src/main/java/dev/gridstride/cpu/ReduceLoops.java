package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;

/** Inner loops of reductions over contiguous f32 elements. Offsets and steps in bytes. */
public interface ReduceLoops {
  /** What is added up. */
  enum Term {
    /** x. */
    VALUE,
    /** |x|. */
    MAGNITUDE,
    /** x^2. */
    SQUARE,
    /** exp(x - shift). */
    EXP
  }

  /** The sum of the terms of {@code n} neighbours, n at most 4,096. */
  double sum(MemorySegment x, long at, int n, Term term, float shift);

  /** {@link #sum} of each of {@code rows} rows, whose distance is {@code step}. */
  default void sums(
      MemorySegment x, long at, long step, int rows, int n, Term term, double[] results) {
    for (int r = 0; r < rows; r++) {
      results[r] = sum(x, at + r * step, n, term, 0);
    }
  }

  /** The largest (or smallest) of {@code n} neighbours; NaN wins. */
  float extreme(MemorySegment x, long at, int n, boolean largest);

  /** {@link #extreme} of each of {@code rows} rows, whose distance is {@code step}. */
  default void extremes(
      MemorySegment x, long at, long step, int rows, int n, boolean largest, double[] results) {
    for (int r = 0; r < rows; r++) {
      results[r] = extreme(x, at + r * step, n, largest);
    }
  }

  /**
   * Adds to {@code sums[j]} the sum of the terms of column j over {@code rows} rows, at most 64,
   * whose distance is {@code step}.
   */
  void addColumns(
      MemorySegment x, long at, long step, int rows, double[] sums, int cols, Term term);

  /** Replaces {@code values[j]} by the largest (or smallest) of itself and column j; NaN wins. */
  void extremeColumns(
      MemorySegment x, long at, long step, int rows, double[] values, int cols, boolean largest);
}
