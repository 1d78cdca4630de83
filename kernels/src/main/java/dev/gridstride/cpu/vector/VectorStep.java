package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.vector.VectorMath.F;

import java.lang.foreign.MemorySegment;

/**
 * The size of a vector as a variable, for loops over long stretches of memory.
 *
 * <p>A loop whose step the JIT knows is a counted one: it is unrolled, and its bounds checks are
 * moved before it. Once the first iteration has been peeled off, the moved checks fail for a
 * stretch of one vector, although the loop would not go on; the code is then thrown away and
 * compiled again, up to a hundred times, seconds of compilation and of boxed vectors each (JDK 25,
 * trap {@code profile_predicate}; Adam's loop took a third of a training run and a core for the
 * compiler). With a step that may be anything the checks stay inside, where they cost nothing
 * beside the memory, and the code is compiled once, in a tenth of the time.
 *
 * <p>What lies in a cache is faster with a constant step, by up to a third. Such a loop is entered
 * for {@link #LONG} stretches only, where the moved checks hold, from an aligned address on (half
 * of the stores into a row of 1000 would cross a cache line), and the loop after it does the
 * others.
 */
final class VectorStep {
  /** Elements from which on a loop may have a constant step. */
  static final int LONG = 8 * F.length();

  private static int bytes = F.vectorByteSize();

  private static int lanes = F.length();

  private VectorStep() {}

  /** Bytes of an f32 vector. Read it once before a loop. */
  static int bytes() {
    return bytes;
  }

  /** Elements of an f32 vector. Read it once before a loop. */
  static int lanes() {
    return lanes;
  }

  /** Elements from a place in memory to the next that is aligned to a vector. */
  static int head(MemorySegment s, long offset) {
    return (int) (-(s.address() + offset) >>> 2) & (F.length() - 1);
  }
}
