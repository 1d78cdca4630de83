package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;

/** Columns of B packed once, over all of k, and read by every block of C in them. */
final class GemmPanels implements Parallel.Range {
  private static final Scratch MEMORY = new Scratch();

  /** Panels of one packing task: few, so that each row is read within the reach of the TLB. */
  private static final int TASK = 8;

  private final GemmCall g;

  /** Terms of a step of k, and columns of a task. */
  private final int depth;

  private final int width;

  private long batch;
  private long first;
  private int columns;
  private int across;
  private MemorySegment memory = Tiles.ZEROS;

  GemmPanels(GemmCall g) {
    this.g = g;
    depth = g.blocking.depth();
    width = TASK * GemmPacking.width(g);
  }

  /** Packs columns {@code first} on of B, on all threads, into memory of the calling thread. */
  GemmPanels pack(long batch, long first, int columns) {
    this.batch = batch;
    this.first = first;
    this.columns = columns;
    memory = MEMORY.get(GemmPacking.bytesOfB(g, columns, g.op.k()));
    across = Math.ceilDiv(columns, width);
    g.forRange(Math.ceilDiv(g.op.k(), (long) depth) * across, 1, this);
    return this;
  }

  @Override
  public void run(long from, long to) {
    for (long t = from; t < to; t++) {
      long p = t / across * depth;
      int j = (int) (t % across) * width;
      int terms = (int) Math.min(depth, g.op.k() - p);
      int n = Math.min(width, columns - j);
      GemmPacking.packB(g, batch, p, terms, first + j, n, memory, offset(first + j, p, terms));
    }
  }

  MemorySegment memory() {
    return memory;
  }

  /** Where the panel of column {@code j} of B begins in the step at term {@code p}. */
  long offset(long j, long p, int depth) {
    return GemmPacking.bytesOfB(g, columns, p) + g.e * (j - first) * depth;
  }

  /** Keeps no thread's memory alive. */
  void close() {
    memory = Tiles.ZEROS;
  }
}
