package dev.gridstride.kernels;

import static dev.gridstride.testing.Close.assertSameBits;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.cuda.VendorChoice;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.Explanation;
import dev.gridstride.device.Graph;
import dev.gridstride.device.Stream;
import dev.gridstride.testing.Emulator;
import dev.gridstride.testing.TestArray;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.opentest4j.TestAbortedException;

/**
 * On a GPU, with {@code -Dgridstride.vendor=NAME}: that the vendor's implementation runs, with the
 * same bits each time and in a graph. The op tests, run so, compare its results with the oracles.
 */
@Isolated("a device captures one graph at a time")
class VendorTest {
  private static final int RUNS = 1000;

  @BeforeEach
  void needsAGpuAndAName() {
    if (!Emulator.isForGpu() || VendorChoice.GIVEN.names().isEmpty()) {
      throw new TestAbortedException("for a GPU, with -Dgridstride.vendor=NAME");
    }
  }

  /** Work whose output is looked at. */
  private interface Work {
    void run(Stream stream);
  }

  private static void sameBitsAndInAGraph(String what, TestArray output, Work work) {
    Device device = Device.cuda(0);
    work.run(device.defaultStream());
    double[] first = output.get();
    for (int i = 0; i < RUNS; i++) {
      work.run(device.defaultStream());
      if (i % 100 == 99) {
        assertSameBits(what, output.get(), first);
      }
    }
    output.set(new double[first.length]);
    try (var stream = device.newStream();
        Graph graph = Graph.capture(stream, () -> work.run(stream))) {
      graph.replay();
      stream.synchronize();
      assertSameBits(what + " in a graph", output.get(), first);
    }
  }

  /** A plan that a named vendor carries out; the test is over where its library is not there. */
  private static void demand(Explanation explanation) {
    if (!VendorChoice.GIVEN.names(explanation.implementation())) {
      // a library that can be used must not refuse what these tests ask for
      assertThat(Device.libraryReport())
          .as("%s", explanation)
          .noneMatch(line -> isUsable(line, explanation.op()));
      throw new TestAbortedException(explanation.toString());
    }
  }

  /** Whether a line of the report names a library for an op that was asked for and is usable. */
  private static boolean isUsable(String line, String op) {
    String library = line.substring(0, line.indexOf(':'));
    return line.startsWith(library + ": usable")
        && VendorChoice.GIVEN.names(library)
        && library.contains("blas") == op.equals("gemm");
  }

  @Test
  void convolutions() {
    Device device = Device.cuda(0);
    for (DType type : List.of(DType.F32, DType.F16, DType.BF16)) {
      for (ImageLayout layout : ImageLayout.values()) {
        Conv op =
            Conv.of2d(4, 32, 14, 14, 48, 3, 3).withPadding(1, 1).withType(type).withLayout(layout);
        try (var plan = device.plan(op);
            var x = TestArray.normal(device, type, op.xCount(), 1);
            var w = TestArray.normal(device, type, op.wCount(), 2);
            var bias = TestArray.normal(device, type, op.k(), 3);
            var dy = TestArray.normal(device, type, op.yCount(), 4);
            var y = TestArray.output(device, type, op.yCount());
            var dx = TestArray.output(device, type, op.xCount());
            var dw = TestArray.output(device, type, op.wCount());
            Buffer work = device.allocate(plan.workspaceBytes())) {
          demand(plan.explain());
          sameBitsAndInAGraph(
              "y",
              y,
              s -> plan.forward(s, x.buffer(), w.buffer(), bias.buffer(), y.buffer(), work));
          sameBitsAndInAGraph(
              "dx", dx, s -> plan.backwardData(s, dy.buffer(), w.buffer(), dx.buffer(), work));
          sameBitsAndInAGraph(
              "dw",
              dw,
              s -> plan.backwardWeight(s, x.buffer(), dy.buffer(), dw.buffer(), null, work));
        }
      }
    }
  }

  @Test
  void softmax() {
    Device device = Device.cuda(0);
    for (DType type : List.of(DType.F32, DType.F64, DType.F16, DType.BF16)) {
      Softmax op = new Softmax(37, 1000, 3, type, true);
      try (var plan = device.plan(op);
          var x = TestArray.normal(device, type, op.count(), 1);
          var dy = TestArray.normal(device, type, op.count(), 2);
          var y = TestArray.output(device, type, op.count());
          var dx = TestArray.output(device, type, op.count())) {
        demand(plan.explain());
        sameBitsAndInAGraph("y", y, s -> plan.forward(s, x.buffer(), y.buffer()));
        plan.forward(device.defaultStream(), x.buffer(), y.buffer());
        sameBitsAndInAGraph("dx", dx, s -> plan.backward(s, y.buffer(), dy.buffer(), dx.buffer()));
      }
    }
  }

  @Test
  void products() {
    Device device = Device.cuda(0);
    for (DType type : List.of(DType.F32, DType.F64, DType.F16, DType.BF16)) {
      Gemm op = Gemm.of(200, 136, 2048).type(type);
      try (var plan = device.plan(op);
          var a = TestArray.normal(device, type, op.countA(), 1);
          var b = TestArray.normal(device, type, op.countB(), 2);
          var c = TestArray.output(device, type, op.countC());
          Buffer work = device.allocate(plan.workspaceBytes())) {
        demand(plan.explain());
        sameBitsAndInAGraph(
            "c", c, s -> plan.run(s, 1, a.buffer(), b.buffer(), 0, c.buffer(), null, null, work));
      }
    }
  }
}
