package dev.gridstride.cpu;

import dev.gridstride.device.DType;
import java.lang.foreign.MemorySegment;

/**
 * A block of a matrix product of one row of A or one column of B, which fills no tile: sums of rows
 * of the other operand, or dot products with them.
 */
final class GemmVector {
  private static final Scratch SUMS = new Scratch();
  private static final Scratch VECTOR = new Scratch();

  private GemmVector() {}

  /**
   * Adds the product to the block of C at {@code cOff}, whose elements lie side by side.
   *
   * @param i0 the first of {@code rows} rows
   * @param j0 the first of {@code columns} columns
   */
  static void product(
      GemmCall g, long batch, long i0, int rows, long j0, int columns, MemorySegment c, long cOff) {
    int e = g.e;
    GemmLoops loops = g.loops;
    boolean row = g.op.m() == 1;
    boolean dots = row ? g.op.transposedB() : !g.op.transposedA();
    long k = g.op.k();
    int depth = g.blocking.depth();
    MemorySegment x = VECTOR.get((long) e * depth);
    int size = row ? columns : rows;
    for (long p = 0; p < k; p += depth) {
      int d = (int) Math.min(depth, k - p);
      gather(g, batch, row, p, d, x);
      MemorySegment matrix = row ? g.b : g.a;
      long ld = row ? g.ldb : g.lda;
      long at = row ? g.atB(batch, p, j0) : g.atA(batch, i0, p);
      if (row ? g.stageB : g.stageA) {
        DType type = row ? g.bType : g.aType;
        matrix = GemmPacking.stage(g, type, matrix, at, ld, dots ? size : d, dots ? d : size);
        ld = dots ? d : size;
        at = 0;
      }
      if (dots) {
        loops.dotRows(x, 0, d, matrix, e * at, e * ld, c, cOff, size);
      } else {
        addStep(loops, x, d, matrix, e * at, e * ld, size, p == 0, c, cOff);
      }
    }
  }

  /** Later steps are chains of their own, or the sum over k would be one chain of any length. */
  private static void addStep(
      GemmLoops loops,
      MemorySegment x,
      int d,
      MemorySegment matrix,
      long at,
      long ld,
      int size,
      boolean first,
      MemorySegment c,
      long cOff) {
    int e = loops.bytes();
    if (first) {
      loops.addRows(x, 0, e, d, matrix, at, ld, c, cOff, size);
      return;
    }
    MemorySegment sums = SUMS.get((long) e * size);
    sums.asSlice(0, (long) e * size).fill((byte) 0);
    loops.addRows(x, 0, e, d, matrix, at, ld, sums, 0, size);
    loops.add(c, cOff, sums, 0, size);
  }

  /** The other operand's d terms, dense, times alpha. */
  private static void gather(GemmCall g, long batch, boolean row, long p, int d, MemorySegment x) {
    boolean dense = row ? !g.op.transposedA() || g.lda == 1 : g.op.transposedB() || g.ldb == 1;
    var type = row ? g.aType : g.bType;
    MemorySegment from = row ? g.a : g.b;
    if (dense) {
      Narrow.load(type, from, row ? g.atA(batch, 0, p) : g.atB(batch, p, 0), x, 0, d);
    } else {
      for (int q = 0; q < d; q++) {
        long at = row ? g.atA(batch, 0, p + q) : g.atB(batch, p + q, 0);
        Narrow.load(type, from, at, x, (long) g.e * q, 1);
      }
    }
    if (g.alpha != 1) {
      g.loops.scale(x, 0, d, g.alpha);
    }
  }
}
