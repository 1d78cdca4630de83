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
  private static final long MOST_TERMS = 3 << 19;

  /** Bytes of B: a small part of a second-level cache. */
  private static final long MOST_BYTES = 64 << 10;

  /**
   * Vectors of multiply-adds that are done twice, for rows that the last tile shares with the one
   * above it, rather than by a tile of fewer rows, which is a call of 40 ns.
   */
  private static final int MOST_AGAIN = 160;

  /** Multiply-adds of a part of a product's rows that is a task, some 10 us. */
  private static final long PART_TERMS = 1 << 19;

  /** Bytes of C from which on the order in which it is written counts. */
  private static final int LEAST_OUTER = 64 << 10;

  private final Gemm op;
  private final GemmLoops loops;
  private final int m;
  private final int n;
  private final int k;
  private final int e;

  /** Columns of the widest tile. */
  private final int wide;

  private final int lanes;

  private final long stepA;
  private final long rowA;
  private final long ldc;

  /** Whether the product is of a dense column and a dense row of at least a tile's width. */
  private final boolean dense;

  /** Products in one task. */
  private final long grain;

  /** Rows of a single product in one task, a multiple of those of a tile. */
  private final int part;

  private final Apart.Ternary parts = this::ofProduct;

  GemmSmall(Gemm op, GemmLoops loops) {
    this.op = op;
    this.loops = loops;
    m = (int) op.m();
    n = (int) op.n();
    k = (int) op.k();
    e = loops.bytes();
    lanes = loops.lanes();
    wide = Tiles.MAX_VECTORS * lanes;
    stepA = e * (op.transposedA() ? op.leadingA() : 1);
    rowA = e * (op.transposedA() ? 1 : op.leadingA());
    ldc = e * op.leadingC();
    dense = k == 1 && n >= wide && rowA == e && (!op.transposedB() || op.leadingB() == 1);
    grain = Math.max(1, GemmBlocking.TASK / (op.m() * op.n() * op.k()));
    long parts = Math.ceilDiv(op.m() * op.n() * op.k(), PART_TERMS);
    part = (int) Math.ceilDiv(Math.ceilDiv(op.m(), Tiles.MAX_ROWS), parts) * Tiles.MAX_ROWS;
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
    if (op.batch() == 1 && part < m && Parallel.threads() > 1) {
      Parallel.forRange(m, part, parts, a, b, c);
    } else {
      Parallel.forRange(op.batch(), grain, this, a, b, c);
    }
  }

  /** Rows {@code from} to {@code to} of the only product. */
  private void ofProduct(MemorySegment a, MemorySegment b, MemorySegment c, long from, long to) {
    product((int) (to - from), a, from * rowA, b, 0, c, from * ldc);
  }

  /** Products {@code from} to {@code to} of a batch. */
  @Override
  public void run(MemorySegment a, MemorySegment b, MemorySegment c, long from, long to) {
    for (long i = from; i < to; i++) {
      product(m, a, e * i * op.strideA(), b, e * i * op.strideB(), c, e * i * op.strideC());
    }
  }

  private void product(
      int high,
      MemorySegment a,
      long aOff,
      MemorySegment b,
      long bOff,
      MemorySegment c,
      long cOff) {
    if (n < lanes) {
      narrow(high, a, aOff, b, bOff, c, cOff);
      return;
    }
    int j = 0;
    if (dense && high >= Tiles.MAX_ROWS && (long) high * n * e >= LEAST_OUTER) {
      int done = outer(high, a, aOff, b, bOff, c, cOff);
      if (done < high) {
        product(high - done, a, aOff + done * rowA, b, bOff, c, cOff + done * ldc);
      }
      if (n % wide == 0) {
        return;
      }
      high = done;
      j = n / wide * wide;
    }
    for (; j + wide <= n; j += wide) {
      columns(high, j, 2, a, aOff, b, bOff, c, cOff);
    }
    // what is left, once more with columns before it up to whole vectors: the same chains again
    if (n - j > lanes && n >= wide) {
      columns(high, n - wide, 2, a, aOff, b, bOff, c, cOff);
      return;
    }
    if (n - j > lanes) {
      columns(high, j, 1, a, aOff, b, bOff, c, cOff);
    }
    if (n > j) {
      columns(high, n - lanes, 1, a, aOff, b, bOff, c, cOff);
    }
  }

  /**
   * One term, as an outer product: A and B are the panels that tiles read, and C, which is all that
   * counts, is written row by row. All whole tiles; the number of rows that are done.
   */
  private int outer(
      int high,
      MemorySegment a,
      long aOff,
      MemorySegment b,
      long bOff,
      MemorySegment c,
      long cOff) {
    int done = 0;
    while (high - done >= Tiles.MAX_ROWS) {
      loops.row(1, n / wide, 1, a, aOff + done * rowA, b, bOff, c, cOff + done * ldc, ldc);
      done += Tiles.MAX_ROWS;
    }
    return done;
  }

  /** Whole vectors of columns from {@code j} on. */
  private void columns(
      int high,
      int j,
      int vectors,
      MemorySegment a,
      long aOff,
      MemorySegment b,
      long bOff,
      MemorySegment c,
      long cOff) {
    long to = cOff + (long) e * j;
    if (op.transposedB()) {
      int width = vectors * lanes;
      MemorySegment packed = PACKED.get((long) e * width * k);
      long from = bOff + e * op.leadingB() * j;
      loops.packTransposed(b, from, e * op.leadingB(), width, k, packed, 0, width);
      rows(high, vectors, a, aOff, packed, 0, (long) e * width, c, to, ldc);
    } else {
      rows(high, vectors, a, aOff, b, bOff + (long) e * j, e * op.leadingB(), c, to, ldc);
    }
  }

  /** Less than a vector of columns. */
  private void narrow(
      int high,
      MemorySegment a,
      long aOff,
      MemorySegment b,
      long bOff,
      MemorySegment c,
      long cOff) {
    long step = (long) e * lanes;
    MemorySegment tile = TILE.get(step * high);
    long ldb = e * op.leadingB();
    if (!op.transposedB() && bOff + (k - 1) * ldb + step <= b.byteSize()) {
      rows(high, 1, a, aOff, b, bOff, ldb, tile, 0, step); // the lanes behind a row don't matter
    } else {
      MemorySegment packed = PACKED.get(step * k);
      if (op.transposedB()) {
        loops.packTransposed(b, bOff, ldb, n, k, packed, 0, lanes);
      } else {
        loops.packRows(b, bOff, ldb, k, n, packed, 0, lanes);
      }
      rows(high, 1, a, aOff, packed, 0, step, tile, 0, step);
    }
    loops.copyBlock(high, n, tile, 0, step, c, cOff, ldc);
  }

  /** {@code high} rows of one or two vectors of columns. */
  private void rows(
      int high,
      int vectors,
      MemorySegment a,
      long aOff,
      MemorySegment b,
      long bOff,
      long bStep,
      MemorySegment c,
      long cOff,
      long ld) {
    int tiles = op.transposedA() && k > 1 ? 0 : high / Tiles.MAX_ROWS;
    int rest = high - tiles * Tiles.MAX_ROWS;
    loops.column(vectors, tiles, k, a, aOff, rowA, b, bOff, bStep, c, cOff, ld);
    if (tiles > 0 && rest > 0 && (Tiles.MAX_ROWS - rest) * vectors * k <= MOST_AGAIN) {
      long i = (long) high - Tiles.MAX_ROWS;
      long from = aOff + i * rowA;
      loops.column(vectors, 1, k, a, from, rowA, b, bOff, bStep, c, cOff + i * ld, ld);
      return;
    }
    for (int i = tiles * Tiles.MAX_ROWS; i < high; i += Tiles.MAX_ROWS) {
      int rows = Math.min(Tiles.MAX_ROWS, high - i);
      long from = aOff + i * rowA;
      long to = cOff + i * ld;
      loops.tile(
          rows, vectors, k, a, from, stepA, rowA, b, bOff, bStep, c, to, ld, Tiles.ZEROS, 0, 0, 0);
    }
  }
}
