package dev.gridstride;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.device.ClosedException;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * 64 threads call ops of all kinds on tensors that they share, some of which others close: each
 * result has the bits of the same call alone, or the call is refused, and nothing is left open.
 */
@Isolated // measures memory
final class SoakTest {
  private static final Device CPU = Device.cpu();
  private static final int THREADS = 64;

  private static Tensor random(long seed, long... dims) {
    var random = new SplittableRandom(seed);
    return Tensors.of(CPU, random.doubles(Shape.of(dims).count(), -1, 1).toArray(), dims);
  }

  /** Calls on tensors that live as long as the scope; each gives new numbers. */
  private static Map<String, Supplier<double[]>> calls() {
    Tensor a = random(1, 8, 8);
    Tensor b = random(2, 8, 8);
    Tensor f = a.to(DType.F32);
    Tensor images = random(3, 2, 3, 6, 6);
    Tensor filters = random(4, 4, 3, 3, 3);
    Tensor rows = Tensors.of(CPU, new long[] {7, 0, 3});
    Tensor labels = Tensors.of(CPU, new long[] {0, 7, 1, 2, 6, 5, 5, 3});
    var calls = new LinkedHashMap<String, Supplier<double[]>>();
    calls.put("matmul", () -> a.matmul(b).toDoubleArray());
    calls.put("linear, relu", () -> f.linear(f).relu().toDoubleArray());
    calls.put("conv2d", () -> images.conv2d(filters, null).toDoubleArray());
    calls.put("maxPool2d", () -> images.maxPool2d(2).toDoubleArray());
    calls.put("softmax", () -> a.softmax(1).toDoubleArray());
    calls.put("layerNorm", () -> f.layerNorm(1, null, null, 1e-5).toDoubleArray());
    calls.put("sum", () -> a.sum(0, 1).toDoubleArray());
    calls.put("topK", () -> a.topK(3, 1).values().toDoubleArray());
    calls.put("embedding", () -> a.embedding(rows).toDoubleArray());
    calls.put("transpose", () -> images.permute(3, 1, 0, 2).contiguous().toDoubleArray());
    calls.put("broadcast", () -> a.add(b.slice(0, 1, 2)).mul(2).toDoubleArray());
    calls.put("bf16", () -> f.to(DType.BF16).gelu().toDoubleArray());
    calls.put("cumSum", () -> a.cumSum(1).toDoubleArray());
    calls.put("concat", () -> Tensors.concat(1, a, b).toDoubleArray());
    calls.put("einsum", () -> Tensors.einsum("ij,kj->ik", a, b).toDoubleArray());
    calls.put("dropout", () -> new Generator(9).dropout(a, 0.5).toDoubleArray());
    calls.put(
        "attention",
        () -> {
          Tensor q = a.reshape(1, 8, 8);
          return q.scaledDotProductAttention(q, q).toDoubleArray();
        });
    calls.put(
        "gradients",
        () -> {
          Tensor w = b.copy().requiresGrad(true);
          a.matmul(w).crossEntropy(labels).backward();
          return w.grad().toDoubleArray();
        });
    return calls;
  }

  /** Shares, uses and closes tensors of others. */
  private static void useShared(AtomicReferenceArray<Tensor> shared, SplittableRandom random) {
    int slot = random.nextInt(shared.length());
    Tensor mine = shared.get(slot);
    try {
      switch (random.nextInt(3)) {
        case 0 -> {
          Tensor old = shared.getAndSet(slot, Tensors.full(CPU, DType.F32, 3, 50));
          if (old != null) {
            old.close();
          }
        }
        case 1 -> {
          if (mine != null) {
            try (Scope scope = Scope.open()) {
              assertThat(mine.mul(2).sum(0).item()).isEqualTo(300);
            }
          }
        }
        default -> {
          if (mine != null) {
            mine.close();
          }
        }
      }
    } catch (ClosedException expected) {
      assertThat(expected).hasMessageContaining("closed");
    }
  }

  private static void soak(boolean virtual, int rounds) throws Exception {
    long used = CPU.memory().usedBytes();
    var done = new AtomicInteger();
    try (Scope outer = Scope.open()) {
      List<Map.Entry<String, Supplier<double[]>>> calls = List.copyOf(calls().entrySet());
      var expected = new ArrayList<double[]>();
      for (var call : calls) {
        try (Scope scope = Scope.open()) {
          expected.add(call.getValue().get());
        }
      }
      var shared = new AtomicReferenceArray<Tensor>(16);
      var tasks = new ArrayList<Callable<Void>>();
      for (int t = 0; t < THREADS; t++) {
        var random = new SplittableRandom(t);
        tasks.add(() -> {
          for (int i = 0; i < rounds; i++) {
            if (random.nextInt(8) == 0) {
              useShared(shared, random);
            } else {
              int k = random.nextInt(calls.size());
              try (Scope scope = Scope.open()) {
                double[] got = calls.get(k).getValue().get();
                assertThat(got).as(calls.get(k).getKey()).isEqualTo(expected.get(k));
              }
            }
            done.incrementAndGet();
          }
          return null;
        });
      }
      try (ExecutorService threads =
          virtual
              ? Executors.newVirtualThreadPerTaskExecutor()
              : Executors.newFixedThreadPool(THREADS)) {
        for (Future<Void> f : threads.invokeAll(tasks)) {
          f.get();
        }
      }
      for (int i = 0; i < shared.length(); i++) {
        Tensor t = shared.get(i);
        if (t != null && t.isOpen()) {
          t.close();
        }
      }
    }
    assertThat(done).hasValue(THREADS * rounds);
    assertThat(CPU.memory().usedBytes()).isEqualTo(used);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void resultsAreThoseOfOneThread(boolean virtual) throws Exception {
    soak(virtual, 200);
  }

  @Tag("slow")
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void resultsAreThoseOfOneThreadForLong(boolean virtual) throws Exception {
    soak(virtual, 100_000);
  }
}
