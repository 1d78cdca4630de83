package dev.gridstride.cuda;

import dev.gridstride.cuda.Cudnn.Kind;
import dev.gridstride.cuda.Cudnn.Native;
import dev.gridstride.cuda.Cudnn.Pass;
import dev.gridstride.device.ClosedException;
import dev.gridstride.device.DType;
import dev.gridstride.device.DeviceException;
import dev.gridstride.device.DeviceMemoryException;
import dev.gridstride.device.UnsupportedException;
import java.lang.ref.Cleaner;
import java.util.ArrayList;
import java.util.List;

/**
 * What one kernel has of cuDNN: the device's handle, its own descriptors, and statuses as
 * exceptions that name the op and the call.
 *
 * <p>Naming a stream and the call that queues work in it are made under the handle's lock.
 */
final class CudnnSession implements AutoCloseable {
  private static final Cleaner CLEANER = Cleaner.create();
  private static final VendorHandles<Native> HANDLES = new VendorHandles<>();

  /** A descriptor that has to be freed. */
  private record Owned(Cudnn library, Kind kind, Native descriptor) {
    void free() {
      // descriptors are memory of the host: freeing one has nothing to report
      int unused = library.destroy(kind, descriptor);
    }
  }

  private final String op;
  private final Cudnn library;
  private final VendorHandles.Locked<Native> handle;
  private final List<Owned> owned = new ArrayList<>();
  private final Cleaner.Cleanable cleanable;

  /** Guarded by the handle's lock: no call may use a descriptor that has been freed. */
  private boolean closed;

  /** A session for {@code op}, which begins the messages. */
  CudnnSession(String op, Cudnn library, CudaDevice device) {
    this.op = op;
    this.library = library;
    this.handle =
        HANDLES.get(
            library,
            device,
            () -> {
              var out = new Native[1];
              check("cudnnCreate", library.createHandle(out));
              return out[0];
            });
    List<Owned> toFree = owned;
    this.cleanable = CLEANER.register(this, () -> toFree.forEach(Owned::free));
  }

  /** The number of an element type in {@code cudnnDataType_t}. */
  static int type(DType type) {
    return switch (type) {
      case F32 -> Cudnn.FLOAT;
      case F64 -> Cudnn.DOUBLE;
      case F16 -> Cudnn.HALF;
      case BF16 -> Cudnn.BFLOAT16;
      default -> throw new IllegalArgumentException(type.toString());
    };
  }

  private Native make(Kind kind) {
    var out = new Native[1];
    check(kind.create(), library.create(kind, out));
    owned.add(new Owned(library, kind, out[0]));
    return out[0];
  }

  /** A description of images. */
  Native tensor(DType type, int[] dims, int[] strides) {
    Native d = make(Kind.TENSOR);
    check("cudnnSetTensorNdDescriptor", library.setTensor(d, type(type), dims, strides));
    return d;
  }

  /** A description of filters. */
  Native filter(DType type, int format, int[] dims) {
    Native d = make(Kind.FILTER);
    check("cudnnSetFilterNdDescriptor", library.setFilter(d, type(type), format, dims));
    return d;
  }

  /** A description of how windows lie, with sums in f32. */
  Native convolution(int[] padding, int[] strides, int[] dilations, int groups, int math) {
    Native d = make(Kind.CONVOLUTION);
    check(
        "cudnnSetConvolutionNdDescriptor",
        library.setConvolution(d, padding, strides, dilations, Cudnn.FLOAT));
    check("cudnnSetConvolutionGroupCount", library.setGroups(d, groups));
    check("cudnnSetConvolutionMathType", library.setMath(d, math));
    return d;
  }

  /**
   * The bytes of workspace that a pass needs.
   *
   * @throws UnsupportedException when the algorithm can't do it
   */
  long workspace(
      Pass pass, Native first, Native second, Native convolution, Native result, int algorithm) {
    var bytes = new long[1];
    synchronized (handle) {
      check(
          pass.workspace(),
          library.workspace(
              handle.handle(), pass, first, second, convolution, result, algorithm, bytes));
    }
    return bytes[0];
  }

  /** One call that queues work. */
  interface Call {
    /** Its status. */
    int with(Native handle);
  }

  /** Queues work in a stream; gives what {@link CudaKernel#launch} wants. */
  int queue(long stream, String function, Call call) {
    synchronized (handle) {
      if (closed) {
        throw new ClosedException(op + ": the plan has been closed");
      }
      check("cudnnSetStream", library.setStream(handle.handle(), stream));
      check(function, call.with(handle.handle()));
    }
    return Abi.OK;
  }

  private void check(String function, int status) {
    if (status == 0) {
      return;
    }
    String more = library.lastError().replaceAll("\\s+", " ").strip();
    String message =
        op
            + ": "
            + library.name()
            + ": "
            + function
            + ": "
            + library.statusName(status)
            + (more.isEmpty() ? "" : " (" + more + ")");
    if (Cudnn.isUnsupported(status)) {
      throw new UnsupportedException(message);
    }
    throw Cudnn.isOutOfMemory(status)
        ? new DeviceMemoryException(message)
        : new DeviceException(message);
  }

  @Override
  public void close() {
    synchronized (handle) {
      closed = true;
      cleanable.clean();
    }
  }
}
