package dev.gridstride.jcuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.device.UnsupportedException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import jcuda.NativePointerObject;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUstream;
import jcuda.runtime.cudaStream_t;
import org.jspecify.annotations.Nullable;

/**
 * Memory and streams of JCuda as Gridstride's, and the other way round, without a copy: both sides
 * mean the same device memory and the same queue.
 *
 * <pre>{@code
 * CUdeviceptr p = ...; // from cuMemAlloc
 * try (Buffer x = JCudaInterop.wrap(device, p, 4 * n)) {
 *   plan.forward(JCudaInterop.wrap(device, stream), x, x);
 * }
 * }</pre>
 *
 * <p>Whoever made an object frees it, after the other side is done with it. JCuda must use the
 * device's primary context, as its runtime API does. Classes of JCuda are all that is needed here,
 * none of its native libraries.
 */
public final class JCudaInterop {
  private JCudaInterop() {}

  /** Opens what JCuda keeps to itself, for its own subclasses. */
  private static final class Memory extends CUdeviceptr {
    Memory(CUdeviceptr other) {
      super(other);
    }

    long address() {
      return getNativePointer() + getByteOffset();
    }
  }

  private static final class Queue extends CUstream {
    Queue(cudaStream_t other) {
      super(other);
    }

    long address() {
      return getNativePointer();
    }
  }

  /**
   * Device memory of JCuda's as a buffer; see {@link Device#wrapMemory}.
   *
   * @param bytes of the memory from this pointer on
   */
  public static Buffer wrap(Device device, CUdeviceptr pointer, long bytes) {
    return device.wrapMemory(new Memory(pointer).address(), bytes);
  }

  /** A stream of JCuda's; see {@link Device#wrapStream}. */
  public static Stream wrap(Device device, cudaStream_t stream) {
    return device.wrapStream(new Queue(stream).address());
  }

  /** A stream of JCuda's driver API; see {@link Device#wrapStream}. */
  public static Stream wrap(Device device, CUstream stream) {
    return wrap(device, new cudaStream_t(stream));
  }

  /** A buffer's memory for JCuda, where the buffer begins; usable while the buffer is open. */
  public static CUdeviceptr pointer(Buffer buffer) {
    return pointer(buffer.devicePointer());
  }

  static CUdeviceptr pointer(long address) {
    return new CUdeviceptr().withByteOffset(address);
  }

  /**
   * A stream for JCuda, usable while it is open.
   *
   * @throws UnsupportedException when this version of JCuda can't be given one
   */
  public static cudaStream_t stream(Stream stream) {
    return stream(stream.handle());
  }

  static cudaStream_t stream(long handle) {
    VarHandle field = NativePointer.FIELD;
    if (field == null) {
      throw new UnsupportedException("jcuda.stream: this JCuda can't be given a stream");
    }
    var result = new cudaStream_t();
    field.set(result, handle);
    return result;
  }

  /** JCuda has no constructor for a stream that others made. */
  private static final class NativePointer {
    static final @Nullable VarHandle FIELD = find();

    private static @Nullable VarHandle find() {
      try {
        return MethodHandles.privateLookupIn(NativePointerObject.class, MethodHandles.lookup())
            .findVarHandle(NativePointerObject.class, "nativePointer", long.class);
      } catch (ReflectiveOperationException closed) {
        return null; // another version, or one in a module of its own: each use says so
      }
    }
  }
}
