package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Tells loops and the JIT what kind of memory they work on.
 *
 * <p>A segment is native or backed by one of several heap arrays, and the JIT goes by what it has
 * seen, anywhere in the program. The Vector API itself spoils that: until C2 has compiled them,
 * {@code reinterpretAsInts} and conversions go through a segment on a {@code byte[]}, with the same
 * methods that every loop stores with. From then on each vector of each loop asks what its segment
 * is, and may not move its checks before the loop, since a store that might go to an array is a
 * barrier. With the class known e^x over a cache takes a quarter less time, tanh a third (JDK 25,
 * Zen 4).
 *
 * <p>Loops call these in the method in which they stand: what a caller knows is lost where the loop
 * is compiled by itself.
 */
public final class Segments {
  private static final Class<?> NATIVE = Tiles.ZEROS.getClass();

  /** Half of a third-level cache. */
  private static final long FAR = 16 << 20;

  private Segments() {}

  /**
   * Whether operands of so many bytes in all come from memory. It is best read in order, one vector
   * at a time; what lies in a cache, by unrolled loops.
   */
  public static boolean areFar(long bytes) {
    return bytes >= FAR;
  }

  /** {@code s}, of the one class of all native segments. */
  public static MemorySegment exact(MemorySegment s) {
    if (s.getClass() == NATIVE) {
      return s;
    }
    throw new IllegalArgumentException("a kernel works on native memory, not on " + s);
  }

  /** As {@link #exact}, for an operand that may be left out. */
  public static @Nullable MemorySegment exactOrNull(@Nullable MemorySegment s) {
    return s == null ? null : exact(s);
  }
}
