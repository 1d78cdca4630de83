package dev.gridstride.device;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Host memory that a device copies from and to by itself, while the host goes on: page-locked on
 * CUDA, ordinary memory on the CPU.
 *
 * <p>Made by {@link Device#allocateHost}; for {@link Buffer#copyFrom(Stream, HostMemory)} and
 * {@link Buffer#copyTo(Stream, HostMemory)}. Page-locked memory is scarce and slow to allocate:
 * keep it for many copies. Contents are not defined after allocation. A slice borrows.
 */
public final class HostMemory implements AutoCloseable {
  private final Device device;
  private final Lifetime lifetime;
  private final @Nullable HostMemory owner;
  private final MemorySegment segment;

  private HostMemory(
      Device device, Lifetime lifetime, @Nullable HostMemory owner, MemorySegment segment) {
    this.device = device;
    this.lifetime = lifetime;
    this.owner = owner;
    this.segment = segment;
  }

  /**
   * Wraps memory that a backend has allocated.
   *
   * @param device whose copies it is for
   * @param block the memory, with a segment; freed once, when it is closed and no graph uses it
   * @param bytes usable size, at most that of the block
   */
  public static HostMemory own(Device device, Block block, long bytes) {
    MemorySegment segment = Objects.requireNonNull(block.segment(), "the block's segment");
    return new HostMemory(device, new Lifetime(block, bytes), null, segment.asSlice(0, bytes));
  }

  /** The device whose copies it is for. */
  public Device device() {
    return device;
  }

  /** Size in bytes. */
  public long bytes() {
    return segment.byteSize();
  }

  /**
   * The memory; not to be used after close.
   *
   * @throws ClosedException after close
   */
  public MemorySegment segment() {
    checkOpen("hostMemory.segment");
    return segment;
  }

  /**
   * A view of {@code size} bytes from byte {@code offset}.
   *
   * @throws InvalidArgumentException when the range is not inside this memory
   * @throws ClosedException after close
   */
  public HostMemory slice(long offset, long size) {
    checkOpen("hostMemory.slice");
    if (offset < 0 || size < 0 || offset > bytes() - size) {
      throw InvalidArgumentException.of(
          "hostMemory.slice",
          "range",
          "must lie inside the memory",
          "offset=%d, size=%d, bytes=%d",
          offset,
          size,
          bytes());
    }
    return new HostMemory(
        device, lifetime, owner == null ? this : owner, segment.asSlice(offset, size));
  }

  /** Keeps it from being freed until {@link #unpin}, and as long as a graph that is captured. */
  void pin(String op) {
    if (!lifetime.pin()) {
      throw closed(op);
    }
    Capture capture = Capture.current();
    if (capture != null) {
      capture.keep(lifetime);
    }
  }

  void unpin() {
    lifetime.unpin();
  }

  private void checkOpen(String op) {
    if (!lifetime.isOpen()) {
      throw closed(op);
    }
  }

  private ClosedException closed(String op) {
    return new ClosedException(op + ": the host memory has been closed; " + lifetime.place());
  }

  /**
   * Waits for the copies that use it and frees it. On a slice it does nothing.
   *
   * @throws ClosedException when it has been closed before
   */
  @Override
  public void close() {
    if (owner == null && !lifetime.close()) {
      throw closed("hostMemory.close");
    }
  }
}
