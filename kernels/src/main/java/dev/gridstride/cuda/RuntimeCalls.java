package dev.gridstride.cuda;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/** Devices, memory, streams, events and graphs of {@code gridstride.h}; each method is one call. */
final class RuntimeCalls extends Calls {
  private static final MethodHandle ABI_VERSION = handle("gs_abi_version", I32);
  private static final MethodHandle BACKEND = handle("gs_backend", HOST);
  private static final MethodHandle LAST_ERROR = handle("gs_last_error", HOST);
  private static final MethodHandle DEVICE_COUNT = status("gs_device_count", HOST);
  private static final MethodHandle DEVICE_PROPERTIES =
      status("gs_device_get_properties", I32, HOST);
  private static final MethodHandle DEVICE_SET = status("gs_device_set", I32);
  private static final MethodHandle DEVICE_SYNCHRONIZE = status("gs_device_synchronize");
  private static final MethodHandle MALLOC = status("gs_malloc", HOST, I64, DEVICE);
  private static final MethodHandle FREE = status("gs_free", DEVICE, DEVICE);
  private static final MethodHandle TRIM = status("gs_memory_trim", I64);
  private static final MethodHandle HOST_MALLOC = status("gs_host_malloc", HOST, I64);
  private static final MethodHandle HOST_FREE = status("gs_host_free", DEVICE);
  private static final MethodHandle COPY_TO_DEVICE =
      status("gs_copy_to_device", DEVICE, HOST, I64, DEVICE);
  private static final MethodHandle COPY_TO_HOST =
      status("gs_copy_to_host", HOST, DEVICE, I64, DEVICE);
  private static final MethodHandle COPY_ON_DEVICE =
      status("gs_copy_on_device", DEVICE, DEVICE, I64, DEVICE);
  private static final MethodHandle MEMSET = status("gs_memset", DEVICE, I32, I64, DEVICE);
  private static final MethodHandle STREAM_CREATE = status("gs_stream_create", HOST);
  private static final MethodHandle STREAM_DESTROY = status("gs_stream_destroy", DEVICE);
  private static final MethodHandle STREAM_SYNCHRONIZE = status("gs_stream_synchronize", DEVICE);
  private static final MethodHandle STREAM_WAIT = status("gs_stream_wait", DEVICE, DEVICE);
  private static final MethodHandle EVENT_CREATE = status("gs_event_create", HOST, I32);
  private static final MethodHandle EVENT_DESTROY = status("gs_event_destroy", DEVICE);
  private static final MethodHandle EVENT_RECORD = status("gs_event_record", DEVICE, DEVICE);
  private static final MethodHandle EVENT_SYNCHRONIZE = status("gs_event_synchronize", DEVICE);
  private static final MethodHandle EVENT_QUERY = status("gs_event_query", DEVICE);
  private static final MethodHandle EVENT_ELAPSED =
      status("gs_event_elapsed", HOST, DEVICE, DEVICE);
  private static final MethodHandle GRAPH_BEGIN = status("gs_graph_begin", DEVICE);
  private static final MethodHandle GRAPH_END = status("gs_graph_end", DEVICE, HOST);
  private static final MethodHandle GRAPH_SIZE = status("gs_graph_size", DEVICE, HOST);
  private static final MethodHandle GRAPH_LAUNCH = status("gs_graph_launch", DEVICE, DEVICE);
  private static final MethodHandle GRAPH_DESTROY = status("gs_graph_destroy", DEVICE);

  private final MemorySegment abiVersion = symbol("gs_abi_version");
  private final MemorySegment backend = symbol("gs_backend");
  private final MemorySegment lastError = symbol("gs_last_error");
  private final MemorySegment deviceCount = symbol("gs_device_count");
  private final MemorySegment deviceProperties = symbol("gs_device_get_properties");
  private final MemorySegment deviceSet = symbol("gs_device_set");
  private final MemorySegment deviceSynchronize = symbol("gs_device_synchronize");
  private final MemorySegment malloc = symbol("gs_malloc");
  private final MemorySegment free = symbol("gs_free");
  private final MemorySegment trim = symbol("gs_memory_trim");
  private final MemorySegment hostMalloc = symbol("gs_host_malloc");
  private final MemorySegment hostFree = symbol("gs_host_free");
  private final MemorySegment copyToDevice = symbol("gs_copy_to_device");
  private final MemorySegment copyToHost = symbol("gs_copy_to_host");
  private final MemorySegment copyOnDevice = symbol("gs_copy_on_device");
  private final MemorySegment memset = symbol("gs_memset");
  private final MemorySegment streamCreate = symbol("gs_stream_create");
  private final MemorySegment streamDestroy = symbol("gs_stream_destroy");
  private final MemorySegment streamSynchronize = symbol("gs_stream_synchronize");
  private final MemorySegment streamWait = symbol("gs_stream_wait");
  private final MemorySegment eventCreate = symbol("gs_event_create");
  private final MemorySegment eventDestroy = symbol("gs_event_destroy");
  private final MemorySegment eventRecord = symbol("gs_event_record");
  private final MemorySegment eventSynchronize = symbol("gs_event_synchronize");
  private final MemorySegment eventQuery = symbol("gs_event_query");
  private final MemorySegment eventElapsed = symbol("gs_event_elapsed");
  private final MemorySegment graphBegin = symbol("gs_graph_begin");
  private final MemorySegment graphEnd = symbol("gs_graph_end");
  private final MemorySegment graphSize = symbol("gs_graph_size");
  private final MemorySegment graphLaunch = symbol("gs_graph_launch");
  private final MemorySegment graphDestroy = symbol("gs_graph_destroy");

  RuntimeCalls(SymbolLookup symbols) {
    super(symbols);
  }

  int abiVersion() {
    try {
      return (int) ABI_VERSION.invokeExact(abiVersion);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  String backend() {
    try {
      return text((MemorySegment) BACKEND.invokeExact(backend));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  String lastError() {
    try {
      return text((MemorySegment) LAST_ERROR.invokeExact(lastError));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int deviceCount(MemorySegment count) {
    try {
      return (int) DEVICE_COUNT.invokeExact(deviceCount, count);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int deviceProperties(int device, MemorySegment properties) {
    try {
      return (int) DEVICE_PROPERTIES.invokeExact(deviceProperties, device, properties);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int deviceSet(int device) {
    try {
      return (int) DEVICE_SET.invokeExact(deviceSet, device);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int deviceSynchronize() {
    try {
      return (int) DEVICE_SYNCHRONIZE.invokeExact(deviceSynchronize);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int malloc(MemorySegment pointer, long bytes, long stream) {
    try {
      return (int) MALLOC.invokeExact(malloc, pointer, bytes, stream);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int free(long pointer, long stream) {
    try {
      return (int) FREE.invokeExact(free, pointer, stream);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int trim(long keepBytes) {
    try {
      return (int) TRIM.invokeExact(trim, keepBytes);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int hostMalloc(MemorySegment pointer, long bytes) {
    try {
      return (int) HOST_MALLOC.invokeExact(hostMalloc, pointer, bytes);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int hostFree(long pointer) {
    try {
      return (int) HOST_FREE.invokeExact(hostFree, pointer);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int copyToDevice(long target, MemorySegment source, long bytes, long stream) {
    try {
      return (int) COPY_TO_DEVICE.invokeExact(copyToDevice, target, source, bytes, stream);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int copyToHost(MemorySegment target, long source, long bytes, long stream) {
    try {
      return (int) COPY_TO_HOST.invokeExact(copyToHost, target, source, bytes, stream);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int copyOnDevice(long target, long source, long bytes, long stream) {
    try {
      return (int) COPY_ON_DEVICE.invokeExact(copyOnDevice, target, source, bytes, stream);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int memset(long target, int value, long bytes, long stream) {
    try {
      return (int) MEMSET.invokeExact(memset, target, value, bytes, stream);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int streamCreate(MemorySegment stream) {
    try {
      return (int) STREAM_CREATE.invokeExact(streamCreate, stream);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int streamDestroy(long stream) {
    try {
      return (int) STREAM_DESTROY.invokeExact(streamDestroy, stream);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int streamSynchronize(long stream) {
    try {
      return (int) STREAM_SYNCHRONIZE.invokeExact(streamSynchronize, stream);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int streamWait(long stream, long event) {
    try {
      return (int) STREAM_WAIT.invokeExact(streamWait, stream, event);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int eventCreate(MemorySegment event, int timing) {
    try {
      return (int) EVENT_CREATE.invokeExact(eventCreate, event, timing);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int eventDestroy(long event) {
    try {
      return (int) EVENT_DESTROY.invokeExact(eventDestroy, event);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int eventRecord(long event, long stream) {
    try {
      return (int) EVENT_RECORD.invokeExact(eventRecord, event, stream);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int eventSynchronize(long event) {
    try {
      return (int) EVENT_SYNCHRONIZE.invokeExact(eventSynchronize, event);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int eventQuery(long event) {
    try {
      return (int) EVENT_QUERY.invokeExact(eventQuery, event);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int eventElapsed(MemorySegment milliseconds, long start, long end) {
    try {
      return (int) EVENT_ELAPSED.invokeExact(eventElapsed, milliseconds, start, end);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int graphBegin(long stream) {
    try {
      return (int) GRAPH_BEGIN.invokeExact(graphBegin, stream);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /** {@code graph} receives the graph; {@code NULL} drops the recording. */
  int graphEnd(long stream, MemorySegment graph) {
    try {
      return (int) GRAPH_END.invokeExact(graphEnd, stream, graph);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int graphSize(long graph, MemorySegment count) {
    try {
      return (int) GRAPH_SIZE.invokeExact(graphSize, graph, count);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int graphLaunch(long graph, long stream) {
    try {
      return (int) GRAPH_LAUNCH.invokeExact(graphLaunch, graph, stream);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  int graphDestroy(long graph) {
    try {
      return (int) GRAPH_DESTROY.invokeExact(graphDestroy, graph);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }
}
