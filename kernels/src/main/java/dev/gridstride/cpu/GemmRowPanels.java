package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;

/**
 * Rows of A packed once, over all of k, where many blocks of C read each of them: packing is as
 * slow as the memory that A's rows, or columns, are scattered over.
 */
final class GemmRowPanels {
  private static final Scratch MEMORY = new Scratch();

  private final GemmCall g;

  private final long first;

  /** Blocks of rows. */
  private final long down;

  /** Bytes of a block of rows in one step of k. */
  private final long block;

  private final MemorySegment memory;

  private GemmRowPanels(GemmCall g, long first, long rows) {
    this.g = g;
    this.first = first;
    down = Math.ceilDiv(rows, g.blocking.rows());
    block = GemmPacking.bytesOfA(g, g.blocking.rows(), g.blocking.depth());
    memory = MEMORY.get(down * steps() * block);
  }

  /** Packs {@code rows} of A, on all threads, into memory of the calling thread. */
  static GemmRowPanels pack(GemmCall g, long batch, long first, long rows) {
    var panels = new GemmRowPanels(g, first, rows);
    g.forRange(
        panels.down * panels.steps(),
        1,
        (from, to) -> {
          for (long t = from; t < to; t++) {
            long i = t % panels.down * g.blocking.rows();
            long p = t / panels.down * g.blocking.depth();
            int high = (int) Math.min(g.blocking.rows(), rows - i);
            int depth = (int) Math.min(g.blocking.depth(), g.op.k() - p);
            GemmPacking.packA(g, batch, first + i, high, p, depth, panels.memory, t * panels.block);
          }
        });
    return panels;
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
}
