package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Transposes square blocks of f32 in registers: rounds of pairwise exchange, after each of which
 * blocks of twice the size are transposed. Written by TransposeGenerator.
 */
final class F32Transpose {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final int LANES = S.length();

  private static final VectorShuffle<Float> X1 =
      VectorShuffle.fromOp(S, i -> (i ^ 1) & (LANES - 1));
  private static final VectorShuffle<Float> X2 =
      VectorShuffle.fromOp(S, i -> (i ^ 2) & (LANES - 1));
  private static final VectorShuffle<Float> X4 =
      VectorShuffle.fromOp(S, i -> (i ^ 4) & (LANES - 1));
  private static final VectorShuffle<Float> X8 =
      VectorShuffle.fromOp(S, i -> (i ^ 8) & (LANES - 1));

  private static final VectorMask<Float> K1 = VectorMask.fromLong(S, 0xAAAA & mask());
  private static final VectorMask<Float> K2 = VectorMask.fromLong(S, 0xCCCC & mask());
  private static final VectorMask<Float> K4 = VectorMask.fromLong(S, 0xF0F0 & mask());
  private static final VectorMask<Float> K8 = VectorMask.fromLong(S, 0xFF00 & mask());

  private F32Transpose() {}

  private static long mask() {
    return (1L << LANES) - 1;
  }

  /**
   * Element j of row i goes to element i of row j, for a block of LANES rows and columns.
   *
   * @param n rows that exist, at least 1; the last of them stands for the missing ones
   * @param ld distance of rows in bytes
   * @param step distance in bytes of the rows that are written
   */
  static void block(
      MemorySegment from, long off, long ld, int n, MemorySegment to, long toOff, long step) {
    switch (LANES) {
      case 4 -> block4(from, off, ld, n - 1, to, toOff, step);
      case 8 -> block8(from, off, ld, n - 1, to, toOff, step);
      case 16 -> block16(from, off, ld, n - 1, to, toOff, step);
      default -> throw new IllegalStateException("lanes " + LANES);
    }
  }

  private static FloatVector row(MemorySegment from, long off, long ld, int last, int i) {
    return FloatVector.fromMemorySegment(S, from, off + Math.min(i, last) * ld, LE);
  }

  private static void block4(
      MemorySegment from, long off, long ld, int last, MemorySegment to, long toOff, long step) {
    from = exact(from);
    to = exact(to);
    FloatVector a0 = row(from, off, ld, last, 0);
    FloatVector a1 = row(from, off, ld, last, 1);
    FloatVector a2 = row(from, off, ld, last, 2);
    FloatVector a3 = row(from, off, ld, last, 3);
    FloatVector b0 = a0.blend(a1.rearrange(X1), K1);
    FloatVector b1 = a0.rearrange(X1).blend(a1, K1);
    FloatVector b2 = a2.blend(a3.rearrange(X1), K1);
    FloatVector b3 = a2.rearrange(X1).blend(a3, K1);
    FloatVector c0 = b0.blend(b2.rearrange(X2), K2);
    FloatVector c2 = b0.rearrange(X2).blend(b2, K2);
    FloatVector c1 = b1.blend(b3.rearrange(X2), K2);
    FloatVector c3 = b1.rearrange(X2).blend(b3, K2);
    c0.intoMemorySegment(to, toOff, LE);
    c1.intoMemorySegment(to, toOff + step, LE);
    c2.intoMemorySegment(to, toOff + 2 * step, LE);
    c3.intoMemorySegment(to, toOff + 3 * step, LE);
  }

  private static void block8(
      MemorySegment from, long off, long ld, int last, MemorySegment to, long toOff, long step) {
    from = exact(from);
    to = exact(to);
    FloatVector a0 = row(from, off, ld, last, 0);
    FloatVector a1 = row(from, off, ld, last, 1);
    FloatVector a2 = row(from, off, ld, last, 2);
    FloatVector a3 = row(from, off, ld, last, 3);
    FloatVector a4 = row(from, off, ld, last, 4);
    FloatVector a5 = row(from, off, ld, last, 5);
    FloatVector a6 = row(from, off, ld, last, 6);
    FloatVector a7 = row(from, off, ld, last, 7);
    FloatVector b0 = a0.blend(a1.rearrange(X1), K1);
    FloatVector b1 = a0.rearrange(X1).blend(a1, K1);
    FloatVector b2 = a2.blend(a3.rearrange(X1), K1);
    FloatVector b3 = a2.rearrange(X1).blend(a3, K1);
    FloatVector b4 = a4.blend(a5.rearrange(X1), K1);
    FloatVector b5 = a4.rearrange(X1).blend(a5, K1);
    FloatVector b6 = a6.blend(a7.rearrange(X1), K1);
    FloatVector b7 = a6.rearrange(X1).blend(a7, K1);
    FloatVector c0 = b0.blend(b2.rearrange(X2), K2);
    FloatVector c2 = b0.rearrange(X2).blend(b2, K2);
    FloatVector c1 = b1.blend(b3.rearrange(X2), K2);
    FloatVector c3 = b1.rearrange(X2).blend(b3, K2);
    FloatVector c4 = b4.blend(b6.rearrange(X2), K2);
    FloatVector c6 = b4.rearrange(X2).blend(b6, K2);
    FloatVector c5 = b5.blend(b7.rearrange(X2), K2);
    FloatVector c7 = b5.rearrange(X2).blend(b7, K2);
    FloatVector d0 = c0.blend(c4.rearrange(X4), K4);
    FloatVector d4 = c0.rearrange(X4).blend(c4, K4);
    FloatVector d1 = c1.blend(c5.rearrange(X4), K4);
    FloatVector d5 = c1.rearrange(X4).blend(c5, K4);
    FloatVector d2 = c2.blend(c6.rearrange(X4), K4);
    FloatVector d6 = c2.rearrange(X4).blend(c6, K4);
    FloatVector d3 = c3.blend(c7.rearrange(X4), K4);
    FloatVector d7 = c3.rearrange(X4).blend(c7, K4);
    d0.intoMemorySegment(to, toOff, LE);
    d1.intoMemorySegment(to, toOff + step, LE);
    d2.intoMemorySegment(to, toOff + 2 * step, LE);
    d3.intoMemorySegment(to, toOff + 3 * step, LE);
    d4.intoMemorySegment(to, toOff + 4 * step, LE);
    d5.intoMemorySegment(to, toOff + 5 * step, LE);
    d6.intoMemorySegment(to, toOff + 6 * step, LE);
    d7.intoMemorySegment(to, toOff + 7 * step, LE);
  }

  private static void block16(
      MemorySegment from, long off, long ld, int last, MemorySegment to, long toOff, long step) {
    from = exact(from);
    to = exact(to);
    FloatVector a0 = row(from, off, ld, last, 0);
    FloatVector a1 = row(from, off, ld, last, 1);
    FloatVector a2 = row(from, off, ld, last, 2);
    FloatVector a3 = row(from, off, ld, last, 3);
    FloatVector a4 = row(from, off, ld, last, 4);
    FloatVector a5 = row(from, off, ld, last, 5);
    FloatVector a6 = row(from, off, ld, last, 6);
    FloatVector a7 = row(from, off, ld, last, 7);
    FloatVector a8 = row(from, off, ld, last, 8);
    FloatVector a9 = row(from, off, ld, last, 9);
    FloatVector a10 = row(from, off, ld, last, 10);
    FloatVector a11 = row(from, off, ld, last, 11);
    FloatVector a12 = row(from, off, ld, last, 12);
    FloatVector a13 = row(from, off, ld, last, 13);
    FloatVector a14 = row(from, off, ld, last, 14);
    FloatVector a15 = row(from, off, ld, last, 15);
    FloatVector b0 = a0.blend(a1.rearrange(X1), K1);
    FloatVector b1 = a0.rearrange(X1).blend(a1, K1);
    FloatVector b2 = a2.blend(a3.rearrange(X1), K1);
    FloatVector b3 = a2.rearrange(X1).blend(a3, K1);
    FloatVector b4 = a4.blend(a5.rearrange(X1), K1);
    FloatVector b5 = a4.rearrange(X1).blend(a5, K1);
    FloatVector b6 = a6.blend(a7.rearrange(X1), K1);
    FloatVector b7 = a6.rearrange(X1).blend(a7, K1);
    FloatVector b8 = a8.blend(a9.rearrange(X1), K1);
    FloatVector b9 = a8.rearrange(X1).blend(a9, K1);
    FloatVector b10 = a10.blend(a11.rearrange(X1), K1);
    FloatVector b11 = a10.rearrange(X1).blend(a11, K1);
    FloatVector b12 = a12.blend(a13.rearrange(X1), K1);
    FloatVector b13 = a12.rearrange(X1).blend(a13, K1);
    FloatVector b14 = a14.blend(a15.rearrange(X1), K1);
    FloatVector b15 = a14.rearrange(X1).blend(a15, K1);
    FloatVector c0 = b0.blend(b2.rearrange(X2), K2);
    FloatVector c2 = b0.rearrange(X2).blend(b2, K2);
    FloatVector c1 = b1.blend(b3.rearrange(X2), K2);
    FloatVector c3 = b1.rearrange(X2).blend(b3, K2);
    FloatVector c4 = b4.blend(b6.rearrange(X2), K2);
    FloatVector c6 = b4.rearrange(X2).blend(b6, K2);
    FloatVector c5 = b5.blend(b7.rearrange(X2), K2);
    FloatVector c7 = b5.rearrange(X2).blend(b7, K2);
    FloatVector c8 = b8.blend(b10.rearrange(X2), K2);
    FloatVector c10 = b8.rearrange(X2).blend(b10, K2);
    FloatVector c9 = b9.blend(b11.rearrange(X2), K2);
    FloatVector c11 = b9.rearrange(X2).blend(b11, K2);
    FloatVector c12 = b12.blend(b14.rearrange(X2), K2);
    FloatVector c14 = b12.rearrange(X2).blend(b14, K2);
    FloatVector c13 = b13.blend(b15.rearrange(X2), K2);
    FloatVector c15 = b13.rearrange(X2).blend(b15, K2);
    FloatVector d0 = c0.blend(c4.rearrange(X4), K4);
    FloatVector d4 = c0.rearrange(X4).blend(c4, K4);
    FloatVector d1 = c1.blend(c5.rearrange(X4), K4);
    FloatVector d5 = c1.rearrange(X4).blend(c5, K4);
    FloatVector d2 = c2.blend(c6.rearrange(X4), K4);
    FloatVector d6 = c2.rearrange(X4).blend(c6, K4);
    FloatVector d3 = c3.blend(c7.rearrange(X4), K4);
    FloatVector d7 = c3.rearrange(X4).blend(c7, K4);
    FloatVector d8 = c8.blend(c12.rearrange(X4), K4);
    FloatVector d12 = c8.rearrange(X4).blend(c12, K4);
    FloatVector d9 = c9.blend(c13.rearrange(X4), K4);
    FloatVector d13 = c9.rearrange(X4).blend(c13, K4);
    FloatVector d10 = c10.blend(c14.rearrange(X4), K4);
    FloatVector d14 = c10.rearrange(X4).blend(c14, K4);
    FloatVector d11 = c11.blend(c15.rearrange(X4), K4);
    FloatVector d15 = c11.rearrange(X4).blend(c15, K4);
    FloatVector e0 = d0.blend(d8.rearrange(X8), K8);
    FloatVector e8 = d0.rearrange(X8).blend(d8, K8);
    FloatVector e1 = d1.blend(d9.rearrange(X8), K8);
    FloatVector e9 = d1.rearrange(X8).blend(d9, K8);
    FloatVector e2 = d2.blend(d10.rearrange(X8), K8);
    FloatVector e10 = d2.rearrange(X8).blend(d10, K8);
    FloatVector e3 = d3.blend(d11.rearrange(X8), K8);
    FloatVector e11 = d3.rearrange(X8).blend(d11, K8);
    FloatVector e4 = d4.blend(d12.rearrange(X8), K8);
    FloatVector e12 = d4.rearrange(X8).blend(d12, K8);
    FloatVector e5 = d5.blend(d13.rearrange(X8), K8);
    FloatVector e13 = d5.rearrange(X8).blend(d13, K8);
    FloatVector e6 = d6.blend(d14.rearrange(X8), K8);
    FloatVector e14 = d6.rearrange(X8).blend(d14, K8);
    FloatVector e7 = d7.blend(d15.rearrange(X8), K8);
    FloatVector e15 = d7.rearrange(X8).blend(d15, K8);
    e0.intoMemorySegment(to, toOff, LE);
    e1.intoMemorySegment(to, toOff + step, LE);
    e2.intoMemorySegment(to, toOff + 2 * step, LE);
    e3.intoMemorySegment(to, toOff + 3 * step, LE);
    e4.intoMemorySegment(to, toOff + 4 * step, LE);
    e5.intoMemorySegment(to, toOff + 5 * step, LE);
    e6.intoMemorySegment(to, toOff + 6 * step, LE);
    e7.intoMemorySegment(to, toOff + 7 * step, LE);
    e8.intoMemorySegment(to, toOff + 8 * step, LE);
    e9.intoMemorySegment(to, toOff + 9 * step, LE);
    e10.intoMemorySegment(to, toOff + 10 * step, LE);
    e11.intoMemorySegment(to, toOff + 11 * step, LE);
    e12.intoMemorySegment(to, toOff + 12 * step, LE);
    e13.intoMemorySegment(to, toOff + 13 * step, LE);
    e14.intoMemorySegment(to, toOff + 14 * step, LE);
    e15.intoMemorySegment(to, toOff + 15 * step, LE);
  }

  /**
   * Transposes six rows of LANES columns to LANES dense rows of six. Writes past the end, up to a
   * vector, to be overwritten by what follows.
   *
   * @param n rows that exist, 1 to 6; the last of them stands for the missing ones
   */
  static void six(MemorySegment from, long off, long ld, int n, MemorySegment to, long toOff) {
    switch (LANES) {
      case 4 -> six4(from, off, ld, n - 1, to, toOff);
      case 8 -> six8(from, off, ld, n - 1, to, toOff);
      case 16 -> six16(from, off, ld, n - 1, to, toOff);
      default -> throw new IllegalStateException("lanes " + LANES);
    }
  }

  private static void six4(
      MemorySegment from, long off, long ld, int last, MemorySegment to, long toOff) {
    block4(from, off + Math.min(4, last) * ld, ld, Math.max(0, last - 4), to, toOff + 16, 24);
    block4(from, off, ld, last, to, toOff, 24);
  }

  private static void six8(
      MemorySegment from, long off, long ld, int last, MemorySegment to, long toOff) {
    block8(from, off, ld, last, to, toOff, 24);
  }

  private static void six16(
      MemorySegment from, long off, long ld, int last, MemorySegment to, long toOff) {
    long step = 24;
    from = exact(from);
    to = exact(to);
    FloatVector a0 = row(from, off, ld, last, 0);
    FloatVector a1 = row(from, off, ld, last, 1);
    FloatVector a2 = row(from, off, ld, last, 2);
    FloatVector a3 = row(from, off, ld, last, 3);
    FloatVector a4 = row(from, off, ld, last, 4);
    FloatVector a5 = row(from, off, ld, last, 5);
    FloatVector a6 = row(from, off, ld, last, 6);
    FloatVector a7 = row(from, off, ld, last, 7);
    FloatVector b0 = a0.blend(a1.rearrange(X1), K1);
    FloatVector b1 = a0.rearrange(X1).blend(a1, K1);
    FloatVector b2 = a2.blend(a3.rearrange(X1), K1);
    FloatVector b3 = a2.rearrange(X1).blend(a3, K1);
    FloatVector b4 = a4.blend(a5.rearrange(X1), K1);
    FloatVector b5 = a4.rearrange(X1).blend(a5, K1);
    FloatVector b6 = a6.blend(a7.rearrange(X1), K1);
    FloatVector b7 = a6.rearrange(X1).blend(a7, K1);
    FloatVector c0 = b0.blend(b2.rearrange(X2), K2);
    FloatVector c2 = b0.rearrange(X2).blend(b2, K2);
    FloatVector c1 = b1.blend(b3.rearrange(X2), K2);
    FloatVector c3 = b1.rearrange(X2).blend(b3, K2);
    FloatVector c4 = b4.blend(b6.rearrange(X2), K2);
    FloatVector c6 = b4.rearrange(X2).blend(b6, K2);
    FloatVector c5 = b5.blend(b7.rearrange(X2), K2);
    FloatVector c7 = b5.rearrange(X2).blend(b7, K2);
    FloatVector d0 = c0.blend(c4.rearrange(X4), K4);
    FloatVector d4 = c0.rearrange(X4).blend(c4, K4);
    FloatVector d1 = c1.blend(c5.rearrange(X4), K4);
    FloatVector d5 = c1.rearrange(X4).blend(c5, K4);
    FloatVector d2 = c2.blend(c6.rearrange(X4), K4);
    FloatVector d6 = c2.rearrange(X4).blend(c6, K4);
    FloatVector d3 = c3.blend(c7.rearrange(X4), K4);
    FloatVector d7 = c3.rearrange(X4).blend(c7, K4);
    d0.intoMemorySegment(to, toOff, LE);
    d1.intoMemorySegment(to, toOff + step, LE);
    d2.intoMemorySegment(to, toOff + 2 * step, LE);
    d3.intoMemorySegment(to, toOff + 3 * step, LE);
    d4.intoMemorySegment(to, toOff + 4 * step, LE);
    d5.intoMemorySegment(to, toOff + 5 * step, LE);
    d6.intoMemorySegment(to, toOff + 6 * step, LE);
    d7.intoMemorySegment(to, toOff + 7 * step, LE);
    d0.rearrange(X8).intoMemorySegment(to, toOff + 8 * step, LE);
    d1.rearrange(X8).intoMemorySegment(to, toOff + 9 * step, LE);
    d2.rearrange(X8).intoMemorySegment(to, toOff + 10 * step, LE);
    d3.rearrange(X8).intoMemorySegment(to, toOff + 11 * step, LE);
    d4.rearrange(X8).intoMemorySegment(to, toOff + 12 * step, LE);
    d5.rearrange(X8).intoMemorySegment(to, toOff + 13 * step, LE);
    d6.rearrange(X8).intoMemorySegment(to, toOff + 14 * step, LE);
    d7.rearrange(X8).intoMemorySegment(to, toOff + 15 * step, LE);
  }
}
