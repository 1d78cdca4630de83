package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Transposes square blocks of f64 in registers: rounds of pairwise exchange, after each of which
 * blocks of twice the size are transposed. Written by TransposeGenerator.
 */
final class F64Transpose {
  private static final VectorSpecies<Double> S = DoubleVector.SPECIES_PREFERRED;
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final int LANES = S.length();

  private static final VectorShuffle<Double> X1 =
      VectorShuffle.fromOp(S, i -> (i ^ 1) & (LANES - 1));
  private static final VectorShuffle<Double> X2 =
      VectorShuffle.fromOp(S, i -> (i ^ 2) & (LANES - 1));
  private static final VectorShuffle<Double> X4 =
      VectorShuffle.fromOp(S, i -> (i ^ 4) & (LANES - 1));

  private static final VectorMask<Double> K1 = VectorMask.fromLong(S, 0xAA & mask());
  private static final VectorMask<Double> K2 = VectorMask.fromLong(S, 0xCC & mask());
  private static final VectorMask<Double> K4 = VectorMask.fromLong(S, 0xF0 & mask());

  private F64Transpose() {}

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
      case 2 -> block2(from, off, ld, n - 1, to, toOff, step);
      case 4 -> block4(from, off, ld, n - 1, to, toOff, step);
      case 8 -> block8(from, off, ld, n - 1, to, toOff, step);
      default -> throw new IllegalStateException("lanes " + LANES);
    }
  }

  private static DoubleVector row(MemorySegment from, long off, long ld, int last, int i) {
    return DoubleVector.fromMemorySegment(S, from, off + Math.min(i, last) * ld, LE);
  }

  private static void block2(
      MemorySegment from, long off, long ld, int last, MemorySegment to, long toOff, long step) {
    from = exact(from);
    to = exact(to);
    DoubleVector a0 = row(from, off, ld, last, 0);
    DoubleVector a1 = row(from, off, ld, last, 1);
    DoubleVector b0 = a0.blend(a1.rearrange(X1), K1);
    DoubleVector b1 = a0.rearrange(X1).blend(a1, K1);
    b0.intoMemorySegment(to, toOff, LE);
    b1.intoMemorySegment(to, toOff + step, LE);
  }

  private static void block4(
      MemorySegment from, long off, long ld, int last, MemorySegment to, long toOff, long step) {
    from = exact(from);
    to = exact(to);
    DoubleVector a0 = row(from, off, ld, last, 0);
    DoubleVector a1 = row(from, off, ld, last, 1);
    DoubleVector a2 = row(from, off, ld, last, 2);
    DoubleVector a3 = row(from, off, ld, last, 3);
    DoubleVector b0 = a0.blend(a1.rearrange(X1), K1);
    DoubleVector b1 = a0.rearrange(X1).blend(a1, K1);
    DoubleVector b2 = a2.blend(a3.rearrange(X1), K1);
    DoubleVector b3 = a2.rearrange(X1).blend(a3, K1);
    DoubleVector c0 = b0.blend(b2.rearrange(X2), K2);
    DoubleVector c2 = b0.rearrange(X2).blend(b2, K2);
    DoubleVector c1 = b1.blend(b3.rearrange(X2), K2);
    DoubleVector c3 = b1.rearrange(X2).blend(b3, K2);
    c0.intoMemorySegment(to, toOff, LE);
    c1.intoMemorySegment(to, toOff + step, LE);
    c2.intoMemorySegment(to, toOff + 2 * step, LE);
    c3.intoMemorySegment(to, toOff + 3 * step, LE);
  }

  private static void block8(
      MemorySegment from, long off, long ld, int last, MemorySegment to, long toOff, long step) {
    from = exact(from);
    to = exact(to);
    DoubleVector a0 = row(from, off, ld, last, 0);
    DoubleVector a1 = row(from, off, ld, last, 1);
    DoubleVector a2 = row(from, off, ld, last, 2);
    DoubleVector a3 = row(from, off, ld, last, 3);
    DoubleVector a4 = row(from, off, ld, last, 4);
    DoubleVector a5 = row(from, off, ld, last, 5);
    DoubleVector a6 = row(from, off, ld, last, 6);
    DoubleVector a7 = row(from, off, ld, last, 7);
    DoubleVector b0 = a0.blend(a1.rearrange(X1), K1);
    DoubleVector b1 = a0.rearrange(X1).blend(a1, K1);
    DoubleVector b2 = a2.blend(a3.rearrange(X1), K1);
    DoubleVector b3 = a2.rearrange(X1).blend(a3, K1);
    DoubleVector b4 = a4.blend(a5.rearrange(X1), K1);
    DoubleVector b5 = a4.rearrange(X1).blend(a5, K1);
    DoubleVector b6 = a6.blend(a7.rearrange(X1), K1);
    DoubleVector b7 = a6.rearrange(X1).blend(a7, K1);
    DoubleVector c0 = b0.blend(b2.rearrange(X2), K2);
    DoubleVector c2 = b0.rearrange(X2).blend(b2, K2);
    DoubleVector c1 = b1.blend(b3.rearrange(X2), K2);
    DoubleVector c3 = b1.rearrange(X2).blend(b3, K2);
    DoubleVector c4 = b4.blend(b6.rearrange(X2), K2);
    DoubleVector c6 = b4.rearrange(X2).blend(b6, K2);
    DoubleVector c5 = b5.blend(b7.rearrange(X2), K2);
    DoubleVector c7 = b5.rearrange(X2).blend(b7, K2);
    DoubleVector d0 = c0.blend(c4.rearrange(X4), K4);
    DoubleVector d4 = c0.rearrange(X4).blend(c4, K4);
    DoubleVector d1 = c1.blend(c5.rearrange(X4), K4);
    DoubleVector d5 = c1.rearrange(X4).blend(c5, K4);
    DoubleVector d2 = c2.blend(c6.rearrange(X4), K4);
    DoubleVector d6 = c2.rearrange(X4).blend(c6, K4);
    DoubleVector d3 = c3.blend(c7.rearrange(X4), K4);
    DoubleVector d7 = c3.rearrange(X4).blend(c7, K4);
    d0.intoMemorySegment(to, toOff, LE);
    d1.intoMemorySegment(to, toOff + step, LE);
    d2.intoMemorySegment(to, toOff + 2 * step, LE);
    d3.intoMemorySegment(to, toOff + 3 * step, LE);
    d4.intoMemorySegment(to, toOff + 4 * step, LE);
    d5.intoMemorySegment(to, toOff + 5 * step, LE);
    d6.intoMemorySegment(to, toOff + 6 * step, LE);
    d7.intoMemorySegment(to, toOff + 7 * step, LE);
  }

  /**
   * Transposes six rows of LANES columns to LANES dense rows of six. Writes past the end, up to a
   * vector, to be overwritten by what follows.
   *
   * @param n rows that exist, 1 to 6; the last of them stands for the missing ones
   */
  static void six(MemorySegment from, long off, long ld, int n, MemorySegment to, long toOff) {
    switch (LANES) {
      case 2 -> six2(from, off, ld, n - 1, to, toOff);
      case 4 -> six4(from, off, ld, n - 1, to, toOff);
      case 8 -> six8(from, off, ld, n - 1, to, toOff);
      default -> throw new IllegalStateException("lanes " + LANES);
    }
  }

  private static void six2(
      MemorySegment from, long off, long ld, int last, MemorySegment to, long toOff) {
    block2(from, off + Math.min(4, last) * ld, ld, Math.max(0, last - 4), to, toOff + 32, 48);
    block2(from, off + Math.min(2, last) * ld, ld, Math.max(0, last - 2), to, toOff + 16, 48);
    block2(from, off, ld, last, to, toOff, 48);
  }

  private static void six4(
      MemorySegment from, long off, long ld, int last, MemorySegment to, long toOff) {
    block4(from, off + Math.min(4, last) * ld, ld, Math.max(0, last - 4), to, toOff + 32, 48);
    block4(from, off, ld, last, to, toOff, 48);
  }

  private static void six8(
      MemorySegment from, long off, long ld, int last, MemorySegment to, long toOff) {
    block8(from, off, ld, last, to, toOff, 48);
  }
}
