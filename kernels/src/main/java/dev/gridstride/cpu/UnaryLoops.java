package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;

/**
 * An elementwise function of one argument over contiguous elements; places are in bytes.
 *
 * <p>{@code far} says that the operands are more than the caches hold: memory is best read in
 * order, one vector at a time.
 */
public interface UnaryLoops {
  /** {@code y = f(x)}; y may be x. */
  void forward(
      MemorySegment x,
      long xAt,
      MemorySegment y,
      long yAt,
      int count,
      boolean far,
      double a,
      double b);

  /** {@code dx = dy f'}; dx may be dy or the saved operand. */
  void backward(
      MemorySegment saved,
      long savedAt,
      MemorySegment dy,
      long dyAt,
      MemorySegment dx,
      long dxAt,
      int count,
      boolean far,
      double a,
      double b);
}
