package dev.gridstride.cpu;

import dev.gridstride.device.DType;
import dev.gridstride.kernels.Epilogue;
import dev.gridstride.kernels.Gemm;
import java.lang.foreign.MemorySegment;

/**
 * Small products, {@code C = op(A) op(B)}: no blocks and steps, A and B read where they lie if
 * their order allows it. What a small product costs is what surrounds its multiply-adds.
 *
 * <p>Each element is the same chain of multiply-adds as in {@link GemmBlock}, so both give the same
 * bits.
 */
final class GemmSmall implements Apart.Ternary {
  private static final Scratch PACKED = new Scratch();
  private static final Scratch TILE = new Scratch();

  /** Multiply-adds: above them blocks cost nothing that can be measured. */
  private static final long MOST_TERMS = 1 << 19;

  /** Bytes of B: a first-level cache. */
  private static final long MOST_BYTES = 32 << 10;

  private final Gemm op;
  private final GemmLoops loops;
  private final int m;
  private final int n;
  private final int k;
  private final int e;

  /** Columns of a panel. */
  private final int wide;

  /** Columns that are read and written in place: whole vectors. */
  private final int direct;

  private final long stepA;
  private final long rowA;
  private final long ldc;

  /** Products in one task. */
  private final long grain;

  GemmSmall(Gemm op, GemmLoops loops) {
    this.op = op;
    this.loops = loops;
    m = (int) op.m();
    n = (int) op.n();
    k = (int) op.k();
    e = loops.bytes();
    wide = Tiles.MAX_VECTORS * loops.lanes();
    direct = op.transposedB() ? 0 : n / loops.lanes() * loops.lanes();
    stepA = e * (op.transposedA() ? op.leadingA() : 1);
    rowA = e * (op.transposedA() ? 1 : op.leadingA());
    ldc = e * op.leadingC();
    grain = Math.max(1, GemmBlocking.TASK / (op.m() * op.n() * op.k()));
  }

  /** Whether {@code op} is computed here when alpha is 1 and beta 0. */
  static boolean suits(Gemm op, GemmLoops loops) {
    return (op.cType() == DType.F32 || op.cType() == DType.F64)
        && op.aType() == op.cType()
        && op.bType() == op.cType()
        && op.epilogue().equals(Epilogue.NONE)
        && op.m() > 1
        && op.n() > 1
        && op.k() > 0
        && op.k() <= GemmBlocking.DEPTH
        && op.m() <= MOST_TERMS
        && op.n() <= MOST_TERMS
        && op.m() * op.n() * op.k() <= MOST_TERMS
        && (op.transposedB() ? op.n() : op.k()) * op.leadingB() * loops.bytes() <= MOST_BYTES;
  }

  /** All products of the batch. */
  void run(MemorySegment a, MemorySegment b, MemorySegment c) {
    if (op.batch() <= grain) {
      Apart.run(this, a, b, c, 0, op.batch());
    } else {
      Parallel.forRange(op.batch(), grain, (from, to) -> run(a, b, c, from, to));
    }
  }

  /** Products {@code from} to {@code to} of a batch. */
  @Override
  public void run(MemorySegment a, MemorySegment b, MemorySegment c, long from, long to) {
    for (long i = from; i < to; i++) {
      product(a, e * i * op.strideA(), b, e * i * op.strideB(), c, e * i * op.strideC());
    }
  }

  private void product(
      MemorySegment a, long aOff, MemorySegment b, long bOff, MemorySegment c, long cOff) {
    for (int j = 0; j < direct; j += wide) {
      int vectors = j + loops.lanes() < direct ? 2 : 1;
      column(vectors, a, aOff, b, bOff + e * j, e * op.leadingB(), c, cOff + e * j, ldc);
    }
    if (direct < n) {
      edge(a, aOff, b, bOff, c, cOff);
    }
  }

  /** Columns that are less than a vector, or all columns of a transposed B. */
  private void edge(
      MemorySegment a, long aOff, MemorySegment b, long bOff, MemorySegment c, long cOff) {
    MemorySegment packed = PACKED.get((long) e * (n - direct + wide) * k);
    if (op.transposedB()) {
      loops.packTransposed(b, bOff, e * op.leadingB(), n, k, packed, 0, wide);
    } else {
      loops.packRows(b, bOff + e * direct, e * op.leadingB(), k, n - direct, packed, 0, wide);
    }
    for (int j = direct; j < n; j += wide) {
      int columns = Math.min(wide, n - j);
      int vectors = columns > loops.lanes() ? 2 : 1;
      long from = (long) e * (j - direct) * k;
      long step = (long) e * wide;
      if (columns % loops.lanes() == 0) {
        column(vectors, a, aOff, packed, from, step, c, cOff + e * j, ldc);
      } else {
        MemorySegment tile = TILE.get(step * m);
        column(vectors, a, aOff, packed, from, step, tile, 0, step);
        loops.copyBlock(m, columns, tile, 0, step, c, cOff + e * j, ldc);
      }
    }
  }

  /** All rows of one or two vectors of columns. */
  private void column(
      int vectors,
      MemorySegment a,
      long aOff,
      MemorySegment b,
      long bOff,
      long bStep,
      MemorySegment c,
      long cOff,
      long ld) {
    int tiles = op.transposedA() ? 0 : m / Tiles.MAX_ROWS;
    loops.column(vectors, tiles, k, a, aOff, rowA, b, bOff, bStep, c, cOff, ld);
    for (int i = tiles * Tiles.MAX_ROWS; i < m; i += Tiles.MAX_ROWS) {
      int rows = Math.min(Tiles.MAX_ROWS, m - i);
      long from = aOff + i * rowA;
      long to = cOff + i * ld;
      loops.tile(
          rows, vectors, k, a, from, stepA, rowA, b, bOff, bStep, c, to, ld, Tiles.ZEROS, 0, 0, 0);
    }
  }
}
