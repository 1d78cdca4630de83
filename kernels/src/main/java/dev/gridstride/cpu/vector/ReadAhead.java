package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Brings memory into the caches before it is read in an order that the hardware doesn't foresee:
 * Java has no instruction for it, so a word of each cache line is read.
 */
final class ReadAhead {
  private static final long LINE = 64;

  /** Written if a sum is one certain number: the JIT would leave out what nothing uses. */
  @SuppressWarnings("UnusedVariable")
  private static int sum;

  private ReadAhead() {}

  static void lines(MemorySegment s, long at, long bytes) {
    s = exact(s);
    int words = 0;
    for (long end = at + bytes; at < end; at += LINE) {
      words += s.get(ValueLayout.JAVA_INT_UNALIGNED, at);
    }
    if (words == Integer.MIN_VALUE) {
      sum = words;
    }
  }
}
