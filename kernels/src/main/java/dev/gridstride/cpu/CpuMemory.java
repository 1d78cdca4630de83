package dev.gridstride.cpu;

import dev.gridstride.device.Block;
import dev.gridstride.device.DeviceMemoryException;
import dev.gridstride.device.MemoryStats;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A caching allocator over arenas: freed blocks are kept by size class and handed out again.
 *
 * <p>New memory from the system comes zeroed, which costs a pass over it; reuse costs nothing.
 * Classes are a power of two cut in four, so that at most a fifth of a block is unused.
 */
final class CpuMemory {
  private static final long LINE = 64;

  /**
   * Where a block may begin, in bytes. A load waits for an earlier store whose address has the same
   * last 12 bits, until more of them is compared: where a result begins one or two cache lines
   * after an operand, modulo a page, each load meets the stores of the vectors before it, and a sum
   * of two operands or a step of SGD takes twice its time. 512 bytes are more vectors than a
   * processor has under way; 0 does no harm, for then loads come before stores.
   */
  private static final long ALIGNMENT = 512;

  /** Blocks so small that they end before it counts begin at a cache line. */
  private static final long TINY = 1024;

  private static final long SMALL = 1 << 20;

  /**
   * Large blocks come from the system at one place of a page; operands of equal size would then
   * share the sets of each cache and the banks of the memory at every index. Each block begins so
   * much further on than the one before it.
   */
  private static final long SHIFT = ALIGNMENT;

  private static final int SHIFTS = 8;

  private final AtomicInteger largeBlocks = new AtomicInteger();

  private final Map<Long, Deque<CpuBlock>> cache = new HashMap<>();
  private long used;
  private long cached;
  private long peak;
  private long allocations;

  Block allocate(long bytes) {
    long size = sizeClass(bytes);
    synchronized (this) {
      Deque<CpuBlock> free = cache.get(size);
      CpuBlock block = free == null ? null : free.pollLast();
      if (block != null) {
        cached -= size;
        count(size);
        return block;
      }
    }
    CpuBlock block;
    try {
      block = fromSystem(size);
    } catch (OutOfMemoryError full) {
      trim();
      try {
        block = fromSystem(size);
      } catch (OutOfMemoryError still) {
        throw new DeviceMemoryException(
            "cpu: can't allocate "
                + bytes
                + " bytes; in use "
                + stats().usedBytes()
                + " bytes; the limit is -XX:MaxDirectMemorySize, by default the heap's -Xmx",
            still);
      }
    }
    synchronized (this) {
      allocations++;
      count(size);
    }
    return block;
  }

  private void count(long size) {
    used += size;
    peak = Math.max(peak, used);
  }

  @SuppressWarnings("MustBeClosedChecker") // the block closes it, in trim
  private CpuBlock fromSystem(long size) {
    if (size < SMALL) {
      // closing a shared arena interrupts every thread: small blocks are left to the collector
      return new CpuBlock(null, Arena.ofAuto().allocate(size, size < TINY ? LINE : ALIGNMENT));
    }
    Arena arena = Arena.ofShared();
    try {
      long shift = SHIFT * Math.floorMod(largeBlocks.getAndIncrement(), SHIFTS);
      return new CpuBlock(arena, arena.allocate(size + shift, ALIGNMENT).asSlice(shift));
    } catch (OutOfMemoryError full) {
      arena.close();
      throw full;
    }
  }

  synchronized MemoryStats stats() {
    return new MemoryStats(used, cached, peak, allocations);
  }

  void trim() {
    Map<Long, Deque<CpuBlock>> old;
    synchronized (this) {
      old = new HashMap<>(cache);
      cache.clear();
      cached = 0;
    }
    for (Deque<CpuBlock> blocks : old.values()) {
      for (CpuBlock block : blocks) {
        if (block.arena != null) {
          block.arena.close();
        }
      }
    }
  }

  private synchronized void recycle(CpuBlock block) {
    long size = block.segment.byteSize();
    used -= size;
    cached += size;
    cache.computeIfAbsent(size, s -> new ArrayDeque<>()).addLast(block);
  }

  /** The smallest class that holds {@code bytes}: 64, 128, 192, 256, 320, ..., 512, 640, ... */
  static long sizeClass(long bytes) {
    if (bytes <= LINE) {
      return LINE;
    }
    if (bytes > Long.MAX_VALUE / 2) {
      return bytes;
    }
    long step = Math.max(LINE, Long.highestOneBit(bytes - 1) >>> 2);
    return (bytes + step - 1) / step * step;
  }

  private final class CpuBlock implements Block {
    final @Nullable Arena arena;
    final MemorySegment segment;

    CpuBlock(@Nullable Arena arena, MemorySegment segment) {
      this.arena = arena;
      this.segment = segment;
    }

    @Override
    public long address() {
      return segment.address();
    }

    @Override
    public MemorySegment segment() {
      return segment;
    }

    @Override
    public void free() {
      recycle(this);
    }
  }
}
