package dev.gridstride.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** cuDNN 9 or 8, where it is installed, through Java's foreign functions. */
final class CudnnLibrary extends Calls implements Cudnn {
  private static final String NAME = "cudnn";
  private static final int OLDEST = 8000;

  /** {@code libcudnn.so.9} is a front whose parts have their own files. */
  private static final Pattern FRONT = Pattern.compile("libcudnn\\.so\\.(\\d+)(\\..*)?");

  private static final MethodHandle VERSION = handle("cudnnGetVersion", I64);
  private static final MethodHandle STATUS_NAME = handle("cudnnGetErrorString", HOST, I32);
  private static final MethodHandle LAST_ERROR = nothing(HOST, I64);
  private static final MethodHandle CREATE = status("cudnnCreate*", HOST);
  private static final MethodHandle DESTROY = status("cudnnDestroy*", I64);
  private static final MethodHandle SET_STREAM = status("cudnnSetStream", I64, DEVICE);
  private static final MethodHandle SET_TENSOR =
      status("cudnnSetTensorNdDescriptor", I64, I32, I32, HOST, HOST);
  private static final MethodHandle SET_FILTER =
      status("cudnnSetFilterNdDescriptor", I64, I32, I32, I32, HOST);
  private static final MethodHandle SET_CONVOLUTION =
      status("cudnnSetConvolutionNdDescriptor", I64, I32, HOST, HOST, HOST, I32, I32);
  private static final MethodHandle SET_NUMBER = status("cudnnSetConvolution*", I64, I32);
  private static final MethodHandle WORKSPACE =
      status("cudnnGetConvolution*WorkspaceSize", I64, I64, I64, I64, I64, I32, HOST);
  private static final MethodHandle CONVOLVE =
      status(
          "cudnnConvolution*",
          I64,
          HOST,
          I64,
          DEVICE,
          I64,
          DEVICE,
          I64,
          I32,
          DEVICE,
          I64,
          HOST,
          I64,
          DEVICE);
  private static final MethodHandle SOFTMAX_FORWARD =
      status("cudnnSoftmaxForward", I64, I32, I32, HOST, I64, DEVICE, HOST, I64, DEVICE);
  private static final MethodHandle SOFTMAX_BACKWARD =
      status(
          "cudnnSoftmaxBackward", I64, I32, I32, HOST, I64, DEVICE, I64, DEVICE, HOST, I64, DEVICE);

  private final MemorySegment statusName = symbol("cudnnGetErrorString");
  private final @Nullable MemorySegment lastError;
  private final MemorySegment createHandle = symbol("cudnnCreate");
  private final MemorySegment setStream = symbol("cudnnSetStream");
  private final Map<Kind, MemorySegment> create = symbols(Kind.class, Kind::create);
  private final Map<Kind, MemorySegment> destroy = symbols(Kind.class, Kind::destroy);
  private final MemorySegment setTensor = symbol("cudnnSetTensorNdDescriptor");
  private final MemorySegment setFilter = symbol("cudnnSetFilterNdDescriptor");
  private final MemorySegment setConvolution = symbol("cudnnSetConvolutionNdDescriptor");
  private final MemorySegment setGroups = symbol("cudnnSetConvolutionGroupCount");
  private final MemorySegment setMath = symbol("cudnnSetConvolutionMathType");
  private final Map<Pass, MemorySegment> workspace = symbols(Pass.class, Pass::workspace);
  private final Map<Pass, MemorySegment> convolve = symbols(Pass.class, Pass::run);
  private final MemorySegment softmaxForward = symbol("cudnnSoftmaxForward");
  private final MemorySegment softmaxBackward = symbol("cudnnSoftmaxBackward");

  private final long version;

  private <K extends Enum<K>> Map<K, MemorySegment> symbols(
      Class<K> keys, Function<K, String> name) {
    var found = new EnumMap<K, MemorySegment>(keys);
    for (K key : keys.getEnumConstants()) {
      found.put(key, symbol(name.apply(key)));
    }
    return found;
  }

  private static <K> MemorySegment of(Map<K, MemorySegment> symbols, K key) {
    return Objects.requireNonNull(symbols.get(key));
  }

  /** An address, in the binding's terms. */
  private record Address(long value) implements Native {
    static long of(Native n) {
      return ((Address) n).value();
    }
  }

  /** Looked for once, when first needed. */
  private static final class Holder {
    static final Found FOUND = find(new VendorLibrary(NAME, "libcudnn.so.9", "libcudnn.so.8"));
  }

  private CudnnLibrary(SymbolLookup symbols) {
    super(symbols);
    this.lastError = symbols.find("cudnnGetLastErrorString").orElse(null); // since 9
    try {
      this.version = (long) VERSION.invokeExact(symbol("cudnnGetVersion"));
    } catch (Throwable t) {
      throw unexpected(t);
    }
    if (version < OLDEST) {
      throw new LibraryException(
          "version " + Cudnn.version(version) + " is too old; it takes 8.0 or newer");
    }
  }

  /** What this machine has. */
  static Found installed() {
    return Holder.FOUND;
  }

  /** What {@code info} says of it, in one line. */
  static String report() {
    Cudnn library = installed().library();
    return VendorSupport.report(
        library == null ? null : library.name(), "is installed", installed().reason());
  }

  static Found find(VendorLibrary library) {
    VendorLibrary.Found found = library.find();
    SymbolLookup symbols = found.symbols();
    if (symbols == null) {
      return new Found(null, found.reason());
    }
    try {
      loadParts(Path.of(found.file()));
      return new Found(new CudnnLibrary(symbols), "");
    } catch (LibraryException unusable) {
      return new Found(null, found.file() + " can't be used: " + unusable.getMessage());
    }
  }

  /**
   * Loads the parts that convolutions and softmax need, if this file is a front.
   *
   * <p>The front loads them itself when they are first used, and ends the process when one is not
   * there.
   */
  private static void loadParts(Path file) {
    Path name = file.getFileName();
    Matcher front = FRONT.matcher(name == null ? "" : name.toString());
    if (!front.matches()) {
      return;
    }
    int major = Integer.parseInt(front.group(1));
    for (String part : parts(major)) {
      Path beside = file.resolveSibling(part);
      try {
        if (file.isAbsolute() && Files.isRegularFile(beside)) {
          Loader.open(beside);
        } else {
          Loader.search(part);
        }
      } catch (LibraryException missing) {
        throw new LibraryException("it needs " + part + ": " + missing.getMessage());
      }
    }
  }

  private static List<String> parts(int major) {
    List<String> names =
        switch (major) {
          case 8 -> List.of("ops_infer", "ops_train", "cnn_infer", "cnn_train");
          case 9 -> List.of("graph", "ops", "cnn");
          default -> List.of();
        };
    return names.stream().map(n -> "libcudnn_" + n + ".so." + major).toList();
  }

  /** See {@link Cudnn#missingParts}. */
  static String missingParts() {
    try {
      Loader.search("libcudnn.so.8");
      loadParts(Path.of("libcudnn.so.8"));
      return "";
    } catch (LibraryException missing) {
      return "libcudnn.so.8 can't be used: " + missing.getMessage();
    } catch (IllegalCallerException denied) {
      return Libraries.ACCESS_DENIED;
    }
  }

  @Override
  public String name() {
    return "cuDNN " + Cudnn.version(version);
  }

  @Override
  public String statusName(int status) {
    try {
      return text((MemorySegment) STATUS_NAME.invokeExact(statusName, status));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  @Override
  public String lastError() {
    if (lastError == null) {
      return "";
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment message = arena.allocate(1024);
      LAST_ERROR.invokeExact(lastError, message, message.byteSize());
      return message.getString(0);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  // ---- descriptions -----------------------------------------------------------------------------

  private static int make(MemorySegment function, Native[] out) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(ValueLayout.JAVA_LONG);
      int status = (int) CREATE.invokeExact(function, address);
      out[0] = new Address(address.get(ValueLayout.JAVA_LONG, 0));
      return status;
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  @Override
  public int createHandle(Native[] out) {
    return make(createHandle, out);
  }

  @Override
  public int setStream(Native handle, long stream) {
    try {
      return (int) SET_STREAM.invokeExact(setStream, Address.of(handle), stream);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  @Override
  public int create(Kind kind, Native[] out) {
    return make(of(create, kind), out);
  }

  @Override
  public int destroy(Kind kind, Native descriptor) {
    try {
      return (int) DESTROY.invokeExact(of(destroy, kind), Address.of(descriptor));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  @Override
  public int setTensor(Native descriptor, int type, int[] dims, int[] strides) {
    try (Arena arena = Arena.ofConfined()) {
      return (int)
          SET_TENSOR.invokeExact(
              setTensor,
              Address.of(descriptor),
              type,
              dims.length,
              arena.allocateFrom(I32, dims),
              arena.allocateFrom(I32, strides));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  @Override
  public int setFilter(Native descriptor, int type, int format, int[] dims) {
    try (Arena arena = Arena.ofConfined()) {
      return (int)
          SET_FILTER.invokeExact(
              setFilter,
              Address.of(descriptor),
              type,
              format,
              dims.length,
              arena.allocateFrom(I32, dims));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  @Override
  public int setConvolution(
      Native descriptor, int[] padding, int[] strides, int[] dilations, int computeType) {
    try (Arena arena = Arena.ofConfined()) {
      return (int)
          SET_CONVOLUTION.invokeExact(
              setConvolution,
              Address.of(descriptor),
              padding.length,
              arena.allocateFrom(I32, padding),
              arena.allocateFrom(I32, strides),
              arena.allocateFrom(I32, dilations),
              CROSS_CORRELATION,
              computeType);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  private static int set(MemorySegment function, Native descriptor, int number) {
    try {
      return (int) SET_NUMBER.invokeExact(function, Address.of(descriptor), number);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  @Override
  public int setGroups(Native descriptor, int groups) {
    return set(setGroups, descriptor, groups);
  }

  @Override
  public int setMath(Native descriptor, int math) {
    return set(setMath, descriptor, math);
  }

  // ---- work -------------------------------------------------------------------------------------

  @Override
  public int workspace(
      Native handle,
      Pass pass,
      Native first,
      Native second,
      Native convolution,
      Native result,
      int algorithm,
      long[] bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment size = arena.allocate(ValueLayout.JAVA_LONG);
      int status =
          (int)
              WORKSPACE.invokeExact(
                  of(workspace, pass),
                  Address.of(handle),
                  Address.of(first),
                  Address.of(second),
                  Address.of(convolution),
                  Address.of(result),
                  algorithm,
                  size);
      bytes[0] = size.get(ValueLayout.JAVA_LONG, 0);
      return status;
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  @Override
  public int convolve(
      Native handle,
      Pass pass,
      Operand first,
      Operand second,
      Native convolution,
      int algorithm,
      long workspace,
      long workspaceBytes,
      float beta,
      Operand result) {
    try (Arena arena = Arena.ofConfined()) {
      return (int)
          CONVOLVE.invokeExact(
              of(convolve, pass),
              Address.of(handle),
              arena.allocateFrom(F32, 1f),
              Address.of(first.descriptor()),
              first.address(),
              Address.of(second.descriptor()),
              second.address(),
              Address.of(convolution),
              algorithm,
              workspace,
              workspaceBytes,
              arena.allocateFrom(F32, beta),
              Address.of(result.descriptor()),
              result.address());
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  private static MemorySegment factor(Arena arena, boolean wide, double value) {
    return wide ? arena.allocateFrom(F64, value) : arena.allocateFrom(F32, (float) value);
  }

  @Override
  public int softmaxForward(Native handle, int algorithm, boolean wide, Operand x, Operand y) {
    try (Arena arena = Arena.ofConfined()) {
      return (int)
          SOFTMAX_FORWARD.invokeExact(
              softmaxForward,
              Address.of(handle),
              algorithm,
              SOFTMAX_CHANNEL,
              factor(arena, wide, 1),
              Address.of(x.descriptor()),
              x.address(),
              factor(arena, wide, 0),
              Address.of(y.descriptor()),
              y.address());
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  @Override
  public int softmaxBackward(
      Native handle, int algorithm, boolean wide, Operand y, Operand dy, Operand dx) {
    try (Arena arena = Arena.ofConfined()) {
      return (int)
          SOFTMAX_BACKWARD.invokeExact(
              softmaxBackward,
              Address.of(handle),
              algorithm,
              SOFTMAX_CHANNEL,
              factor(arena, wide, 1),
              Address.of(y.descriptor()),
              y.address(),
              Address.of(dy.descriptor()),
              dy.address(),
              factor(arena, wide, 0),
              Address.of(dx.descriptor()),
              dx.address());
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }
}
