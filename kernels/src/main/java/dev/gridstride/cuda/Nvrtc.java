package dev.gridstride.cuda;

import dev.gridstride.device.CompilationException;
import dev.gridstride.device.DeviceException;
import dev.gridstride.device.UnsupportedException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** NVIDIA's run-time compiler, which needs no GPU; looked for when first used. */
final class Nvrtc extends Calls {
  private static final String OP = "kernelModule.compile";
  private static final int COMPILATION_FAILED = 6;

  private static final MethodHandle VERSION = status("nvrtcVersion", HOST, HOST);
  private static final MethodHandle ARCH_COUNT = status("nvrtcGetNumSupportedArchs", HOST);
  private static final MethodHandle ARCHS = status("nvrtcGetSupportedArchs", HOST);
  private static final MethodHandle CREATE =
      status("nvrtcCreateProgram", HOST, HOST, HOST, I32, HOST, HOST);
  private static final MethodHandle COMPILE = status("nvrtcCompileProgram", I64, I32, HOST);
  private static final MethodHandle READ = status("nvrtcGetProgramLog", I64, HOST);
  private static final MethodHandle DESTROY = status("nvrtcDestroyProgram", HOST);
  private static final MethodHandle ERROR = handle("nvrtcGetErrorString", HOST, I32);

  private final MemorySegment create = symbol("nvrtcCreateProgram");
  private final MemorySegment compile = symbol("nvrtcCompileProgram");
  private final MemorySegment destroy = symbol("nvrtcDestroyProgram");
  private final MemorySegment error = symbol("nvrtcGetErrorString");
  private final MemorySegment logSize = symbol("nvrtcGetProgramLogSize");
  private final MemorySegment log = symbol("nvrtcGetProgramLog");
  private final MemorySegment ptxSize = symbol("nvrtcGetPTXSize");
  private final MemorySegment ptx = symbol("nvrtcGetPTX");
  private final MemorySegment cubinSize = symbol("nvrtcGetCUBINSize");
  private final MemorySegment cubin = symbol("nvrtcGetCUBIN");

  private final String version;
  private final List<Integer> architectures;

  /** A found compiler, or why there is none. */
  private static final class Holder {
    static final Object FOUND = find();

    private static Object find() {
      VendorLibrary.Found found =
          new VendorLibrary("nvrtc", "libnvrtc.so.13", "libnvrtc.so.12").find();
      SymbolLookup symbols = found.symbols();
      if (symbols == null) {
        return found.reason();
      }
      try {
        return new Nvrtc(symbols, found.file());
      } catch (LibraryException | DeviceException unusable) {
        return found.file() + " can't be used: " + unusable.getMessage();
      }
    }
  }

  private Nvrtc(SymbolLookup symbols, String file) {
    super(symbols);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment major = arena.allocate(ValueLayout.JAVA_INT);
      MemorySegment minor = arena.allocate(ValueLayout.JAVA_INT);
      check((int) VERSION.invokeExact(symbol("nvrtcVersion"), major, minor));
      this.version = major.get(ValueLayout.JAVA_INT, 0) + "." + minor.get(ValueLayout.JAVA_INT, 0);
      MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
      check((int) ARCH_COUNT.invokeExact(symbol("nvrtcGetNumSupportedArchs"), count));
      MemorySegment list =
          arena.allocate(ValueLayout.JAVA_INT, Math.max(1, count.get(ValueLayout.JAVA_INT, 0)));
      check((int) ARCHS.invokeExact(symbol("nvrtcGetSupportedArchs"), list));
      var found = new ArrayList<Integer>();
      for (int i = 0; i < count.get(ValueLayout.JAVA_INT, 0); i++) {
        found.add(list.getAtIndex(ValueLayout.JAVA_INT, i));
      }
      this.architectures = List.copyOf(found);
    } catch (Throwable t) {
      throw unexpected(t);
    }
    loadBuiltins(Path.of(file));
  }

  /**
   * NVRTC loads its built-in headers by name. Where it was itself loaded from a folder outside of
   * the loader's search, they are beside it, and found when they have been loaded already.
   */
  private void loadBuiltins(Path file) {
    Path builtins = file.resolveSibling("libnvrtc-builtins.so." + version);
    if (file.isAbsolute() && Files.isRegularFile(builtins)) {
      Loader.open(builtins);
    }
  }

  /** The compiler, or {@link UnsupportedException} with the reason why there is none. */
  static Nvrtc get() {
    if (Holder.FOUND instanceof Nvrtc nvrtc) {
      return nvrtc;
    }
    throw new UnsupportedException(OP + ": NVRTC can't be used: " + Holder.FOUND);
  }

  /** What {@code info} says of it, in one line. */
  static String report() {
    return Holder.FOUND instanceof Nvrtc nvrtc
        ? "usable: version " + nvrtc.version
        : "refused: " + Holder.FOUND;
  }

  /**
   * Compiles for a GPU.
   *
   * @param capability its compute capability, 10 major + minor
   * @return a cubin; or PTX with its zero byte, where the options ask for a virtual architecture or
   *     this NVRTC is older than the GPU
   */
  byte[] compile(String source, List<String> options, int capability) {
    var all = new ArrayList<>(options);
    if (options.stream().noneMatch(o -> o.startsWith("--gpu-arch") || o.startsWith("-arch"))) {
      all.add("--gpu-architecture=" + architecture(capability));
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment program = arena.allocate(ValueLayout.JAVA_LONG);
      check(
          (int)
              CREATE.invokeExact(
                  create,
                  program,
                  arena.allocateFrom(source),
                  arena.allocateFrom("source.cu"),
                  0,
                  MemorySegment.NULL,
                  MemorySegment.NULL));
      try {
        return compile(arena, program.get(ValueLayout.JAVA_LONG, 0), all);
      } finally {
        check((int) DESTROY.invokeExact(destroy, program));
      }
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  private byte[] compile(Arena arena, long program, List<String> options) throws Throwable {
    MemorySegment list = arena.allocate(ValueLayout.ADDRESS, Math.max(1, options.size()));
    for (int i = 0; i < options.size(); i++) {
      list.setAtIndex(ValueLayout.ADDRESS, i, arena.allocateFrom(options.get(i)));
    }
    int status = (int) COMPILE.invokeExact(compile, program, options.size(), list);
    if (status == COMPILATION_FAILED) {
      byte[] text = read(arena, program, logSize, log);
      throw new CompilationException(
          OP + ": the source does not compile (NVRTC " + version + ", options " + options + ")",
          MemorySegment.ofArray(text).getString(0).strip());
    }
    check(status);
    byte[] code = read(arena, program, cubinSize, cubin);
    return code.length > 0 ? code : read(arena, program, ptxSize, ptx);
  }

  private byte[] read(Arena arena, long program, MemorySegment sizeOf, MemorySegment bytesOf)
      throws Throwable {
    MemorySegment size = arena.allocate(ValueLayout.JAVA_LONG);
    check((int) READ.invokeExact(sizeOf, program, size));
    long bytes = size.get(ValueLayout.JAVA_LONG, 0);
    if (bytes == 0) {
      return new byte[0];
    }
    MemorySegment target = arena.allocate(bytes);
    check((int) READ.invokeExact(bytesOf, program, target));
    return target.toArray(ValueLayout.JAVA_BYTE);
  }

  /** The GPU's own, or the newest virtual one that it can run. */
  private String architecture(int capability) {
    if (architectures.contains(capability)) {
      return "sm_" + capability;
    }
    int newest = architectures.stream().filter(a -> a < capability).max(Integer::compare).orElse(0);
    if (newest == 0) {
      throw new UnsupportedException(
          OP
              + ": NVRTC "
              + version
              + " compiles for none of compute capability "
              + capability / 10
              + "."
              + capability % 10
              + " or older");
    }
    return "compute_" + newest;
  }

  private void check(int status) throws Throwable {
    if (status != 0) {
      throw new DeviceException(
          OP + ": NVRTC: " + text((MemorySegment) ERROR.invokeExact(error, status)));
    }
  }
}
