package dev.gridstride.device;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** A stretch of device memory as a backend's allocator hands it to a {@link Buffer}. */
public interface Block {
  /** Address of the first byte, in the device's address space; at least 64-byte aligned. */
  long address();

  /** The same memory as a segment where the host can address it, else null. */
  @Nullable MemorySegment segment();

  /** Gives the memory back to the allocator. Called once; the block is not used afterwards. */
  void free();
}
