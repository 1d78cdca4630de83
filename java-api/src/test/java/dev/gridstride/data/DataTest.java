package dev.gridstride.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gridstride.Scope;
import dev.gridstride.Shape;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.TestDevice;
import dev.gridstride.device.ClosedException;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CountDownLatch;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Isolated: it compares the device's memory in use before and after. */
@Isolated
@ExtendWith(TestDevice.class)
class DataTest {
  private static final Device DEVICE = TestDevice.get();
  private long usedBefore;
  private Scope scope;

  @BeforeEach
  void open() {
    usedBefore = DEVICE.memory().usedBytes();
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
    assertThat(DEVICE.memory().usedBytes()).isEqualTo(usedBefore);
  }

  private static Dataset numbers(int n) {
    var x = new float[2 * n];
    var y = new long[n];
    for (int i = 0; i < n; i++) {
      x[2 * i] = i;
      x[2 * i + 1] = -i;
      y[i] = 10L * i;
    }
    return TensorDataset.of(Tensors.of(DEVICE, x, n, 2), Tensors.of(DEVICE, y, n));
  }

  private static List<List<Long>> read(DataLoader loader, long epoch) {
    var out = new ArrayList<List<Long>>();
    try (var batches = loader.epoch(epoch)) {
      while (batches.hasNext()) {
        try (Scope inner = Scope.open()) {
          Batch b = batches.next();
          assertThat(b.x().size(0)).isEqualTo(b.size());
          long[] y = b.y().toLongArray();
          float[] x = b.x().toFloatArray();
          for (int i = 0; i < y.length; i++) {
            assertThat(x[2 * i]).isEqualTo(y[i] / 10f);
            assertThat(x[2 * i + 1]).isEqualTo(-y[i] / 10f);
          }
          out.add(LongStream.of(y).map(v -> v / 10).boxed().toList());
        }
      }
      assertThatThrownBy(batches::next).isInstanceOf(NoSuchElementException.class);
    }
    return out;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3, 100})
  void givesEveryExampleOnceInAFixedOrder(int prefetch) {
    DataLoader plain = DataLoader.of(numbers(10), 4).prefetching(prefetch);
    assertThat(plain.batches()).isEqualTo(3);
    assertThat(read(plain, 0))
        .containsExactly(List.of(0L, 1L, 2L, 3L), List.of(4L, 5L, 6L, 7L), List.of(8L, 9L));
    assertThat(read(plain.droppingLast(), 0)).hasSize(2);

    DataLoader shuffled = plain.shuffled(7);
    var first = read(shuffled, 0);
    assertThat(first).isEqualTo(read(shuffled.prefetching(0), 0));
    assertThat(first).isNotEqualTo(read(shuffled, 1)).isNotEqualTo(read(plain.shuffled(8), 0));
    assertThat(first.stream().flatMap(List::stream))
        .containsExactlyInAnyOrder(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L);
  }

  @Test
  void emptyDataHasNoBatches() {
    assertThat(read(DataLoader.of(numbers(0), 4).prefetching(1), 0)).isEmpty();
  }

  @Test
  void closingEarlyStopsTheProducer() {
    DataLoader loader = DataLoader.of(numbers(1000), 1).prefetching(2);
    Epoch batches = loader.epoch(0);
    batches.next().close();
    batches.close();
    batches.close();
    assertThat(batches.hasNext()).isFalse();
    assertThatThrownBy(batches::next).isInstanceOf(ClosedException.class);
  }

  @Test
  void batchesOfNoScopeBelongToTheCaller() throws InterruptedException {
    Dataset data = numbers(4);
    Thread t =
        new Thread(() -> {
          try (var batches = DataLoader.of(data, 2).prefetching(1).epoch(0)) {
            batches.next().close();
            batches.next().close();
          }
        });
    t.start();
    t.join();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 2})
  void whatTheDataSetThrowsReachesTheConsumer(int prefetch) {
    Dataset good = numbers(6);
    Dataset bad =
        new Dataset() {
          @Override
          public long size() {
            return 6;
          }

          @Override
          public Batch batch(long[] indices) {
            Batch made = good.batch(indices);
            if (indices[0] == 2) {
              throw new IllegalArgumentException("bad example");
            }
            return made;
          }
        };
    try (var batches = DataLoader.of(bad, 2).prefetching(prefetch).epoch(0)) {
      batches.next();
      assertThatThrownBy(batches::next)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("bad example");
      assertThat(batches.hasNext()).isEqualTo(prefetch == 0);
    }
  }

  @Test
  void errorsReachTheConsumerToo() {
    Dataset bad =
        new Dataset() {
          @Override
          public long size() {
            return 1;
          }

          @Override
          public Batch batch(long[] indices) {
            throw new AssertionError("broken");
          }
        };
    try (var batches = DataLoader.of(bad, 1).prefetching(1).epoch(0)) {
      assertThatThrownBy(batches::next).isInstanceOf(AssertionError.class).hasMessage("broken");
      assertThat(batches.hasNext()).isFalse();
    }
  }

  @Test
  void anInterruptedConsumerIsTold() {
    var never = new CountDownLatch(1);
    Dataset slow =
        new Dataset() {
          @Override
          public long size() {
            return 1;
          }

          @Override
          public Batch batch(long[] indices) {
            try {
              never.await();
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
            throw new IllegalStateException();
          }
        };
    try (var batches = DataLoader.of(slow, 1).prefetching(1).epoch(0)) {
      Thread.currentThread().interrupt();
      assertThatThrownBy(batches::next)
          .isInstanceOf(ClosedException.class)
          .hasMessageContaining("interrupted");
    }
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void imagesAreNormalisedByChannel() {
    Tensor u8 = Tensor.empty(DEVICE, DType.U8, 2, 2, 1, 2);
    byte[] bytes = {0, (byte) 255, 10, 20, 30, 40, (byte) 200, 50};
    u8.copyFrom(MemorySegment.ofArray(bytes));
    Tensor y = Tensor.empty(DEVICE, DType.U8, 2);
    y.copyFrom(MemorySegment.ofArray(new byte[] {(byte) 200, 3}));
    double[] mean = {.5, .25};
    double[] std = {.5, 2};
    Batch b = TensorDataset.images(u8, y, mean, std).batch(new long[] {1, 0, 1});
    assertThat(b.x().shape()).isEqualTo(Shape.of(3, 2, 1, 2));
    assertThat(b.y().dtype()).isEqualTo(DType.I64);
    assertThat(b.y().toLongArray()).containsExactly(3, 200, 3);
    int[] from = {4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7};
    float[] x = b.x().toFloatArray();
    for (int i = 0; i < x.length; i++) {
      int c = i / 2 % 2;
      double expected = ((bytes[from[i]] & 0xFF) / 255.0 - mean[c]) / std[c];
      assertThat((double) x[i]).isCloseTo(expected, within(1e-7));
    }
    Tensor gray = u8.reshape(4, 1, 2);
    Tensor z = Tensors.of(DEVICE, new float[4], 4);
    Batch g =
        TensorDataset.images(gray, z, new double[] {0}, new double[] {1}).batch(new long[] {0});
    assertThat(g.x().shape()).isEqualTo(Shape.of(1, 1, 1, 2));
    assertThat(g.x().toFloatArray()).containsExactly(0, 1);
    assertThat(g.y().dtype()).isEqualTo(DType.F32);
    assertThatThrownBy(() -> TensorDataset.images(gray, z, mean, std))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("means=2");
  }

  @Test
  void splitsShareNothingAndDependOnTheSeed() {
    Dataset all = numbers(11);
    var split = all.split(.8, 3);
    assertThat(split.train().size()).isEqualTo(9);
    assertThat(split.test().size()).isEqualTo(2);
    var seen = new HashSet<Long>();
    for (Dataset part : List.of(split.train(), split.test())) {
      read(DataLoader.of(part, 4), 0).forEach(seen::addAll);
    }
    assertThat(seen).hasSize(11);
    assertThat(read(DataLoader.of(all.split(.8, 3).test(), 4), 0))
        .isEqualTo(read(DataLoader.of(split.test(), 4), 0));
    assertThatThrownBy(() -> all.split(1.1, 0)).isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(() -> all.subset(new long[] {11}))
        .isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(() -> split.test().batch(new long[] {2}))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage("dataset.batch: index must be in 0..size; index=2, size=2");
  }

  @Test
  void wrongUse() {
    Tensor x = Tensors.zeros(DEVICE, DType.F32, 3, 2);
    Tensor y = Tensors.zeros(DEVICE, DType.F32, 2);
    assertThatThrownBy(() -> TensorDataset.of(x, y)).isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(() -> TensorDataset.of(x.transpose(0, 1), y))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("contiguous");
    Dataset d = numbers(3);
    assertThatThrownBy(() -> d.batch(new long[] {3})).isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(() -> DataLoader.of(d, 0)).isInstanceOf(InvalidArgumentException.class);
  }

  @Test
  void standardisesColumns() {
    Tensor x = Tensors.of(DEVICE, new double[] {1e9 + 1, 5, 1e9 + 3, 5}, 2, 2);
    Standardizer s = Standardizer.fit(x);
    assertThat(s.mean()).containsExactly(1e9 + 2, 5);
    assertThat(s.std()).containsExactly(1, 1);
    Tensor z = s.apply(x);
    assertThat(z.toDoubleArray()).containsExactly(-1, 0, 1, 0);
    assertThat(s.invert(z).toDoubleArray()).containsExactly(x.toDoubleArray());
    Tensor f = Tensors.of(DEVICE, new float[] {1e9f, 6}, 1, 2);
    assertThat(s.apply(f).dtype()).isEqualTo(DType.F32);
    assertThat(s.apply(f).toFloatArray()).containsExactly(-2, 1);
    assertThatThrownBy(() -> s.apply(Tensors.zeros(DEVICE, DType.F32, 2, 3)))
        .isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(() -> Standardizer.fit(Tensors.zeros(DEVICE, DType.F32, 0, 3)))
        .isInstanceOf(InvalidArgumentException.class);
  }
}
