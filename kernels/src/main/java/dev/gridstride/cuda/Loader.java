package dev.gridstride.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The system's loader of shared libraries, called directly: unlike {@link
 * SymbolLookup#libraryLookup} it says why it refuses one. What is loaded stays loaded.
 */
final class Loader {
  /**
   * All symbols at once: a library that lacks one is refused here, not in the middle of its use.
   */
  private static final int RTLD_NOW = 2;

  // not static: where native access is denied, the call that needs it says so, not this class
  private final MethodHandle dlopen = handle("dlopen", ValueLayout.ADDRESS, ValueLayout.JAVA_INT);
  private final MethodHandle dlsym = handle("dlsym", ValueLayout.ADDRESS, ValueLayout.ADDRESS);
  private final MethodHandle dlerror = handle("dlerror");

  private Loader() {}

  @SuppressWarnings("restricted") // signatures of POSIX
  private static MethodHandle handle(String name, MemoryLayout... arguments) {
    Linker linker = Linker.nativeLinker();
    MemorySegment address =
        linker
            .defaultLookup()
            .find(name)
            .orElseThrow(() -> new LibraryException("this system has no " + name));
    return linker.downcallHandle(address, FunctionDescriptor.of(ValueLayout.ADDRESS, arguments));
  }

  /**
   * Loads a library from a file, by its absolute path.
   *
   * @throws LibraryException when the file is no whole library for this processor, or with the
   *     loader's reason
   */
  static SymbolLookup open(Path file) {
    ElfFile.check(file);
    return new Loader().load(file.toAbsolutePath().toString());
  }

  /**
   * Loads a library that the loader finds by its own search.
   *
   * @param file a name, as {@code libcuda.so.1}
   * @throws LibraryException with the loader's reason
   */
  static SymbolLookup search(String file) {
    return new Loader().load(file);
  }

  private SymbolLookup load(String file) {
    MemorySegment library;
    try (Arena arena = Arena.ofConfined()) {
      library = (MemorySegment) dlopen.invokeExact(arena.allocateFrom(file), RTLD_NOW);
    } catch (Throwable t) {
      throw Calls.unexpected(t);
    }
    if (library.equals(MemorySegment.NULL)) {
      throw new LibraryException(reason(file));
    }
    return name -> symbol(library, name);
  }

  private Optional<MemorySegment> symbol(MemorySegment library, String name) {
    try (Arena arena = Arena.ofConfined()) {
      var address = (MemorySegment) dlsym.invokeExact(library, arena.allocateFrom(name));
      return address.equals(MemorySegment.NULL) ? Optional.empty() : Optional.of(address);
    } catch (Throwable t) {
      throw Calls.unexpected(t);
    }
  }

  /** The thread's last error, in one line, without the file's name at its begin. */
  private String reason(String file) {
    String text;
    try {
      text = Calls.text((MemorySegment) dlerror.invokeExact());
    } catch (Throwable t) {
      throw Calls.unexpected(t);
    }
    String prefix = file + ": ";
    String reason = text.startsWith(prefix) ? text.substring(prefix.length()) : text;
    return "the system's loader refuses it (" + reason.replace('\n', ' ').strip() + ")";
  }
}
