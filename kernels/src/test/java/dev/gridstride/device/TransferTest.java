package dev.gridstride.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.testing.Emulator;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Copies between host and device, through the staging ring and from page-locked memory. */
class TransferTest {
  /** Of the ring in {@code CudaStaging}: pieces of 2 MiB, four of them. */
  private static final int PIECE = 2 << 20;

  static Device[] devices() {
    return new Device[] {Device.cpu(), Emulator.orGpu()};
  }

  private static byte[] noise(int bytes) {
    byte[] noise = new byte[bytes];
    new Random(bytes).nextBytes(noise);
    return noise;
  }

  @ParameterizedTest
  @ValueSource(
      ints = {0, 1, PIECE - 1, PIECE, PIECE + 1, 4 * PIECE, 4 * PIECE + 1, 5 * PIECE + 12345})
  void stagedCopiesOfAnySizeAndKind(int bytes) {
    byte[] in = noise(bytes);
    try (Buffer buffer = Emulator.orGpu().allocate(bytes);
        Arena arena = Arena.ofConfined()) {
      buffer.copyFrom(MemorySegment.ofArray(in));
      byte[] out = new byte[bytes + 2];
      buffer.copyTo(MemorySegment.ofArray(out).asSlice(1, bytes));
      assertThat(Arrays.equals(out, 1, bytes + 1, in, 0, bytes)).isTrue();
      assertThat(out[0] | out[bytes + 1]).isZero();
      buffer.fill((byte) 0);
      MemorySegment host = arena.allocate(bytes).copyFrom(MemorySegment.ofArray(in));
      buffer.copyFrom(host);
      host.fill((byte) 0);
      buffer.copyTo(host);
      assertThat(host.mismatch(MemorySegment.ofArray(in))).isEqualTo(-1);
    }
  }

  @ParameterizedTest
  @MethodSource("devices")
  void queuedCopiesKeepTheOrderOfTheirStream(Device device) {
    byte[] in = noise(1000);
    try (Stream stream = device.newStream();
        HostMemory host = device.allocateHost(1000);
        HostMemory back = device.allocateHost(1002);
        Buffer buffer = device.allocate(1000)) {
      assertThat(host.device()).isSameAs(device);
      host.segment().copyFrom(MemorySegment.ofArray(in));
      back.segment().fill((byte) 0);
      buffer.copyFrom(stream, host);
      buffer.copyTo(stream, back.slice(1, 1000));
      stream.synchronize();
      assertThat(back.segment().asSlice(1, 1000).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(in);
      assertThat(back.segment().get(ValueLayout.JAVA_BYTE, 0)).isZero();
      assertThat(back.segment().get(ValueLayout.JAVA_BYTE, 1001)).isZero();
      assertThatThrownBy(() -> buffer.copyFrom(stream, back))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessageContaining("source must not be larger than the buffer");
    }
  }

  @ParameterizedTest
  @MethodSource("devices")
  void hostMemoryCantBeUsedAfterItsClose(Device device) {
    HostMemory host = device.allocateHost(16);
    HostMemory slice = host.slice(8, 8);
    slice.close(); // borrows: closes nothing
    host.close();
    try (Buffer buffer = device.allocate(16)) {
      assertThatThrownBy(slice::segment)
          .isInstanceOf(ClosedException.class)
          .hasMessageStartingWith("hostMemory.segment: the host memory has been closed");
      assertThatThrownBy(() -> buffer.copyFrom(device.defaultStream(), host))
          .isInstanceOf(ClosedException.class)
          .hasMessageStartingWith("buffer.copyFrom: the host memory has been closed");
      assertThatThrownBy(host::close).isInstanceOf(ClosedException.class);
      assertThatThrownBy(() -> device.allocateHost(-1))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessage("device.allocateHost: bytes must not be negative; bytes=-1");
    }
    try (HostMemory empty = device.allocateHost(0)) {
      assertThat(empty.segment().byteSize()).isZero();
      assertThatThrownBy(() -> empty.slice(0, 1)).isInstanceOf(InvalidArgumentException.class);
    }
  }

  @ParameterizedTest
  @MethodSource("devices")
  void memoryOfAnotherDeviceIsRefused(Device device) {
    Device other = device.equals(Device.cpu()) ? Emulator.orGpu() : Device.cpu();
    try (HostMemory host = other.allocateHost(8);
        Buffer buffer = device.allocate(8)) {
      assertThatThrownBy(() -> buffer.copyTo(device.defaultStream(), host))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessageStartingWith(
              "buffer.copyTo: stream and host memory must belong to the buffer's device");
    }
  }

  /** The ring is one for all threads: their pieces must not mix. */
  @ParameterizedTest
  @ValueSource(ints = {5 * PIECE + 7})
  void threadsShareTheRing(int bytes) throws Exception {
    Device device = Emulator.orGpu();
    try (var threads = Executors.newFixedThreadPool(4)) {
      var copies =
          IntStream.range(0, 4)
              .mapToObj(i ->
                  threads.submit(() -> {
                    byte[] in = noise(bytes - i);
                    byte[] out = new byte[in.length];
                    try (Buffer buffer = device.allocate(in.length)) {
                      buffer.copyFrom(MemorySegment.ofArray(in));
                      buffer.copyTo(MemorySegment.ofArray(out));
                    }
                    return Arrays.equals(in, out);
                  }))
              .toList();
      for (Future<Boolean> copy : copies) {
        assertThat(copy.get()).isTrue();
      }
    }
  }

  /** A graph reads page-locked memory at each replay, even when it has been closed since. */
  @ParameterizedTest
  @ValueSource(ints = {64})
  @ResourceLock("capture") // a device captures one graph at a time
  void graphsHoldQueuedCopies(int bytes) {
    Device device = Emulator.orGpu();
    Stream stream = device.defaultStream();
    HostMemory in = device.allocateHost(bytes);
    MemorySegment memory = in.segment();
    try (HostMemory out = device.allocateHost(bytes);
        Buffer buffer = device.allocate(bytes);
        Graph graph =
            Graph.capture(
                stream,
                () -> {
                  buffer.copyFrom(stream, in);
                  buffer.copyTo(stream, out);
                })) {
      in.close();
      for (byte value = 1; value < 3; value++) {
        memory.fill(value);
        graph.replay();
        stream.synchronize();
        assertThat(out.segment().toArray(ValueLayout.JAVA_BYTE)).containsOnly(value);
      }
    }
    assertThatThrownBy(() -> memory.fill((byte) 3)).isInstanceOf(IllegalStateException.class);
  }
}
