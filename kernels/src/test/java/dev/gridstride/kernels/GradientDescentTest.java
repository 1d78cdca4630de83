package dev.gridstride.kernels;

import static dev.gridstride.testing.Close.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.ClosedException;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.testing.TestArray;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Trajectories of 1,001 steps against the methods' formulas, one element at a time in double. */
@ExtendWith(TestDevice.class)
class GradientDescentTest {
  private static final Device DEVICE = TestDevice.get();
  private static final double LR = 0.01;

  static List<GradientDescent> methods() {
    var list = new ArrayList<GradientDescent>();
    for (DType t : new DType[] {DType.F64, DType.F32}) {
      list.add(Sgd.of(t, 0));
      list.add(new Sgd(t, 0, 0, false, 0.01, true, false));
      list.add(new Sgd(t, 0.9, 0.1, false, 0.01, false, true));
      list.add(new Sgd(t, 0.8, 0, true, 0.01, false, false));
      list.add(Adam.of(t));
      list.add(new Adam(t, 0.8, 0.99, 1e-6, 0.01, false, true, false));
      list.add(Adam.decoupled(t, 0.01));
      list.add(new Adam(t, 0.9, 0.999, 1e-8, 0, false, false, true));
      list.add(RmsProp.of(t));
      list.add(new RmsProp(t, 0.9, 1e-3, 0.01, 0.5, true, false));
      list.add(new RmsProp(t, 0.9, 1e-3, 0, 0, true, false));
      list.add(Adagrad.of(t));
      list.add(new Adagrad(t, 0.01, 1e-10, 0.01, true));
      list.add(Adadelta.of(t));
      list.add(new Adadelta(t, 0.95, 1e-5, 0.01, false));
    }
    return list;
  }

  /** A gradient of a bowl around 1 with a wobble, the same for oracle and op. */
  private static double gradient(double p, int i, int step) {
    return 0.5 * (p - 1) + 0.1 * Math.sin(0.1 * step + i);
  }

  /** One element's state in the oracle: the formulas of torch.optim. */
  private static double update(GradientDescent op, double[] s, double p, double g, int t) {
    switch (op) {
      case Sgd o -> {
        g = o.maximize() ? -g : g;
        if (o.decoupled()) {
          p = p - LR * o.weightDecay() * p;
        } else {
          g = g + o.weightDecay() * p;
        }
        if (o.momentum() > 0) {
          s[0] = t == 1 ? g : o.momentum() * s[0] + (1 - o.dampening()) * g;
          g = o.nesterov() ? g + o.momentum() * s[0] : s[0];
        }
        return p - LR * g;
      }
      case Adam o -> {
        g = o.maximize() ? -g : g;
        if (o.decoupled()) {
          p = p - LR * o.weightDecay() * p;
        } else {
          g = g + o.weightDecay() * p;
        }
        s[0] = o.beta1() * s[0] + (1 - o.beta1()) * g;
        s[1] = o.beta2() * s[1] + (1 - o.beta2()) * g * g;
        double mHat = s[0] / (1 - Math.pow(o.beta1(), t));
        s[2] = Math.max(s[2], s[1]);
        double v = o.amsgrad() ? s[2] : s[1];
        return p - LR * mHat / (Math.sqrt(v / (1 - Math.pow(o.beta2(), t))) + o.eps());
      }
      case RmsProp o -> {
        g = (o.maximize() ? -g : g) + o.weightDecay() * p;
        s[0] = o.alpha() * s[0] + (1 - o.alpha()) * g * g;
        s[1] = o.alpha() * s[1] + (1 - o.alpha()) * g;
        double avg = Math.sqrt(o.centered() ? s[0] - s[1] * s[1] : s[0]) + o.eps();
        s[2] = o.momentum() * s[2] + g / avg;
        return p - LR * s[2];
      }
      case Adagrad o -> {
        g = (o.maximize() ? -g : g) + o.weightDecay() * p;
        s[0] += g * g;
        return p - LR / (1 + (t - 1) * o.lrDecay()) * g / (Math.sqrt(s[0]) + o.eps());
      }
      case Adadelta o -> {
        g = (o.maximize() ? -g : g) + o.weightDecay() * p;
        s[0] = o.rho() * s[0] + (1 - o.rho()) * g * g;
        double d = Math.sqrt(s[1] + o.eps()) / Math.sqrt(s[0] + o.eps()) * g;
        s[1] = o.rho() * s[1] + (1 - o.rho()) * d * d;
        return p - LR * d;
      }
    }
  }

  /**
   * f64: 1e-10, as PyTorch's formulas in another order allow; f32: 1,001 roundings and feedback.
   */
  @ParameterizedTest
  @MethodSource("methods")
  void followsTheOracle(GradientDescent op) {
    int[] sizes = {1, 0, 17, 70};
    var params = new ArrayList<TestArray>();
    var grads = new ArrayList<TestArray>();
    var states = new ArrayList<List<TestArray>>();
    op.states().forEach(n -> states.add(new ArrayList<>()));
    var oracle = new ArrayList<double[]>();
    var memory = new ArrayList<double[][]>();
    for (int n : sizes) {
      params.add(TestArray.normal(DEVICE, op.type(), n, n + 1));
      grads.add(TestArray.output(DEVICE, op.type(), n));
      states.forEach(s -> s.add(TestArray.of(DEVICE, op.type(), new double[n])));
      oracle.add(params.getLast().get());
      memory.add(new double[n][3]);
    }
    var plan = DEVICE.plan(op);
    for (int step = 1; step <= 1001; step++) {
      for (int k = 0; k < sizes.length; k++) {
        var g = params.get(k).get();
        for (int i = 0; i < g.length; i++) {
          g[i] = 4 * gradient(g[i], i, step);
          double[] p = oracle.get(k);
          p[i] = update(op, memory.get(k)[i], p[i], gradient(p[i], i, step), step);
        }
        grads.get(k).set(g);
      }
      plan.step(
          DEVICE.defaultStream(),
          buffers(params),
          buffers(grads),
          states.stream().map(GradientDescentTest::buffers).toList(),
          step,
          LR,
          0.25);
    }
    for (int k = 0; k < sizes.length; k++) {
      double tol = op.type() == DType.F64 ? 1e-10 : 1e-4;
      assertClose("p" + k, params.get(k).get(), oracle.get(k), tol, tol);
    }
    params.forEach(TestArray::close);
    grads.forEach(TestArray::close);
    states.forEach(s -> s.forEach(TestArray::close));
  }

  private static List<Buffer> buffers(List<TestArray> arrays) {
    return arrays.stream().map(TestArray::buffer).toList();
  }

  @Test
  void nanSpreadsAndStays() {
    for (DType type : new DType[] {DType.F32, DType.F64}) {
      try (var p = TestArray.of(DEVICE, type, 1, 2);
          var g = TestArray.of(DEVICE, type, Double.NaN, 1);
          var m = TestArray.of(DEVICE, type, 0, 0);
          var v = TestArray.of(DEVICE, type, 0, 0)) {
        DEVICE
            .plan(new Adam(type, 0.9, 0.999, 0, 0, false, false, false))
            .step(
                DEVICE.defaultStream(),
                List.of(p.buffer()),
                List.of(g.buffer()),
                List.of(List.of(m.buffer()), List.of(v.buffer())),
                1,
                0.5,
                1);
        assertClose("p", p.get(), new double[] {Double.NaN, 1.5}, 1e-6, 0);
        assertThat(m.get()[0]).isNaN();
        assertThat(v.get()[0]).isNaN();
      }
    }
  }

  @Test
  void refusesBadArguments() {
    var plan = DEVICE.plan(Sgd.of(DType.F32, 0));
    var stream = DEVICE.defaultStream();
    try (var p = TestArray.of(DEVICE, DType.F32, 1, 2);
        var g = TestArray.of(DEVICE, DType.F32, 1, 2);
        var h = TestArray.of(DEVICE, DType.F32, 1)) {
      var pp = List.of(p.buffer(), p.buffer());
      var gg = List.of(g.buffer(), g.buffer());
      assertThatThrownBy(() -> plan.step(stream, pp, gg, List.of(), 1, 1, 1))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessage(
              "sgd: params must each be listed once and share no memory; params[0] and params[1]"
                  + " overlap");
      var p1 = List.of(p.buffer());
      assertThatThrownBy(() -> plan.step(stream, p1, p1, List.of(), 1, 1, 1))
          .hasMessageContaining("overlap");
      assertThatThrownBy(() -> plan.step(stream, p1, gg, List.of(), 1, 1, 1))
          .hasMessage(
              "sgd: grads must have one buffer for each parameter; params.size=1, grads.size=2");
      assertThatThrownBy(() -> plan.step(stream, p1, List.of(h.buffer()), List.of(), 1, 1, 1))
          .hasMessage(
              "sgd: grads[0] must have the parameter's size, a multiple of the element size;"
                  + " params[0] bytes=8, grads[0] bytes=4");
      assertThatThrownBy(() -> plan.step(stream, p1, p1, List.of(), 0, 1, 1))
          .hasMessage("sgd: step must be at least 1; step=0");
      assertThatThrownBy(() -> plan.step(stream, p1, p1, List.of(p1), 1, 1, 1))
          .hasMessage("sgd: states must have a list for each of []; states.size=1");
      assertThat(p.get()).containsExactly(1, 2);
    }
    assertThatThrownBy(() -> Sgd.of(DType.BF16, 0))
        .hasMessage("sgd: type must be f32 or f64; type=bf16");
    assertThatThrownBy(() -> new Sgd(DType.F32, 0, 0, true, 0, false, false))
        .hasMessageStartingWith("sgd: momentum (with nesterov) must be in");
    assertThatThrownBy(() -> new Adam(DType.F32, 2, 0, 0, 0, false, false, false))
        .hasMessage("adam: beta1 must be in [0.0, 1.0]; beta1=2.0");
    assertThat(plan.explain().toString())
        .startsWith(
            TestDevice.isCpu() ? "sgd on cpu: multi-tensor" : "sgd on " + DEVICE.name() + ": cuda");
  }

  /**
   * A step with the operands of the step before is checked less: only while nothing has changed.
   */
  @Test
  void checksOperandsAgainThatHaveChanged() {
    var plan = DEVICE.plan(Sgd.of(DType.F32, 0));
    var stream = DEVICE.defaultStream();
    try (var p = TestArray.of(DEVICE, DType.F32, 1, 2);
        var g = TestArray.of(DEVICE, DType.F32, 1, 2);
        var h = TestArray.of(DEVICE, DType.F32, 1)) {
      var pp = List.of(p.buffer());
      for (int i = 1; i <= 3; i++) {
        plan.step(stream, pp, List.of(g.buffer()), List.of(), i, 1, 1);
      }
      assertThat(p.get()).containsExactly(-2, -4);
      assertThatThrownBy(() -> plan.step(stream, pp, pp, List.of(), 4, 1, 1))
          .hasMessageContaining("overlap");
      assertThatThrownBy(() -> plan.step(stream, pp, List.of(h.buffer()), List.of(), 4, 1, 1))
          .hasMessageContaining("must have the parameter's size");
      var closed = DEVICE.allocate(8);
      plan.step(stream, pp, List.of(closed), List.of(), 4, 0, 1);
      closed.close();
      assertThatThrownBy(() -> plan.step(stream, pp, List.of(closed), List.of(), 4, 0, 1))
          .isInstanceOf(ClosedException.class)
          .hasMessageStartingWith("sgd: the buffer of 8 bytes has been closed");
    }
  }

  /** Sizes around those of a task, with parameters of no elements between them. */
  @Test
  @ResourceLock("threads")
  void longAndShortParametersShareTasks() {
    int[] sizes = {0, 16_383, 0, 1, 16_384, 7, 0, 16_385, 40_001, 0};
    var params = new ArrayList<TestArray>();
    var grads = new ArrayList<TestArray>();
    int before = DEVICE.threads();
    try {
      for (int i = 0; i < sizes.length; i++) {
        params.add(TestArray.of(DEVICE, DType.F32, new double[sizes[i]]));
        grads.add(TestArray.of(DEVICE, DType.F32, TestArray.integers(sizes[i], i)));
      }
      var plan = DEVICE.plan(Sgd.of(DType.F32, 0));
      for (int threads : new int[] {1, 3}) {
        DEVICE.threads(threads);
        plan.step(
            DEVICE.defaultStream(), buffers(params), buffers(grads), List.of(), 1, -threads, 1);
      }
      for (int i = 0; i < sizes.length; i++) {
        double[] expected = Arrays.stream(grads.get(i).get()).map(g -> 4 * g).toArray();
        assertClose("p" + i, params.get(i).get(), expected, 0, 0);
      }
    } finally {
      DEVICE.threads(before);
      params.forEach(TestArray::close);
      grads.forEach(TestArray::close);
    }
  }

  @Test
  void clipsTheGlobalNorm() {
    for (DType type : new DType[] {DType.F32, DType.F64}) {
      var a = TestArray.normal(40_001, 1);
      var b = TestArray.normal(3, 2);
      try (var x = TestArray.of(DEVICE, type, a);
          var none = TestArray.of(DEVICE, type);
          var y = TestArray.of(DEVICE, type, b)) {
        var list = List.of(x.buffer(), none.buffer(), y.buffer());
        double[] before = x.get();
        double sum = Arrays.stream(before).map(v -> v * v).sum();
        double norm = Math.sqrt(sum + Arrays.stream(y.get()).map(v -> v * v).sum());
        var stream = DEVICE.defaultStream();
        assertThat(DEVICE.plan(new ClipNorm(type, 1e6)).clip(stream, list) / norm)
            .isBetween(1 - 1e-13, 1 + 1e-13);
        assertClose("unchanged", x.get(), before, 0, 0);
        DEVICE.plan(new ClipNorm(type, 2)).clip(stream, list);
        double[] expected = Arrays.stream(before).map(v -> v * 2 / (norm + 1e-6)).toArray();
        assertClose("clipped", x.get(), expected, 1e-7, 0);
        DEVICE.plan(new ClipNorm(type, 0)).clip(stream, list);
        assertThat(x.get()).containsOnly(0.0, -0.0);
        y.set(1, Double.POSITIVE_INFINITY, 2);
        assertThat(DEVICE.plan(new ClipNorm(type, 1)).clip(stream, list))
            .isEqualTo(Double.POSITIVE_INFINITY);
        assertThat(y.get()).containsExactly(0, Double.NaN, 0);
        assertThat(DEVICE.plan(new ClipNorm(type, 1)).clip(stream, list)).isNaN();
        assertThat(x.get()).containsOnly(Double.NaN);
        assertThatThrownBy(() ->
                DEVICE.plan(new ClipNorm(type, 1)).clip(stream, List.of(x.buffer(), x.buffer())))
            .hasMessageStartingWith("clipNorm: grads[1] must not overlap grads[0]");
      }
    }
  }
}
