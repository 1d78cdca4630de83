package dev.gridstride;

import dev.gridstride.device.Block;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.DeviceKind;
import dev.gridstride.device.DeviceMemoryException;
import dev.gridstride.device.HostMemory;
import dev.gridstride.device.MemoryStats;
import dev.gridstride.device.Stream;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;

/** The CPU with memory whose Nth allocation fails, and which counts what is open. */
public final class FailingDevice extends Device {
  private static final Device CPU = Device.cpu();

  private final AtomicLong live = new AtomicLong();
  private final AtomicLong allocations = new AtomicLong();
  private final Stream stream = new OwnStream();
  private volatile long failing;
  private volatile Runnable before = () -> {};

  /** A device of its own. */
  public FailingDevice() {
    super(DeviceKind.CPU, 1);
  }

  /** Lets allocation {@code n} from now fail, from 1; 0 for none. */
  void fail(long n) {
    allocations.set(0);
    failing = n;
  }

  /** Allocations since the last call of {@link #fail}. */
  long allocations() {
    return allocations.get();
  }

  /** Called before each allocation. */
  public void beforeAllocations(Runnable action) {
    before = action;
  }

  /** Buffers that are open. */
  public long live() {
    return live.get();
  }

  private final class OwnStream implements Stream {
    @Override
    public Device device() {
      return FailingDevice.this;
    }

    @Override
    public long handle() {
      return 0;
    }

    @Override
    public void synchronize() {}

    @Override
    public dev.gridstride.device.Event record() {
      return CPU.defaultStream().record();
    }

    @Override
    public void waitFor(dev.gridstride.device.Event event) {}

    @Override
    public void close() {}
  }

  private Block block(long bytes) {
    before.run();
    if (allocations.incrementAndGet() == failing) {
      throw new DeviceMemoryException("failing: can't allocate " + bytes + " bytes");
    }
    Buffer inner = CPU.allocate(bytes);
    live.incrementAndGet();
    return new Block() {
      @Override
      public long address() {
        return inner.devicePointer();
      }

      @Override
      public MemorySegment segment() {
        return inner.segment();
      }

      @Override
      public void free() {
        live.decrementAndGet();
        inner.close();
      }
    };
  }

  @Override
  public String description() {
    return "the CPU, for tests";
  }

  @Override
  public Buffer allocate(long bytes) {
    return Buffer.own(this, block(bytes), bytes);
  }

  @Override
  public HostMemory allocateHost(long bytes) {
    return HostMemory.own(this, block(bytes), bytes);
  }

  @Override
  public MemoryStats memory() {
    return new MemoryStats(0, 0, 0, allocations.get());
  }

  @Override
  public void trim() {}

  @Override
  public Stream defaultStream() {
    return stream;
  }

  @Override
  public Stream newStream() {
    return new OwnStream();
  }

  @Override
  protected void copyIn(Buffer target, MemorySegment source) {
    target.segment().asSlice(0, source.byteSize()).copyFrom(source);
  }

  @Override
  protected void copyOut(Buffer source, MemorySegment target) {
    target.copyFrom(source.segment().asSlice(0, target.byteSize()));
  }

  @Override
  protected void copyIn(Stream in, Buffer target, MemorySegment source) {
    copyIn(target, source);
  }

  @Override
  protected void copyOut(Stream in, Buffer source, MemorySegment target) {
    copyOut(source, target);
  }

  @Override
  protected void copyPeer(Buffer target, Buffer source) {
    target.segment().asSlice(0, source.bytes()).copyFrom(source.segment());
  }

  @Override
  protected void fill(Buffer target, byte value) {
    target.segment().fill(value);
  }
}
