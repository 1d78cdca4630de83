package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A pass of a convolution in which each destination pixel gathers: forward (from x to y) and
 * backward-data (from dy to dx) alike.
 */
interface ConvGather {
  /**
   * How weights lie in memory: taps of a filter plane side by side.
   *
   * @param laneStep elements between the weights of neighbouring destination channels
   * @param sourceStep elements between those of neighbouring source channels
   * @param groupStep elements between those of neighbouring groups
   */
  record Weights(long laneStep, long sourceStep, long groupStep) {}

  /** Bytes that {@link #run} needs beside its operands. */
  long workspaceBytes();

  /** How the pass is run, for people. */
  String details();

  /** Runs the pass. */
  void run(
      MemorySegment from,
      MemorySegment weights,
      @Nullable MemorySegment bias,
      MemorySegment workspace,
      MemorySegment to);
}
