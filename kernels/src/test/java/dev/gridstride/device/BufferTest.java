package dev.gridstride.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Buffers on the CPU device: contents, ranges and every order of closing. */
class BufferTest {
  private static final Device CPU = Device.cpu();

  @Test
  void copiesInAndOut() {
    try (Buffer buffer = CPU.allocate(DType.I32, 5);
        Arena arena = Arena.ofConfined()) {
      buffer.copyFrom(MemorySegment.ofArray(new int[] {1, 2, 3, 4, 5}));
      MemorySegment out = arena.allocate(20);
      buffer.copyTo(out);
      assertThat(out.toArray(ValueLayout.JAVA_INT)).containsExactly(1, 2, 3, 4, 5);
      assertThat(buffer.devicePointer() % 64).isZero();
      assertThat(buffer.segment().byteSize()).isEqualTo(20);
    }
  }

  /**
   * Where one begins little after another, modulo a page, their loads wait for each other's stores.
   */
  @Test
  void beginsFarFromOthersModuloAPage() {
    for (long bytes : new long[] {1000, 2048, 400_000, 1 << 20, 3_000_001}) {
      try (Buffer a = CPU.allocate(bytes);
          Buffer b = CPU.allocate(bytes);
          Buffer c = CPU.allocate(bytes)) {
        assertThat((b.devicePointer() - a.devicePointer()) % 512).as("%d bytes", bytes).isZero();
        assertThat((c.devicePointer() - b.devicePointer()) % 512).as("%d bytes", bytes).isZero();
      }
    }
  }

  @Test
  void copiesBetweenBuffersAndFills() {
    try (Buffer a = CPU.allocate(8);
        Buffer b = CPU.allocate(16)) {
      b.fill((byte) 7);
      a.fill((byte) 9);
      b.copyFrom(a);
      assertThat(b.segment().get(ValueLayout.JAVA_BYTE, 7)).isEqualTo((byte) 9);
      assertThat(b.segment().get(ValueLayout.JAVA_BYTE, 8)).isEqualTo((byte) 7);
      assertThatThrownBy(() -> a.copyFrom(b))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessage(
              "buffer.copyFrom: source must not be larger than the buffer; source bytes=16,"
                  + " buffer bytes=8");
    }
  }

  @Test
  void slicesShareMemoryAndDieWithTheirOwner() {
    Buffer buffer = CPU.allocate(100);
    Buffer slice = buffer.slice(10, 20).slice(5, 5);
    slice.fill((byte) 3);
    assertThat(buffer.segment().get(ValueLayout.JAVA_BYTE, 19)).isEqualTo((byte) 3);
    assertThat(slice.isSlice()).isTrue();
    assertThat(slice.overlaps(buffer)).isTrue();
    assertThat(buffer.slice(0, 15).overlaps(slice)).isFalse();
    slice.close(); // borrows: closes nothing
    assertThat(buffer.isOpen()).isTrue();
    buffer.close();
    assertThat(slice.isOpen()).isFalse();
    assertThatThrownBy(slice::segment)
        .isInstanceOf(ClosedException.class)
        .hasMessageStartingWith("segment: the buffer of 5 bytes has been closed; allocated at");
  }

  @Test
  void refusesRangesOutside() {
    try (Buffer buffer = CPU.allocate(10)) {
      for (long[] range : new long[][] {{-1, 2}, {0, 11}, {10, 1}, {5, -1}, {Long.MAX_VALUE, 2}}) {
        assertThatThrownBy(() -> buffer.slice(range[0], range[1]))
            .isInstanceOf(InvalidArgumentException.class)
            .hasMessageContaining("range must lie inside the buffer");
      }
    }
    assertThatThrownBy(() -> CPU.allocate(-1)).hasMessageContaining("must not be negative");
    assertThatThrownBy(() -> CPU.allocate(DType.F64, Long.MAX_VALUE))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageStartingWith("dtype.bytes: count must give fewer than 2^63 bytes");
  }

  @Test
  void throwsTypedExceptionWhenMemoryIsExhausted() {
    assertThatThrownBy(() -> CPU.allocate(1L << 50))
        .isInstanceOf(DeviceMemoryException.class)
        .hasMessageContaining("can't allocate")
        .hasMessageContaining("MaxDirectMemorySize");
  }

  @Test
  void refusesUseAfterCloseAndDoubleClose() {
    Buffer buffer = CPU.allocate(10);
    buffer.close();
    assertThat(buffer.toString()).contains("closed");
    assertThatThrownBy(buffer::close).isInstanceOf(ClosedException.class);
    assertThatThrownBy(() -> buffer.fill((byte) 0)).isInstanceOf(ClosedException.class);
    assertThatThrownBy(buffer::devicePointer).isInstanceOf(ClosedException.class);
    assertThatThrownBy(() -> buffer.slice(0, 1)).isInstanceOf(ClosedException.class);
    try (Buffer open = CPU.allocate(10)) {
      assertThatThrownBy(() -> Pins.pinAll("op", open, null, buffer))
          .isInstanceOf(ClosedException.class)
          .hasMessageStartingWith("op: ");
      // the failed pinAll left no pin behind: closing frees at once
      long used = CPU.memory().usedBytes();
      assertThat(used).isPositive();
    }
  }

  @Test
  void memoryOfAPinnedBufferOutlivesItsClose() {
    Buffer buffer = CPU.allocate(DType.I32, 1);
    MemorySegment memory = buffer.segment();
    memory.set(ValueLayout.JAVA_INT, 0, 42);
    buffer.pin("test");
    buffer.close();
    try (Buffer other = CPU.allocate(DType.I32, 1)) {
      other.fill((byte) -1);
      assertThat(memory.get(ValueLayout.JAVA_INT, 0)).isEqualTo(42);
    }
    buffer.unpin();
    assertThatThrownBy(() -> buffer.pin("late")).isInstanceOf(ClosedException.class);
  }

  @Test
  void closesOnceWhenManyThreadsClose() throws Exception {
    for (int round = 0; round < 100; round++) {
      Buffer buffer = CPU.allocate(64);
      var closed = new AtomicInteger();
      var barrier = new CyclicBarrier(4);
      var threads = new Thread[4];
      for (int i = 0; i < threads.length; i++) {
        threads[i] =
            Thread.ofVirtual()
                .start(() -> {
                  try {
                    barrier.await();
                    buffer.close();
                    closed.incrementAndGet();
                  } catch (ClosedException expected) {
                    assertThat(expected).hasMessageContaining("buffer.close");
                  } catch (Exception e) {
                    throw new AssertionError(e);
                  }
                });
      }
      for (Thread t : threads) {
        t.join();
      }
      assertThat(closed).hasValue(1);
    }
  }
}
