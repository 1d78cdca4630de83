package dev.gridstride.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gridstride.kernels.CrossEntropy;
import dev.gridstride.kernels.Gemm;
import dev.gridstride.kernels.Sgd;
import dev.gridstride.kernels.Unary;
import dev.gridstride.testing.Emulator;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * Graphs on the emulator or a GPU: what replays do, what they keep alive, what can't be captured.
 */
@Isolated("a device captures one graph at a time, and memory in use is counted")
class GraphTest {
  private static Buffer floats(Device device, float... values) {
    Buffer b = device.allocate(DType.F32, values.length);
    b.copyFrom(MemorySegment.ofArray(values));
    return b;
  }

  private static float[] read(Buffer b) {
    MemorySegment host = MemorySegment.ofArray(new float[(int) (b.bytes() / 4)]);
    b.copyTo(host);
    return host.toArray(ValueLayout.JAVA_FLOAT);
  }

  /** Linear regression y = w x by SGD: replays converge as plain steps do, bit for bit. */
  @Test
  void replaysTrainAsStepsDo() {
    Device device = Emulator.orGpu();
    float[] x = {1, 2, 3, 4};
    float[] y = {2.5f, 5, 7.5f, 10};
    float[] plain = train(device, x, y, false);
    assertThat(train(device, x, y, true)).isEqualTo(plain);
    // the error shrinks by 1 - lr sum(x^2) = 0.7 a step: 0.7^40 * 2.5 < 2e-6
    assertThat(plain[0]).isCloseTo(2.5f, within(1e-5f));
  }

  private static float[] train(Device device, float[] xs, float[] ys, boolean graph) {
    var forward = Gemm.of(4, 1, 1);
    var backward = Gemm.of(1, 1, 4).transA();
    try (Stream stream = device.newStream();
        Buffer x = floats(device, xs);
        Buffer y = floats(device, ys);
        Buffer w = floats(device, 0);
        Buffer dw = device.allocate(DType.F32, 1)) {
      var sgd = Sgd.of(DType.F32, 0);
      Runnable step =
          () -> {
            try (Buffer error = device.allocate(DType.F32, 4)) {
              error.copyFrom(y);
              device.plan(forward).run(stream, 1, x, w, -1, error);
              device.plan(backward).run(stream, 1, x, error, 0, dw);
              device.plan(sgd).step(stream, List.of(w), List.of(dw), List.of(), 1, 0.01, 1);
            }
          };
      if (graph) {
        try (Graph g = Graph.capture(stream, step)) {
          assertThat(read(w)).containsExactly(0); // recorded, not done
          assertThat(g.size()).isEqualTo(4);
          for (int i = 0; i < 40; i++) {
            g.replay();
          }
        }
      } else {
        for (int i = 0; i < 40; i++) {
          step.run();
        }
      }
      return read(w);
    }
  }

  @Test
  void recordsTheDefaultStreamAndReadsBuffersAnew() {
    Device device = Emulator.orGpu();
    try (Buffer x = floats(device, 1, -2, 3);
        Buffer y = floats(device, 0, 0, 0)) {
      var relu = device.plan(Unary.of(Unary.Function.RELU, DType.F32, 3));
      try (Graph g =
          Graph.capture(device.defaultStream(), () -> relu.forward(device.defaultStream(), x, y))) {
        x.copyFrom(MemorySegment.ofArray(new float[] {-4, 5, 6}));
        g.replay();
        assertThat(read(y)).containsExactly(0, 5, 6);
        try (Stream other = device.newStream()) {
          x.copyFrom(MemorySegment.ofArray(new float[] {7, -8, 9}));
          g.replay(other);
          assertThat(read(y)).containsExactly(7, 0, 9);
        }
      }
    }
  }

  @Test
  void keepsWhatItUsesUntilItIsClosed() {
    Device device = Emulator.orGpu();
    long before = device.memory().usedBytes();
    try (Buffer y = device.allocate(8)) {
      Buffer x = device.allocate(8);
      Graph g =
          Graph.capture(
              device.defaultStream(),
              () -> {
                try (Buffer temporary = device.allocate(8);
                    Buffer unused = device.allocate(1 << 20)) {
                  assertThat(unused.isOpen()).isTrue();
                  x.fill((byte) 5);
                  temporary.copyFrom(x);
                  y.copyFrom(temporary);
                }
                x.close();
              });
      assertThat(device.memory().usedBytes() - before).isEqualTo(24);
      assertThatThrownBy(() -> x.fill((byte) 1)).isInstanceOf(ClosedException.class);
      g.replay();
      byte[] got = new byte[8];
      y.copyTo(MemorySegment.ofArray(got));
      assertThat(got).containsOnly((byte) 5);
      g.close();
      assertThat(device.memory().usedBytes() - before).isEqualTo(8);
      assertThatThrownBy(g::replay)
          .isInstanceOf(ClosedException.class)
          .hasMessage("graph.replay: the graph has been closed");
      assertThatThrownBy(g::close).isInstanceOf(ClosedException.class);
    }
    assertThat(device.memory().usedBytes()).isEqualTo(before);
  }

  @Test
  void refusesByNameWhatItCantHold() {
    Device device = Emulator.orGpu();
    Device cpu = Device.cpu();
    Stream queue = device.defaultStream();
    long before = device.memory().usedBytes();
    try (Buffer b = device.allocate(16);
        Buffer other = cpu.allocate(16);
        Stream stream = device.newStream();
        Event event = queue.record()) {
      MemorySegment host = MemorySegment.ofArray(new byte[16]);
      refused("buffer.copyFrom: can't be captured in a graph: host", queue, () -> b.copyFrom(host));
      refused("buffer.copyTo: can't be captured in a graph: host", queue, () -> b.copyTo(host));
      refused("stream.synchronize: can't be captured", queue, queue::synchronize);
      refused("stream.record: can't be captured", queue, () -> queue.record().close());
      refused("stream.waitFor: can't be captured", queue, () -> queue.waitFor(event));
      refused("stream.close: can't be captured", stream, stream::close);
      refused("device.trim: can't be captured", queue, device::trim);
      refused(
          "buffer.fill: can't be captured in a graph of emulator: it works on cpu",
          queue,
          () -> other.fill((byte) 1));
      refused(
          "buffer.copyFrom: can't be captured in a graph of emulator: it works on cpu",
          queue,
          () -> b.copyFrom(other));
      var relu = device.plan(Unary.of(Unary.Function.RELU, DType.F32, 4));
      refused(
          "unary: can't be captured in a graph: it runs in another stream",
          queue,
          () -> relu.forward(stream, b, b));
      // the stream goes on, and what was pinned has been let go
      relu.forward(stream, b, b);
      stream.synchronize();
    }
    assertThat(device.memory().usedBytes()).isEqualTo(before);
    assertThatThrownBy(() -> Graph.capture(queue, () -> Graph.capture(queue, () -> {})))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageStartingWith("graph.capture: must not be called inside a capture");
    try (Graph empty = Graph.capture(queue, () -> {})) {
      assertThat(empty.size()).isZero();
      empty.replay();
      refused("graph.replay: can't be captured", queue, empty::replay);
      assertThatThrownBy(() -> empty.replay(cpu.defaultStream()))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessageStartingWith("graph.replay: stream must belong to the graph's device");
    }
  }

  private static void refused(String message, Stream stream, Runnable step) {
    assertThatThrownBy(() -> Graph.capture(stream, step))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageStartingWith(message);
  }

  @Test
  void whatTheStepThrowsIsPassedOn() {
    Device device = Emulator.orGpu();
    var thrown = new IllegalStateException("mine");
    assertThatThrownBy(() ->
            Graph.capture(
                device.defaultStream(),
                () -> {
                  throw thrown;
                }))
        .isSameAs(thrown);
    Graph.capture(device.defaultStream(), () -> {}).close();
  }

  /** A loss in a graph: no exception for a class out of range, but NaN, and the rest as always. */
  @Test
  void checksOfResultsAreLeftOut() {
    Device device = Emulator.orGpu();
    var op = CrossEntropy.of(DType.F32, DType.I64, 2, 3);
    try (Buffer logits = floats(device, 1, 2, 3, 3, 2, 1);
        Buffer targets = device.allocate(DType.I64, 2);
        Buffer loss = device.allocate(DType.F32, 1);
        Buffer dlogits = device.allocate(DType.F32, 6)) {
      targets.copyFrom(MemorySegment.ofArray(new long[] {2, 0}));
      var plan = device.plan(op);
      Stream stream = device.defaultStream();
      try (Graph g =
          Graph.capture(
              stream,
              () -> plan.forwardBackward(stream, logits, targets, null, 1, loss, dlogits))) {
        g.replay();
        // both rows: log(1 + e^-1 + e^-2)
        assertThat(read(loss)[0]).isCloseTo(0.40760596f, within(1e-6f));
        targets.copyFrom(MemorySegment.ofArray(new long[] {2, 3}));
        g.replay();
        assertThat(read(loss)[0]).isNaN();
      }
    }
  }

  @Test
  void otherThreadsGoOnDuringACapture() throws Exception {
    Device device = Emulator.orGpu();
    var captured = new CountDownLatch(1);
    var finished = new CountDownLatch(1);
    try (var threads = Executors.newSingleThreadExecutor();
        Buffer a = floats(device, 1, 1)) {
      Future<Graph> graph =
          threads.submit(() ->
              Graph.capture(
                  device.defaultStream(),
                  () -> {
                    a.fill((byte) 0);
                    captured.countDown();
                    try {
                      finished.await();
                    } catch (InterruptedException interrupted) {
                      throw new IllegalStateException(interrupted);
                    }
                  }));
      captured.await();
      try {
        assertThat(read(a)).containsExactly(1, 1);
        try (Stream stream = device.newStream();
            Buffer b = floats(device, 3, 4)) {
          device.plan(Unary.of(Unary.Function.NEG, DType.F32, 2)).forward(stream, b, b);
          stream.synchronize();
          assertThat(read(b)).containsExactly(-3, -4);
        }
        assertThatThrownBy(() -> Graph.capture(device.defaultStream(), () -> {}))
            .isInstanceOf(InvalidArgumentException.class)
            .hasMessage("graph.capture: another thread is capturing a graph of emulator");
      } finally {
        finished.countDown();
      }
      try (Graph g = graph.get()) {
        g.replay();
        assertThat(read(a)).containsExactly(0, 0);
      }
    }
  }

  @Test
  void theCpuSaysWhyItRecordsNothing() {
    Device cpu = Device.cpu();
    assertThat(Graph.supports(cpu)).isInstanceOf(Support.Unsupported.class);
    assertThatThrownBy(() -> Graph.capture(cpu.defaultStream(), () -> {}))
        .isInstanceOf(UnsupportedException.class)
        .hasMessage(
            "graph.capture: cpu does an operation's work before its call returns: there is nothing"
                + " to record");
  }
}
