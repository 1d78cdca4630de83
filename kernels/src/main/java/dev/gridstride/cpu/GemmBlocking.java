package dev.gridstride.cpu;

import dev.gridstride.device.DType;
import dev.gridstride.kernels.Gemm;

/**
 * How a matrix product is cut into tasks and steps; depends on sizes and types only, so that the
 * same product gives the same bits on any number of threads.
 *
 * <p>A task computes a block of C, {@code rows} by {@code columns}, over all of k, in steps of
 * {@code depth}; or over one step only when k is split, for products with a small C and a long k. A
 * split product gives the same bits as one that isn't, for its partial results are added in the
 * same order.
 *
 * @param rows rows of a block
 * @param columns columns of a block
 * @param depth terms of a step
 * @param splitK whether each step is a task of its own
 * @param slab columns of B that are packed once for all blocks in them, a multiple of {@code
 *     columns}; 0 where each block packs for itself
 * @param chunk rows of A that are packed once too, for all columns, a multiple of {@code rows}; 0
 *     where each block packs for itself
 * @param grain blocks in one task
 */
record GemmBlocking(
    int rows, int columns, int depth, boolean splitK, int slab, long chunk, long grain) {
  /** The longest chain of multiply-adds: bounds the rounding error and the size of panels. */
  static final int DEPTH = 512;

  static final int ROWS = 256;

  /** Columns of a block times the bytes of an element: 512 of f32. */
  private static final int COLUMN_BYTES = 2048;

  /**
   * The same under a slab. Rows of tiles go along all columns of a block with one panel of A: the
   * more, the less often it is brought to the first-level cache. A block that packs B for itself
   * does so into a second-level cache.
   */
  private static final int SLAB_COLUMN_BYTES = 4096;

  /** Multiply-adds that are worth a task's hand-over, about 20 us. */
  static final long TASK = 1 << 20;

  /** Rows of a block that are not cut, so as to have more tasks. */
  private static final int LEAST_ROWS = 64;

  /** Tasks that keep a machine of many cores busy. */
  private static final int ENOUGH = 16;

  /**
   * Fewest steps of large blocks that are tasks rather than small blocks over all of k, where those
   * would read a transposed operand, whose rows are short, again for each block of rows.
   */
  private static final int SPLIT_TASKS = 8;

  /**
   * Bytes of a slab of B. It may come from memory: each block of {@link #SHARING_ROWS} reads its
   * panels in order, some 2 GB/s on a core of 100 GFLOP/s.
   */
  private static final long SLAB = 32 << 20;

  /** Rows of a block under a slab: so many read a panel of B for each time that it is brought. */
  private static final int SHARING_ROWS = 192;

  /** Bytes of A that are packed at once; the larger, the less often a slab of B is packed again. */
  private static final long MOST_SHARED = 64 << 20;

  /** Smaller products, in rows or in multiply-adds, don't pay for a phase of packing. */
  private static final int SLAB_ROWS = 192;

  private static final double SLAB_WORK = 64 * TASK;

  /**
   * Rows that are enough where B has up to {@link #NEAR} bytes, and packed panels stay in caches.
   */
  private static final int SLAB_ROWS_NEAR = 96;

  private static final long NEAR = 4 << 20;

  /** Multiply-adds that are enough where one operand is transposed, so that tiles need panels. */
  private static final double SLAB_WORK_TRANSPOSED = 4 * TASK;

  static GemmBlocking of(Gemm op, int lanes) {
    int tile = 2 * lanes;
    long m = Math.max(1, op.m());
    long n = Math.max(1, op.n());
    long k = Math.max(1, op.k());
    long steps = (k + DEPTH - 1) / DEPTH;
    int depth = (int) ((k + steps - 1) / steps);
    int size = op.cType() == DType.F64 ? 8 : 4; // narrow types are multiplied in f32
    long most = COLUMN_BYTES / size;
    long rows = even(m, ROWS, Tiles.MAX_ROWS);
    long columns = even(n, most, tile);
    long batch = Math.max(1, op.batch());
    long fit = SLAB / (k * size);
    boolean large = isLarge(op, size) && fit >= 4 * tile;
    boolean split =
        !large
            && op.m() > LEAST_ROWS
            && (op.transposedA() || op.transposedB())
            && count(m, rows) * count(n, columns) * steps >= SPLIT_TASKS
            && splits(op, rows, columns, steps);
    while (!split
        && batch * count(m, rows) * count(n, columns) < ENOUGH
        && (double) rows * columns * k > 2 * TASK
        && (rows > LEAST_ROWS || columns > 4 * tile)) {
      if (columns > 2 * rows || rows <= LEAST_ROWS) {
        columns = even(n, columns / 2, tile);
      } else {
        rows = even(m, rows / 2, Tiles.MAX_ROWS);
      }
    }
    double work = (double) rows * columns * k;
    split |= splits(op, rows, columns, steps);
    if (split) {
      rows = even(m, ROWS, Tiles.MAX_ROWS);
      columns = even(n, most, tile);
    }
    int slab = 0;
    long chunk = 0;
    if (!split && large) {
      rows = even(m, SHARING_ROWS, Tiles.MAX_ROWS);
      columns = even(n, SLAB_COLUMN_BYTES / size, tile);
      while (columns > 4 * tile && (columns > fit || count(m, rows) * count(n, columns) < ENOUGH)) {
        columns = even(n, columns / 2, tile);
      }
      slab = (int) (Math.max(1, fit / columns) * columns);
      work = (double) rows * columns * k;
      chunk = n > columns ? Math.max(1, MOST_SHARED / (k * size * rows)) * rows : 0;
    }
    return new GemmBlocking(
        (int) rows,
        (int) columns,
        depth,
        split,
        slab,
        chunk,
        (long) Math.max(1, TASK / Math.max(1, work)));
  }

  /** Whether operands are packed once, before all blocks. */
  private static boolean isLarge(Gemm op, int size) {
    int rows = op.n() * op.k() <= NEAR / size ? SLAB_ROWS_NEAR : SLAB_ROWS;
    boolean panels = op.batch() <= 1 && (op.transposedA() || op.transposedB());
    double least = panels ? SLAB_WORK_TRANSPOSED : SLAB_WORK;
    return op.m() >= rows && op.m() * (double) op.n() * op.k() >= least;
  }

  /** Whether steps as tasks are worth the memory for their results. */
  private static boolean splits(Gemm op, long rows, long columns, long steps) {
    return steps > 1
        && op.batch() <= 1
        && (double) rows * columns * op.k() > 2 * TASK
        && count(op.m(), rows) * count(op.n(), columns) < ENOUGH
        && (double) op.m() * op.n() * steps <= 1 << 22;
  }

  private static long count(long total, long part) {
    return (total + part - 1) / part;
  }

  /** The total in equal parts of at most {@code most}, each a multiple of {@code unit}. */
  private static long even(long total, long most, int unit) {
    long units = count(total, unit);
    long perPart = Math.max(1, most / unit);
    return count(units, count(units, perPart)) * unit;
  }
}
