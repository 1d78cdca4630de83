package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;

/** One step of a gradient descent method on a stretch of one parameter. */
@FunctionalInterface
public interface Update {
  /**
   * Updates elements {@code from} (included) to {@code to} (excluded).
   *
   * @param o parameter, gradient, then the state variables
   */
  void run(MemorySegment[] o, long from, long to);
}
