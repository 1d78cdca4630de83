package dev.gridstride.cpu.scalar;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import dev.gridstride.cpu.CopyLoops;
import dev.gridstride.device.DType;
import java.lang.foreign.MemorySegment;

/** Copies in plain Java. */
public final class ScalarCopyLoops implements CopyLoops {
  @Override
  public boolean convert(
      DType from, DType to, MemorySegment x, long xAt, MemorySegment y, long yAt, int n) {
    return false;
  }

  @Override
  public void transpose4(
      MemorySegment x,
      long xAt,
      long xRow,
      MemorySegment y,
      long yAt,
      long yRow,
      int rows,
      int cols) {
    for (int c = 0; c < cols; c++) {
      for (int r = 0; r < rows; r++) {
        int v = x.get(JAVA_INT_UNALIGNED, xAt + r * xRow + 4L * c);
        y.set(JAVA_INT_UNALIGNED, yAt + c * yRow + 4L * r, v);
      }
    }
  }
}
