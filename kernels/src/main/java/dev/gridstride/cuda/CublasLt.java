package dev.gridstride.cuda;

import dev.gridstride.device.DType;
import dev.gridstride.device.DeviceException;
import dev.gridstride.device.DeviceMemoryException;
import dev.gridstride.device.GridstrideException;
import dev.gridstride.device.UnsupportedException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * NVIDIA's cuBLASLt, where it is installed: of CUDA 13 or 12. Constants and signatures are those of
 * its public documentation (cublasLt.h).
 */
final class CublasLt extends Calls {
  // cublasComputeType_t
  static final int COMPUTE_32F = 68;
  static final int COMPUTE_64F = 70;

  // cublasLtMatmulDescAttributes_t
  static final int DESC_TRANSA = 3;
  static final int DESC_TRANSB = 4;
  static final int DESC_EPILOGUE = 7;
  static final int DESC_BIAS_POINTER = 8;
  static final int DESC_AUX_POINTER = 11;
  static final int DESC_AUX_LD = 12;
  static final int DESC_AUX_BATCH_STRIDE = 13;

  // cublasLtMatrixLayoutAttribute_t
  static final int LAYOUT_BATCH_COUNT = 5;
  static final int LAYOUT_BATCH_STRIDE = 6;

  // cublasLtMatmulPreferenceAttributes_t
  static final int PREFERENCE_WORKSPACE = 1;
  static final int PREFERENCE_REDUCTIONS = 3;
  static final int PREFERENCE_ALIGNMENT_A = 5; // then B, C and D

  // cublasLtEpilogue_t
  static final int EPILOGUE_DEFAULT = 1;
  static final int EPILOGUE_BIAS = 4;
  static final int EPILOGUE_GELU = 32;
  static final int EPILOGUE_DGELU = 64 | 128;
  static final int EPILOGUE_AUX = 128;

  /** Parts of a sum are added in the compute type, in a workspace and in a fixed order. */
  static final int REDUCTION_COMPUTE_TYPE = 2;

  /** cublasLtMatmulHeuristicResult_t: 64 bytes of algorithm, workspace, state, waves, reserve. */
  static final long RESULT_BYTES = 96;

  static final long RESULT_WORKSPACE = 64;
  static final long RESULT_STATE = 72;

  private static final String NAME = "cublaslt";
  private static final int OLDEST = 120000;
  private static final int ALLOC_FAILED = 3;
  private static final int NOT_SUPPORTED = 15;

  private static final MethodHandle VERSION = handle("cublasLtGetVersion", I64);
  private static final MethodHandle STATUS_STRING = handle("cublasLtGetStatusString", HOST, I32);
  private static final MethodHandle CREATE = status("cublasLtCreate", HOST);
  private static final MethodHandle DESC_CREATE =
      status("cublasLtMatmulDescCreate", HOST, I32, I32);
  private static final MethodHandle LAYOUT_CREATE =
      status("cublasLtMatrixLayoutCreate", HOST, I32, I64, I64, I64);
  private static final MethodHandle PREFERENCE_CREATE =
      status("cublasLtMatmulPreferenceCreate", HOST);
  private static final MethodHandle SET = status("cublasLt*SetAttribute", I64, I32, HOST, I64);
  private static final MethodHandle DESTROY = status("cublasLt*Destroy", I64);
  private static final MethodHandle HEURISTIC =
      status("cublasLtMatmulAlgoGetHeuristic", I64, I64, I64, I64, I64, I64, I64, I32, HOST, HOST);
  private static final MethodHandle MATMUL =
      status(
          "cublasLtMatmul",
          I64,
          I64,
          HOST,
          DEVICE,
          I64,
          DEVICE,
          I64,
          HOST,
          DEVICE,
          I64,
          DEVICE,
          I64,
          HOST,
          DEVICE,
          I64,
          DEVICE);

  private final MemorySegment statusString = symbol("cublasLtGetStatusString");
  private final MemorySegment create = symbol("cublasLtCreate");
  private final MemorySegment descCreate = symbol("cublasLtMatmulDescCreate");
  private final MemorySegment descSet = symbol("cublasLtMatmulDescSetAttribute");
  private final MemorySegment descDestroy = symbol("cublasLtMatmulDescDestroy");
  private final MemorySegment layoutCreate = symbol("cublasLtMatrixLayoutCreate");
  private final MemorySegment layoutSet = symbol("cublasLtMatrixLayoutSetAttribute");
  private final MemorySegment layoutDestroy = symbol("cublasLtMatrixLayoutDestroy");
  private final MemorySegment preferenceCreate = symbol("cublasLtMatmulPreferenceCreate");
  private final MemorySegment preferenceSet = symbol("cublasLtMatmulPreferenceSetAttribute");
  private final MemorySegment preferenceDestroy = symbol("cublasLtMatmulPreferenceDestroy");
  private final MemorySegment heuristic = symbol("cublasLtMatmulAlgoGetHeuristic");
  private final MemorySegment matmul = symbol("cublasLtMatmul");

  private final long version;
  private final Map<CudaDevice, Long> handles = new ConcurrentHashMap<>();

  /**
   * What was found.
   *
   * @param library the library; null when there is none that can be used
   * @param reason why there is none
   */
  record Found(@Nullable CublasLt library, String reason) {}

  /** Looked for once, when first needed. */
  private static final class Holder {
    static final Found FOUND =
        find(new VendorLibrary(NAME, "libcublasLt.so.13", "libcublasLt.so.12"));
  }

  private CublasLt(SymbolLookup symbols) {
    super(symbols);
    try {
      this.version = (long) VERSION.invokeExact(symbol("cublasLtGetVersion"));
    } catch (Throwable t) {
      throw unexpected(t);
    }
    if (version < OLDEST) {
      throw new LibraryException("version " + version() + " is too old; it takes 12.0 or newer");
    }
  }

  /** What this machine has. */
  static Found installed() {
    return Holder.FOUND;
  }

  /** What {@code info} says of it, in one line. */
  static String report() {
    CublasLt library = installed().library();
    return VendorSupport.report(
        library == null ? null : "version " + library.version(),
        "is installed",
        installed().reason());
  }

  static Found find(VendorLibrary library) {
    VendorLibrary.Found found = library.find();
    SymbolLookup symbols = found.symbols();
    if (symbols == null) {
      return new Found(null, found.reason());
    }
    try {
      return new Found(new CublasLt(symbols), "");
    } catch (LibraryException unusable) {
      return new Found(null, found.file() + " can't be used: " + unusable.getMessage());
    }
  }

  /** As {@code 13.1.1}: 10000 major + 100 minor + patch; with 1000 major before CUDA 12. */
  String version() {
    long major = version >= 100000 ? version / 10000 : version / 1000;
    long rest = version >= 100000 ? version % 10000 : version % 1000;
    return major + "." + rest / 100 + "." + rest % 100;
  }

  /** The number of an element type in {@code cudaDataType}. */
  static int type(DType type) {
    return switch (type) {
      case F32 -> 0;
      case F64 -> 1;
      case F16 -> 2;
      case BF16 -> 14;
      default -> throw new IllegalArgumentException(type.toString());
    };
  }

  /** The library's handle on a device, made once and kept; it can be used by all threads. */
  long handle(CudaDevice device) {
    return handles.computeIfAbsent(
        device,
        d -> {
          d.enter();
          return make(out -> (int) CREATE.invokeExact(create, out));
        });
  }

  // ---- descriptions -----------------------------------------------------------------------------

  private interface Make {
    int into(MemorySegment out) throws Throwable;
  }

  private long make(Make call) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG);
      check(call.into(out));
      return out.get(ValueLayout.JAVA_LONG, 0);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** A native description of the library's; destroyed with {@link #close}. */
  final class Description implements AutoCloseable {
    private final long address;
    private final MemorySegment set;
    private final MemorySegment destroy;

    private Description(long address, MemorySegment set, MemorySegment destroy) {
      this.address = address;
      this.set = set;
      this.destroy = destroy;
    }

    long address() {
      return address;
    }

    Description set(int attribute, int value) {
      try (Arena arena = Arena.ofConfined()) {
        return set(attribute, arena.allocateFrom(ValueLayout.JAVA_INT, value));
      }
    }

    Description set(int attribute, long value) {
      try (Arena arena = Arena.ofConfined()) {
        return set(attribute, arena.allocateFrom(ValueLayout.JAVA_LONG, value));
      }
    }

    private Description set(int attribute, MemorySegment value) {
      try {
        check((int) SET.invokeExact(set, address, attribute, value, value.byteSize()));
      } catch (Throwable t) {
        throw unexpected(t);
      }
      return this;
    }

    @Override
    public void close() {
      try {
        check((int) DESTROY.invokeExact(destroy, address));
      } catch (Throwable t) {
        throw unexpected(t);
      }
    }
  }

  /** A cublasLtMatmulDesc_t. */
  Description product(int computeType, DType scaleType) {
    int scale = type(scaleType);
    return new Description(
        make(out -> (int) DESC_CREATE.invokeExact(descCreate, out, computeType, scale)),
        descSet,
        descDestroy);
  }

  /** A cublasLtMatrixLayout_t of a column-major matrix. */
  Description layout(DType type, long rows, long columns, long leading) {
    int t = type(type);
    return new Description(
        make(out -> (int) LAYOUT_CREATE.invokeExact(layoutCreate, out, t, rows, columns, leading)),
        layoutSet,
        layoutDestroy);
  }

  /** A cublasLtMatmulPreference_t. */
  Description preference() {
    return new Description(
        make(out -> (int) PREFERENCE_CREATE.invokeExact(preferenceCreate, out)),
        preferenceSet,
        preferenceDestroy);
  }

  // ---- products ---------------------------------------------------------------------------------

  /**
   * Asks for the best algorithm.
   *
   * @param result {@link #RESULT_BYTES}, which it is written to
   * @return whether there is one
   */
  boolean heuristic(
      long handle,
      Description product,
      Description a,
      Description b,
      Description c,
      Description preference,
      MemorySegment result) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
      int status =
          (int)
              HEURISTIC.invokeExact(
                  heuristic,
                  handle,
                  product.address(),
                  a.address(),
                  b.address(),
                  c.address(),
                  c.address(),
                  preference.address(),
                  1,
                  result,
                  count);
      if (status == NOT_SUPPORTED) {
        return false;
      }
      check(status);
      return count.get(ValueLayout.JAVA_INT, 0) > 0
          && result.get(ValueLayout.JAVA_INT, RESULT_STATE) == 0;
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** Queues {@code C = epilogue(alpha op(A) op(B) + beta C)}. */
  void matmul(
      long handle,
      Description product,
      MemorySegment alpha,
      long a,
      Description aLayout,
      long b,
      Description bLayout,
      MemorySegment beta,
      long c,
      Description cLayout,
      MemorySegment algorithm,
      long workspace,
      long workspaceBytes,
      long stream) {
    try {
      check(
          (int)
              MATMUL.invokeExact(
                  matmul,
                  handle,
                  product.address(),
                  alpha,
                  a,
                  aLayout.address(),
                  b,
                  bLayout.address(),
                  beta,
                  c,
                  cLayout.address(),
                  c,
                  cLayout.address(),
                  algorithm,
                  workspace,
                  workspaceBytes,
                  stream));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  private void check(int status) throws Throwable {
    if (status != 0) {
      throw failure(status);
    }
  }

  private GridstrideException failure(int status) throws Throwable {
    String text = text((MemorySegment) STATUS_STRING.invokeExact(statusString, status));
    String message = "gemm: cuBLASLt " + version() + ": " + text;
    return switch (status) {
      case ALLOC_FAILED -> new DeviceMemoryException(message);
      case NOT_SUPPORTED -> new UnsupportedException(message);
      default -> new DeviceException(message);
    };
  }
}
