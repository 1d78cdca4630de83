package dev.gridstride.cuda;

import dev.gridstride.device.Device;
import dev.gridstride.device.DeviceKind;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The emulator's library with a layer before it: it counts the calls of each function and what they
 * leave allocated, and lets the Nth call of one fail without having been made.
 *
 * <p>For one thread at a time.
 */
@SuppressWarnings("UnusedMethod") // method handles find them by name
public final class FaultyLibrary {
  /** What the failing call says. */
  public static final String MESSAGE = "injected by a test";

  /** Functions that allocate, with the one that gives it back. */
  private static final Map<String, String> PAIRS =
      Map.of(
          "gs_malloc", "gs_free",
          "gs_host_malloc", "gs_host_free",
          "gs_stream_create", "gs_stream_destroy",
          "gs_event_create", "gs_event_destroy",
          "gs_graph_size", "gs_graph_destroy", // asked once of each graph; an end may give none
          "gs_module_load", "gs_module_unload");

  private static final Linker LINKER = Linker.nativeLinker();

  private final Map<String, MemorySegment> stubs = new ConcurrentHashMap<>();
  private final List<String> calls = new ArrayList<>();
  private final Map<String, Long> live = new TreeMap<>();
  private final MemorySegment message = Arena.global().allocateFrom(MESSAGE);
  private final Device device;
  private String failing = "";
  private int remaining;
  private int status;
  private boolean saysInjected;

  /** Over the emulator's library, which is there. */
  public FaultyLibrary() {
    Library real = new Libraries().find("emulator").library();
    Library faulty =
        Library.of(
            name ->
                real.symbols()
                    .find(name)
                    .map(address -> stubs.computeIfAbsent(name, n -> stub(n, address))),
            "emulator");
    this.device = new CudaDevice(faulty, DeviceKind.EMULATOR, 0, false);
  }

  /** A device of this library. */
  public Device device() {
    return device;
  }

  /** Functions of the C ABI that the loaded classes bind. */
  public static Set<String> bound() {
    return new TreeSet<>(Calls.bound().keySet());
  }

  /** Lets call {@code n} from now of a function, from 1, return a status. */
  public void fail(String function, int n, int with) {
    failing = function;
    remaining = n;
    status = with;
  }

  /** Whether the call that was to fail has come. */
  public boolean hasFailed() {
    return !failing.isEmpty() && remaining <= 0;
  }

  /** No call fails any more. */
  public void heal() {
    failing = "";
    saysInjected = false;
  }

  /** Forgets the calls so far. */
  public void forget() {
    calls.clear();
  }

  /** Names of the functions that were called, in order. */
  public List<String> calls() {
    return List.copyOf(calls);
  }

  /** What has been allocated and not given back, by the function that allocates. */
  public Map<String, Long> live() {
    var counts = new TreeMap<>(live);
    counts.values().removeIf(n -> n == 0);
    return counts;
  }

  private MemorySegment stub(String name, MemorySegment address) {
    FunctionDescriptor descriptor =
        Optional.ofNullable(Calls.bound().get(name))
            .orElseThrow(() -> new AssertionError(name + " is not bound"));
    try {
      MethodHandle target;
      var lookup = MethodHandles.lookup();
      if (name.equals("gs_last_error")) {
        MethodHandle real = LINKER.downcallHandle(address, descriptor);
        target =
            MethodHandles.guardWithTest(
                lookup.bind(this, "saysInjected", MethodType.methodType(boolean.class)),
                MethodHandles.constant(MemorySegment.class, message),
                real);
      } else if (!descriptor.returnLayout().equals(Optional.of(ValueLayout.JAVA_INT))
          || name.equals("gs_abi_version")) {
        return address;
      } else {
        target = gated(lookup, name, LINKER.downcallHandle(address, descriptor));
      }
      return LINKER.upcallStub(target, descriptor, Arena.global());
    } catch (ReflectiveOperationException impossible) {
      throw new AssertionError(impossible);
    }
  }

  private MethodHandle gated(MethodHandles.Lookup lookup, String name, MethodHandle real)
      throws ReflectiveOperationException {
    MethodType type = real.type();
    MethodHandle fails =
        lookup.bind(this, "fails", MethodType.methodType(boolean.class, String.class)).bindTo(name);
    MethodHandle failure = lookup.bind(this, "failure", MethodType.methodType(int.class));
    MethodHandle done =
        lookup.bind(this, "done", MethodType.methodType(int.class, int.class, String.class));
    return MethodHandles.guardWithTest(
        MethodHandles.dropArguments(fails, 0, type.parameterList()),
        MethodHandles.dropArguments(failure, 0, type.parameterList()),
        MethodHandles.filterReturnValue(real, MethodHandles.insertArguments(done, 1, name)));
  }

  // called from native code: an exception here would end the JVM

  boolean saysInjected() {
    return saysInjected;
  }

  boolean fails(String name) {
    calls.add(name);
    saysInjected = false;
    if (!name.equals(failing) || --remaining != 0) {
      return false;
    }
    // the driver keeps what it can't give back; a graph is there whether its size is known or not
    PAIRS.forEach((make, release) -> count(make, release.equals(name) ? -1 : 0));
    count("gs_graph_size", name.equals("gs_graph_size") ? 1 : 0);
    return true;
  }

  int failure() {
    saysInjected = true;
    return status;
  }

  int done(int result, String name) {
    if (result == 0) {
      PAIRS.forEach(
          (make, release) -> count(make, name.equals(make) ? 1 : name.equals(release) ? -1 : 0));
    }
    return result;
  }

  private void count(String make, int change) {
    live.merge(make, (long) change, Long::sum);
  }
}
