package dev.gridstride.kernels;

import static dev.gridstride.testing.Close.assertClose;
import static dev.gridstride.testing.Close.assertSameBits;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.kernels.NormOracle.Kind;
import dev.gridstride.testing.TestArray;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Layer, root-mean-square, group and batch normalization against their definitions in double. */
@ExtendWith(TestDevice.class)
class NormTest {
  private static final Device DEVICE = TestDevice.get();

  static List<NormCase> cases() {
    var cases = new ArrayList<NormCase>();
    int[] cols = {1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 127, 2047, 2048, 2049, 5003};
    for (Kind kind : new Kind[] {Kind.LAYER, Kind.RMS}) {
      for (int c : cols) {
        cases.add(NormCase.rows(kind, DType.F32, 5, c));
      }
      for (DType type : new DType[] {DType.F64, DType.BF16, DType.F16}) {
        cases.add(NormCase.rows(kind, type, 4, 37));
      }
      cases.add(NormCase.rows(kind, DType.F32, 1100, 35)); // several tasks in both directions
      cases.add(NormCase.rows(kind, DType.F32, 0, 4));
      cases.add(NormCase.rows(kind, DType.F32, 4, 0));
      cases.add(NormCase.rows(kind, DType.F64, 1, 1));
    }
    for (ImageLayout layout : ImageLayout.values()) {
      for (DType type : DType.values()) {
        if (type.isFloating()) {
          cases.add(new NormCase(Kind.GROUP, type, layout, 3, 6, 5, 2, 1e-5));
          cases.add(new NormCase(Kind.BATCH, type, layout, 3, 6, 5, 1, 1e-5));
        }
      }
      for (int[] d :
          new int[][] {
            {2, 1, 9, 1}, {1, 4, 1, 2}, {4, 12, 1, 3}, {2, 16, 7, 4}, {3, 17, 65, 17},
            {2, 33, 64, 3}, {2, 31, 63, 1}, {1, 520, 66, 8}, {2, 6, 70000, 3}, {1, 48, 3000, 48},
            {0, 4, 3, 2}, {2, 4, 0, 2}, {2, 0, 3, 1}, {65, 5, 1, 1}
          }) {
        cases.add(new NormCase(Kind.GROUP, DType.F32, layout, d[0], d[1], d[2], d[3], 1e-5));
        cases.add(new NormCase(Kind.BATCH, DType.F32, layout, d[0], d[1], d[2], 1, 1e-3));
      }
    }
    return cases;
  }

  /**
   * Elements are of order 1 to 5 and a few roundings from exact; a statistic of m elements is a sum
   * of short f32 sums, off by a few roundings whatever m; gamma's gradient is a sum of k products,
   * off by at most sqrt(k) roundings in each block of 64 and of order sqrt(k).
   */
  private static void check(NormCase op, double[] xs, boolean withGamma) {
    double[] gs = TestArray.normal(op.c(), 2);
    double[] bs = TestArray.normal(op.c(), 3);
    if (!withGamma) {
      Arrays.fill(gs, 1);
    }
    if (!withGamma || op.kind() == Kind.RMS) {
      Arrays.fill(bs, 0);
    }
    try (var x = TestArray.of(DEVICE, op.type(), xs);
        var g = TestArray.of(DEVICE, op.type(), gs);
        var b = TestArray.of(DEVICE, op.type(), bs);
        var y = TestArray.output(DEVICE, op.type(), op.count());
        var m = TestArray.output(DEVICE, op.statType(), op.stats());
        var r = TestArray.output(DEVICE, op.statType(), op.stats());
        var dy = TestArray.normal(DEVICE, op.type(), op.count(), 4);
        var dx = TestArray.output(DEVICE, op.type(), op.count());
        var dg = TestArray.output(DEVICE, op.type(), op.c());
        var db = TestArray.output(DEVICE, op.type(), op.c())) {
      var oracle = op.oracle().measure(x.get());
      oracle.forward(x.get(), g.get(), b.get());
      oracle.backward(x.get(), g.get(), dy.get(), false);
      TestArray gamma = withGamma ? g : null;
      op.forward(x, gamma, withGamma ? b : null, y, m, r);
      double eps = op.type().epsilon();
      assertClose("y", y.get(), oracle.y, 8 * eps, 32 * eps);
      double statEps = op.statType().epsilon();
      if (op.kind() != Kind.RMS) {
        assertClose("mean", m.get(), oracle.mean, 4 * statEps, 4 * statEps);
      }
      var rstd = new double[op.stats()];
      Arrays.setAll(rstd, oracle::rstd);
      assertClose("rstd", r.get(), rstd, 8 * statEps, 0);
      op.backward(x, gamma, m, r, dy, dx, dg, op.kind() == Kind.RMS ? null : db);
      double scale = Arrays.stream(rstd).max().orElse(1);
      assertClose("dx", dx.get(), oracle.dx, 16 * eps, 64 * scale * eps);
      double terms = Math.max(1, (double) op.n() * op.s());
      assertClose("dgamma", dg.get(), oracle.dgamma, 16 * eps, 32 * eps * Math.sqrt(terms));
      if (op.kind() != Kind.RMS) {
        assertClose("dbeta", db.get(), oracle.dbeta, 16 * eps, 32 * eps * Math.sqrt(terms));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void matchesOracle(NormCase op) {
    check(op, TestArray.normal(op.count(), 1), true);
  }

  static List<NormCase> fewCases() {
    return List.of(
        NormCase.rows(Kind.LAYER, DType.F32, 70, 333),
        NormCase.rows(Kind.RMS, DType.F32, 70, 333),
        NormCase.rows(
            Kind.LAYER, DType.F32, 70, 336), // whole vectors, which have a path of their own
        NormCase.rows(Kind.RMS, DType.F32, 70, 64),
        new NormCase(Kind.GROUP, DType.F32, ImageLayout.NCHW, 2, 36, 333, 3, 1e-5),
        new NormCase(Kind.GROUP, DType.F32, ImageLayout.NHWC, 2, 36, 333, 3, 1e-5),
        new NormCase(Kind.BATCH, DType.F32, ImageLayout.NCHW, 5, 37, 333, 1, 1e-5),
        new NormCase(Kind.BATCH, DType.F32, ImageLayout.NHWC, 5, 37, 999, 1, 1e-5));
  }

  @ParameterizedTest
  @MethodSource("fewCases")
  void worksWithoutParameters(NormCase op) {
    check(op, TestArray.normal(op.count(), 1), false);
  }

  @ParameterizedTest
  @MethodSource("fewCases")
  void aLargeMeanCostsNoDigits(NormCase op) {
    for (double mean : new double[] {1e4, -1e6}) {
      double[] x = TestArray.normal(op.count(), 1);
      for (int i = 0; i < x.length; i++) {
        x[i] += mean;
      }
      check(op, x, true);
    }
  }

  @ParameterizedTest
  @MethodSource("fewCases")
  void anOutlierCostsNoDigits(NormCase op) {
    double[] x = TestArray.normal(op.count(), 1);
    for (int i = 0; i < x.length; i += 500) {
      x[i] = 1e5;
    }
    check(op, x, true);
  }

  /** In place, and with gradients left out, the same bits. */
  @ParameterizedTest
  @MethodSource("fewCases")
  void inPlaceAndInPart(NormCase op) {
    try (var x = TestArray.normal(DEVICE, op.type(), op.count(), 1);
        var g = TestArray.normal(DEVICE, op.type(), op.c(), 2);
        var y = TestArray.output(DEVICE, op.type(), op.count());
        var z = TestArray.of(DEVICE, op.type(), x.get());
        var m = TestArray.output(DEVICE, op.statType(), op.stats());
        var r = TestArray.output(DEVICE, op.statType(), op.stats());
        var dy = TestArray.normal(DEVICE, op.type(), op.count(), 4);
        var dx = TestArray.output(DEVICE, op.type(), op.count());
        var dg = TestArray.output(DEVICE, op.type(), op.c());
        var dg2 = TestArray.output(DEVICE, op.type(), op.c())) {
      op.forward(x, g, null, y, m, r);
      op.forward(z, g, null, z, m, r);
      assertSameBits("y", z.get(), y.get());
      op.backward(x, g, m, r, dy, dx, dg, null);
      op.backward(x, g, m, r, dy, null, dg2, null);
      assertSameBits("dgamma", dg2.get(), dg.get());
      op.backward(x, g, m, r, dy, dy, null, null);
      assertSameBits("dx", dy.get(), dx.get());
    }
  }

  @ParameterizedTest
  @MethodSource("fewCases")
  @ResourceLock("threads")
  void sameBitsForAnyNumberOfThreads(NormCase few) {
    var op =
        new NormCase(
            few.kind(),
            few.type(),
            few.layout(),
            few.kind() == Kind.RMS || few.kind() == Kind.LAYER ? 1001 : 3,
            few.c(),
            few.kind() == Kind.RMS || few.kind() == Kind.LAYER ? 1 : 9000,
            few.groups(),
            few.eps());
    int before = DEVICE.threads();
    var results = new ArrayList<double[]>();
    try (var x = TestArray.normal(DEVICE, op.type(), op.count(), 1);
        var g = TestArray.normal(DEVICE, op.type(), op.c(), 2);
        var y = TestArray.output(DEVICE, op.type(), op.count());
        var m = TestArray.output(DEVICE, op.statType(), op.stats());
        var r = TestArray.output(DEVICE, op.statType(), op.stats());
        var dg = TestArray.output(DEVICE, op.type(), op.c());
        var db = TestArray.output(DEVICE, op.type(), op.c())) {
      for (int threads : new int[] {1, 2, 3}) {
        DEVICE.threads(threads);
        op.forward(x, g, null, y, m, r);
        results.add(y.get());
        op.backward(x, g, m, r, x, y, dg, op.kind() == Kind.RMS ? null : db);
        results.add(y.get());
        results.add(dg.get());
        results.add(db.get());
      }
    } finally {
      DEVICE.threads(before);
    }
    for (int i = 4; i < results.size(); i++) {
      assertSameBits("result " + i, results.get(i), results.get(i % 4));
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void nanAndInfinityStayInTheirGroup(Kind kind) {
    for (double bad : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
      for (ImageLayout layout : ImageLayout.values()) {
        int s = kind == Kind.LAYER || kind == Kind.RMS ? 1 : 3;
        var op = new NormCase(kind, DType.F32, layout, 2, 40, s, 1, 1e-5);
        var xs = TestArray.normal(op.count(), 1);
        xs[0] = bad;
        var oracle = op.oracle().measure(xs);
        oracle.forward(xs, ones(40), new double[40]);
        try (var x = TestArray.of(DEVICE, DType.F32, xs);
            var y = TestArray.output(DEVICE, DType.F32, op.count());
            var m = TestArray.output(DEVICE, DType.F32, op.stats());
            var r = TestArray.output(DEVICE, DType.F32, op.stats())) {
          op.forward(x, null, null, y, m, r);
          assertClose("y", y.get(), oracle.y, 1e-6, 4e-6);
          assertThat(Arrays.stream(y.get()).filter(Double::isNaN).count())
              .isPositive()
              .isLessThan(op.count());
        }
      }
    }
  }

  private static double[] ones(int n) {
    var v = new double[n];
    Arrays.fill(v, 1);
    return v;
  }

  /** Rows whose squares overflow f32, among others that share their task. */
  @Test
  void hugeRowsAmongOthers() {
    for (Kind kind : new Kind[] {Kind.LAYER, Kind.RMS}) {
      var op = NormCase.rows(kind, DType.F32, 70, 64);
      double[] xs = TestArray.normal(op.count(), 1);
      for (int row : new int[] {0, 3, 4, 69}) {
        for (int i = 64 * row; i < 64 * (row + 1); i++) {
          xs[i] *= 1e30;
        }
      }
      try (var x = TestArray.of(DEVICE, DType.F32, xs);
          var g = TestArray.normal(DEVICE, DType.F32, 64, 2);
          var y = TestArray.output(DEVICE, DType.F32, op.count());
          var m = TestArray.output(DEVICE, DType.F32, op.stats());
          var r = TestArray.output(DEVICE, DType.F32, op.stats())) {
        op.forward(x, g, null, y, m, r);
        var oracle = op.oracle().measure(x.get());
        oracle.forward(x.get(), g.get(), new double[64]);
        assertClose("y", y.get(), oracle.y, 1e-6, 4e-6);
        var rstd = new double[op.stats()];
        Arrays.setAll(rstd, oracle::rstd);
        assertClose("rstd", r.get(), rstd, 1e-6, 0);
      }
    }
  }

  /** Squares that overflow f32 in both signs, and no variance at all. */
  @ParameterizedTest
  @MethodSource("fewCases")
  void extremeValues(NormCase op) {
    double[] huge = TestArray.normal(op.count(), 1);
    for (int i = 0; i < huge.length; i++) {
      huge[i] *= 1e30;
    }
    var constant = new double[op.count()];
    Arrays.fill(constant, 3);
    for (double[] xs : List.of(huge, constant)) {
      try (var x = TestArray.of(DEVICE, op.type(), xs);
          var y = TestArray.output(DEVICE, op.type(), op.count());
          var m = TestArray.output(DEVICE, op.statType(), op.stats());
          var r = TestArray.output(DEVICE, op.statType(), op.stats())) {
        op.forward(x, null, null, y, m, r);
        var oracle = op.oracle().measure(x.get());
        oracle.forward(x.get(), ones(op.c()), new double[op.c()]);
        assertClose("y", y.get(), oracle.y, 1e-6, 4e-6);
      }
    }
  }
}
