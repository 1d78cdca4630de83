package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;

/**
 * One run of an elementwise function of two f32 operands; offsets in bytes, {@code far} as in
 * {@link UnaryLoops}.
 */
public interface BinaryLoops {
  /** {@code y[i] = f(a[i * aStep], b[i * bStep])} for i below n; a step is 0 or 1. */
  void run(
      MemorySegment a,
      long aAt,
      int aStep,
      MemorySegment b,
      long bAt,
      int bStep,
      MemorySegment y,
      long yAt,
      int n,
      boolean far);

  /**
   * Several rows of the same length, {@code aRow}, {@code bRow} and {@code yRow} bytes from each
   * other.
   */
  default void rows(
      long rows,
      MemorySegment a,
      long aAt,
      int aStep,
      long aRow,
      MemorySegment b,
      long bAt,
      int bStep,
      long bRow,
      MemorySegment y,
      long yAt,
      long yRow,
      int n,
      boolean far) {
    for (long r = 0; r < rows; r++) {
      run(a, aAt + r * aRow, aStep, b, bAt + r * bRow, bStep, y, yAt + r * yRow, n, far);
    }
  }
}
