package dev.gridstride.cpu;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.DeviceKind;
import dev.gridstride.device.HostMemory;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.MemoryStats;
import dev.gridstride.device.Stream;
import java.lang.foreign.MemorySegment;

/** The processor that runs the Java program. */
final class CpuDevice extends Device {
  private final CpuMemory memory = new CpuMemory();
  private final Stream defaultStream = new CpuStream(this, true);

  CpuDevice() {
    super(DeviceKind.CPU, 0);
  }

  @Override
  public String description() {
    return System.getProperty("os.arch")
        + ", "
        + threads()
        + (threads() == 1 ? " thread, " : " threads, ")
        + (Simd.ENABLED ? "Vector API" : "scalar code");
  }

  @Override
  public Buffer allocate(long bytes) {
    if (bytes < 0) {
      throw InvalidArgumentException.of(
          "device.allocate", "bytes", "must not be negative", "bytes=%d", bytes);
    }
    return Buffer.own(this, memory.allocate(bytes), bytes);
  }

  @Override
  public HostMemory allocateHost(long bytes) {
    if (bytes < 0) {
      throw InvalidArgumentException.of(
          "device.allocateHost", "bytes", "must not be negative", "bytes=%d", bytes);
    }
    return HostMemory.own(this, memory.allocate(bytes), bytes);
  }

  @Override
  public MemoryStats memory() {
    return memory.stats();
  }

  @Override
  public void trim() {
    memory.trim();
  }

  @Override
  public Stream defaultStream() {
    return defaultStream;
  }

  @Override
  public Stream newStream() {
    return new CpuStream(this, false);
  }

  @Override
  public int threads() {
    return Parallel.threads();
  }

  @Override
  public void threads(int threads) {
    Parallel.threads(threads);
  }

  @Override
  protected void copyIn(Buffer target, MemorySegment source) {
    MemorySegment.copy(source, 0, target.pinnedSegment(), 0, source.byteSize());
  }

  @Override
  protected void copyOut(Buffer source, MemorySegment target) {
    MemorySegment.copy(source.pinnedSegment(), 0, target, 0, target.byteSize());
  }

  @Override
  protected void copyIn(Stream stream, Buffer target, MemorySegment source) {
    stream.synchronize();
    copyIn(target, source);
  }

  @Override
  protected void copyOut(Stream stream, Buffer source, MemorySegment target) {
    stream.synchronize();
    copyOut(source, target);
  }

  @Override
  protected void copyPeer(Buffer target, Buffer source) {
    MemorySegment.copy(source.pinnedSegment(), 0, target.pinnedSegment(), 0, source.bytes());
  }

  @Override
  protected void fill(Buffer target, byte value) {
    target.pinnedSegment().fill(value);
  }
}
