package dev.gridstride.cuda;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What the classes of native calls share: one handle for each function, in a static final field
 * that the JIT folds away, and its address in one library, in a field of the object.
 *
 * <p>Host memory is passed as {@link ValueLayout#ADDRESS}; device memory, streams and events, which
 * the host never dereferences, as a long.
 */
abstract class Calls {
  static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT;
  static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG;
  static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT;
  static final ValueLayout.OfDouble F64 = ValueLayout.JAVA_DOUBLE;

  /** A pointer to host memory. */
  static final MemoryLayout HOST = ValueLayout.ADDRESS;

  /** A pointer to device memory, a stream or an event; its name tells it from a number. */
  static final MemoryLayout DEVICE = ValueLayout.JAVA_LONG.withName("device");

  /** Longer than any text of the library, with its zero. */
  private static final long MAX_TEXT = 4096;

  private static final Map<String, FunctionDescriptor> BOUND = new ConcurrentHashMap<>();

  private final SymbolLookup symbols;

  Calls(SymbolLookup symbols) {
    this.symbols = symbols;
  }

  /** Descriptors of all functions of the C ABI that the loaded classes bind, by name. */
  static Map<String, FunctionDescriptor> bound() {
    return Map.copyOf(BOUND);
  }

  /** A handle whose first argument is the function's address. */
  @SuppressWarnings("restricted") // the header's signature; a test compares those of the C ABI
  static MethodHandle handle(String name, MemoryLayout result, MemoryLayout... arguments) {
    var descriptor = FunctionDescriptor.of(result, arguments);
    if (name.startsWith("gs_")) {
      BOUND.put(name, descriptor);
    }
    return Linker.nativeLinker().downcallHandle(descriptor);
  }

  /** A handle of a vendor's function that returns nothing. */
  @SuppressWarnings("restricted") // the documentation's signature
  static MethodHandle nothing(MemoryLayout... arguments) {
    return Linker.nativeLinker().downcallHandle(FunctionDescriptor.ofVoid(arguments));
  }

  /** A handle of a function that returns a status. */
  static MethodHandle status(String name, MemoryLayout... arguments) {
    return handle(name, I32, arguments);
  }

  /** Binds {@code name} by the handle of {@code other}, whose signature it has. */
  static void alike(String name, String other) {
    BOUND.put(name, Objects.requireNonNull(BOUND.get(other)));
  }

  /** The function's address in this library. */
  final MemorySegment symbol(String name) {
    return symbols
        .find(name)
        .orElseThrow(() -> new LibraryException("it lacks the function " + name));
  }

  /** The zero-terminated text at an address that the library gave. */
  @SuppressWarnings("restricted") // the library's texts end with a zero
  static String text(MemorySegment address) {
    return address.equals(MemorySegment.NULL) ? "" : address.reinterpret(MAX_TEXT).getString(0);
  }

  /** A downcall declares Throwable but throws only errors of the JVM and of its use. */
  static AssertionError unexpected(Throwable thrown) {
    if (thrown instanceof Error error) {
      throw error;
    }
    if (thrown instanceof RuntimeException exception) {
      throw exception;
    }
    return new AssertionError(thrown);
  }
}
