package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;

/**
 * All rows of A packed once, over all of k, where many blocks of C read each of them: packing is as
 * slow as the memory that A's rows, or columns, are scattered over.
 */
final class GemmRowPanels {
  private static final Scratch MEMORY = new Scratch();

  private final GemmCall g;

  /** Blocks of rows. */
  private final long down;

  /** Bytes of a block of rows in one step of k. */
  private final long block;

  private final MemorySegment memory;

  private GemmRowPanels(GemmCall g) {
    this.g = g;
    down = Math.ceilDiv(g.op.m(), g.blocking.rows());
    block = GemmPacking.bytesOfA(g, g.blocking.rows(), g.blocking.depth());
    memory = MEMORY.get(down * steps() * block);
  }

  /** Packs A, on all threads, into memory of the calling thread. */
  static GemmRowPanels pack(GemmCall g, long batch) {
    var panels = new GemmRowPanels(g);
    g.forRange(
        panels.down * panels.steps(),
        1,
        (from, to) -> {
          for (long t = from; t < to; t++) {
            long i = t % panels.down * g.blocking.rows();
            long p = t / panels.down * g.blocking.depth();
            int rows = (int) Math.min(g.blocking.rows(), g.op.m() - i);
            int depth = (int) Math.min(g.blocking.depth(), g.op.k() - p);
            GemmPacking.packA(g, batch, i, rows, p, depth, panels.memory, t * panels.block);
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
    return (p / g.blocking.depth() * down + i / g.blocking.rows()) * block;
  }
}
