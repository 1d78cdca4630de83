package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.DeviceKernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * What the kernels of all ops share: the device, the functions' addresses, and how one is called.
 *
 * <p>Operands have been checked and pinned by the plan.
 */
abstract class CudaKernel extends Calls implements DeviceKernel {
  private static final long ALIGNMENT = 256;

  private final String op;
  private final CudaDevice device;

  /** For {@code op} on a device of this package. */
  CudaKernel(String op, Device device) {
    super(((CudaDevice) device).library().symbols());
    this.op = op;
    this.device = (CudaDevice) device;
  }

  /** One native call; its status becomes an exception. */
  interface Call {
    /** Enqueues the work. */
    int on(long stream) throws Throwable;
  }

  /** The operand's address, 0 for none. */
  static long pointer(@Nullable Buffer buffer) {
    return buffer == null ? 0 : buffer.devicePointer();
  }

  private static long aligned(long address) {
    return (address + ALIGNMENT - 1) & -ALIGNMENT;
  }

  /** The first 256-byte aligned address in a workspace of {@link #alignable} bytes; 0 for none. */
  static long aligned(@Nullable Buffer workspace) {
    return aligned(pointer(workspace));
  }

  /** The bytes that a part of a workspace takes before the next part. */
  static long alignedBytes(long bytes) {
    return aligned(bytes);
  }

  /** What to ask of a caller, whose buffer may begin anywhere, for so many aligned bytes. */
  static long alignable(long bytes) {
    return bytes == 0 ? 0 : bytes + ALIGNMENT;
  }

  /** A native call that takes no stream. */
  interface HostCall {
    /** Its status. */
    int run() throws Throwable;
  }

  /** Calls a function that enqueues nothing. */
  final void call(HostCall function) {
    try {
      device.check(op, function.run());
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** A native call that answers with sizes. */
  interface SizeCall {
    /** Writes the sizes one after the other, 8 bytes each. */
    int into(MemorySegment sizes) throws Throwable;
  }

  /** The {@code count} sizes that a function answers. */
  final long[] sizes(int count, SizeCall function) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment sizes = arena.allocate(ValueLayout.JAVA_LONG, count);
      call(() -> function.into(sizes));
      return sizes.toArray(ValueLayout.JAVA_LONG);
    }
  }

  /** Whether a function that enqueues nothing finds a description supported, and why not. */
  final Support support(HostCall function) {
    try {
      device.enter();
      int status = function.run();
      if (status != Abi.UNSUPPORTED) {
        device.check(op, status);
        return Support.YES;
      }
      String reason = device.library().lastError();
      return Support.no(reason.startsWith(op + ": ") ? reason.substring(op.length() + 2) : reason);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** Work with a workspace; gives what it read from the device. */
  interface WorkspaceUse {
    /** Runs with the workspace's address. */
    long with(long workspace);
  }

  /** Runs {@code use} with stream-ordered memory, 256-byte aligned, that is freed behind it. */
  final long withWorkspace(Stream stream, long bytes, WorkspaceUse use) {
    var queue = (CudaStream) stream;
    long handle = queue.pin(op);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment pointer = arena.allocate(ValueLayout.JAVA_LONG);
      device.check(op, device.enter().malloc(pointer, bytes + ALIGNMENT, handle));
      long memory = pointer.get(ValueLayout.JAVA_LONG, 0);
      try {
        return use.with(aligned(memory));
      } finally {
        device.release(op, calls -> calls.free(memory, handle));
      }
    } finally {
      queue.unpin();
    }
  }

  /**
   * Whether the calling thread records a graph: nothing can be read back then, and checks of what
   * the device found are left out.
   */
  final boolean isRecorded() {
    return device.recording() != null;
  }

  /** Waits for the stream and reads 8 bytes of device memory. */
  final long readLong(Stream stream, long address) {
    return read(stream, address, Long.BYTES);
  }

  /** Waits for the stream and reads 4 bytes of device memory. */
  final int readInt(Stream stream, long address) {
    return (int) read(stream, address, Integer.BYTES);
  }

  private long read(Stream stream, long address, int bytes) {
    device.refuseInGraph(op, "it reads a result back to the host");
    var queue = (CudaStream) stream;
    long handle = queue.pin(op);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(ValueLayout.JAVA_LONG);
      device.check(op, device.enter().copyToHost(value, address, bytes, handle));
      device.check(op, device.enter().streamSynchronize(handle));
      return value.get(ValueLayout.JAVA_LONG, 0); // x86-64 and AArch64 are little-endian
    } finally {
      queue.unpin();
    }
  }

  /** A native call with a workspace. */
  interface WorkspaceCall {
    /** Enqueues the work. */
    int on(long workspace, long stream) throws Throwable;
  }

  /** Enqueues work with a workspace of {@code bytes}, or without one for 0. */
  final void launch(Stream stream, long bytes, WorkspaceCall call) {
    if (bytes == 0) {
      launch(stream, s -> call.on(0, s));
      return;
    }
    withWorkspace(
        stream,
        bytes,
        workspace -> {
          launch(stream, s -> call.on(workspace, s));
          return 0;
        });
  }

  /** Enqueues work in {@code stream}, which can't be destroyed meanwhile. */
  final void launch(Stream stream, Call call) {
    var queue = (CudaStream) stream;
    long handle = queue.pin(op);
    try {
      device.enter();
      device.check(op, call.on(handle));
      device.launched(op, handle);
    } catch (Throwable t) {
      throw unexpected(t);
    } finally {
      queue.unpin();
    }
  }
}
