package dev.gridstride;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.LossReduction;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.DoubleBinaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Losses made of other tensor ops: values against plain double loops, edge cases, refusals. */
@ExtendWith(TestDevice.class)
class LossValuesTest {
  private static final Device DEVICE = TestDevice.get();
  private static final DType[] FLOATING = {DType.F64, DType.F32, DType.BF16, DType.F16};
  private static final long[][] SHAPES = {{0, 3}, {}, {1}, {7}, {3, 5}, {2, 3, 4, 3}, {1031}};
  private static final double INF = Double.POSITIVE_INFINITY;
  private Scope scope;

  @BeforeEach
  void open() {
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  /** A loss under test. */
  private interface Loss {
    Tensor of(Tensor predictions, Tensor targets, LossReduction reduction);
  }

  private static Tensor tensor(DType dtype, double[] values, long... dims) {
    return Hosts.fromDoubles(DEVICE, dtype, values, Shape.of(dims));
  }

  /** Errors far below, near and far above the thresholds of 0.75, some equal to 0. */
  private static double[] random(long count, SplittableRandom random) {
    var v = new double[(int) count];
    Arrays.setAll(v, i -> i % 11 == 3 ? 0 : random.nextGaussian() * (i % 5 == 0 ? 9 : 0.7));
    return v;
  }

  /**
   * Every element is a few roundings away from exact, so an error of 8 eps of its size and of the
   * operands' (at most 60) is allowed; a sum has no cancellation, as all losses are positive.
   */
  private static void compare(Loss loss, DoubleBinaryOperator exact, double[] targets) {
    var random = new SplittableRandom(7);
    for (DType dtype : FLOATING) {
      double eps = dtype == DType.F64 ? 0x1p-52 : 0x1p-23;
      for (long[] dims : SHAPES) {
        int n = (int) Shape.of(dims).count();
        double[] goal = targets.length > 0 ? new double[n] : random(n, random);
        if (targets.length > 0) {
          Arrays.setAll(goal, i -> targets[i % targets.length]);
        }
        Tensor x = tensor(dtype, random(n, random), dims);
        Tensor t = tensor(dtype, goal, dims);
        double[] xs = x.toDoubleArray(); // as rounded to the type
        double[] ts = t.toDoubleArray();
        var each = new double[n];
        Arrays.setAll(each, i -> exact.applyAsDouble(xs[i], ts[i]));
        double sum = Arrays.stream(each).sum();
        Tensor none = loss.of(x, t, LossReduction.NONE);
        assertThat(none.shape()).isEqualTo(Shape.of(dims));
        assertThat(none.dtype()).isEqualTo(dtype == DType.F64 ? DType.F64 : DType.F32);
        double[] y = none.toDoubleArray();
        for (int i = 0; i < n; i++) {
          assertThat(y[i])
              .as("%s, x=%s, target=%s", dtype, xs[i], ts[i])
              .isCloseTo(each[i], within(8 * eps * Math.max(each[i], 60 * eps)));
        }
        Tensor total = loss.of(x, t, LossReduction.SUM);
        assertThat(total.rank()).isZero();
        assertThat(total.item()).isCloseTo(sum, within(16 * eps * sum));
        double mean = loss.of(x, t, LossReduction.MEAN).item();
        if (n == 0) {
          assertThat(mean).isNaN();
        } else {
          assertThat(mean).isCloseTo(sum / n, within(16 * eps * sum / n));
        }
      }
    }
  }

  private static double huber(double d, double delta) {
    return Math.abs(d) <= delta ? d * d / 2 : delta * (Math.abs(d) - delta / 2);
  }

  private static double bce(double x, double t, double p) {
    double likely = -Math.log1p(-1 / (1 + Math.exp(Math.abs(x)))); // of the class that x is for
    double unlikely = Math.abs(x) + likely;
    return t * p * (x > 0 ? likely : unlikely) + (1 - t) * (x > 0 ? unlikely : likely);
  }

  @Test
  void elementwiseValues() {
    double[] any = {};
    compare(Tensor::mseLoss, (x, t) -> (x - t) * (x - t), any);
    compare(Tensor::l1Loss, (x, t) -> Math.abs(x - t), any);
    compare((x, t, r) -> x.huberLoss(t, 0.75, r), (x, t) -> huber(x - t, 0.75), any);
    compare((x, t, r) -> x.smoothL1Loss(t, 0.75, r), (x, t) -> huber(x - t, 0.75) / 0.75, any);
    compare((x, t, r) -> x.smoothL1Loss(t, 0, r), (x, t) -> Math.abs(x - t), any);
    compare((x, t, r) -> x.smoothL1Loss(t, 1e-60, r), (x, t) -> Math.abs(x - t), any);
  }

  @Test
  void binaryCrossEntropyValues() {
    double[] share = {0, 1, 0.25, 1, 0, 0.875};
    compare((x, t, r) -> x.binaryCrossEntropyWithLogits(t, null, r), (x, t) -> bce(x, t, 1), share);
    compare(
        (x, t, r) -> {
          DType wide = x.dtype() == DType.F64 ? DType.F64 : DType.F32;
          return x.binaryCrossEntropyWithLogits(t, Tensors.full(DEVICE, wide, 2.5), r);
        },
        (x, t) -> bce(x, t, 2.5),
        share);
    Tensor x = tensor(DType.F32, new double[] {1, -2, 3, 0}, 2, 2);
    Tensor t = tensor(DType.F32, new double[] {1, 1, 0, 1}, 2, 2);
    Tensor perColumn = tensor(DType.F32, new double[] {2, 3}, 2);
    assertThat(x.binaryCrossEntropyWithLogits(t, perColumn, LossReduction.SUM).item())
        .isCloseTo(bce(1, 1, 2) + bce(-2, 1, 3) + bce(3, 0, 2) + bce(0, 1, 3), within(1e-6));
  }

  @Test
  void binaryCrossEntropyIsStableFarOut() {
    Tensor x = tensor(DType.F32, new double[] {-1e30, 1e30, 20, -20, 1e30, 0}, 6);
    x.requiresGrad(true);
    Tensor t = tensor(DType.F32, new double[] {0, 1, 1, 0, 0, 1}, 6);
    Tensor loss = x.binaryCrossEntropyWithLogits(t, null, LossReduction.NONE);
    double[] y = loss.toDoubleArray();
    assertThat(y[0]).isZero();
    assertThat(y[1]).isZero();
    double small = Math.log1p(Math.exp(-20));
    assertThat(y[2]).isCloseTo(small, within(1e-6 * small));
    assertThat(y[3]).isCloseTo(small, within(1e-6 * small));
    assertThat(y[4]).isCloseTo(1e30, within(1e24));
    assertThat(y[5]).isCloseTo(Math.log(2), within(1e-7));
    loss.sum().backward();
    double[] dx = x.grad().toDoubleArray();
    double tail = 1 / (1 + Math.exp(20));
    assertThat(dx[2]).isCloseTo(-tail, within(1e-6 * tail));
    assertThat(dx[3]).isCloseTo(tail, within(1e-6 * tail));
    assertThat(new double[] {dx[0], dx[1], dx[4], dx[5]}).containsExactly(0, 0, 1, -0.5);
  }

  @Test
  void gradientsAtThresholdsAndInfinity() {
    for (DType dtype : new DType[] {DType.F32, DType.F64}) {
      double[] at = {-INF, -2, -0.5, 0, 0.5, 2, INF};
      Tensor zero = Tensors.zeros(DEVICE, dtype, at.length);
      Tensor x = tensor(dtype, at, at.length).requiresGrad(true);
      x.huberLoss(zero, 2, LossReduction.SUM).backward();
      assertThat(x.grad().toDoubleArray()).containsExactly(-2, -2, -0.5, 0, 0.5, 2, 2);
      Tensor s = tensor(dtype, at, at.length).requiresGrad(true);
      s.smoothL1Loss(zero, 2, LossReduction.SUM).backward();
      assertThat(s.grad().toDoubleArray()).containsExactly(-1, -1, -0.25, 0, 0.25, 1, 1);
      Tensor l = tensor(dtype, at, at.length).requiresGrad(true);
      l.l1Loss(zero, LossReduction.SUM).backward();
      assertThat(l.grad().toDoubleArray()).containsExactly(-1, -1, -1, 0, 1, 1, 1);
    }
  }

  @Test
  void defaultsAreTheMeanAndNanSpreads() {
    Tensor x = tensor(DType.F64, new double[] {1, 2, 4, 8}, 4);
    Tensor t = tensor(DType.F64, new double[] {1, 1, 1, 0}, 4);
    Tensor nan = Tensors.full(DEVICE, DType.F64, Double.NaN, 4);
    assertThat(x.mseLoss(t).item()).isEqualTo((0 + 1 + 9 + 64) / 4.0);
    assertThat(x.l1Loss(t).item()).isEqualTo((0 + 1 + 3 + 8) / 4.0);
    assertThat(x.huberLoss(t, 2).item()).isEqualTo((0.5 + 4 + 14) / 4);
    assertThat(x.smoothL1Loss(t, 2).item()).isEqualTo((0.25 + 2 + 7) / 4);
    assertThat(x.binaryCrossEntropyWithLogits(t).item())
        .isCloseTo((bce(1, 1, 1) + bce(2, 1, 1) + bce(4, 1, 1) + bce(8, 0, 1)) / 4, within(1e-14));
    for (Tensor loss :
        new Tensor[] {
          nan.mseLoss(t),
          nan.l1Loss(t),
          nan.huberLoss(t, 2),
          nan.smoothL1Loss(t, 2),
          nan.binaryCrossEntropyWithLogits(t)
        }) {
      assertThat(loss.item()).isNaN();
    }
  }

  @Test
  void operandsMayLieInAnyLayout() {
    var random = new SplittableRandom(3);
    Tensor x = tensor(DType.F64, random(2 * 3 * 4 * 5, random), 2, 3, 4, 5);
    Tensor t = tensor(DType.F64, random(2 * 3 * 4 * 5, random), 2, 3, 4, 5);
    double[] expected = x.mseLoss(t, LossReduction.NONE).toDoubleArray();
    assertThat(x.channelsLast().mseLoss(t, LossReduction.NONE).toDoubleArray())
        .containsExactly(expected);
    Tensor c = Tensors.of(DEVICE, new long[] {0, 1, 2, 3}, 2, 2);
    Tensor logProbs = tensor(DType.F64, random(16, random), 2, 4, 2);
    assertThat(
            logProbs
                .permute(0, 2, 1)
                .copy()
                .permute(0, 2, 1)
                .nllLoss(c, null, -100, LossReduction.NONE)
                .toDoubleArray())
        .containsExactly(logProbs.nllLoss(c, null, -100, LossReduction.NONE).toDoubleArray());
  }

  /** Each loss is one product, rounded once; sums are given 16 eps. */
  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F64", "F32", "BF16", "F16"})
  void nllValues(DType dtype) {
    var random = new SplittableRandom(5);
    double eps = dtype == DType.F64 ? 0x1p-52 : 0x1p-23;
    DType wide = dtype == DType.F64 ? DType.F64 : DType.F32;
    double[] weights = {0.5, 1, 2.5, 4};
    for (long[] dims : new long[][] {{4}, {0, 4}, {1, 4}, {9, 4}, {3, 4, 5}, {2, 4, 3, 2}}) {
      int n = dims.length == 1 ? 1 : (int) dims[0];
      int inner = 1;
      for (int i = 2; i < dims.length; i++) {
        inner *= (int) dims[i];
      }
      Tensor x = tensor(dtype, random(Shape.of(dims).count(), random), dims);
      double[] xs = x.toDoubleArray();
      var classes = new int[n * inner];
      Arrays.setAll(classes, i -> random.nextInt(4));
      for (boolean weighted : new boolean[] {false, true}) {
        for (int ignored : new int[] {-1, 2}) {
          var each = new double[n * inner];
          double sum = 0;
          double magnitude = 0;
          double divisor = 0;
          for (int i = 0; i < n; i++) {
            for (int j = 0; j < inner; j++) {
              int c = classes[i * inner + j];
              if (c != ignored) {
                double w = weighted ? weights[c] : 1;
                double loss = -w * xs[(i * 4 + c) * inner + j];
                each[i * inner + j] = loss;
                sum += loss;
                magnitude += Math.abs(loss);
                divisor += w;
              }
            }
          }
          long[] positions = CrossEntropyFunction.withoutClasses(dims);
          Tensor t = Hosts.fromLongs(DEVICE, DType.I32, longs(classes), Shape.of(positions));
          Tensor w = weighted ? tensor(wide, weights, 4) : null;
          Tensor none = x.nllLoss(t, w, ignored, LossReduction.NONE);
          assertThat(none.dtype()).isEqualTo(wide);
          assertThat(none.shape()).isEqualTo(Shape.of(positions));
          assertThat(none.toDoubleArray()).containsExactly(each, within(2 * eps * 100));
          assertThat(x.nllLoss(t, w, ignored, LossReduction.SUM).item())
              .isCloseTo(sum, within(16 * eps * magnitude));
          double mean = x.nllLoss(t, w, ignored, LossReduction.MEAN).item();
          if (divisor == 0) {
            assertThat(mean).isNaN();
          } else {
            assertThat(mean).isCloseTo(sum / divisor, within(16 * eps * magnitude / divisor));
          }
        }
      }
    }
  }

  private static long[] longs(int[] values) {
    return Arrays.stream(values).asLongStream().toArray();
  }

  @Test
  void nllOfLogSoftmaxIsCrossEntropy() {
    Tensor x = tensor(DType.F64, random(4 * 6, new SplittableRandom(9)), 4, 6);
    x.requiresGrad(true);
    Tensor t = Tensors.of(DEVICE, new long[] {5, -100, 0, 2});
    Tensor a = x.crossEntropy(t);
    a.backward();
    double[] expected = x.grad().toDoubleArray();
    Tensor z = tensor(DType.F64, x.toDoubleArray(), 4, 6).requiresGrad(true);
    Tensor b = z.logSoftmax(1).nllLoss(t);
    b.backward();
    assertThat(b.item()).isCloseTo(a.item(), within(1e-14));
    assertThat(z.grad().toDoubleArray()).containsExactly(expected, within(1e-14));
  }

  @Test
  void nllLeavesOutWhatDoesNotCount() {
    double[] at = {-INF, -1, -2, Double.NaN, -3, -INF};
    Tensor x = tensor(DType.F32, at, 3, 2).requiresGrad(true);
    Tensor t = Tensors.of(DEVICE, new long[] {0, 7, 0});
    Tensor weight = tensor(DType.F32, new double[] {0, 1}, 2);
    Tensor loss = x.nllLoss(t, weight, 7, LossReduction.SUM);
    assertThat(loss.item()).isZero();
    loss.backward();
    assertThat(x.grad().toDoubleArray()).containsOnly(0);
    assertThat(x.nllLoss(t, weight, 7, LossReduction.MEAN).item()).isNaN();
    assertThat(x.detach().nllLoss(t, null, 7, LossReduction.NONE).toDoubleArray())
        .containsExactly(INF, 0, 3);
  }

  @Test
  void refusesOperandsThatDoNotMatch() {
    Tensor x = Tensors.zeros(DEVICE, DType.F32, 2, 3);
    Tensor row = Tensors.zeros(DEVICE, DType.F32, 3);
    Tensor classes = Tensors.of(DEVICE, new int[] {1, 2});
    assertThatThrownBy(() -> x.mseLoss(row))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage(
            "mseLoss: targets must have the predictions' shape and dtype and live on their device;"
                + " predictions=f32[2, 3] on "
                + DEVICE
                + ", targets=f32[3] on "
                + DEVICE);
    Tensor wide = Tensors.zeros(DEVICE, DType.F64, 2, 3);
    assertThatThrownBy(() -> x.l1Loss(wide)).hasMessageStartingWith("l1Loss: targets must have");
    assertThatThrownBy(() -> x.huberLoss(row, 1))
        .hasMessageStartingWith("huberLoss: targets must have");
    assertThatThrownBy(() -> x.smoothL1Loss(row, 1))
        .hasMessageStartingWith("smoothL1Loss: targets must have");
    assertThatThrownBy(() -> x.binaryCrossEntropyWithLogits(row))
        .hasMessageStartingWith(
            "binaryCrossEntropyWithLogits: targets must have the logits' shape and dtype");
    assertThatThrownBy(() -> classes.mseLoss(classes))
        .hasMessage(
            "mseLoss: predictions must be f64, f32, bf16 or f16; predictions="
                + "i32[2] on "
                + DEVICE);
    assertThatThrownBy(() -> classes.nllLoss(classes))
        .hasMessageStartingWith("nllLoss: logProbs must be f64, f32, bf16 or f16;");
  }

  @Test
  void refusesOptionsOutOfRange() {
    Tensor x = Tensors.zeros(DEVICE, DType.F32, 2, 3);
    for (double delta : new double[] {0, -1, Double.NaN, INF, 1e300, 1e-60}) {
      assertThatThrownBy(() -> x.huberLoss(x, delta))
          .hasMessage("huberLoss: delta must be positive and finite; delta=" + delta);
    }
    for (double beta : new double[] {-1, Double.NaN, INF}) {
      assertThatThrownBy(() -> x.smoothL1Loss(x, beta))
          .hasMessage("smoothL1Loss: beta must be finite and not negative; beta=" + beta);
    }
    for (Tensor bad :
        new Tensor[] {
          Tensors.ones(DEVICE, DType.F32, 2),
          Tensors.ones(DEVICE, DType.F64, 3),
          Tensors.ones(DEVICE, DType.F32, 1, 2, 3)
        }) {
      assertThatThrownBy(() -> x.binaryCrossEntropyWithLogits(x, bad, LossReduction.MEAN))
          .hasMessageStartingWith(
              "binaryCrossEntropyWithLogits: posWeight must be broadcast to the logits' shape");
    }
  }

  @Test
  void nllRefusesTargetsAndWeights() {
    Tensor x = Tensors.zeros(DEVICE, DType.F32, 2, 3);
    Tensor t = Tensors.of(DEVICE, new long[] {1, 2});
    assertThatThrownBy(() -> x.nllLoss(Tensors.of(DEVICE, new long[] {1, 3})))
        .hasMessage(
            "nllLoss: targets must be in 0..classes - 1 or the ignored class; position=1,"
                + " target=3, classes=3, ignoreIndex=-100");
    assertThatThrownBy(() -> x.nllLoss(Tensors.of(DEVICE, new long[] {-1, 0})))
        .hasMessageContaining("position=0, target=-1");
    assertThatThrownBy(() -> x.nllLoss(Tensors.of(DEVICE, new long[] {1, 1, 1})))
        .hasMessage(
            "nllLoss: targets must have the shape of logProbs without the class dimension;"
                + " logProbs=[2, 3], targets=[3]");
    assertThatThrownBy(() -> x.nllLoss(x))
        .hasMessageStartingWith("nllLoss: targets must be classes (i64 or i32)");
    Tensor scalar = Tensors.full(DEVICE, DType.F32, 1);
    assertThatThrownBy(() -> scalar.nllLoss(t))
        .hasMessageStartingWith("nllLoss: logProbs must have shape [classes] or [n, classes, ...]");
    Tensor w = Tensors.ones(DEVICE, DType.F64, 3);
    assertThatThrownBy(() -> x.nllLoss(t, w, -100, LossReduction.MEAN))
        .hasMessageStartingWith("nllLoss: weight must have shape [classes] and dtype f32;");
  }

  /** By the definition: three classes, one of which has a single example that is not averaged. */
  @Test
  void contrastiveLossComparesWithTheDefinition() {
    long[] labels = {4, 0, 4, 7, 0, 4};
    int n = labels.length;
    int size = 3;
    double t = 0.3;
    double[] x = random(n * size, new SplittableRandom(8));
    double sum = 0;
    int counted = 0;
    for (int i = 0; i < n; i++) {
      double all = 0;
      double mean = 0;
      int positives = 0;
      for (int a = 0; a < n; a++) {
        all += a == i ? 0 : Math.exp(cosine(x, size, i, a) / t);
        positives += a != i && labels[a] == labels[i] ? 1 : 0;
      }
      for (int p = 0; p < n; p++) {
        if (p != i && labels[p] == labels[i]) {
          mean -= Math.log(Math.exp(cosine(x, size, i, p) / t) / all) / positives;
        }
      }
      sum += mean;
      counted += positives > 0 ? 1 : 0;
    }
    assertThat(counted).isEqualTo(5);
    Tensor y = Tensors.of(DEVICE, labels);
    // logits of at most 1 / t: a few roundings of them
    assertThat(tensor(DType.F64, x, n, size).contrastiveLoss(y, t).item())
        .isCloseTo(sum / counted, within(1e-14));
    assertThat(tensor(DType.F32, x, n, size).contrastiveLoss(y, t).item())
        .isCloseTo(sum / counted, within(32 * 0x1p-24 / t));
    assertThat(tensor(DType.BF16, x, n, size).contrastiveLoss(y, t).dtype()).isEqualTo(DType.F32);
  }

  private static double cosine(double[] x, int size, int i, int j) {
    double product = 0;
    double a = 0;
    double b = 0;
    for (int k = 0; k < size; k++) {
      product += x[i * size + k] * x[j * size + k];
      a += x[i * size + k] * x[i * size + k];
      b += x[j * size + k] * x[j * size + k];
    }
    return product / Math.sqrt(a * b);
  }

  @Test
  void contrastiveLossRefusesAndHasNoMeanOfNothing() {
    Tensor x = tensor(DType.F32, new double[] {1, 2, 3, 4}, 2, 2);
    assertThat(x.contrastiveLoss(Tensors.of(DEVICE, new long[] {0, 1}), 1).item()).isNaN();
    assertThatThrownBy(() -> x.contrastiveLoss(Tensors.of(DEVICE, new long[] {0, 1, 1}), 1))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageStartingWith(
            "contrastiveLoss: labels must be integers, one for each row of embeddings [n, size];");
    Tensor y = Tensors.of(DEVICE, new long[] {1, 1});
    for (double bad : new double[] {0, -1, Double.NaN, INF}) {
      assertThatThrownBy(() -> x.contrastiveLoss(y, bad))
          .hasMessage(
              "contrastiveLoss: temperature must be positive and finite; temperature=" + bad);
    }
  }
}
