package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A pass of a convolution in which each destination pixel gathers: forward (from x to y) and
 * backward-data (from dy to dx) alike.
 */
interface ConvGather {
  /** Bytes of packed weights and bias. */
  long workspaceBytes();

  /** How the pass is run, for people. */
  String details();

  /**
   * Packs weights and bias.
   *
   * @param laneStep elements between the weights of neighbouring destination channels
   * @param sourceStep elements between those of neighbouring source channels
   * @param groupStep elements between those of neighbouring groups
   */
  void pack(
      MemorySegment w,
      long laneStep,
      long sourceStep,
      long groupStep,
      @Nullable MemorySegment bias,
      MemorySegment workspace);

  /** Runs the pass on packed weights. */
  void run(MemorySegment from, MemorySegment workspace, boolean withBias, MemorySegment to);
}
