package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;

/** Steps of k as tasks, each with a C of its own; then their sum, in the order of k. */
final class GemmSplit {
  private static final Scratch PARTIALS = new Scratch();

  /** Elements of a task that sums steps. */
  private static final int SUM = 1 << 16;

  private final GemmCall g;
  private final GemmBlocking blocking;
  private final long down;
  private final long across;
  private final long steps;

  /** Bytes of a row of a step's C, and of all of it. */
  private final long ld;

  private final long size;
  private final Parallel.Range eachStep = this::steps;
  private final Parallel.Range sums = this::sum;
  private MemorySegment partials = Tiles.ZEROS;

  GemmSplit(GemmCall g) {
    this.g = g;
    this.blocking = g.blocking;
    down = Math.ceilDiv(g.op.m(), (long) blocking.rows());
    across = Math.ceilDiv(g.op.n(), (long) blocking.columns());
    steps = Math.ceilDiv(g.op.k(), (long) blocking.depth());
    long lanes = g.loops.lanes();
    ld = g.e * (Math.ceilDiv(g.op.n(), lanes) * lanes);
    size = ld * g.op.m();
  }

  /** Computes all of C. */
  void run() {
    partials = PARTIALS.get(size * steps);
    g.forRange(down * across * steps, 1, eachStep);
    g.forRange(g.op.m(), Math.max(1, SUM / (g.op.n() * steps)), sums);
  }

  private void steps(long from, long to) {
    int depth = blocking.depth();
    for (long t = from; t < to; t++) {
      long j = t % across * blocking.columns();
      int columns = (int) Math.min(blocking.columns(), g.op.n() - j);
      long i = t / across % down * blocking.rows();
      int rows = (int) Math.min(blocking.rows(), g.op.m() - i);
      GemmBlock block = GemmBlock.of(g, 0, i, rows, j, columns, null, null);
      long s = t / (down * across);
      int d = (int) Math.min(depth, g.op.k() - s * depth);
      block.runStep(s * depth, d, partials, s * size + block.offset(ld), ld);
    }
  }

  private void sum(long from, long to) {
    for (long j = 0; j < g.op.n(); j += blocking.columns()) {
      int columns = (int) Math.min(blocking.columns(), g.op.n() - j);
      GemmBlock block = GemmBlock.of(g, 0, from, (int) (to - from), j, columns, null, null);
      block.runSum(partials, block.offset(ld), ld, size, steps);
    }
  }

  /** Keeps no thread's memory alive. */
  void close() {
    partials = Tiles.ZEROS;
  }
}
