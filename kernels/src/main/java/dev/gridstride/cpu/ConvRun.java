package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * What a run of a {@link ConvGather} works on; each of its tasks is done by a worker of its own.
 */
final class ConvRun<W extends ConvRun.Worker> implements Parallel.Task {
  /** Does one task after the other. */
  interface Worker {
    /** Does a task of a run. */
    void run(ConvRun<?> run, int index);
  }

  private final Reuse<W> workers;

  /** Tells runs apart, where that matters. */
  long number;

  MemorySegment from = Tiles.ZEROS;
  MemorySegment weights = Tiles.ZEROS;
  @Nullable MemorySegment bias;
  MemorySegment to = Tiles.ZEROS;

  /** Parts of the destination channels, where a run may choose. */
  int parts;

  ConvRun(Reuse<W> workers) {
    this.workers = workers;
  }

  void open(
      MemorySegment from, MemorySegment weights, @Nullable MemorySegment bias, MemorySegment to) {
    this.from = from;
    this.weights = weights;
    this.bias = bias;
    this.to = to;
  }

  /** Keeps nothing alive. */
  void close() {
    open(Tiles.ZEROS, Tiles.ZEROS, null, Tiles.ZEROS);
  }

  @Override
  public void run(int index) {
    W worker = workers.take();
    worker.run(this, index);
    workers.give(worker);
  }
}
