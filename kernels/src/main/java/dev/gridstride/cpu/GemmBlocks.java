package dev.gridstride.cpu;

import org.jspecify.annotations.Nullable;

/** Whole blocks of C, over all of k, as tasks. */
final class GemmBlocks implements Parallel.Range {
  private final GemmCall g;
  private final GemmBlocking blocking;

  // the part of C: rows from i and columns from j on, of products from batch on
  private long batch;
  private long i;
  private long rows;
  private long j;
  private long columns;

  // its blocks
  private long down;
  private long across;

  private @Nullable GemmPanels panels;
  private @Nullable GemmRowPanels rowPanels;

  GemmBlocks(GemmCall g) {
    this.g = g;
    this.blocking = g.blocking;
  }

  /** Computes all of C. */
  void run() {
    if (blocking.slab() == 0 || !g.multiplies) {
      panels = null;
      rowPanels = null;
      part(0, g.op.batch(), 0, g.op.m(), 0, g.op.n());
      return;
    }
    long m = g.op.m();
    long n = g.op.n();
    long chunk = blocking.chunk() == 0 ? m : blocking.chunk();
    for (long product = 0; product < g.op.batch(); product++) {
      panels = null;
      for (long top = 0; top < m; top += chunk) {
        long high = Math.min(chunk, m - top);
        rowPanels = blocking.chunk() == 0 ? null : g.rowPanels.pack(product, top, high);
        for (long left = 0; left < n; left += blocking.slab()) {
          int wide = (int) Math.min(blocking.slab(), n - left);
          if (panels == null || wide < n) { // one slab serves all chunks
            panels = g.panels.pack(product, left, wide);
          }
          part(product, 1, top, high, left, wide);
        }
      }
    }
  }

  private void part(long batch, long batches, long i, long rows, long j, long columns) {
    this.batch = batch;
    this.i = i;
    this.rows = rows;
    this.j = j;
    this.columns = columns;
    down = Math.ceilDiv(rows, blocking.rows());
    across = Math.ceilDiv(columns, blocking.columns());
    g.forRange(batches * down * across, blocking.grain(), this);
  }

  @Override
  public void run(long from, long to) {
    for (long t = from; t < to; t++) {
      long top = i + t % down * blocking.rows();
      int high = (int) Math.min(blocking.rows(), i + rows - top);
      long left = j + t / down % across * blocking.columns();
      int wide = (int) Math.min(blocking.columns(), j + columns - left);
      long product = batch + t / (down * across);
      GemmBlock.of(g, product, top, high, left, wide, panels, rowPanels).run();
    }
  }
}
