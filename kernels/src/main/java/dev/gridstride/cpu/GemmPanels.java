package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;

/** Columns of B packed once, over all of k, and read by every block of C in them. */
final class GemmPanels {
  private static final Scratch MEMORY = new Scratch();

  /** Panels of one packing task: few, so that each row is read within the reach of the TLB. */
  private static final int TASK = 8;

  private final GemmCall g;
  private final long first;
  private final int columns;
  private final MemorySegment memory;

  private GemmPanels(GemmCall g, long first, int columns) {
    this.g = g;
    this.first = first;
    this.columns = columns;
    this.memory = MEMORY.get(GemmPacking.bytesOfB(g, columns, g.op.k()));
  }

  /** Packs columns {@code first} on of B, on all threads, into memory of the calling thread. */
  static GemmPanels pack(GemmCall g, long batch, long first, int columns) {
    var panels = new GemmPanels(g, first, columns);
    int most = g.blocking.depth();
    long steps = (g.op.k() + most - 1) / most;
    int width = TASK * GemmPacking.width(g);
    int across = (columns + width - 1) / width;
    g.forRange(
        steps * across,
        1,
        (from, to) -> {
          for (long t = from; t < to; t++) {
            long p = t / across * most;
            int j = (int) (t % across) * width;
            int depth = (int) Math.min(most, g.op.k() - p);
            int n = Math.min(width, columns - j);
            long at = panels.offset(first + j, p, depth);
            GemmPacking.packB(g, batch, p, depth, first + j, n, panels.memory, at);
          }
        });
    return panels;
  }

  MemorySegment memory() {
    return memory;
  }

  /** Where the panel of column {@code j} of B begins in the step at term {@code p}. */
  long offset(long j, long p, int depth) {
    return GemmPacking.bytesOfB(g, columns, p) + g.e * (j - first) * depth;
  }
}
