package dev.gridstride.cuda;

import dev.gridstride.device.Block;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.DeviceException;
import dev.gridstride.device.DeviceKind;
import dev.gridstride.device.GridstrideException;
import dev.gridstride.device.HostMemory;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.KernelModule;
import dev.gridstride.device.MemoryStats;
import dev.gridstride.device.Recording;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.device.UnsupportedException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongToIntFunction;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * A GPU, or the emulator of one.
 *
 * <p>Its memory can't be addressed by the host, on the emulator neither, so that programs which
 * pass there pass on a GPU too. Copies wait for the work that was queued before them on any stream.
 */
final class CudaDevice extends Device {
  private static final long PEER_PIECE = 1 << 20;
  private static final String WAITS = "the host would wait for work that is not done yet";
  private static final String HOST_MEMORY =
      "host memory belongs to one moment; copy to a buffer before, or from one after a replay";
  private static final boolean SYNC = System.getProperty("gridstride.sync", "off").equals("on");

  /**
   * Errors after which CUDA refuses every call of the process: ECC (214), NVLink (220), and faults
   * of kernels from an illegal address (700) to a launch failure (719).
   */
  private static final Set<Integer> STICKY =
      Set.of(214, 220, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, 721);

  private final Library library;
  private final RuntimeCalls calls;
  private final boolean several;
  private final String description;
  private final int capability;
  private final CudaMemory memory;
  private final CudaStreams streams;
  private final CudaStaging staging = new CudaStaging(this);
  private final Stream defaultStream;
  private final AtomicReference<@Nullable CudaRecording> recording = new AtomicReference<>();
  private volatile @Nullable String fault;

  /**
   * A device of a library.
   *
   * @param several whether there are others, so that each call has to name this one
   */
  CudaDevice(Library library, DeviceKind kind, int ordinal, boolean several) {
    super(kind, ordinal);
    this.library = library;
    this.calls = library.runtime();
    this.several = several;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment properties = arena.allocate(Abi.DEVICE_PROPERTIES);
      check("device", calls.deviceProperties(ordinal, properties));
      this.description = describe(properties);
      this.capability =
          10 * number(properties, "capability_major") + number(properties, "capability_minor");
    }
    this.streams = new CudaStreams(this);
    this.memory = new CudaMemory(this, streams);
    this.defaultStream = new CudaStream(this, streams, 0, false);
  }

  private String describe(MemorySegment p) {
    if (kind() == DeviceKind.EMULATOR) {
      return "CUDA kernels run by the CPU, for tests"
          + (library.backend().endsWith("checked") ? ", with checks" : "");
    }
    return String.format(
        Locale.ROOT,
        "%s, compute capability %d.%d, %.0f GiB, driver for CUDA %d.%d",
        p.getString(0),
        number(p, "capability_major"),
        number(p, "capability_minor"),
        p.get(
                ValueLayout.JAVA_LONG,
                Abi.DEVICE_PROPERTIES.byteOffset(PathElement.groupElement("memory_bytes")))
            * 0x1p-30,
        number(p, "driver_version") / 1000,
        number(p, "driver_version") % 1000 / 10);
  }

  private static int number(MemorySegment properties, String name) {
    return properties.get(
        ValueLayout.JAVA_INT, Abi.DEVICE_PROPERTIES.byteOffset(PathElement.groupElement(name)));
  }

  /** Compute capability, 10 major + minor. */
  int capability() {
    return capability;
  }

  Library library() {
    return library;
  }

  /** The calls, with this device made the thread's current one. */
  RuntimeCalls enter() {
    String reason = fault;
    if (reason != null) {
      throw new DeviceException(reason);
    }
    if (several) {
      check("device", calls.deviceSet(ordinal()));
    }
    return calls;
  }

  /**
   * Throws what a status means; {@code op} begins the message.
   *
   * <p>A fault of a kernel shows at a later call and ends the device for this process: from then on
   * each use says so. Other devices are not concerned.
   */
  void check(String op, int status) {
    if (status == Abi.OK) {
      return;
    }
    GridstrideException failure = library.failure(op, status);
    if (kind() == DeviceKind.CUDA && STICKY.contains(status)) {
      fault =
          name()
              + ": can't be used by this process any more, since a kernel failed ("
              + failure.getMessage()
              + "); -Dgridstride.sync=on shows which one; other devices go on";
      throw new DeviceException(fault);
    }
    throw failure;
  }

  /** Whether no kernel has failed in a way that ended the device. */
  boolean isUsable() {
    return fault == null;
  }

  /** A call that gives something back: nothing where the device has ended, for it took all. */
  void release(String op, ToIntFunction<RuntimeCalls> call) {
    if (isUsable()) {
      check(op, call.applyAsInt(enter()));
    }
  }

  /**
   * With {@code -Dgridstride.sync=on} waits for the work of {@code op}, so that it shows faults.
   */
  void launched(String op, long stream) {
    if (SYNC && recording() == null) {
      check(op, calls.streamSynchronize(stream));
    }
  }

  /** The graph that the calling thread records here; null when it records none. */
  @Nullable CudaRecording recording() {
    CudaRecording r = recording.get();
    return r != null && r.isMine() ? r : null;
  }

  /** A recording has ended. */
  void recorded(CudaRecording ended) {
    recording.compareAndSet(ended, null);
  }

  /** Throws where the calling thread records a graph, which can't hold {@code op}. */
  void refuseInGraph(String op, String why) {
    if (recording() != null) {
      throw new UnsupportedException(op + ": can't be captured in a graph: " + why);
    }
  }

  /** A new {@code cudaStream_t}. */
  long createStream(String op) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment handle = arena.allocate(ValueLayout.JAVA_LONG);
      check(op, enter().streamCreate(handle));
      return handle.get(ValueLayout.JAVA_LONG, 0);
    }
  }

  @Override
  public Buffer wrapMemory(long pointer, long bytes) {
    if (pointer == 0 || bytes < 0 || pointer > Long.MAX_VALUE - bytes) {
      throw InvalidArgumentException.of(
          "device.wrapMemory",
          "memory",
          "must be an address and a size that is not negative",
          "pointer=%d, bytes=%d",
          pointer,
          bytes);
    }
    return Buffer.own(this, new WrappedMemory(pointer), bytes);
  }

  @Override
  public Stream wrapStream(long handle) {
    return handle == 0 ? defaultStream : streams.wrap(handle);
  }

  /** Memory of others, which they free. */
  private record WrappedMemory(long address) implements Block {
    @Override
    public @Nullable MemorySegment segment() {
      return null;
    }

    @Override
    public void free() {}
  }

  @Override
  protected KernelModule loadModule(byte[] image) {
    return new CudaModule(this, image);
  }

  @Override
  protected KernelModule compileModule(String source, List<String> options) {
    if (kind() == DeviceKind.EMULATOR) {
      return super.compileModule(source, options);
    }
    return new CudaModule(this, Nvrtc.get().compile(source, options, capability));
  }

  @Override
  protected Support graphs() {
    return Support.YES;
  }

  @Override
  protected Recording record(Stream stream) {
    var begun = new CudaRecording(this, (CudaStream) stream);
    if (!recording.compareAndSet(null, begun)) {
      begun.discard();
      throw new InvalidArgumentException(
          "graph.capture: another thread is capturing a graph of " + name());
    }
    return begun;
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public Buffer allocate(long bytes) {
    if (bytes < 0) {
      throw InvalidArgumentException.of(
          "device.allocate", "bytes", "must not be negative", "bytes=%d", bytes);
    }
    return Buffer.own(this, memory.allocate(bytes), bytes);
  }

  @Override
  public HostMemory allocateHost(long bytes) {
    String op = "device.allocateHost";
    if (bytes < 0) {
      throw InvalidArgumentException.of(op, "bytes", "must not be negative", "bytes=%d", bytes);
    }
    return HostMemory.own(this, new CudaHostMemory(this, op, bytes), bytes);
  }

  @Override
  public MemoryStats memory() {
    return memory.stats();
  }

  @Override
  public void trim() {
    refuseInGraph("device.trim", WAITS);
    check("device.trim", enter().deviceSynchronize());
    staging.trim();
    check("device.trim", calls.trim(0));
  }

  @Override
  public Stream defaultStream() {
    return defaultStream;
  }

  @Override
  public Stream newStream() {
    return streams.open();
  }

  @Override
  protected void copyIn(Buffer target, MemorySegment source) {
    refuseInGraph("buffer.copyFrom", HOST_MEMORY);
    streams.join();
    staging.copyIn("buffer.copyFrom", target.devicePointer(), source);
  }

  @Override
  protected void copyOut(Buffer source, MemorySegment target) {
    refuseInGraph("buffer.copyTo", HOST_MEMORY);
    if (target.isReadOnly()) {
      throw new InvalidArgumentException("buffer.copyTo: target must not be read-only");
    }
    streams.join();
    staging.copyOut("buffer.copyTo", target, source.devicePointer());
  }

  @Override
  protected void copyIn(Stream stream, Buffer target, MemorySegment source) {
    queue(
        "buffer.copyFrom",
        stream,
        source.byteSize(),
        (bytes, s) -> calls.copyToDevice(target.devicePointer(), source, bytes, s));
  }

  @Override
  protected void copyOut(Stream stream, Buffer source, MemorySegment target) {
    queue(
        "buffer.copyTo",
        stream,
        target.byteSize(),
        (bytes, s) -> calls.copyToHost(target, source.devicePointer(), bytes, s));
  }

  /** A copy of {@code bytes} that is queued in a stream. */
  private interface Copy {
    int on(long bytes, long stream);
  }

  private void queue(String op, Stream stream, long bytes, Copy copy) {
    var queue = (CudaStream) stream;
    long handle = queue.pin(op);
    try {
      enter();
      check(op, copy.on(bytes, handle));
      launched(op, handle);
    } finally {
      queue.unpin();
    }
  }

  @Override
  protected void copyPeer(Buffer target, Buffer source) {
    if (source.device().equals(this)) {
      long to = target.devicePointer();
      long from = source.devicePointer();
      onDevice("buffer.copyFrom", s -> enter().copyOnDevice(to, from, source.bytes(), s));
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment staged = arena.allocate(Math.min(source.bytes(), PEER_PIECE), 64);
      for (long at = 0; at < source.bytes(); at += PEER_PIECE) {
        long part = Math.min(source.bytes() - at, PEER_PIECE);
        MemorySegment piece = staged.asSlice(0, part);
        source.slice(at, part).copyTo(piece);
        target.slice(at, part).copyFrom(piece);
      }
    }
  }

  @Override
  protected void fill(Buffer target, byte value) {
    long to = target.devicePointer();
    onDevice("buffer.fill", s -> enter().memset(to, value, target.bytes(), s));
  }

  /** Work behind all streams that is waited for; or a part of the graph that is recorded. */
  private void onDevice(String op, LongToIntFunction work) {
    CudaRecording graph = recording();
    if (graph != null) {
      check(op, work.applyAsInt(graph.stream()));
      return;
    }
    streams.join();
    check(op, work.applyAsInt(0));
    check(op, calls.streamSynchronize(0));
  }
}
