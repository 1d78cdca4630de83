package dev.gridstride.cpu;

import dev.gridstride.device.DType;
import java.lang.foreign.MemorySegment;

/** Copies blocks of a matrix product's operands into the order in which tiles read them. */
final class GemmPacking {
  private static final Scratch STAGED = new Scratch();
  private static final Scratch PACKED_A = new Scratch();

  private GemmPacking() {}

  /** Columns of a panel of B. */
  static int width(GemmCall g) {
    return 2 * g.loops.lanes();
  }

  /** Bytes of {@code n} columns of B, {@code depth} terms deep. */
  static long bytesOfB(GemmCall g, int n, long depth) {
    int width = width(g);
    return (long) g.e * ((n + width - 1) / width * width) * depth;
  }

  /** Bytes of {@code n} rows of A, {@code depth} terms deep, and what packing writes past them. */
  static long bytesOfA(GemmCall g, int n, int depth) {
    return (long) g.e
        * (Math.ceilDiv(n, Tiles.MAX_ROWS) * Tiles.MAX_ROWS * (long) depth + width(g));
  }

  /** Rows {@code i} on of A, from term {@code p}, times alpha, in this thread's scratch memory. */
  static MemorySegment packA(GemmCall g, long batch, long i, int rows, long p, int depth) {
    MemorySegment to = PACKED_A.get(bytesOfA(g, rows, depth));
    packA(g, batch, i, rows, p, depth, to, 0);
    return to;
  }

  /** Rows {@code i} on of A, from term {@code p}, times alpha: panels one after the other. */
  static void packA(
      GemmCall g, long batch, long i, int rows, long p, int depth, MemorySegment to, long toOff) {
    boolean trans = g.op.transposedA();
    MemorySegment from = g.a;
    long at = g.atA(batch, i, p);
    long ld = g.lda;
    if (g.stageA) {
      ld = trans ? rows : depth;
      from = stage(g, g.aType, g.a, at, g.lda, trans ? depth : rows, (int) ld);
      at = 0;
    }
    g.loops.packPanels(from, g.e * at, g.e * ld, rows, depth, trans, to, toOff);
    if (g.alpha != 1) {
      long size = (long) Math.ceilDiv(rows, Tiles.MAX_ROWS) * Tiles.MAX_ROWS * depth;
      g.loops.scale(to, toOff, size, g.alpha);
    }
  }

  /** Columns {@code j} on of B, from term {@code p}: panels one after the other. */
  static void packB(
      GemmCall g, long batch, long p, int depth, long j, int n, MemorySegment to, long toOff) {
    boolean trans = g.op.transposedB();
    MemorySegment from = g.b;
    long at = g.atB(batch, p, j);
    long ld = g.ldb;
    if (g.stageB) {
      ld = trans ? depth : n;
      from = stage(g, g.bType, g.b, at, g.ldb, trans ? n : depth, (int) ld);
      at = 0;
    }
    if (trans) {
      g.loops.packTransposed(from, g.e * at, g.e * ld, n, depth, to, toOff, width(g));
    } else {
      g.loops.packRows(from, g.e * at, g.e * ld, depth, n, to, toOff, width(g));
    }
  }

  /** A block of an operand as dense rows in the compute type, in this thread's scratch memory. */
  static MemorySegment stage(
      GemmCall g, DType type, MemorySegment from, long index, long ld, int rows, int n) {
    MemorySegment to = STAGED.get((long) g.e * rows * n);
    if (ld == n) {
      Narrow.load(type, from, index, to, 0, (long) rows * n);
      return to;
    }
    for (int i = 0; i < rows; i++) {
      Narrow.load(type, from, index + i * ld, to, (long) g.e * i * n, n);
    }
    return to;
  }
}
