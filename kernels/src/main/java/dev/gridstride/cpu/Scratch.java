package dev.gridstride.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A piece of native memory that each thread has for itself, for packed panels and tails.
 *
 * <p>Make one static instance for each use, so that two uses in one call never share memory. It
 * grows to the largest size asked for and is kept, so that a kernel allocates nothing once warm.
 */
public final class Scratch {
  private final ThreadLocal<MemorySegment> memory = new ThreadLocal<>();

  /** At least {@code bytes} bytes, 64-byte aligned, contents undefined; owned by this thread. */
  public MemorySegment get(long bytes) {
    MemorySegment m = memory.get();
    if (m == null || m.byteSize() < bytes) {
      // the arena frees a replaced or dead thread's piece when the collector finds it unreachable
      m = Arena.ofAuto().allocate(Math.max(4096, bytes), 64);
      memory.set(m);
    }
    return m;
  }
}
