package dev.gridstride.device;

import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import org.jspecify.annotations.Nullable;

/**
 * Untyped memory on one device, at least 64-byte aligned.
 *
 * <p>A buffer that {@link Device#allocate} returned owns its memory: {@link #close} gives it back
 * to the device's pool once the operations that are running on it have ended. A slice borrows: it
 * becomes unusable when its owner is closed. Any use after close, and a second close, throws {@link
 * ClosedException}; none can touch freed memory.
 *
 * <p>Contents are not defined after allocation. Thread-safe, except that the contents are not
 * guarded.
 */
public final class Buffer implements AutoCloseable {
  private static final Cleaner CLEANER = Cleaner.create();

  private final Device device;
  private final Lifetime lifetime;
  private final @Nullable Buffer owner;
  private final long address;
  private final long bytes;
  private final @Nullable MemorySegment segment;

  private Buffer(
      Device device,
      Lifetime lifetime,
      @Nullable Buffer owner,
      long address,
      long bytes,
      @Nullable MemorySegment segment) {
    this.device = device;
    this.lifetime = lifetime;
    this.owner = owner;
    this.address = address;
    this.bytes = bytes;
    this.segment = segment;
  }

  /**
   * Makes a buffer of a block that a backend has allocated.
   *
   * @param device whose memory it is
   * @param block the memory; freed once when the buffer is closed or lost
   * @param bytes usable size, at most that of the block
   */
  public static Buffer own(Device device, Block block, long bytes) {
    var lifetime = new Lifetime(block, bytes);
    MemorySegment memory = block.segment();
    var buffer =
        new Buffer(
            device,
            lifetime,
            null,
            block.address(),
            bytes,
            memory == null ? null : memory.asSlice(0, bytes));
    CLEANER.register(buffer, lifetime);
    return buffer;
  }

  /** The device whose memory this is. */
  public Device device() {
    return device;
  }

  /** Size in bytes. */
  public long bytes() {
    return bytes;
  }

  /** Whether neither this buffer nor the owner of this slice has been closed. */
  public boolean isOpen() {
    return lifetime.isOpen();
  }

  /** Whether this is a slice of another buffer. */
  public boolean isSlice() {
    return owner != null;
  }

  /**
   * The address in the device's address space: a {@code CUdeviceptr} on CUDA.
   *
   * @throws ClosedException after close
   */
  public long devicePointer() {
    checkOpen("devicePointer");
    return address;
  }

  /**
   * The memory as a segment, for a device whose memory the host can address.
   *
   * <p>The segment outlives this buffer's close as an alias of pooled memory: do not keep it.
   *
   * @throws ClosedException after close
   * @throws UnsupportedException when the host cannot address the memory
   */
  public MemorySegment segment() {
    checkOpen("segment");
    return pinnedSegment();
  }

  /**
   * The same for the kernel of an op that has {@linkplain Pins pinned} this buffer: its memory is
   * there until the op ends, even if the buffer has been closed since.
   *
   * @throws UnsupportedException when the host can't address the memory
   * @throws ClosedException when the memory has been freed
   */
  public MemorySegment pinnedSegment() {
    if (lifetime.isFreed()) {
      throw closed("segment");
    }
    if (segment == null) {
      throw new UnsupportedException(
          "buffer.segment: memory of " + device.name() + " can't be addressed by the host");
    }
    return segment;
  }

  /**
   * A view of {@code size} bytes from byte {@code offset}.
   *
   * @throws InvalidArgumentException when the range is not inside this buffer
   * @throws ClosedException after close
   */
  public Buffer slice(long offset, long size) {
    checkOpen("slice");
    if (offset < 0 || size < 0 || offset > bytes - size) {
      throw InvalidArgumentException.of(
          "buffer.slice",
          "range",
          "must lie inside the buffer",
          "offset=%d, size=%d, buffer bytes=%d",
          offset,
          size,
          bytes);
    }
    return new Buffer(
        device,
        lifetime,
        owner == null ? this : owner,
        address + offset,
        size,
        segment == null ? null : segment.asSlice(offset, size));
  }

  /**
   * Copies {@code source} into this buffer from its start; returns when the copy is done.
   *
   * @throws InvalidArgumentException when the source is larger than this buffer
   */
  public void copyFrom(MemorySegment source) {
    checkFits("buffer.copyFrom", "source", source.byteSize());
    pin("buffer.copyFrom");
    try {
      device.copyIn(this, source);
    } finally {
      unpin();
    }
  }

  /**
   * Copies this buffer into {@code target} from its start; returns when the copy is done.
   *
   * @throws InvalidArgumentException when the target is larger than this buffer
   */
  public void copyTo(MemorySegment target) {
    checkFits("buffer.copyTo", "target", target.byteSize());
    pin("buffer.copyTo");
    try {
      device.copyOut(this, target);
    } finally {
      unpin();
    }
  }

  /**
   * Copies all of {@code source}, which may live on another device, into this buffer from its
   * start; returns when the copy is done.
   *
   * @throws InvalidArgumentException when the source is larger than this buffer
   */
  public void copyFrom(Buffer source) {
    checkFits("buffer.copyFrom", "source", source.bytes);
    Pins.pinAll("buffer.copyFrom", this, source);
    try {
      if (source.segment != null) {
        device.copyIn(this, source.segment);
      } else if (segment != null) {
        source.device.copyOut(source, segment.asSlice(0, source.bytes));
      } else {
        device.copyPeer(this, source);
      }
    } finally {
      Pins.unpinAll(this, source);
    }
  }

  /**
   * Queues a copy of {@code source} into the start of this buffer, in the order of {@code stream},
   * and returns; the source must not change before the copy is done. In a graph, each replay copies
   * what the source then holds.
   *
   * @throws InvalidArgumentException when the source is larger than this buffer, or stream or
   *     source belong to another device
   */
  public void copyFrom(Stream stream, HostMemory source) {
    String op = "buffer.copyFrom";
    checkFits(op, "source", source.bytes());
    transfer(op, stream, source, () -> device.copyIn(stream, this, source.segment()));
  }

  /**
   * Queues a copy of the start of this buffer into {@code target}, in the order of {@code stream},
   * and returns; the target has the contents once the stream has got there.
   *
   * @throws InvalidArgumentException when the target is larger than this buffer, or stream or
   *     target belong to another device
   */
  public void copyTo(Stream stream, HostMemory target) {
    String op = "buffer.copyTo";
    checkFits(op, "target", target.bytes());
    transfer(op, stream, target, () -> device.copyOut(stream, this, target.segment()));
  }

  private void transfer(String op, Stream stream, HostMemory host, Runnable copy) {
    if (!stream.device().equals(device) || !host.device().equals(device)) {
      throw InvalidArgumentException.of(
          op,
          "stream and host memory",
          "must belong to the buffer's device",
          "stream device=%s, host memory device=%s, buffer device=%s",
          stream.device().name(),
          host.device().name(),
          device.name());
    }
    pin(op);
    try {
      host.pin(op);
      try {
        copy.run();
      } finally {
        host.unpin();
      }
    } finally {
      unpin();
    }
  }

  /** Sets every byte to {@code value}. */
  public void fill(byte value) {
    pin("buffer.fill");
    try {
      device.fill(this, value);
    } finally {
      unpin();
    }
  }

  /**
   * Keeps the memory from being freed until {@link #unpin}; for plans, around the work they do.
   *
   * @param op the op that is about to use it, for the message
   * @throws ClosedException after close
   */
  public void pin(String op) {
    Capture capture = Capture.current();
    if (capture != null) {
      capture.check(op, this);
    }
    if (!lifetime.pin()) {
      throw closed(op);
    }
    if (capture != null) {
      capture.keep(lifetime);
    }
  }

  /** What a pin of several buffers holds on to. */
  Lifetime lifetime() {
    return lifetime;
  }

  /** Ends one {@link #pin}. */
  public void unpin() {
    lifetime.unpin();
  }

  /**
   * Whether this buffer and {@code other} share bytes.
   *
   * <p>Used by ops whose output must not overlap an input.
   */
  public boolean overlaps(Buffer other) {
    return device.equals(other.device)
        && address < other.address + other.bytes
        && other.address < address + bytes;
  }

  /**
   * Frees the memory once the operations that are running on it have ended. On a slice it does
   * nothing: the owner is closed instead.
   *
   * @throws ClosedException when the buffer has been closed before
   */
  @Override
  public void close() {
    if (owner == null && !lifetime.close()) {
      throw closed("buffer.close");
    }
  }

  /** Throws {@link ClosedException} naming {@code op} when closed. */
  public void checkOpen(String op) {
    if (!lifetime.isOpen()) {
      throw closed(op);
    }
  }

  ClosedException closed(String op) {
    return new ClosedException(
        op + ": the buffer of " + bytes + " bytes has been closed; " + lifetime.place());
  }

  private void checkFits(String op, String argument, long size) {
    if (size > bytes) {
      throw InvalidArgumentException.of(
          op,
          argument,
          "must not be larger than the buffer",
          "%s bytes=%d, buffer bytes=%d",
          argument,
          size,
          bytes);
    }
  }

  /** Device, address, size and whether it is open. */
  @Override
  public String toString() {
    return "Buffer["
        + device.name()
        + ", "
        + bytes
        + " bytes"
        + (owner == null ? "" : ", slice")
        + (isOpen() ? "" : ", closed")
        + "]";
  }
}
