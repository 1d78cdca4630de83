package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static dev.gridstride.cpu.vector.VectorMath.F;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/** The nine sums of a 3 x 3 window: {@link dev.gridstride.cpu.ConvLoops#channelWindow}. */
final class F32WindowGradient {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final long V = 4L * F.length();

  private F32WindowGradient() {}

  private static FloatVector load(MemorySegment s, long off) {
    return FloatVector.fromMemorySegment(F, s, off, LE);
  }

  static void sums(
      int runs,
      int runLength,
      MemorySegment a,
      long aOff,
      int[] tab,
      long aStep,
      long dTap,
      long dRow,
      MemorySegment b,
      long bOff,
      long bStep,
      MemorySegment c,
      long cOff) {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    FloatVector s0 = load(c, cOff);
    FloatVector s1 = load(c, cOff + V);
    FloatVector s2 = load(c, cOff + 2 * V);
    FloatVector s3 = load(c, cOff + 3 * V);
    FloatVector s4 = load(c, cOff + 4 * V);
    FloatVector s5 = load(c, cOff + 5 * V);
    FloatVector s6 = load(c, cOff + 6 * V);
    FloatVector s7 = load(c, cOff + 7 * V);
    FloatVector s8 = load(c, cOff + 8 * V);
    for (int r = 0; r < runs; r++) {
      long q = aOff + tab[r];
      for (int s = 0; s < runLength; s++) {
        FloatVector v = load(b, bOff);
        long q1 = q + dRow;
        long q2 = q1 + dRow;
        s0 = load(a, q).fma(v, s0);
        s1 = load(a, q + dTap).fma(v, s1);
        s2 = load(a, q + 2 * dTap).fma(v, s2);
        s3 = load(a, q1).fma(v, s3);
        s4 = load(a, q1 + dTap).fma(v, s4);
        s5 = load(a, q1 + 2 * dTap).fma(v, s5);
        s6 = load(a, q2).fma(v, s6);
        s7 = load(a, q2 + dTap).fma(v, s7);
        s8 = load(a, q2 + 2 * dTap).fma(v, s8);
        q += aStep;
        bOff += bStep;
      }
    }
    s0.intoMemorySegment(c, cOff, LE);
    s1.intoMemorySegment(c, cOff + V, LE);
    s2.intoMemorySegment(c, cOff + 2 * V, LE);
    s3.intoMemorySegment(c, cOff + 3 * V, LE);
    s4.intoMemorySegment(c, cOff + 4 * V, LE);
    s5.intoMemorySegment(c, cOff + 5 * V, LE);
    s6.intoMemorySegment(c, cOff + 6 * V, LE);
    s7.intoMemorySegment(c, cOff + 7 * V, LE);
    s8.intoMemorySegment(c, cOff + 8 * V, LE);
  }
}
