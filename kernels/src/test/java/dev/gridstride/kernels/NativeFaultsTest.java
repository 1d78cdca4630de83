package dev.gridstride.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.cuda.FaultyLibrary;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.DeviceException;
import dev.gridstride.device.DeviceMemoryException;
import dev.gridstride.device.Graph;
import dev.gridstride.device.GridstrideException;
import dev.gridstride.device.HostMemory;
import dev.gridstride.testing.Emulator;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Executable;
import java.lang.reflect.Modifier;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Each function of the C ABI fails once, and each of the first 200 allocations: a typed exception,
 * nothing is left allocated, and the same work succeeds when it is tried again.
 */
final class NativeFaultsTest {
  /** {@code cudaErrorMemoryAllocation}. */
  private static final int OUT_OF_MEMORY = 2;

  /** {@code cudaErrorUnknown}, which ends no device. */
  private static final int UNKNOWN = 999;

  /** Called while a device is found, or by what the emulator has not. */
  private static final Set<String> ELSEWHERE =
      Set.of(
          "gs_abi_version",
          "gs_backend",
          "gs_last_error",
          "gs_device_count",
          "gs_device_get_properties",
          "gs_device_set",
          "gs_module_load",
          "gs_module_unload",
          "gs_module_function",
          "gs_function_parameters",
          "gs_function_launch");

  private static FaultyLibrary library;
  private static Device device;

  @BeforeAll
  static void open() {
    Emulator.device();
    library = new FaultyLibrary();
    device = library.device();
  }

  /** Work whose native calls may fail. */
  private interface Work {
    void run() throws Exception;
  }

  /** Streams, events, graphs and transfers, which take every function of the runtime. */
  private static void runtime() {
    try (var stream = device.newStream();
        HostMemory host = device.allocateHost(1 << 12);
        Buffer a = device.allocate(DType.F32, 1024);
        Buffer b = device.allocate(DType.F32, 1024);
        Arena arena = Arena.ofConfined()) {
      host.segment().fill((byte) 1);
      a.copyFrom(stream, host);
      b.copyTo(stream, host);
      try (var first = stream.record();
          var second = stream.record()) {
        device.defaultStream().waitFor(second);
        first.isDone();
        second.synchronize();
        second.secondsSince(first);
      }
      stream.synchronize();
      b.copyFrom(a);
      MemorySegment large = arena.allocate(3 << 20);
      try (Buffer c = device.allocate(3 << 20)) {
        c.copyFrom(large);
        c.copyTo(large);
      }
      try (var graph = Graph.capture(stream, () -> b.copyFrom(a))) {
        graph.replay();
      }
    }
    device.trim();
  }

  /** Ops whose operands depend on each other, which drawn ones hardly meet. */
  private static void related() {
    try (Buffer a = device.allocate(DType.F32, 8);
        Buffer b = device.allocate(DType.F32, 8);
        Buffer c = device.allocate(DType.F32, 8);
        Buffer index = device.allocate(DType.I64, 8)) {
      for (Buffer x : List.of(a, b, c, index)) {
        x.fill((byte) 0);
      }
      var stream = device.defaultStream();
      device
          .plan(Sgd.of(DType.F32, 0.9))
          .step(stream, List.of(a), List.of(b), List.of(List.of(c)), 1, 0.1, 1);
      var layout = Layout.contiguous(8);
      device
          .plan(new GatherElements(DType.F32, layout, layout, 0, DType.I64, false))
          .scatter(stream, a, index, b);
    }
  }

  /** A call of an op, drawn from a seed. */
  private static void call(Executable method, long seed) throws Exception {
    try (var drawn = new DrawnArguments(seed, device, device)) {
      Object plan =
          Modifier.isStatic(method.getModifiers())
              ? null
              : drawn.instance(method.getDeclaringClass());
      if (plan != null) {
        Throwable thrown = drawn.call(method, plan, drawn.arguments(method, false));
        if (thrown instanceof Exception e) {
          throw e;
        }
      }
    }
  }

  private static Exception thrown(Work work) {
    try {
      work.run();
      return null;
    } catch (Exception e) {
      return e;
    }
  }

  private static void assertNothingLeft(Object what) {
    thrown(device::trim); // staging memory
    assertThat(library.live()).as("left by %s", what).isEmpty();
    assertThat(device.memory().usedBytes()).as("used after %s", what).isZero();
  }

  /** Lets each function that {@code work} calls and that is not in {@code covered} fail once. */
  private static void failEach(Object what, Work work, Set<String> covered) {
    library.heal();
    library.forget();
    Exception before = thrown(work);
    var called = new LinkedHashSet<>(library.calls());
    assertNothingLeft(what);
    if (before != null) {
      return; // a rule of the op was broken: no case
    }
    called.removeAll(covered);
    for (String function : called) {
      library.fail(function, 1, UNKNOWN);
      Exception failure = thrown(work);
      boolean failed = library.hasFailed();
      library.heal();
      String words = function + " in " + what;
      assertThat(failed).as(words).isTrue();
      // a query's failure may lead to another plan, that of a free's order to a wait
      if (failure != null) {
        assertThat(failure).as(words).isInstanceOf(GridstrideException.class);
        assertThat(failure.getMessage()).as(words).matches("(?s)[a-zA-Z.]+: .+");
      }
      boolean hasOtherWay =
          function.startsWith("gs_event")
              || function.equals("gs_stream_wait")
              || function.endsWith("_workspace");
      if (!hasOtherWay) {
        assertThat(failure).as(words).isInstanceOf(DeviceException.class);
        assertThat(failure).hasMessageContaining(FaultyLibrary.MESSAGE);
      }
      assertNothingLeft(words);
      assertThat(thrown(work)).as("retry after %s", words).isNull();
      assertNothingLeft("the retry after " + words);
      covered.add(function);
    }
  }

  @Test
  void eachFunctionFailsOnce() {
    var covered = new TreeSet<String>();
    failEach("the runtime", NativeFaultsTest::runtime, covered);
    failEach("descent and scatter", NativeFaultsTest::related, covered);
    List<Executable> calls =
        PublicSurface.all().stream()
            .filter(e -> PublicSurface.plans().contains(e.getDeclaringClass()))
            .toList();
    var missing = new TreeSet<>(FaultyLibrary.bound());
    missing.removeAll(ELSEWHERE);
    // Most are reached in six rounds; drawn operands may take longer to fit an op.
    for (int round = 0; round < 6 || (round < 60 && !missing.isEmpty()); round++) {
      for (int i = 0; i < calls.size(); i++) {
        Executable method = calls.get(i);
        long seed = 1000L * round + i;
        failEach(method + " of seed " + seed, () -> call(method, seed), covered);
      }
      missing.removeAll(covered);
    }
    assertThat(missing).as("functions that no call reached").isEmpty();
  }

  /** Every event and wait of the runtime's work, not only the first of each. */
  @Test
  void everyCallOfTheRuntimeFailsOnce() {
    library.heal();
    library.forget();
    runtime();
    List<String> calls = library.calls();
    assertNothingLeft("the runtime");
    var seen = new HashMap<String, Integer>();
    for (String function : calls) {
      int n = seen.merge(function, 1, Integer::sum);
      library.fail(function, n, UNKNOWN);
      Exception failure = thrown(NativeFaultsTest::runtime);
      library.heal();
      String words = "call " + n + " of " + function;
      if (failure != null) {
        assertThat(failure).as(words).isInstanceOf(GridstrideException.class);
      }
      assertNothingLeft(words);
    }
    assertThat(thrown(NativeFaultsTest::runtime)).isNull();
  }

  /** A chain of ops that allocates more than 200 times. */
  private static void manyAllocations() {
    var op = Gemm.of(5, 6, 7).with(Epilogue.bias());
    for (int i = 0; i < 25; i++) {
      try (Buffer a = device.allocate(DType.F32, 35);
          Buffer b = device.allocate(DType.F32, 42);
          Buffer c = device.allocate(DType.F32, 30);
          Buffer bias = device.allocate(DType.F32, 6);
          Buffer y = device.allocate(DType.F32, 30);
          Buffer sum = device.allocate(DType.F32, 6);
          StepControl control = StepControl.on(device, 0.1, 1);
          var plan = device.plan(op)) {
        for (Buffer x : List.of(a, b, bias)) {
          x.fill((byte) 0);
        }
        var stream = device.defaultStream();
        plan.run(stream, 1, a, b, 0, c, bias, null, null);
        device.plan(Softmax.of(DType.F32, 1, 5, 6)).forward(stream, c, y);
        var layout = Layout.contiguous(5, 6);
        device.plan(Reduce.of(Reduce.Kind.SUM, DType.F32, layout, 0)).run(stream, y, sum);
        device.plan(StepScaling.clipping(DType.F32, 1)).measure(stream, List.of(y), control);
      }
    }
    device.trim();
  }

  @Test
  void eachOfTheFirstAllocationsFails() {
    library.heal();
    library.forget();
    manyAllocations();
    long allocations = library.calls().stream().filter("gs_malloc"::equals).count();
    assertThat(allocations).isGreaterThan(200);
    for (int n = 1; n <= 200; n++) {
      library.fail("gs_malloc", n, OUT_OF_MEMORY);
      Exception failure = thrown(NativeFaultsTest::manyAllocations);
      library.heal();
      assertThat(failure)
          .as("allocation %d", n)
          .isInstanceOf(DeviceMemoryException.class)
          .hasMessageContaining(FaultyLibrary.MESSAGE);
      assertNothingLeft("allocation " + n);
    }
    assertThat(thrown(NativeFaultsTest::manyAllocations)).isNull();
    assertNothingLeft("the retry");
  }
}
