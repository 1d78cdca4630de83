package dev.gridstride.kernels;

import static dev.gridstride.testing.Close.assertClose;
import static dev.gridstride.testing.Close.assertSameBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Stream;
import dev.gridstride.testing.TestArray;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Cross-entropy against PyTorch's formulas in double. */
@ExtendWith(TestDevice.class)
class CrossEntropyTest {
  private static final Device DEVICE = TestDevice.get();
  private static final Stream STREAM = DEVICE.defaultStream();
  private static final double INF = Double.POSITIVE_INFINITY;
  private static final double NAN = Double.NaN;

  static List<CrossEntropy> cases() {
    var list = new ArrayList<CrossEntropy>();
    for (DType type : new DType[] {DType.F32, DType.F64, DType.BF16, DType.F16}) {
      for (DType target : new DType[] {DType.I32, DType.I64, type}) {
        for (long classes : new long[] {1, 2, 15, 16, 17, 67}) {
          var op = CrossEntropy.of(type, target, 5, classes);
          list.add(op);
          list.add(op.withLabelSmoothing(0.1).withReduction(LossReduction.SUM));
          list.add(op.withWeights().withReduction(LossReduction.NONE));
          list.add(op.withWeights().withLabelSmoothing(0.25).withIgnoreIndex(1));
        }
        list.add(CrossEntropy.of(type, target, 3, 7).withInner(5));
        list.add(
            CrossEntropy.of(type, target, 2, 19)
                .withInner(4)
                .withWeights()
                .withLabelSmoothing(0.1)
                .withReduction(LossReduction.NONE));
      }
    }
    for (long classes : new long[] {2047, 2048, 2049, 4096, 5003, 50257}) {
      for (DType target : new DType[] {DType.I32, DType.F32}) {
        list.add(CrossEntropy.of(DType.F32, target, 2, classes));
        list.add(CrossEntropy.of(DType.F32, target, 2, classes).withLabelSmoothing(0.1));
        list.add(CrossEntropy.of(DType.F32, target, 2, classes).withWeights());
      }
    }
    return list;
  }

  private static double[] targets(CrossEntropy op) {
    var random = new SplittableRandom(5);
    var t = new double[(int) op.targetCount()];
    if (op.hasClassTargets()) {
      Arrays.setAll(t, i -> random.nextInt((int) op.classes()));
      if (t.length > 2) {
        t[2] = op.ignoreIndex();
      }
    } else {
      Arrays.setAll(t, i -> random.nextInt(4) == 0 ? 0 : random.nextDouble() / op.classes());
    }
    return t;
  }

  private static double[] weights(CrossEntropy op) {
    var random = new SplittableRandom(6);
    var w = new double[(int) op.classes()];
    Arrays.setAll(w, i -> 0.5 + random.nextDouble());
    return w;
  }

  /** A few roundings of f32 or f64 for a loss; for the gradient also one of the stored type. */
  private static double eps(DType type) {
    return type == DType.F64 ? DType.F64.epsilon() : DType.F32.epsilon();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void matchesOracle(CrossEntropy op) {
    try (var x = TestArray.of(DEVICE, op.type(), logits(op));
        var t = TestArray.of(DEVICE, op.targetType(), targets(op));
        var w = TestArray.of(DEVICE, op.resultType(), weights(op));
        var loss = TestArray.output(DEVICE, op.resultType(), op.lossCount());
        var loss2 = TestArray.output(DEVICE, op.resultType(), op.lossCount());
        var lse = TestArray.output(DEVICE, op.resultType(), op.positions());
        var upstream = TestArray.normal(DEVICE, op.resultType(), op.lossCount(), 9);
        var dx = TestArray.output(DEVICE, op.type(), op.count())) {
      var weight = op.weighted() ? w.buffer() : null;
      var oracle = new CrossEntropyOracle(op, x.get(), t.get(), op.weighted() ? w.get() : null);
      double[] expected =
          op.reduction() == LossReduction.NONE ? oracle.losses : new double[] {oracle.loss};
      double tol = 64 * eps(op.type());
      var plan = DEVICE.plan(op);

      plan.forward(STREAM, x.buffer(), t.buffer(), weight, loss.buffer(), lse.buffer());
      assertClose("loss", loss.get(), expected, tol, tol);
      assertClose("lse", lse.get(), oracle.lse, tol, tol);

      double gradientTol = tol + op.type().epsilon();
      plan.forwardBackward(STREAM, x.buffer(), t.buffer(), weight, 1, loss2.buffer(), dx.buffer());
      assertSameBits("loss", loss2.get(), loss.get());
      double[] gradient = oracle.gradient(new double[] {1});
      assertClose("dlogits", dx.get(), gradient, gradientTol, gradientTol / 8);

      plan.backward(
          STREAM, x.buffer(), t.buffer(), weight, lse.buffer(), upstream.buffer(), dx.buffer());
      gradient = oracle.gradient(upstream.get());
      assertClose("dlogits", dx.get(), gradient, gradientTol, gradientTol / 4);

      plan.forwardBackward(STREAM, x.buffer(), t.buffer(), weight, 8, loss.buffer(), x.buffer());
      gradient = oracle.gradient(new double[] {8});
      assertClose("dlogits in place", x.get(), gradient, gradientTol, gradientTol);
    }
  }

  private static double[] logits(CrossEntropy op) {
    var v = TestArray.normal(op.count(), 3);
    for (int i = 0; i < v.length; i++) {
      v[i] *= 3;
    }
    return v;
  }

  /** The shift by the maximum makes the loss of x and of x + constant the same. */
  @ParameterizedTest
  @ValueSource(doubles = {1e4, -1e4, 1e7})
  void gradientSurvivesLargeOffsets(double offset) {
    var op = CrossEntropy.of(DType.F32, DType.I32, 4, 100);
    double[] v = logits(op);
    Arrays.setAll(v, i -> (float) (Math.rint(v[i]) + offset));
    try (var x = TestArray.of(DEVICE, DType.F32, v);
        var t = TestArray.of(DEVICE, DType.I32, 1, 99, 0, 50);
        var loss = TestArray.output(DEVICE, DType.F32, 1);
        var lse = TestArray.output(DEVICE, DType.F32, 4);
        var dloss = TestArray.of(DEVICE, DType.F32, 1);
        var dx = TestArray.output(DEVICE, DType.F32, op.count())) {
      var oracle = new CrossEntropyOracle(op, x.get(), t.get(), null);
      var plan = DEVICE.plan(op);
      plan.forward(STREAM, x.buffer(), t.buffer(), null, loss.buffer(), lse.buffer());
      assertClose("loss", loss.get(), new double[] {oracle.loss}, 1e-6, 1e-6);
      plan.backward(
          STREAM, x.buffer(), t.buffer(), null, lse.buffer(), dloss.buffer(), dx.buffer());
      assertClose("dlogits", dx.get(), oracle.gradient(new double[] {1}), 2e-6, 1e-7);
    }
  }

  record Extreme(double[] x, int target, double smoothing, double loss, double[] dx) {}

  static List<Extreme> extremes() {
    return List.of(
        new Extreme(new double[] {1e4, -1e4}, 0, 0, 0, new double[] {0, 0}),
        new Extreme(new double[] {1e4, -1e4}, 1, 0, 2e4, new double[] {1, -1}),
        new Extreme(new double[] {3e38, 3e38, 0}, 0, 0, Math.log(2), new double[] {-.5, .5, 0}),
        new Extreme(new double[] {3e38, -3e38}, 1, 0, INF, new double[] {1, -1}),
        new Extreme(new double[] {-INF, 2, 2}, 1, 0, Math.log(2), new double[] {0, -.5, .5}),
        new Extreme(new double[] {-INF, 2, 2}, 0, 0, INF, new double[] {-1, .5, .5}),
        new Extreme(new double[] {-INF, 2}, 1, 0.5, INF, new double[] {-.25, .25}),
        new Extreme(new double[] {-INF, -INF}, 1, 0, NAN, new double[] {NAN, NAN}),
        new Extreme(new double[] {INF, 0}, 1, 0, NAN, new double[] {NAN, NAN}),
        new Extreme(new double[] {NAN, 0}, 1, 0, NAN, new double[] {NAN, NAN}),
        new Extreme(new double[] {NAN, NAN}, 1, 0, NAN, new double[] {NAN, NAN}));
  }

  @ParameterizedTest
  @MethodSource("extremes")
  void survivesExtremes(Extreme e) {
    for (DType type : new DType[] {DType.F32, DType.F64}) {
      if (type == DType.F64 && e.loss == INF && e.x[1] == -3e38) {
        continue; // finite in f64
      }
      var op = CrossEntropy.of(type, DType.I64, 1, e.x.length).withLabelSmoothing(e.smoothing);
      try (var x = TestArray.of(DEVICE, type, e.x);
          var t = TestArray.of(DEVICE, DType.I64, e.target);
          var loss = TestArray.output(DEVICE, type, 1);
          var lse = TestArray.output(DEVICE, type, 1);
          var one = TestArray.of(DEVICE, type, 1);
          var dx = TestArray.output(DEVICE, type, e.x.length)) {
        var plan = DEVICE.plan(op);
        plan.forwardBackward(STREAM, x.buffer(), t.buffer(), null, 1, loss.buffer(), dx.buffer());
        assertClose("loss", loss.get(), new double[] {e.loss}, 1e-6, 0);
        assertClose("dlogits", dx.get(), e.dx, 1e-6, 1e-30);
        plan.forward(STREAM, x.buffer(), t.buffer(), null, loss.buffer(), lse.buffer());
        plan.backward(
            STREAM, x.buffer(), t.buffer(), null, lse.buffer(), one.buffer(), dx.buffer());
        assertClose("dlogits", dx.get(), e.dx, 1e-6, 1e-30);
      }
    }
  }

  /** Masked stretches longer than a run, before and after the largest logit. */
  @Test
  void masksWholeRuns() {
    int n = 5 * 2048 + 77;
    double[] v = new double[n];
    Arrays.fill(v, -INF);
    v[2 * 2048 + 5] = -2e4;
    v[3 * 2048 + 5] = -2e4 + 1;
    v[n - 1] = -3e4;
    for (DType target : new DType[] {DType.I32, DType.F32}) {
      var op = CrossEntropy.of(DType.F32, target, 1, n);
      var t = new double[] {2 * 2048 + 5};
      if (target == DType.F32) {
        t = new double[n];
        t[2 * 2048 + 5] = 1;
      }
      try (var x = TestArray.of(DEVICE, DType.F32, v);
          var targets = TestArray.of(DEVICE, target, t);
          var loss = TestArray.output(DEVICE, DType.F32, 1);
          var dx = TestArray.output(DEVICE, DType.F32, n)) {
        DEVICE
            .plan(op)
            .forwardBackward(
                STREAM, x.buffer(), targets.buffer(), null, 1, loss.buffer(), dx.buffer());
        double p = 1 / (1 + Math.E);
        assertClose("loss", loss.get(), new double[] {-Math.log(p)}, 1e-6, 0);
        var expected = new double[n];
        expected[2 * 2048 + 5] = p - 1;
        expected[3 * 2048 + 5] = 1 - p;
        assertClose("dlogits", dx.get(), expected, 1e-6, 0);
      }
    }
  }

  @Test
  void rowOf262144() {
    var op = CrossEntropy.of(DType.F32, DType.I32, 1, 262_144);
    try (var x = TestArray.of(DEVICE, DType.F32, logits(op));
        var t = TestArray.of(DEVICE, DType.I32, 262_143);
        var loss = TestArray.output(DEVICE, DType.F32, 1);
        var dx = TestArray.output(DEVICE, DType.F32, op.count())) {
      var oracle = new CrossEntropyOracle(op, x.get(), t.get(), null);
      DEVICE
          .plan(op)
          .forwardBackward(STREAM, x.buffer(), t.buffer(), null, 1, loss.buffer(), dx.buffer());
      assertClose("loss", loss.get(), new double[] {oracle.loss}, 1e-6, 0);
      assertClose("dlogits", dx.get(), oracle.gradient(new double[] {1}), 2e-6, 1e-12);
    }
  }

  @ParameterizedTest
  @EnumSource(LossReduction.class)
  void ignoredEverywhere(LossReduction reduction) {
    for (DType type : new DType[] {DType.F32, DType.F64, DType.BF16}) {
      var op = CrossEntropy.of(type, DType.I64, 3, 4).withReduction(reduction);
      try (var x = TestArray.of(DEVICE, type, NAN, 1, 2, 3, 4, 5, 6, 7, 8, INF, 9, 10);
          var t = TestArray.of(DEVICE, DType.I64, -100, -100, -100);
          var loss = TestArray.output(DEVICE, op.resultType(), op.lossCount());
          var lse = TestArray.output(DEVICE, op.resultType(), 3);
          var up = TestArray.normal(DEVICE, op.resultType(), op.lossCount(), 3);
          var dx = TestArray.output(DEVICE, type, 12)) {
        var plan = DEVICE.plan(op);
        plan.forwardBackward(STREAM, x.buffer(), t.buffer(), null, 1, loss.buffer(), dx.buffer());
        var expected = new double[(int) op.lossCount()];
        Arrays.fill(expected, reduction == LossReduction.MEAN ? NAN : 0);
        assertClose("loss", loss.get(), expected, 0, 0);
        assertSameBits("dlogits", dx.get(), new double[12]);
        plan.forward(STREAM, x.buffer(), t.buffer(), null, loss.buffer(), lse.buffer());
        assertThat(lse.get()[1]).isCloseTo(7.4402, org.assertj.core.data.Offset.offset(1e-4));
        plan.backward(STREAM, x.buffer(), t.buffer(), null, lse.buffer(), up.buffer(), dx.buffer());
        assertSameBits("dlogits", dx.get(), new double[12]);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {4, -1, (1L << 32) + 1})
  void refusesTargetsOutOfRange(long bad) {
    var op = CrossEntropy.of(DType.F32, DType.I64, 3, 4);
    try (var x = TestArray.normal(DEVICE, DType.F32, 12, 1);
        var t = TestArray.of(DEVICE, DType.I64, 0, 3, bad);
        var loss = TestArray.output(DEVICE, DType.F32, 1);
        var lse = TestArray.output(DEVICE, DType.F32, 3);
        var one = TestArray.of(DEVICE, DType.F32, 1);
        var dx = TestArray.output(DEVICE, DType.F32, 12)) {
      var plan = DEVICE.plan(op);
      String message =
          "crossEntropy: targets must be in 0..classes (excluded) or the ignore index; row=2,"
              + " target="
              + bad
              + ", classes=4, ignoreIndex=-100";
      assertThatThrownBy(
              () -> plan.forward(STREAM, x.buffer(), t.buffer(), null, loss.buffer(), lse.buffer()))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessage(message);
      assertThatThrownBy(() ->
              plan.forwardBackward(
                  STREAM, x.buffer(), t.buffer(), null, 1, loss.buffer(), dx.buffer()))
          .hasMessage(message);
      assertThatThrownBy(() ->
              plan.backward(
                  STREAM, x.buffer(), t.buffer(), null, lse.buffer(), one.buffer(), dx.buffer()))
          .hasMessage(message);
      if (TestDevice.isCpu()) { // kernels meet the bad target among the others
        assertThat(loss.get()).containsOnly(NAN);
        assertThat(lse.get()).containsOnly(NAN);
        assertThat(dx.get()).containsOnly(NAN);
      }
    }
  }

  @Test
  @ResourceLock("threads")
  void sameBitsForAnyNumberOfThreads() {
    var op = CrossEntropy.of(DType.F32, DType.I32, 70_001, 9).withWeights();
    int before = DEVICE.threads();
    try (var x = TestArray.of(DEVICE, DType.F32, logits(op));
        var t = TestArray.of(DEVICE, DType.I32, targets(op));
        var w = TestArray.of(DEVICE, DType.F32, weights(op));
        var l1 = TestArray.output(DEVICE, DType.F32, 1);
        var l2 = TestArray.output(DEVICE, DType.F32, 1);
        var d1 = TestArray.output(DEVICE, DType.F32, op.count());
        var d2 = TestArray.output(DEVICE, DType.F32, op.count())) {
      var plan = DEVICE.plan(op);
      DEVICE.threads(1);
      plan.forwardBackward(STREAM, x.buffer(), t.buffer(), w.buffer(), 1, l1.buffer(), d1.buffer());
      DEVICE.threads(3);
      plan.forwardBackward(STREAM, x.buffer(), t.buffer(), w.buffer(), 1, l2.buffer(), d2.buffer());
      assertSameBits("loss", l2.get(), l1.get());
      assertSameBits("dlogits", d2.get(), d1.get());
    } finally {
      DEVICE.threads(before);
    }
  }

  @Test
  void noRows() {
    var op = CrossEntropy.of(DType.F32, DType.I32, 0, 4);
    try (var none = TestArray.output(DEVICE, DType.F32, 0);
        var loss = TestArray.output(DEVICE, DType.F32, 1)) {
      DEVICE
          .plan(op)
          .forward(STREAM, none.buffer(), none.buffer(), null, loss.buffer(), none.buffer());
      assertThat(loss.get()).containsExactly(NAN);
      DEVICE
          .plan(op.withReduction(LossReduction.SUM))
          .forwardBackward(
              STREAM, none.buffer(), none.buffer(), null, 1, loss.buffer(), none.buffer());
      assertThat(loss.get()).containsExactly(0);
    }
  }

  @Test
  void refusesBadArguments() {
    var op = CrossEntropy.of(DType.F32, DType.I32, 2, 3);
    assertThatThrownBy(() -> CrossEntropy.of(DType.F32, DType.I32, 2, 0))
        .hasMessage(
            "crossEntropy: sizes must not be negative, classes must be at least 1; rows=2,"
                + " classes=0, inner=1");
    assertThatThrownBy(() -> CrossEntropy.of(DType.I64, DType.I32, 2, 3))
        .hasMessage("crossEntropy: type must be f64, f32, bf16 or f16; type=i64");
    assertThatThrownBy(() -> CrossEntropy.of(DType.F32, DType.F64, 2, 3))
        .hasMessage(
            "crossEntropy: targetType must be i32 or i64 (classes) or the logits' type"
                + " (probabilities); targetType=f64, type=f32");
    assertThatThrownBy(() -> op.withLabelSmoothing(NAN))
        .hasMessage("crossEntropy: labelSmoothing must be in [0, 1]; labelSmoothing=NaN");
    var plan = DEVICE.plan(op);
    try (var x = TestArray.normal(DEVICE, DType.F32, 6, 1);
        var t = TestArray.of(DEVICE, DType.I32, 0, 1);
        var short1 = TestArray.of(DEVICE, DType.I32, 0);
        var loss = TestArray.output(DEVICE, DType.F32, 1)) {
      assertThatThrownBy(
              () -> plan.forward(STREAM, x.buffer(), short1.buffer(), null, loss.buffer(), null))
          .hasMessage(
              "crossEntropy: targets must hold at least 2 elements of i32; needed bytes=8,"
                  + " targets bytes=4");
      assertThatThrownBy(
              () -> plan.forward(STREAM, x.buffer(), t.buffer(), x.buffer(), loss.buffer(), null))
          .hasMessageStartingWith(
              "crossEntropy: weight must be given exactly when the op is weighted;"
                  + " weighted=false, weight=Buffer");
      assertThatThrownBy(() ->
              DEVICE
                  .plan(op.withWeights())
                  .forward(STREAM, x.buffer(), t.buffer(), null, loss.buffer(), null))
          .hasMessageEndingWith("weighted=true, weight=null");
      assertThatThrownBy(() -> plan.forward(STREAM, x.buffer(), t.buffer(), null, x.buffer(), null))
          .hasMessageStartingWith("crossEntropy: loss must not overlap logits");
    }
    assumeTrue(TestDevice.isCpu(), "the CPU's loops");
    assertThat(plan.explain().toString())
        .isEqualTo("crossEntropy on cpu: rows (contiguous f32 rows), workspace 0 bytes");
    assertThat(DEVICE.plan(op.withInner(2)).explain().details()).isEqualTo("rows gathered to f32");
    assertThat(DEVICE.plan(CrossEntropy.of(DType.F64, DType.I32, 1, 1)).explain().details())
        .isEqualTo("rows in f64");
  }

  /** As in PyTorch, where the part of the target is 0/0; smoothing alone would give an infinity. */
  @Test
  void aMeanOverWeightsOfZeroIsNan() {
    for (DType type : new DType[] {DType.F32, DType.F64}) {
      CrossEntropy op =
          CrossEntropy.of(type, DType.I64, 1, 3).withWeights().withLabelSmoothing(0.1);
      try (var x = TestArray.of(DEVICE, type, 1, 2, 3);
          var target = TestArray.of(DEVICE, DType.I64, 1);
          var weight = TestArray.of(DEVICE, type, 1, 0, 1);
          var loss = TestArray.output(DEVICE, type, 1)) {
        DEVICE
            .plan(op)
            .forward(
                DEVICE.defaultStream(),
                x.buffer(),
                target.buffer(),
                weight.buffer(),
                loss.buffer(),
                null);
        assertThat(loss.get()[0]).isNaN();
      }
    }
  }
}
