package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.vector.VectorMath.F;

import dev.gridstride.cpu.Update;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** An update that does full vectors; the rest is copied into one, updated and copied back. */
abstract class FullVectors implements Update {
  private static final int V = F.vectorByteSize();

  /** Bytes from which on the step of a loop is constant; see {@link VectorStep}. */
  static final int MANY_BYTES = 4 * VectorStep.LONG;

  private static final int GRADIENT = 1;
  private static final int OPERANDS = 5;

  /** A vector of each thread for each operand; the arena of a dead thread's is collected. */
  private static final ThreadLocal<MemorySegment[]> REST =
      ThreadLocal.withInitial(() -> {
        var vectors = new MemorySegment[OPERANDS];
        for (int k = 0; k < OPERANDS; k++) {
          vectors[k] = Arena.ofAuto().allocate(V, V);
        }
        return vectors;
      });

  /** Updates {@code bytes} bytes of each from {@code at} on, a multiple of the vector's. */
  abstract void vectors(MemorySegment[] o, long at, int bytes);

  @Override
  public final void run(MemorySegment[] o, long from, long to) {
    int bytes = Math.toIntExact(4 * (to - from));
    int rest = bytes % V;
    int full = bytes - rest;
    if (full > 0) {
      vectors(o, 4 * from, full);
    }
    if (rest > 0) {
      rest(o, 4 * from + full, rest);
    }
  }

  private void rest(MemorySegment[] o, long at, int rest) {
    MemorySegment[] padded = REST.get(); // what is in the other lanes is not used
    for (int k = 0; k < o.length; k++) {
      MemorySegment.copy(o[k], at, padded[k], 0, rest);
    }
    vectors(padded, 0, V);
    for (int k = 0; k < o.length; k++) {
      if (k != GRADIENT) {
        MemorySegment.copy(padded[k], 0, o[k], at, rest);
      }
    }
  }
}
