package dev.gridstride.cuda;

import dev.gridstride.device.DeviceException;
import dev.gridstride.device.DeviceMemoryException;
import dev.gridstride.device.GridstrideException;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.UnsupportedException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/**
 * One loaded library of {@code gridstride.h}, for CUDA or the emulator; stays loaded for the life
 * of the JVM.
 *
 * <p>Every status that is not OK becomes an exception of {@code dev.gridstride.device} with the
 * native message.
 */
final class Library {
  private final SymbolLookup symbols;
  private final RuntimeCalls runtime;
  private final String backend;

  private Library(SymbolLookup symbols) {
    this.symbols = symbols;
    this.runtime = new RuntimeCalls(symbols);
    int version = runtime.abiVersion();
    if (version != Abi.VERSION) {
      throw new LibraryException(
          "its ABI has version " + version + ", this program needs version " + Abi.VERSION);
    }
    this.backend = runtime.backend();
  }

  /**
   * Loads a library from an absolute path.
   *
   * @param expected what the library must say it is, {@code cuda} or {@code emulator}
   * @throws LibraryException when it can't be used
   */
  static Library load(Path file, String expected) {
    return of(Loader.open(file), expected);
  }

  /** A library that has been opened, by its symbols. */
  static Library of(SymbolLookup symbols, String expected) {
    var library = new Library(symbols);
    if (!library.backend.equals(expected) && !library.backend.startsWith(expected + "-")) {
      throw new LibraryException("it is built for " + library.backend + ", not for " + expected);
    }
    return library;
  }

  /** Its functions by name. */
  SymbolLookup symbols() {
    return symbols;
  }

  RuntimeCalls runtime() {
    return runtime;
  }

  /** What the library says it is: {@code cuda}, {@code emulator}, {@code emulator-checked}. */
  String backend() {
    return backend;
  }

  /** Number of usable devices. */
  int deviceCount() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
      check("devices", runtime.deviceCount(count));
      return count.get(ValueLayout.JAVA_INT, 0);
    }
  }

  /** The thread's last message. */
  String lastError() {
    return runtime.lastError();
  }

  /** Throws what {@code status} means; {@code op} begins the message. */
  void check(String op, int status) {
    if (status != Abi.OK) {
      throw failure(op, status);
    }
  }

  /** What a status other than OK means; {@code op} begins the message. */
  GridstrideException failure(String op, int status) {
    String message = op + ": " + backend + ": " + runtime.lastError();
    return switch (status) {
      case Abi.INVALID_ARGUMENT -> new InvalidArgumentException(message);
      case Abi.UNSUPPORTED -> new UnsupportedException(message);
      case Abi.CUDA_OUT_OF_MEMORY -> new DeviceMemoryException(message);
      default ->
          new DeviceException(status > 0 ? message + " (CUDA error " + status + ")" : message);
    };
  }
}
