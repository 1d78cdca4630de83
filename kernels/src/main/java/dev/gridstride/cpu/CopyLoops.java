package dev.gridstride.cpu;

import dev.gridstride.cpu.scalar.ScalarCopyLoops;
import dev.gridstride.cpu.vector.VectorCopyLoops;
import dev.gridstride.device.DType;
import java.lang.foreign.MemorySegment;

/** The inner loops of copies that gain from vectors; offsets are in bytes. */
public interface CopyLoops {
  /** The loops of this JVM. */
  CopyLoops BEST = Simd.ENABLED ? new VectorCopyLoops() : new ScalarCopyLoops();

  /**
   * Converts {@code n} neighbouring elements.
   *
   * @return false when this pair of types has no loop here; nothing is written then
   */
  boolean convert(
      DType from, DType to, MemorySegment x, long xAt, MemorySegment y, long yAt, int n);

  /**
   * Transposes 4-byte elements: the one at {@code x + r * xRow + c * 4} goes to {@code y + c * yRow
   * + r * 4}, for {@code r < rows, c < cols}.
   */
  void transpose4(
      MemorySegment x,
      long xAt,
      long xRow,
      MemorySegment y,
      long yAt,
      long yRow,
      int rows,
      int cols);
}
