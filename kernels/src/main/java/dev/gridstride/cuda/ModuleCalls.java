package dev.gridstride.cuda;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/** Modules of {@code gridstride.h}; each method is one call. */
final class ModuleCalls extends Calls {
  private static final MethodHandle LOAD = status("gs_module_load", HOST, HOST, I64);
  private static final MethodHandle UNLOAD = status("gs_module_unload", DEVICE);
  private static final MethodHandle FUNCTION = status("gs_module_function", HOST, DEVICE, HOST);
  private static final MethodHandle PARAMETERS =
      status("gs_function_parameters", DEVICE, HOST, I32, HOST);
  private static final MethodHandle LAUNCH =
      status("gs_function_launch", DEVICE, HOST, HOST, I64, HOST, DEVICE);

  private final MemorySegment load = symbol("gs_module_load");
  private final MemorySegment unload = symbol("gs_module_unload");
  private final MemorySegment function = symbol("gs_module_function");
  private final MemorySegment parameters = symbol("gs_function_parameters");
  private final MemorySegment launch = symbol("gs_function_launch");

  ModuleCalls(SymbolLookup symbols) {
    super(symbols);
  }

  int load(MemorySegment module, MemorySegment image) {
    try {
      return (int) LOAD.invokeExact(load, module, image, image.byteSize());
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int unload(long module) {
    try {
      return (int) UNLOAD.invokeExact(unload, module);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int function(MemorySegment result, long module, MemorySegment name) {
    try {
      return (int) FUNCTION.invokeExact(function, result, module, name);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int parameters(long kernel, MemorySegment sizes, int capacity, MemorySegment count) {
    try {
      return (int) PARAMETERS.invokeExact(parameters, kernel, sizes, capacity, count);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int launch(
      long kernel,
      MemorySegment grid,
      MemorySegment block,
      long sharedBytes,
      MemorySegment arguments,
      long stream) {
    try {
      return (int) LAUNCH.invokeExact(launch, kernel, grid, block, sharedBytes, arguments, stream);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }
}
