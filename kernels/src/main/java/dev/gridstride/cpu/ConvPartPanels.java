package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A thread's packed weights: those of one part and group of one run of a {@link ConvPass}.
 *
 * <p>A thread does tasks of a part one after the other, so it packs nearly each part that it meets
 * once, into memory that its second-level cache holds. Panels of all weights, packed beforehand,
 * would take as much memory as the weights and go through it twice.
 */
final class ConvPartPanels {
  private static final Scratch MEMORY = new Scratch();
  private static final ThreadLocal<ConvPartPanels> OF_THREAD =
      ThreadLocal.withInitial(ConvPartPanels::new);
  private static final AtomicLong RUNS = new AtomicLong();

  private long run;
  private int part;
  private int group;

  private ConvPartPanels() {}

  /** A number that no other run has. */
  static long newRun() {
    return RUNS.incrementAndGet();
  }

  /** The packed weights of blocks b0 to b1 (excluded), in the calling thread's memory. */
  static MemorySegment get(ConvPass p, ConvRun<?> run, int part, int group, int b0, int b1) {
    MemorySegment memory = MEMORY.get(p.partBytes);
    ConvPartPanels packed = OF_THREAD.get();
    if (packed.run != run.number || packed.part != part || packed.group != group) {
      packed.run = 0; // no run's number, should packing fail
      pack(p, run.weights, group, b0, b1, memory);
      packed.run = run.number;
      packed.part = part;
      packed.group = group;
    }
    return memory;
  }

  private static void pack(
      ConvPass p, MemorySegment weights, int group, int b0, int b1, MemorySegment memory) {
    ConvGather.Weights w = p.weights;
    for (ConvCombo q : p.combos) {
      for (int b = b0; b < b1; b++) {
        p.panels.pack(
            weights,
            group * w.groupStep() + (long) b * p.block * w.laneStep(),
            w.laneStep(),
            w.sourceStep(),
            Math.min(p.block, p.cd - b * p.block),
            p.width(b),
            p.perTap(),
            q.kernelIndex,
            memory,
            p.panel(q, b - b0));
      }
    }
  }
}
