package dev.gridstride.device;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A processor that runs plans on memory of its own.
 *
 * <p>{@link #best} takes a usable GPU or else the CPU, and logs one line that says what was chosen
 * and why the others were refused. The other factories are explicit. Devices are singletons: {@code
 * Device.cpu() == Device.cpu()}.
 */
public abstract class Device {
  private final DeviceKind kind;
  private final int ordinal;

  /** For backends. */
  protected Device(DeviceKind kind, int ordinal) {
    this.kind = kind;
    this.ordinal = ordinal;
  }

  /** A usable CUDA GPU, or else the CPU; logs the choice once. */
  public static Device best() {
    return Devices.best();
  }

  /** The CPU. */
  public static Device cpu() {
    return Devices.get(DeviceKind.CPU, 0);
  }

  /**
   * A CUDA GPU.
   *
   * @throws DeviceException when there is no such GPU; the message says why
   */
  public static Device cuda(int ordinal) {
    return Devices.get(DeviceKind.CUDA, ordinal);
  }

  /**
   * The CUDA kernels executed by the CPU, for tests.
   *
   * @throws DeviceException when the emulator is not installed; the message says why
   */
  public static Device emulator() {
    return Devices.get(DeviceKind.EMULATOR, 0);
  }

  /** What each backend found: one line for each kind of device, in order of preference. */
  public static List<String> discoveryReport() {
    return Devices.report();
  }

  /**
   * The optional libraries of vendors, and why each can't be used: one line each, {@code name:
   * usable: ...} or {@code name: refused: ...}. Loads those that are there.
   */
  public static List<String> libraryReport() {
    return Devices.libraries();
  }

  /** All usable devices, in order of preference. */
  public static List<Device> all() {
    return Devices.all();
  }

  /** The kind of this device. */
  public final DeviceKind kind() {
    return kind;
  }

  /** Its number among the devices of its kind, from 0. */
  public final int ordinal() {
    return ordinal;
  }

  /** {@code cpu}, {@code emulator}, or {@code cuda:0}. */
  public final String name() {
    return kind == DeviceKind.CUDA ? kind + ":" + ordinal : kind.toString();
  }

  /** The hardware and how it is used, in one line for people. */
  public abstract String description();

  /**
   * Memory of {@code bytes} bytes, 64-byte aligned, contents undefined; zero bytes are allowed.
   *
   * @throws InvalidArgumentException when {@code bytes} is negative
   * @throws DeviceMemoryException when the device has no such memory left
   */
  public abstract Buffer allocate(long bytes);

  /** Memory for {@code count} elements. */
  public final Buffer allocate(DType type, long count) {
    return allocate(type.bytes(count));
  }

  /**
   * Host memory for copies that go on beside the host's work: page-locked on CUDA.
   *
   * @throws InvalidArgumentException when {@code bytes} is negative
   * @throws DeviceMemoryException when there is no such memory left
   */
  public abstract HostMemory allocateHost(long bytes);

  /** Use of this device's memory by Gridstride. */
  public abstract MemoryStats memory();

  /** Gives memory that the pool keeps for reuse back to the system. */
  public abstract void trim();

  /** The stream that is used where none is named; always open. */
  public abstract Stream defaultStream();

  /** A stream of its own, to be closed by the caller. */
  public abstract Stream newStream();

  /** Number of host threads that share the work of one op; 1 on a GPU. */
  public int threads() {
    return 1;
  }

  /**
   * Sets the number of host threads that share the work of one op. Results do not depend on it.
   *
   * @throws UnsupportedException on a device that has no such threads
   * @throws InvalidArgumentException when {@code threads} is not in 1..1024
   */
  public void threads(int threads) {
    throw new UnsupportedException(name() + " does not run on host threads");
  }

  /** Prepares {@code op} on this device; see {@link Op#plan}. */
  public final <P extends Plan> P plan(Op<P> op) {
    return op.plan(this);
  }

  /** Whether {@code op} can run on this device; see {@link Op#supports}. */
  public final Support supports(Op<?> op) {
    return op.supports(this);
  }

  /**
   * Loads kernels of the user's; see {@link KernelModule#load}.
   *
   * @throws UnsupportedException on a device that runs no PTX
   */
  protected KernelModule loadModule(byte[] image) {
    throw new UnsupportedException("kernelModule.load: " + name() + " runs no PTX and no cubin");
  }

  /**
   * Compiles and loads kernels of the user's; see {@link KernelModule#compile}.
   *
   * @throws UnsupportedException on a device that runs no PTX
   */
  protected KernelModule compileModule(String source, List<String> options) {
    throw new UnsupportedException("kernelModule.compile: " + name() + " runs no CUDA C++");
  }

  /** Whether {@link #record} records graphs here. */
  protected Support graphs() {
    return Support.no(
        name() + " does an operation's work before its call returns: there is nothing to record");
  }

  /**
   * Begins to record what the calling thread does in {@code stream}; see {@link Graph}.
   *
   * @throws UnsupportedException when {@link #graphs} says no
   */
  protected Recording record(Stream stream) {
    throw new UnsupportedException("graph.capture: " + name() + " records no graphs");
  }

  /**
   * Device memory that another library of this process allocated, as a buffer: a {@code
   * CUdeviceptr} of the device's primary context. Closing the buffer does not free it; it must live
   * until the work on it is done, and be at least aligned as its elements.
   *
   * @param pointer address of the first byte
   * @param bytes usable size from there
   * @throws InvalidArgumentException when pointer is 0, or bytes negative or past the address space
   * @throws UnsupportedException on a device that shares memory with no other library
   */
  public Buffer wrapMemory(long pointer, long bytes) {
    throw new UnsupportedException("device.wrapMemory: " + name() + " has no device pointers");
  }

  /**
   * A stream that another library of this process made: a {@code cudaStream_t} of the device's
   * primary context; 0 gives the default stream. Closing it waits for its work and does not destroy
   * it; it must not be destroyed before.
   *
   * @throws UnsupportedException on a device that shares streams with no other library
   */
  public Stream wrapStream(long handle) {
    throw new UnsupportedException("device.wrapStream: " + name() + " has no native streams");
  }

  /** Copies host memory to the start of {@code target}, a buffer of this device that is pinned. */
  protected abstract void copyIn(Buffer target, MemorySegment source);

  /** Copies the start of {@code source}, a pinned buffer of this device, to host memory. */
  protected abstract void copyOut(Buffer source, MemorySegment target);

  /** Queues a copy of memory from {@link #allocateHost} to a buffer of this device; both pinned. */
  protected abstract void copyIn(Stream stream, Buffer target, MemorySegment source);

  /** Queues a copy of a buffer of this device to memory from {@link #allocateHost}; both pinned. */
  protected abstract void copyOut(Stream stream, Buffer source, MemorySegment target);

  /** Copies between two buffers, both pinned, that the host can't address. */
  protected abstract void copyPeer(Buffer target, Buffer source);

  /** Sets every byte of {@code target}, a pinned buffer of this device. */
  protected abstract void fill(Buffer target, byte value);

  /** The {@link #name}. */
  @Override
  public final String toString() {
    return name();
  }
}
