package dev.gridstride.cuda;

import dev.gridstride.device.Block;
import dev.gridstride.device.DeviceKind;
import dev.gridstride.device.DeviceMemoryException;
import dev.gridstride.device.GridstrideException;
import dev.gridstride.device.MemoryStats;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * Memory of one device, from the runtime's stream-ordered pool.
 *
 * <p>Blocks are allocated and freed in the order of the default stream. {@link CudaStreams} makes
 * that safe for the other streams: before a free the default stream waits for them, after an
 * allocation they wait for it.
 */
final class CudaMemory {
  private static final long ALIGNMENT = 64;

  private final CudaDevice device;
  private final CudaStreams streams;
  // the emulator aligns to 16 bytes only, to find kernels that rely on more
  private final long slack;
  private long used;
  private long peak;
  private long allocations;

  CudaMemory(CudaDevice device, CudaStreams streams) {
    this.device = device;
    this.streams = streams;
    this.slack = device.kind() == DeviceKind.EMULATOR ? ALIGNMENT : 0;
  }

  Block allocate(long bytes) {
    if (bytes > Long.MAX_VALUE - slack) {
      throw new DeviceMemoryException(
          "device.allocate: " + device.name() + " has no " + bytes + " bytes");
    }
    RuntimeCalls calls = device.enter();
    final long address;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment pointer = arena.allocate(ValueLayout.JAVA_LONG);
      long size = bytes == 0 ? 0 : bytes + slack;
      device.check("device.allocate", calls.malloc(pointer, size, 0));
      address = pointer.get(ValueLayout.JAVA_LONG, 0);
    }
    try {
      streams.fork();
    } catch (GridstrideException failed) {
      device.release("device.allocate", c -> c.free(address, 0));
      throw failed;
    }
    synchronized (this) {
      used += bytes;
      peak = Math.max(peak, used);
      allocations++;
    }
    return new CudaBlock(address, bytes);
  }

  /** What the driver's pool keeps is its own; it is not counted here. */
  synchronized MemoryStats stats() {
    return new MemoryStats(used, 0, peak, allocations);
  }

  private void free(CudaBlock block) {
    synchronized (this) {
      used -= block.bytes;
    }
    if (device.isUsable()) {
      try {
        streams.join();
      } catch (GridstrideException failed) {
        // what orders the free behind the other streams can't be had: wait for them instead
        device.release("buffer.close", RuntimeCalls::deviceSynchronize);
      }
      device.release("buffer.close", calls -> calls.free(block.pointer, 0));
    }
  }

  private final class CudaBlock implements Block {
    final long pointer;
    final long bytes;

    CudaBlock(long pointer, long bytes) {
      this.pointer = pointer;
      this.bytes = bytes;
    }

    @Override
    public long address() {
      return (pointer + ALIGNMENT - 1) & -ALIGNMENT;
    }

    @Override
    public @Nullable MemorySegment segment() {
      return null;
    }

    @Override
    public void free() {
      CudaMemory.this.free(this);
    }
  }
}
