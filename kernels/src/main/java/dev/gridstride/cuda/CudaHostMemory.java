package dev.gridstride.cuda;

import dev.gridstride.device.Block;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Page-locked host memory of one device. */
final class CudaHostMemory implements Block {
  private final CudaDevice device;
  private final Arena arena = Arena.ofShared();
  private final long address;
  private final MemorySegment segment;

  /**
   * Allocates it.
   *
   * @param op begins the message of a failure
   */
  @SuppressWarnings("restricted") // the library has just allocated that many bytes
  CudaHostMemory(CudaDevice device, String op, long bytes) {
    this.device = device;
    try (Arena call = Arena.ofConfined()) {
      MemorySegment pointer = call.allocate(ValueLayout.JAVA_LONG);
      device.check(op, device.enter().hostMalloc(pointer, bytes));
      this.address = pointer.get(ValueLayout.JAVA_LONG, 0);
    }
    // with an arena, so that a use after free is an exception
    this.segment = MemorySegment.ofAddress(address).reinterpret(bytes, arena, null);
  }

  @Override
  public long address() {
    return address;
  }

  @Override
  public MemorySegment segment() {
    return segment;
  }

  @Override
  public void free() {
    // copies that were queued may still be using it
    try {
      device.release("hostMemory.close", RuntimeCalls::deviceSynchronize);
    } finally {
      arena.close();
      device.release("hostMemory.close", calls -> calls.hostFree(address));
    }
  }
}
