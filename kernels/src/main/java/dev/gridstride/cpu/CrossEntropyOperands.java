package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** The memory of one run of cross-entropy; what the run does not have is null. */
record CrossEntropyOperands(
    MemorySegment logits,
    MemorySegment targets,
    @Nullable MemorySegment weight,
    @Nullable MemorySegment lse,
    @Nullable MemorySegment dlogits) {}
