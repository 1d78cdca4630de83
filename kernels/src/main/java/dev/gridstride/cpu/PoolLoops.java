package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;

/**
 * One window of f32 images whose channels lie side by side; {@code at} are byte offsets of the
 * window's elements, of which the first {@code count} count, each the first of {@code channels}
 * neighbours.
 */
public interface PoolLoops {
  /** The maximum of each channel, -Inf for no element; NaN wins. */
  void max(MemorySegment x, long[] at, int count, MemorySegment y, long yAt, int channels);

  /** Adds dy to the first element of each channel that equals y, or is NaN where y is. */
  void maxBackward(
      MemorySegment x,
      long[] at,
      int count,
      MemorySegment y,
      MemorySegment dy,
      long yAt,
      MemorySegment dx,
      int channels);

  /** The same for a window that shares no element with another: sets dx instead of adding. */
  void maxBackwardAlone(
      MemorySegment x,
      long[] at,
      int count,
      MemorySegment y,
      MemorySegment dy,
      long yAt,
      MemorySegment dx,
      int channels);

  /** The sum of each channel times {@code scale}. */
  void average(
      MemorySegment x, long[] at, int count, MemorySegment y, long yAt, int channels, float scale);

  /** Adds dy times {@code scale} to each element. */
  void averageBackward(
      MemorySegment dy,
      long yAt,
      MemorySegment dx,
      long[] at,
      int count,
      int channels,
      float scale);
}
