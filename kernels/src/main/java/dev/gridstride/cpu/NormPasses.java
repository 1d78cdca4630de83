package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;

/**
 * The passes over memory of a normalization by channels, in one memory order. A channel of an image
 * has the number {@code image * channels + channel}; sums of it come back in arrays, which may be
 * longer and hold anything before.
 */
interface NormPasses {
  /** Says the numbers of a channel of an image. */
  @FunctionalInterface
  interface Numbers {
    /** Sets {@code into} to pivot, scale and offset, or to pivot, a, b and c. */
    void of(long image, long channel, double[] into);
  }

  /** Mean and sum of squared deviations of each channel of each image. */
  void moments(MemorySegment x, double[] means, double[] squares);

  /** {@code y = (x - pivot) * scale + offset}. */
  void affine(MemorySegment x, MemorySegment y, Numbers numbers);

  /**
   * Sets three sums for each channel of each image, side by side: {@code sum(dy), sum(dy * (x -
   * pivot)), sum(x - pivot)}.
   */
  void sums(MemorySegment x, MemorySegment dy, Numbers pivots, double[] sums);

  /** {@code dx = dy * a + (x - pivot) * b + c}. */
  void gradient(MemorySegment x, MemorySegment dy, MemorySegment dx, Numbers numbers);
}
