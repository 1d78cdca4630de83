package dev.gridstride.kernels;

import static dev.gridstride.testing.Close.assertClose;
import static dev.gridstride.testing.Close.assertSameBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.Reduce.Kind;
import dev.gridstride.testing.TestArray;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Reductions against loops in double over every index. */
@ExtendWith(TestDevice.class)
class ReduceTest {
  private static final Device DEVICE = TestDevice.get();

  static Stream<Reduce> cases() {
    var layouts =
        new Layout[] {
          Layout.contiguous(),
          Layout.contiguous(1),
          Layout.contiguous(70),
          Layout.contiguous(5, 33),
          Layout.contiguous(131, 17),
          Layout.contiguous(3, 5, 65),
          Layout.contiguous(4, 3, 2, 9),
          Layout.contiguous(3, 0, 2),
          Layout.contiguous(20, 300).permute(1, 0),
          Layout.contiguous(3, 4, 5).permute(2, 0, 1),
          Layout.of(new long[] {3, 7}, new long[] {20, 2}),
          Layout.of(new long[] {3, 7}, new long[] {0, 1})
        };
    var cases = new ArrayList<Reduce>();
    for (Layout l : layouts) {
      for (long axes = 0; axes < 1L << l.rank(); axes++) {
        for (Kind kind : Kind.values()) {
          cases.add(new Reduce(kind, DType.F32, l, axes));
        }
        cases.add(new Reduce(Kind.SUM, DType.F64, l, axes));
        cases.add(new Reduce(Kind.L2, DType.BF16, l, axes));
        cases.add(new Reduce(Kind.SUM, DType.I64, l, axes));
        cases.add(new Reduce(Kind.PROD, DType.I32, l, axes));
        if (l.count() > 0) {
          cases.add(new Reduce(Kind.MAX, DType.I32, l, axes));
          cases.add(new Reduce(Kind.MIN, DType.U8, l, axes));
        }
      }
    }
    for (Kind kind : new Kind[] {Kind.SUM, Kind.MAX, Kind.MIN, Kind.L2}) {
      // columns in blocks, and blocks in several chunks of rows
      cases.add(Reduce.of(kind, DType.F32, Layout.contiguous(2, 2100, 300), 1));
      cases.add(Reduce.of(kind, DType.F32, Layout.contiguous(3000, 40), 0));
    }
    return cases.stream();
  }

  /** For each element in row-major order: its place in x and the output that it goes to. */
  private static int[][] places(Reduce op) {
    Layout l = op.x();
    int n = (int) l.count();
    var out = new int[2][n];
    var index = new long[l.rank()];
    for (int e = 0; e < n; e++) {
      long rest = e;
      for (int i = l.rank() - 1; i >= 0; i--) {
        index[i] = rest % l.dim(i);
        rest /= l.dim(i);
      }
      for (int i = 0; i < l.rank(); i++) {
        out[0][e] += (int) (index[i] * l.stride(i));
        out[1][e] = op.reduces(i) ? out[1][e] : (int) (out[1][e] * l.dim(i) + index[i]);
      }
    }
    return out;
  }

  private static double[] oracle(Reduce op, double[] x) {
    int[][] p = places(op);
    int outputs = (int) Layout.contiguous(op.outputDims()).count();
    var lists = new ArrayList<ArrayList<Double>>();
    for (int o = 0; o < outputs; o++) {
      lists.add(new ArrayList<>());
    }
    for (int e = 0; e < p[0].length; e++) {
      lists.get(p[1][e]).add(x[p[0][e]]);
    }
    return lists.stream()
        .mapToDouble(l -> reduce(op.kind(), l.stream().mapToDouble(v -> v).toArray()))
        .toArray();
  }

  private static double reduce(Kind kind, double[] v) {
    return switch (kind) {
      case SUM -> Arrays.stream(v).sum();
      case MEAN -> Arrays.stream(v).sum() / v.length;
      case MAX -> Arrays.stream(v).reduce(Double.NEGATIVE_INFINITY, Math::max);
      case MIN -> Arrays.stream(v).reduce(Double.POSITIVE_INFINITY, Math::min);
      case PROD -> Arrays.stream(v).reduce(1, (a, b) -> a * b);
      case SUM_SQUARES -> Arrays.stream(v).map(a -> a * a).sum();
      case L1 -> Arrays.stream(v).map(Math::abs).sum();
      case L2 -> Math.sqrt(Arrays.stream(v).map(a -> a * a).sum());
      case LOG_SUM_EXP -> Math.log(Arrays.stream(v).map(Math::exp).sum());
    };
  }

  @ParameterizedTest
  @MethodSource("cases")
  void matchesOracle(Reduce op) {
    // integers up to 4: sums are exact, products of many leave f32's and i32's range
    boolean product = op.kind() == Kind.PROD;
    double[] data =
        op.type().isFloating() && !product
            ? TestArray.normal(op.x().span(), 3)
            : Arrays.stream(TestArray.integers(op.x().span(), 3))
                .map(v -> product ? (v < 0 ? -1 : 1) : op.type() == DType.U8 ? Math.abs(v) : v)
                .toArray();
    long outputs = Layout.contiguous(op.outputDims()).count();
    try (var x = TestArray.of(DEVICE, op.type(), data);
        var y = TestArray.output(DEVICE, op.type(), outputs)) {
      DEVICE.plan(op).run(DEVICE.defaultStream(), x.buffer(), y.buffer());
      // sums of normal values cancel: the error is relative to the sum of magnitudes, sqrt(n)-ish
      double tol = 16 * op.type().epsilon();
      double n = Math.max(1, op.x().count() / Math.max(1.0, outputs));
      assertClose("y", y.get(), oracle(op, x.get()), tol, tol * Math.sqrt(n));
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void nanSpreads(Kind kind) {
    for (long axes : new long[] {1, 2}) {
      var op = new Reduce(kind, DType.F32, Layout.contiguous(40, 40), axes);
      double[] data = TestArray.normal(1600, 1);
      data[3 * 40 + 37] = Double.NaN;
      try (var x = TestArray.of(DEVICE, DType.F32, data);
          var y = TestArray.output(DEVICE, DType.F32, 40)) {
        DEVICE.plan(op).run(DEVICE.defaultStream(), x.buffer(), y.buffer());
        double[] got = y.get();
        for (int i = 0; i < 40; i++) {
          assertThat(Double.isNaN(got[i])).isEqualTo(i == (axes == 1 ? 37 : 3));
        }
      }
    }
  }

  @Test
  void sumsTenMillionOnesAndGradedDataExactly() {
    int n = 10_000_000;
    var op = Reduce.of(Kind.SUM, DType.F32, Layout.contiguous(n), 0);
    var column = Reduce.of(Kind.SUM, DType.F32, Layout.contiguous(n / 4, 4), 0);
    var ones = new double[n];
    Arrays.fill(ones, 1);
    try (var x = TestArray.of(DEVICE, DType.F32, ones);
        var y = TestArray.output(DEVICE, DType.F32, 1);
        var y4 = TestArray.output(DEVICE, DType.F32, 4)) {
      DEVICE.plan(op).run(DEVICE.defaultStream(), x.buffer(), y.buffer());
      assertThat(y.get()).containsExactly(n);
      DEVICE.plan(column).run(DEVICE.defaultStream(), x.buffer(), y4.buffer());
      assertThat(y4.get()).containsExactly(n / 4.0, n / 4.0, n / 4.0, n / 4.0);
      ones[0] = 1e8; // a running f32 sum would lose every 1 after it
      x.set(ones);
      DEVICE.plan(op).run(DEVICE.defaultStream(), x.buffer(), y.buffer());
      assertThat(y.get()[0]).isCloseTo(1e8 + n - 1, org.assertj.core.data.Offset.offset(4e4));
    }
  }

  @Test
  void survivesExtremes() {
    double inf = Double.POSITIVE_INFINITY;
    var op = Reduce.of(Kind.LOG_SUM_EXP, DType.F32, Layout.contiguous(4, 2), 1);
    try (var x = TestArray.of(DEVICE, DType.F32, 3e38, 3e38, -inf, -inf, inf, 0, -1e4, -1e4);
        var y = TestArray.output(DEVICE, DType.F32, 4)) {
      DEVICE.plan(op).run(DEVICE.defaultStream(), x.buffer(), y.buffer());
      assertClose(
          "y", y.get(), new double[] {(float) 3e38, -inf, inf, -1e4 + Math.log(2)}, 1e-6, 0);
    }
  }

  @Test
  void gradientsOfTiesAndZeros() {
    try (var x = TestArray.of(DEVICE, DType.F64, 3, 0, 3, 0, 2, 5);
        var y = TestArray.output(DEVICE, DType.F64, 2);
        var dy = TestArray.of(DEVICE, DType.F64, 6, 6);
        var dx = TestArray.output(DEVICE, DType.F64, 6)) {
      for (var expected :
          new Object[][] {
            {Kind.MAX, new double[] {3, 0, 3, 0, 0, 6}},
            {Kind.MIN, new double[] {0, 6, 0, 6, 0, 0}},
            {Kind.PROD, new double[] {0, 54, 0, 60, 0, 0}},
            {Kind.L1, new double[] {6, 0, 6, 0, 6, 6}}
          }) {
        var plan =
            DEVICE.plan(Reduce.of((Kind) expected[0], DType.F64, Layout.contiguous(2, 3), 1));
        plan.run(DEVICE.defaultStream(), x.buffer(), y.buffer());
        plan.backward(DEVICE.defaultStream(), x.buffer(), y.buffer(), dy.buffer(), dx.buffer());
        assertClose(expected[0].toString(), dx.get(), (double[]) expected[1], 1e-15, 0);
      }
    }
  }

  @Test
  @ResourceLock("threads")
  void sameBitsForAnyNumberOfThreads() {
    int before = DEVICE.threads();
    Layout l = Layout.contiguous(2, 300_000);
    for (var op :
        new Reduce[] {
          Reduce.of(Kind.SUM, DType.F32, l, 0, 1),
          Reduce.of(Kind.SUM, DType.F32, l, 1),
          Reduce.of(Kind.L2, DType.F32, Layout.contiguous(150_000, 4), 0)
        }) {
      long outputs = Layout.contiguous(op.outputDims()).count();
      try (var x = TestArray.normal(DEVICE, DType.F32, 600_000, 1);
          var y1 = TestArray.output(DEVICE, DType.F32, outputs);
          var y2 = TestArray.output(DEVICE, DType.F32, outputs)) {
        DEVICE.threads(1);
        DEVICE.plan(op).run(DEVICE.defaultStream(), x.buffer(), y1.buffer());
        DEVICE.threads(3);
        DEVICE.plan(op).run(DEVICE.defaultStream(), x.buffer(), y2.buffer());
        assertSameBits("y", y2.get(), y1.get());
      } finally {
        DEVICE.threads(before);
      }
    }
  }

  @Test
  void refusesBadArguments() {
    Layout l = Layout.contiguous(2, 3);
    assertThatThrownBy(() -> Reduce.of(Kind.SUM, DType.F32, l, 2))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage("reduce: axes must name dimensions; axis=2, rank=2");
    assertThatThrownBy(() -> new Reduce(Kind.SUM, DType.F32, l, 4))
        .hasMessageContaining("axes bits=100");
    assertThatThrownBy(() -> Reduce.of(Kind.MEAN, DType.I32, l, 0)).hasMessageContaining("type");
    assertThatThrownBy(() -> Reduce.of(Kind.SUM, DType.BOOL, l, 0)).hasMessageContaining("type");
    assertThatThrownBy(() -> Reduce.of(Kind.MAX, DType.I32, Layout.contiguous(0), 0))
        .hasMessageContaining("must not be empty");
    try (var x = TestArray.normal(DEVICE, DType.F32, 6, 1);
        var i = TestArray.of(DEVICE, DType.I32, 1, 2, 3, 4, 5, 6)) {
      var s = DEVICE.defaultStream();
      var plan = DEVICE.plan(Reduce.of(Kind.SUM, DType.F32, l, 1));
      assertThatThrownBy(() -> plan.run(s, x.buffer(), x.buffer()))
          .hasMessageContaining("y must not overlap x");
      var ints = DEVICE.plan(Reduce.of(Kind.SUM, DType.I32, l, 1));
      assertThatThrownBy(() -> ints.backward(s, i.buffer(), i.buffer(), i.buffer(), i.buffer()))
          .hasMessageContaining("must be floating");
      assertThat(plan.explain().toString()).contains(TestDevice.isCpu() ? "(rows)" : "cuda");
    }
  }

  /** In every part of a loop: unrolled, whole vectors, one by one; a NaN of either sign. */
  @ParameterizedTest
  @ValueSource(ints = {1, 15, 16, 17, 64, 80, 143})
  void findsNansAndExtremesAnywhere(int n) {
    double[] nans = {Double.NaN, Double.longBitsToDouble(0xFFF8000000000000L)};
    for (Kind kind : new Kind[] {Kind.MAX, Kind.MIN}) {
      var plan = DEVICE.plan(Reduce.of(kind, DType.F32, Layout.contiguous(2, n), 1));
      double best = kind == Kind.MAX ? 7 : -7;
      for (int at = 0; at < n; at += 5) {
        for (double special : new double[] {best, best / 0, nans[0], nans[1]}) {
          double[] v = TestArray.integers(2L * n, 1); // of magnitude 4
          v[n + at] = special;
          try (var x = TestArray.of(DEVICE, DType.F32, v);
              var y = TestArray.output(DEVICE, DType.F32, 2)) {
            plan.run(DEVICE.defaultStream(), x.buffer(), y.buffer());
            assertThat(y.get()[1]).isEqualTo(Double.valueOf(special)); // NaN is NaN
            assertThat(y.get()[0]).isBetween(-4.0, 4.0);
          }
        }
      }
    }
  }

  /** Rows and columns of one sign, of zeros of both and of infinities: a zero's sign counts. */
  @ParameterizedTest
  @ValueSource(ints = {1, 7, 16, 23, 32, 45, 100, 600})
  void ordersNumbersOfEachSign(int n) {
    int rows = 37;
    double[] special = {0, -0.0, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 1e-40, -1e-40};
    double[] v = TestArray.integers((long) rows * n, 5);
    for (int r = 0; r < rows; r++) {
      for (int j = 0; j < n; j++) {
        int i = r * n + j;
        switch (r % 4) {
          case 0 -> v[i] = 1 + Math.abs(v[i]);
          case 1 -> v[i] = -1 - Math.abs(v[i]);
          case 2 -> v[i] = v[i] > 0 ? 0 : -0.0;
          default -> v[i] = special[Math.floorMod((int) v[i], special.length)];
        }
      }
    }
    for (Kind kind : new Kind[] {Kind.MAX, Kind.MIN}) {
      for (int axis = 0; axis < 2; axis++) {
        var plan = DEVICE.plan(Reduce.of(kind, DType.F32, Layout.contiguous(rows, n), axis));
        int outputs = axis == 1 ? rows : n;
        try (var x = TestArray.of(DEVICE, DType.F32, v);
            var y = TestArray.output(DEVICE, DType.F32, outputs)) {
          plan.run(DEVICE.defaultStream(), x.buffer(), y.buffer());
          double[] got = y.get();
          for (int o = 0; o < outputs; o++) {
            double want = kind == Kind.MAX ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
            for (int k = 0; k < v.length / outputs; k++) {
              double e = (float) (axis == 1 ? v[o * n + k] : v[k * n + o]);
              want = kind == Kind.MAX ? Math.max(want, e) : Math.min(want, e);
            }
            assertThat(Double.valueOf(got[o])).as("%s %d", kind, o).isEqualTo(want);
          }
        }
      }
    }
  }
}
