package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;

/**
 * Loops over a run of f32 elements: the parts that softmax and cross-entropy are made of.
 *
 * <p>A run is given by a segment, the index of its first element and its length; an output may be
 * an input. Sums are f32 with several partial sums: callers keep runs short ({@link #RUN}) and
 * combine them in double. "Near shift" means that no x exceeds shift by more than 87.
 */
public interface RowLoops {
  /** Longest run of a row: input and output stay in the smallest usual first-level cache. */
  int RUN = 2048;

  /** The largest element, NaNs left out; -Inf when there is none. */
  float max(MemorySegment x, long at, int n);

  /** The sum. */
  float sum(MemorySegment x, long at, int n);

  /** {@code sum(exp(x - shift))} for x near shift; flushed to 0 below e^-87. */
  float sumExp(MemorySegment x, long at, int n, float shift);

  /** {@code y = exp(x - shift)} as {@link #sumExp}, and the sum. */
  float storeExp(MemorySegment x, long at, MemorySegment y, long to, int n, float shift);

  /** {@code sum(x - shift)}. */
  float sumShifted(MemorySegment x, long at, int n, float shift);

  /** {@code sum(q * (x - shift))}, leaving out the elements whose q is 0. */
  float dotShifted(MemorySegment q, long qAt, MemorySegment x, long at, int n, float shift);

  /** {@code y = x - max - logSum}. */
  void subtract(MemorySegment x, MemorySegment y, long at, int n, float max, float logSum);

  /** {@code y = y * factor - less}. */
  void scale(MemorySegment y, long at, int n, float factor, float less);

  /** Whether there is {@link #softmaxRows} for rows of {@code n} elements. */
  default boolean hasSoftmaxRows(long n) {
    return false;
  }

  /** Softmax of rows one after the other, or its logarithm, in one call, which short rows need. */
  default void softmaxRows(
      MemorySegment x, MemorySegment y, long at, int rows, int n, boolean log) {
    throw new UnsupportedOperationException("rows of " + n + " elements");
  }

  /** {@code y = y * factor - q * weight}. */
  void scaleMinus(
      MemorySegment y, long at, MemorySegment q, long qAt, int n, float factor, float weight);

  /** {@code q = (q * factor + add) * weight}. */
  void mix(
      MemorySegment q, long qAt, int n, float factor, float add, MemorySegment weight, long at);

  /** {@code sum(a * b)}. */
  float dot(MemorySegment a, MemorySegment b, long at, int n);

  /** {@code dx = y * (dy - sum)}. */
  void softmaxGradient(
      MemorySegment y, MemorySegment dy, MemorySegment dx, long at, int n, float sum);

  /** Whether there is {@link #softmaxGradients} for rows of {@code n} elements. */
  default boolean hasSoftmaxGradients(long n) {
    return false;
  }

  /** {@code dx = y * (dy - sum(y * dy))} for rows one after the other, in one call. */
  default void softmaxGradients(
      MemorySegment y, MemorySegment dy, MemorySegment dx, long at, int rows, int n) {
    throw new UnsupportedOperationException("rows of " + n + " elements");
  }

  /** {@code dx = dy - exp(y) * sum}. */
  void logSoftmaxGradient(
      MemorySegment y, MemorySegment dy, MemorySegment dx, long at, int n, float sum);
}
