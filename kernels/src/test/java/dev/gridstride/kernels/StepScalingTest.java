package dev.gridstride.kernels;

import static dev.gridstride.testing.Close.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.ClosedException;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.Graph;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.StepControl.State;
import dev.gridstride.testing.TestArray;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Steps by a control block, beside the same steps by numbers. */
@ExtendWith(TestDevice.class)
class StepScalingTest {
  private static final Device DEVICE = TestDevice.get();
  private static final double INF = Double.POSITIVE_INFINITY;

  /** One parameter with its gradient and state. */
  private record Model(TestArray p, TestArray g, List<TestArray> states) implements AutoCloseable {
    static Model of(GradientDescent op) {
      return new Model(
          TestArray.normal(DEVICE, op.type(), 4099, 1),
          TestArray.normal(DEVICE, op.type(), 4099, 2),
          op.states().stream()
              .map(n -> TestArray.of(DEVICE, op.type(), new double[4099]))
              .toList());
    }

    List<Buffer> params() {
      return List.of(p.buffer());
    }

    List<Buffer> grads() {
      return List.of(g.buffer());
    }

    List<List<Buffer>> stateBuffers() {
      return states.stream().map(s -> List.of(s.buffer())).toList();
    }

    void step(GradientDescent.Plan plan, Stream stream, StepControl control) {
      plan.step(stream, params(), grads(), stateBuffers(), control);
    }

    @Override
    public void close() {
      p.close();
      g.close();
      states.forEach(TestArray::close);
    }
  }

  static List<GradientDescent> methods() {
    return GradientDescentTest.methods();
  }

  @ParameterizedTest
  @MethodSource("methods")
  void stepsAsWithNumbers(GradientDescent op) {
    var plan = DEVICE.plan(op);
    var stream = DEVICE.defaultStream();
    var advance = DEVICE.plan(StepScaling.clipping(op.type(), INF));
    try (var numbers = Model.of(op);
        var block = Model.of(op);
        var control = StepControl.on(DEVICE, 0, 4)) {
      for (int step = 1; step <= 4; step++) {
        double lr = 0.01 * step;
        plan.step(
            stream, numbers.params(), numbers.grads(), numbers.stateBuffers(), step, lr, 0.25);
        control.learningRate(lr);
        block.step(plan, stream, control);
        advance.advance(stream, control);
      }
      assertThat(control.state().step()).isEqualTo(5);
      // factors from the device's pow: a unit in the last place of f64, rounded to the type
      double tolerance = TestDevice.isCpu() ? 0 : 32 * op.type().epsilon();
      assertClose("p", block.p.get(), numbers.p.get(), tolerance, tolerance);
      for (int k = 0; k < block.states.size(); k++) {
        assertClose(
            "state", block.states.get(k).get(), numbers.states.get(k).get(), tolerance, tolerance);
      }
      var before = control.state();
      control.set(
          new State(before.step(), 0.1, before.gradScale(), true, 0, before.lossScale(), 0));
      double[] p = block.p.get();
      block.step(plan, stream, control);
      assertClose("skipped", block.p.get(), p, 0, 0);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "F64"})
  void measuresAndFollowsTheLossScale(DType type) {
    double[] a = TestArray.normal(20_001, 1);
    double[] b = {3, -4};
    var stream = DEVICE.defaultStream();
    try (var x = TestArray.of(DEVICE, type, a);
        var none = TestArray.of(DEVICE, type);
        var y = TestArray.of(DEVICE, type, b);
        var control = StepControl.on(DEVICE, 0.1, 8)) {
      var grads = List.of(x.buffer(), none.buffer(), y.buffer());
      double sum = Arrays.stream(x.get()).map(v -> v * v).sum() + 25;
      double norm = Math.sqrt(sum) / 8;
      DEVICE.plan(StepScaling.clipping(type, INF)).measure(stream, grads, control);
      State s = control.state();
      assertThat(s.norm()).isCloseTo(norm, within(norm * 1e-13));
      assertThat(s).isEqualTo(new State(1, 0.1, 1. / 8, false, s.norm(), 8, 0));

      var scaling = DEVICE.plan(new StepScaling(type, 2, 4, 0.25, 2));
      scaling.measure(stream, grads, control);
      double factor = 2 / (norm + 1e-6) / 8;
      assertThat(control.state().gradScale()).isCloseTo(factor, within(factor * 1e-13));
      assertClose("gradients", y.get(), b, 0, 0);
      scaling.advance(stream, control);
      s = control.state();
      assertThat(List.of(s.step(), s.streak(), s.lossScale())).isEqualTo(List.of(2L, 1L, 8.0));
      scaling.advance(stream, control);
      s = control.state();
      assertThat(List.of(s.step(), s.streak(), s.lossScale())).isEqualTo(List.of(3L, 0L, 32.0));
      for (double bad : new double[] {Double.NaN, INF, -INF}) {
        y.set(bad, 1);
        scaling.measure(stream, grads, control);
        assertThat(control.state().skip()).isTrue();
      }
      scaling.advance(stream, control);
      s = control.state();
      assertThat(List.of(s.step(), s.streak(), s.lossScale())).isEqualTo(List.of(3L, 0L, 8.0));
      assertThat(s.skip()).isFalse();
    }
  }

  @Test
  void aGraphReplaysSteps() {
    assumeTrue(Graph.supports(DEVICE) instanceof Support.Supported, "graphs");
    var op = Adam.of(DType.F32);
    var plan = DEVICE.plan(op);
    var scaling = DEVICE.plan(new StepScaling(op.type(), 1, 2, 0.5, 2));
    try (var eager = Model.of(op);
        var replayed = Model.of(op);
        var controlA = StepControl.on(DEVICE, 0.1, 1);
        var controlB = StepControl.on(DEVICE, 0.1, 1);
        Stream stream = DEVICE.newStream()) {
      IntStream.range(0, 3).forEach(i -> step(plan, scaling, stream, eager, controlA));
      stream.synchronize();
      try (var graph =
          Graph.capture(stream, () -> step(plan, scaling, stream, replayed, controlB))) {
        IntStream.range(0, 3).forEach(i -> graph.replay());
        stream.synchronize();
        assertClose("p", replayed.p.get(), eager.p.get(), 0, 0);
        assertThat(controlB.state()).isEqualTo(controlA.state());
        assertThat(controlB.state().step()).isEqualTo(4);
        controlA.learningRate(1e-3);
        controlB.learningRate(1e-3);
        step(plan, scaling, stream, eager, controlA);
        graph.replay();
        stream.synchronize();
        assertClose("p", replayed.p.get(), eager.p.get(), 0, 0);
      }
    }
  }

  private static void step(
      GradientDescent.Plan plan,
      StepScaling.Plan scaling,
      Stream stream,
      Model model,
      StepControl control) {
    scaling.measure(stream, model.grads(), control);
    model.step(plan, stream, control);
    scaling.advance(stream, control);
  }

  @Test
  void refusesBadArguments() {
    assertThatThrownBy(() -> new StepScaling(DType.BF16, 1, 2, 0.5, 1))
        .hasMessage("stepScaling: type must be f32 or f64; type=bf16");
    assertThatThrownBy(() -> new StepScaling(DType.F32, -1, 2, 0.5, 1))
        .hasMessageStartingWith("stepScaling: maxNorm must be in [0.0, Infinity]");
    assertThatThrownBy(() -> new StepScaling(DType.F32, 1, 0.5, 0.5, 1))
        .hasMessageContaining("growth=0.5");
    assertThatThrownBy(() -> new StepScaling(DType.F32, 1, 2, 0, 1))
        .hasMessageContaining("backoff=0.0");
    assertThatThrownBy(() -> new StepScaling(DType.F32, 1, 2, 1, -1))
        .hasMessage("stepScaling: interval must not be negative; interval=-1");
    assertThatThrownBy(() -> StepControl.on(DEVICE, 0.1, 0))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("lossScale=0.0");
    var scaling = DEVICE.plan(StepScaling.dynamic(DType.F32, 1));
    var descent = DEVICE.plan(Sgd.of(DType.F32, 0));
    var stream = DEVICE.defaultStream();
    try (var control = StepControl.on(DEVICE, 0.1, 1);
        var odd = DEVICE.allocate(7)) {
      assertThatThrownBy(() -> scaling.measure(stream, List.of(odd), control))
          .hasMessage("stepScaling: grads[0] must be a multiple of the element size; bytes=7");
      assertThatThrownBy(() -> scaling.measure(stream, List.of(control.buffer()), control))
          .hasMessageStartingWith("stepScaling: control must not overlap grads[0]");
      assertThatThrownBy(() ->
              descent.step(stream, List.of(control.buffer()), List.of(odd), List.of(), control))
          .isInstanceOf(InvalidArgumentException.class);
      try (var g = DEVICE.allocate(control.buffer().bytes())) {
        assertThatThrownBy(() ->
                descent.step(stream, List.of(control.buffer()), List.of(g), List.of(), control))
            .hasMessageContaining("share no memory");
      }
    }
    var closed = StepControl.on(DEVICE, 0.1, 1);
    closed.close();
    assertThatThrownBy(() -> scaling.advance(stream, closed)).isInstanceOf(ClosedException.class);
  }

  @Test
  void leavesTheNormOnTheDevice() {
    for (DType type : new DType[] {DType.F32, DType.F64}) {
      try (var x = TestArray.of(DEVICE, type, 3, 4);
          var norm = TestArray.output(DEVICE, DType.F64, 1)) {
        var plan = DEVICE.plan(new ClipNorm(type, 1));
        plan.clip(DEVICE.defaultStream(), List.of(x.buffer()), norm.buffer());
        assertThat(norm.get()).containsExactly(5);
        assertClose("clipped", x.get(), new double[] {3 / 5.000001, 4 / 5.000001}, 1e-7, 0);
        assertThatThrownBy(() -> plan.clip(DEVICE.defaultStream(), List.of(x.buffer()), x.buffer()))
            .isInstanceOf(InvalidArgumentException.class);
      }
    }
  }
}
