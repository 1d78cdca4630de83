package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;

/**
 * Rows of A packed once, over all of k, where many blocks of C read each of them: packing is as
 * slow as the memory that A's rows, or columns, are scattered over.
 */
final class GemmRowPanels implements Parallel.Range {
  private static final Scratch MEMORY = new Scratch();

  private final GemmCall g;

  /** Bytes of a block of rows in one step of k. */
  private final long block;

  private long batch;
  private long first;
  private long rows;

  /** Blocks of rows. */
  private long down;

  private MemorySegment memory = Tiles.ZEROS;

  GemmRowPanels(GemmCall g) {
    this.g = g;
    block = GemmPacking.bytesOfA(g, g.blocking.rows(), g.blocking.depth());
  }

  /** Packs {@code rows} of A, on all threads, into memory of the calling thread. */
  GemmRowPanels pack(long batch, long first, long rows) {
    this.batch = batch;
    this.first = first;
    this.rows = rows;
    down = Math.ceilDiv(rows, g.blocking.rows());
    memory = MEMORY.get(down * steps() * block);
    g.forRange(down * steps(), 1, this);
    return this;
  }

  @Override
  public void run(long from, long to) {
    for (long t = from; t < to; t++) {
      long i = t % down * g.blocking.rows();
      long p = t / down * g.blocking.depth();
      int high = (int) Math.min(g.blocking.rows(), rows - i);
      int depth = (int) Math.min(g.blocking.depth(), g.op.k() - p);
      GemmPacking.packA(g, batch, first + i, high, p, depth, memory, t * block);
    }
  }

  private long steps() {
    return Math.ceilDiv(g.op.k(), (long) g.blocking.depth());
  }

  MemorySegment memory() {
    return memory;
  }

  /** Where the block of row {@code i} begins in the step at term {@code p}. */
  long offset(long i, long p) {
    return (p / g.blocking.depth() * down + (i - first) / g.blocking.rows()) * block;
  }

  /** Keeps no thread's memory alive. */
  void close() {
    memory = Tiles.ZEROS;
  }
}
