package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** The memory of one run of cross-entropy; what the run does not have is null. */
final class CrossEntropyOperands {
  private MemorySegment logits = Tiles.ZEROS;
  private MemorySegment targets = Tiles.ZEROS;
  private @Nullable MemorySegment weight;
  private @Nullable MemorySegment lse;
  private @Nullable MemorySegment dlogits;

  void open(
      MemorySegment logits,
      MemorySegment targets,
      @Nullable MemorySegment weight,
      @Nullable MemorySegment lse,
      @Nullable MemorySegment dlogits) {
    this.logits = logits;
    this.targets = targets;
    this.weight = weight;
    this.lse = lse;
    this.dlogits = dlogits;
  }

  /** Keeps nothing alive. */
  void close() {
    open(Tiles.ZEROS, Tiles.ZEROS, null, null, null);
  }

  MemorySegment logits() {
    return logits;
  }

  MemorySegment targets() {
    return targets;
  }

  @Nullable MemorySegment weight() {
    return weight;
  }

  @Nullable MemorySegment lse() {
    return lse;
  }

  @Nullable MemorySegment dlogits() {
    return dlogits;
  }
}
