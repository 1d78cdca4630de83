package dev.gridstride.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.kernels.Gemm;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Buffers that are opened, used and closed very often, by many threads, in any order and under
 * running kernels: short here, a million times and by 64 threads 100,000 times in the tests tagged
 * {@code slow}.
 */
@Isolated // measures memory
final class LifetimeTest {
  private static final Device CPU = Device.cpu();
  private static final int ROUNDS = 50_000;

  /**
   * Bytes in use, at least over some collections: one may leave what only references that it has
   * just cleared held.
   */
  private static long heap() throws InterruptedException {
    Runtime r = Runtime.getRuntime();
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 5; i++) {
      System.gc();
      Thread.sleep(10);
      least = Math.min(least, r.totalMemory() - r.freeMemory());
    }
    return least;
  }

  private static void openAndClose(int rounds) {
    for (int i = 0; i < rounds; i++) {
      try (Buffer b = CPU.allocate(64 + i % 4096)) {
        b.slice(0, 64).fill((byte) i);
      }
    }
  }

  @Test
  void openingAndClosingLeavesNothing() throws InterruptedException {
    openingAndClosingLeavesNothing(ROUNDS);
  }

  @Tag("slow")
  @Test
  void openingAndClosingAMillionTimesLeavesNothing() throws InterruptedException {
    openingAndClosingLeavesNothing(1_000_000);
  }

  private static void openingAndClosingLeavesNothing(int rounds) throws InterruptedException {
    openAndClose(5000);
    long used = CPU.memory().usedBytes();
    long allocations = CPU.memory().allocations();
    long before = heap();
    openAndClose(rounds);
    // the JVM's own caches stop growing, and cleared references go; a leak stays
    long growth = heap() - before;
    for (int wait = 0; wait < 100 && growth >= 1 << 20; wait++) {
      growth = heap() - before;
    }
    assertThat(CPU.memory().usedBytes()).isEqualTo(used);
    assertThat(CPU.memory().allocations()).isEqualTo(allocations); // all from the pool
    assertThat(growth).isLessThan(1 << 20);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void manyThreadsShareAndCloseBuffers(boolean virtual) throws Exception {
    manyThreadsShareAndCloseBuffers(virtual, 250);
  }

  @Tag("slow")
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void manyThreadsShareAndCloseBuffersForLong(boolean virtual) throws Exception {
    manyThreadsShareAndCloseBuffers(virtual, 100_000);
  }

  private static void manyThreadsShareAndCloseBuffers(boolean virtual, int calls) throws Exception {
    long used = CPU.memory().usedBytes();
    var shared = new AtomicReferenceArray<Buffer>(16);
    var ran = new AtomicInteger();
    var gemm = CPU.plan(Gemm.of(8, 8, 8));
    var tasks = new ArrayList<Callable<Void>>();
    for (int t = 0; t < 64; t++) {
      var random = new SplittableRandom(t);
      tasks.add(() -> {
        for (int i = 0; i < calls; i++) {
          int slot = random.nextInt(shared.length());
          Buffer b = shared.get(slot);
          try {
            switch (random.nextInt(4)) {
              case 0 -> {
                Buffer old = shared.getAndSet(slot, CPU.allocate(256));
                if (old != null) {
                  old.close();
                }
              }
              case 1 -> {
                if (b != null) {
                  b.fill((byte) i);
                }
              }
              case 2 -> {
                if (b != null && random.nextInt(4) == 0) {
                  b.close();
                }
              }
              default -> {
                try (Buffer c = CPU.allocate(256)) {
                  Buffer x = b == null ? c : b;
                  if (x != c) {
                    gemm.run(CPU.defaultStream(), 1, x, x, 0, c);
                  }
                }
              }
            }
            ran.incrementAndGet();
          } catch (ClosedException expected) {
            assertThat(expected).hasMessageContaining(": the buffer of 256 bytes has been closed");
          }
        }
        return null;
      });
    }
    try (ExecutorService threads =
        virtual ? Executors.newVirtualThreadPerTaskExecutor() : Executors.newFixedThreadPool(64)) {
      for (Future<Void> f : threads.invokeAll(tasks)) {
        f.get();
      }
    }
    for (int i = 0; i < shared.length(); i++) {
      Buffer b = shared.get(i);
      if (b != null && b.isOpen()) {
        b.close();
      }
    }
    assertThat(ran.get()).isGreaterThan(64 * calls / 4);
    assertThat(CPU.memory().usedBytes()).isEqualTo(used);
  }

  /** Every order of closing three buffers, each from a thread of its own; views die with them. */
  @Test
  void closesInEveryOrderFromAnyThread() throws Exception {
    int[][] orders = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    long used = CPU.memory().usedBytes();
    for (int[] order : orders) {
      var all = List.of(CPU.allocate(100), CPU.allocate(100), CPU.allocate(100));
      var views = all.stream().map(b -> b.slice(10, 20).slice(5, 5)).toList();
      for (int i = 0; i < 3; i++) {
        all.get(i).fill((byte) i);
      }
      for (int k = 0; k < 3; k++) {
        int closing = order[k];
        Thread.ofVirtual().start(() -> all.get(closing).close()).join();
        for (int i = 0; i < 3; i++) {
          assertThat(views.get(i).isOpen()).isEqualTo(all.get(i).isOpen());
          if (all.get(i).isOpen()) {
            assertThat(views.get(i).segment().get(ValueLayout.JAVA_BYTE, 4)).isEqualTo((byte) i);
          }
        }
        assertThat(all.get(closing).isOpen()).isFalse();
      }
    }
    assertThat(CPU.memory().usedBytes()).isEqualTo(used);
  }

  /**
   * Between its pin and its first read a kernel may lose its operands' buffers, not their memory.
   */
  @Test
  void aPinnedBufferIsReadAfterItsClose() {
    Buffer a = CPU.allocate(16);
    Buffer b = CPU.allocate(16);
    a.fill((byte) 3);
    Pins.pinAll("test", a, b);
    a.close();
    assertThatThrownBy(a::segment).isInstanceOf(ClosedException.class);
    assertThat(a.pinnedSegment().get(ValueLayout.JAVA_BYTE, 15)).isEqualTo((byte) 3);
    Pins.unpinAll(a, b);
    assertThatThrownBy(a::pinnedSegment).isInstanceOf(ClosedException.class);
    b.close();
  }

  /** A kernel that runs keeps its operands' memory; one that comes later is refused. */
  @Test
  void closesUnderARunningKernel() throws Exception {
    int n = 192;
    long used = CPU.memory().usedBytes();
    var ones = new float[n * n];
    Arrays.fill(ones, 1);
    for (int round = 0; round < 20; round++) {
      Buffer a = CPU.allocate(DType.F32, n * n);
      Buffer b = CPU.allocate(DType.F32, n * n);
      a.copyFrom(MemorySegment.ofArray(ones));
      b.copyFrom(MemorySegment.ofArray(ones));
      try (Buffer c = CPU.allocate(DType.F32, n * n)) {
        var barrier = new CyclicBarrier(2);
        Thread closing =
            Thread.ofPlatform()
                .start(() -> {
                  try {
                    barrier.await();
                    a.close();
                    b.close();
                    // what is freed is given out again, and overwritten
                    try (Buffer other = CPU.allocate(DType.F32, n * n)) {
                      other.fill((byte) -1);
                    }
                  } catch (Exception e) {
                    throw new AssertionError(e);
                  }
                });
        barrier.await();
        try {
          CPU.plan(Gemm.of(n, n, n)).run(CPU.defaultStream(), 1, a, b, 0, c);
          float[] got = c.segment().toArray(ValueLayout.JAVA_FLOAT);
          for (float v : got) {
            assertThat(v).isEqualTo(n);
          }
        } catch (ClosedException first) {
          assertThat(first).hasMessageStartingWith("gemm: ");
        }
        closing.join();
      }
    }
    assertThat(CPU.memory().usedBytes()).isEqualTo(used);
  }

  /** Loses a buffer; run in a JVM of its own, until its input ends. */
  static final class Leak {
    private Leak() {}

    /** Loses it and collects garbage until the report has been read. */
    public static void main(String[] args) throws IOException {
      lose();
      while (System.in.available() == 0) {
        System.gc();
      }
    }

    private static void lose() {
      Reference.reachabilityFence(Device.cpu().allocate(12_345));
    }
  }

  /** The folder or the root of classes that holds a class; a module's location may be another. */
  private static Path location(Class<?> c) throws URISyntaxException {
    String file = c.getName().substring(c.getPackageName().length() + 1) + ".class";
    Path at = Path.of(c.getResource(file).toURI());
    for (int up = c.getName().split("\\.").length; up > 0; up--) {
      at = at.getParent();
    }
    return at;
  }

  @Test
  void aLeakIsReportedWithItsPlace() throws IOException, InterruptedException, URISyntaxException {
    String path = location(Device.class) + File.pathSeparator + location(LifetimeTest.class);
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dgridstride.trace=on",
                "-cp",
                path,
                Leak.class.getName())
            .redirectErrorStream(true)
            .start();
    var said = new StringBuilder();
    try (var output = child.inputReader(StandardCharsets.UTF_8);
        var input = child.outputWriter(StandardCharsets.UTF_8)) {
      for (String line = output.readLine(); line != null; line = output.readLine()) {
        said.append(line).append('\n');
        if (line.contains("LifetimeTest$Leak.lose(")) {
          input.write('\n');
          input.flush();
        }
      }
    }
    assertThat(child.waitFor()).as(said.toString()).isZero();
    assertThat(said.toString())
        .contains("gridstride: a buffer of 12345 bytes was never closed; allocated at ")
        .contains("LifetimeTest$Leak.lose(LifetimeTest.java:");
  }

  @Test
  void twoClassLoadersDoNotMeet() throws Exception {
    URL[] classes = {location(Device.class).toUri().toURL()};
    var found = new ArrayList<Class<?>>();
    for (int i = 0; i < 2; i++) {
      // without a parent: the platform's knows the modules of the application
      try (var loader = new URLClassLoader(classes, null)) {
        Class<?> type = loader.loadClass(Device.class.getName());
        Object device = type.getMethod("cpu").invoke(null);
        try (var buffer =
            (AutoCloseable) type.getMethod("allocate", long.class).invoke(device, 100L)) {
          assertThat(buffer.toString()).isEqualTo("Buffer[cpu, 100 bytes]");
        }
        found.add(type);
      }
    }
    assertThat(found.get(0)).isNotSameAs(found.get(1)).isNotSameAs(Device.class);
  }
}
