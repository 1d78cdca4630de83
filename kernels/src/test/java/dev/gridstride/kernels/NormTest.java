package dev.gridstride.kernels;

import static dev.gridstride.testing.Close.assertClose;
import static dev.gridstride.testing.Close.assertSameBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Stream;
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
  private static final Stream STREAM = DEVICE.defaultStream();

  /** One normalization, whichever op it is. */
  record Case(
      Kind kind, DType type, ImageLayout layout, int n, int c, int s, int groups, double eps) {
    static Case rows(Kind kind, DType type, int rows, int cols) {
      return new Case(kind, type, ImageLayout.NCHW, rows, cols, 1, 1, 1e-5);
    }

    int count() {
      return n * c * s;
    }

    int stats() {
      return kind == Kind.BATCH ? c : n * groups;
    }

    DType statType() {
      return type == DType.F64 ? DType.F64 : DType.F32;
    }

    NormOracle oracle() {
      return new NormOracle(kind, layout == ImageLayout.NHWC, n, c, s, groups, eps);
    }

    void forward(TestArray x, TestArray g, TestArray b, TestArray y, TestArray m, TestArray r) {
      Buffer gamma = g == null ? null : g.buffer();
      Buffer beta = b == null ? null : b.buffer();
      switch (kind) {
        case LAYER ->
            DEVICE
                .plan(new LayerNorm(type, n, c, eps))
                .forward(STREAM, x.buffer(), gamma, beta, y.buffer(), m.buffer(), r.buffer());
        case RMS ->
            DEVICE
                .plan(new RmsNorm(type, n, c, eps))
                .forward(STREAM, x.buffer(), gamma, y.buffer(), r.buffer());
        case GROUP ->
            DEVICE
                .plan(new GroupNorm(type, layout, n, c, s, groups, eps))
                .forward(STREAM, x.buffer(), gamma, beta, y.buffer(), m.buffer(), r.buffer());
        case BATCH ->
            DEVICE
                .plan(new BatchNorm(type, layout, n, c, s, eps))
                .forward(
                    STREAM,
                    x.buffer(),
                    gamma,
                    beta,
                    y.buffer(),
                    m.buffer(),
                    r.buffer(),
                    null,
                    null,
                    0);
      }
    }

    void backward(
        TestArray x,
        TestArray g,
        TestArray m,
        TestArray r,
        TestArray dy,
        TestArray dx,
        TestArray dg,
        TestArray db) {
      Buffer gamma = g == null ? null : g.buffer();
      Buffer dxs = dx == null ? null : dx.buffer();
      Buffer dgs = dg == null ? null : dg.buffer();
      Buffer dbs = db == null ? null : db.buffer();
      Buffer xs = x.buffer();
      Buffer ms = m.buffer();
      Buffer rs = r.buffer();
      Buffer dys = dy.buffer();
      switch (kind) {
        case LAYER ->
            DEVICE
                .plan(new LayerNorm(type, n, c, eps))
                .backward(STREAM, xs, gamma, ms, rs, dys, dxs, dgs, dbs);
        case RMS ->
            DEVICE
                .plan(new RmsNorm(type, n, c, eps))
                .backward(STREAM, xs, gamma, rs, dys, dxs, dgs);
        case GROUP ->
            DEVICE
                .plan(new GroupNorm(type, layout, n, c, s, groups, eps))
                .backward(STREAM, xs, gamma, ms, rs, dys, dxs, dgs, dbs);
        case BATCH ->
            DEVICE
                .plan(new BatchNorm(type, layout, n, c, s, eps))
                .backward(STREAM, xs, gamma, ms, rs, dys, dxs, dgs, dbs);
      }
    }
  }

  static List<Case> cases() {
    var cases = new ArrayList<Case>();
    int[] cols = {1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 127, 2047, 2048, 2049, 5003};
    for (Kind kind : new Kind[] {Kind.LAYER, Kind.RMS}) {
      for (int c : cols) {
        cases.add(Case.rows(kind, DType.F32, 5, c));
      }
      for (DType type : new DType[] {DType.F64, DType.BF16, DType.F16}) {
        cases.add(Case.rows(kind, type, 4, 37));
      }
      cases.add(Case.rows(kind, DType.F32, 1100, 35)); // several tasks in both directions
      cases.add(Case.rows(kind, DType.F32, 0, 4));
      cases.add(Case.rows(kind, DType.F32, 4, 0));
      cases.add(Case.rows(kind, DType.F64, 1, 1));
    }
    for (ImageLayout layout : ImageLayout.values()) {
      for (DType type : DType.values()) {
        if (type.isFloating()) {
          cases.add(new Case(Kind.GROUP, type, layout, 3, 6, 5, 2, 1e-5));
          cases.add(new Case(Kind.BATCH, type, layout, 3, 6, 5, 1, 1e-5));
        }
      }
      for (int[] d :
          new int[][] {
            {2, 1, 9, 1}, {1, 4, 1, 2}, {4, 12, 1, 3}, {2, 16, 7, 4}, {3, 17, 65, 17},
            {2, 33, 64, 3}, {2, 31, 63, 1}, {1, 520, 66, 8}, {2, 6, 70000, 3}, {1, 48, 3000, 48},
            {0, 4, 3, 2}, {2, 4, 0, 2}, {2, 0, 3, 1}, {65, 5, 1, 1}
          }) {
        cases.add(new Case(Kind.GROUP, DType.F32, layout, d[0], d[1], d[2], d[3], 1e-5));
        cases.add(new Case(Kind.BATCH, DType.F32, layout, d[0], d[1], d[2], 1, 1e-3));
      }
    }
    return cases;
  }

  /**
   * Elements are of order 1 to 5 and a few roundings from exact; a statistic of m elements is a sum
   * of short f32 sums, off by a few roundings whatever m; gamma's gradient is a sum of k products,
   * off by at most sqrt(k) roundings in each block of 64 and of order sqrt(k).
   */
  private static void check(Case op, double[] xs, boolean withGamma) {
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
  void matchesOracle(Case op) {
    check(op, TestArray.normal(op.count(), 1), true);
  }

  static List<Case> fewCases() {
    return List.of(
        Case.rows(Kind.LAYER, DType.F32, 70, 333),
        Case.rows(Kind.RMS, DType.F32, 70, 333),
        Case.rows(Kind.LAYER, DType.F32, 70, 336), // whole vectors, which have a path of their own
        Case.rows(Kind.RMS, DType.F32, 70, 64),
        new Case(Kind.GROUP, DType.F32, ImageLayout.NCHW, 2, 36, 333, 3, 1e-5),
        new Case(Kind.GROUP, DType.F32, ImageLayout.NHWC, 2, 36, 333, 3, 1e-5),
        new Case(Kind.BATCH, DType.F32, ImageLayout.NCHW, 5, 37, 333, 1, 1e-5),
        new Case(Kind.BATCH, DType.F32, ImageLayout.NHWC, 5, 37, 999, 1, 1e-5));
  }

  @ParameterizedTest
  @MethodSource("fewCases")
  void worksWithoutParameters(Case op) {
    check(op, TestArray.normal(op.count(), 1), false);
  }

  @ParameterizedTest
  @MethodSource("fewCases")
  void aLargeMeanCostsNoDigits(Case op) {
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
  void anOutlierCostsNoDigits(Case op) {
    double[] x = TestArray.normal(op.count(), 1);
    for (int i = 0; i < x.length; i += 500) {
      x[i] = 1e5;
    }
    check(op, x, true);
  }

  /** In place, and with gradients left out, the same bits. */
  @ParameterizedTest
  @MethodSource("fewCases")
  void inPlaceAndInPart(Case op) {
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
  void sameBitsForAnyNumberOfThreads(Case few) {
    var op =
        new Case(
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
        var op = new Case(kind, DType.F32, layout, 2, 40, s, 1, 1e-5);
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
      var op = Case.rows(kind, DType.F32, 70, 64);
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
  void extremeValues(Case op) {
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

  @ParameterizedTest
  @EnumSource(ImageLayout.class)
  void batchNormKeepsRunningAverages(ImageLayout layout) {
    for (DType type : new DType[] {DType.F32, DType.F64, DType.BF16}) {
      var op = new BatchNorm(type, layout, 3, 5, 4, 1e-5);
      var c = new Case(Kind.BATCH, type, layout, 3, 5, 4, 1, 1e-5);
      try (var x = TestArray.normal(DEVICE, type, 60, 1);
          var y = TestArray.output(DEVICE, type, 60);
          var g = TestArray.normal(DEVICE, type, 5, 2);
          var b = TestArray.normal(DEVICE, type, 5, 3);
          var mean = TestArray.of(DEVICE, c.statType(), 1, 2, 3, 4, 5);
          var var = TestArray.of(DEVICE, c.statType(), 1, 1, 2, 2, 3);
          var dy = TestArray.normal(DEVICE, type, 60, 4);
          var dx = TestArray.output(DEVICE, type, 60);
          var dg = TestArray.output(DEVICE, type, 5);
          var db = TestArray.output(DEVICE, type, 5)) {
        var plan = DEVICE.plan(op);
        plan.forward(
            STREAM,
            x.buffer(),
            null,
            null,
            y.buffer(),
            null,
            null,
            mean.buffer(),
            var.buffer(),
            0.25);
        var oracle = c.oracle().measure(x.get());
        double[] m = {1, 2, 3, 4, 5};
        double[] v = {1, 1, 2, 2, 3};
        for (int i = 0; i < 5; i++) {
          m[i] = 0.75 * m[i] + 0.25 * oracle.mean[i];
          v[i] = 0.75 * v[i] + 0.25 * oracle.var[i] * 12 / 11;
        }
        assertClose("running mean", mean.get(), m, 1e-6, 1e-6);
        assertClose("running var", var.get(), v, 1e-6, 1e-6);

        var frozen = c.oracle();
        System.arraycopy(mean.get(), 0, frozen.mean, 0, 5);
        System.arraycopy(var.get(), 0, frozen.var, 0, 5);
        frozen.forward(x.get(), g.get(), b.get());
        frozen.backward(x.get(), g.get(), dy.get(), true);
        Buffer ms = mean.buffer();
        Buffer vs = var.buffer();
        plan.inference(STREAM, x.buffer(), g.buffer(), b.buffer(), ms, vs, y.buffer());
        plan.inferenceBackward(
            STREAM,
            x.buffer(),
            g.buffer(),
            ms,
            vs,
            dy.buffer(),
            dx.buffer(),
            dg.buffer(),
            db.buffer());
        double eps = type.epsilon();
        assertClose("y", y.get(), frozen.y, 8 * eps, 8 * eps);
        assertClose("dx", dx.get(), frozen.dx, 8 * eps, 8 * eps);
        assertClose("dgamma", dg.get(), frozen.dgamma, 16 * eps, 32 * eps);
        assertClose("dbeta", db.get(), frozen.dbeta, 16 * eps, 32 * eps);
        double[] before = dx.get();
        plan.inferenceBackward(
            STREAM, x.buffer(), g.buffer(), ms, vs, dy.buffer(), dx.buffer(), null, null);
        assertSameBits("dx", dx.get(), before);
      }
    }
  }

  /** A mean that f32 can't hold leaves a rest, which belongs to that call alone. */
  @Test
  void inferenceKnowsNothingOfTheTrainingBefore() {
    float far = 1 << 20;
    var plan = DEVICE.plan(BatchNorm.of(3, 2, 1));
    try (var x = TestArray.of(DEVICE, DType.F32, far, far, far + 0.125, far + 0.125, far, far);
        var mean = TestArray.of(DEVICE, DType.F32, far, far);
        var var = TestArray.of(DEVICE, DType.F32, 1, 1);
        var y = TestArray.output(DEVICE, DType.F32, 6)) {
      plan.forward(STREAM, x.buffer(), null, null, y.buffer(), null, null, null, null, 0);
      plan.inference(STREAM, x.buffer(), null, null, mean.buffer(), var.buffer(), y.buffer());
      double moved = 0.125 / Math.sqrt(1 + 1e-5);
      assertClose("y", y.get(), new double[] {0, 0, moved, moved, 0, 0}, 1e-6, 1e-6);
    }
  }

  @Test
  void runningAveragesOfOneElementAndOfNone() {
    try (var x = TestArray.of(DEVICE, DType.F32, 7, 9);
        var mean = TestArray.of(DEVICE, DType.F32, 1, 1);
        var var = TestArray.of(DEVICE, DType.F32, 1, 1);
        var y = TestArray.output(DEVICE, DType.F32, 2)) {
      Buffer m = mean.buffer();
      Buffer v = var.buffer();
      DEVICE
          .plan(BatchNorm.of(0, 2, 1))
          .forward(STREAM, x.buffer(), null, null, y.buffer(), null, null, m, v, 0.5);
      assertSameBits("mean", mean.get(), new double[] {1, 1});
      DEVICE
          .plan(BatchNorm.of(1, 2, 1))
          .forward(STREAM, x.buffer(), null, null, y.buffer(), null, null, m, v, 0.5);
      assertSameBits("mean", mean.get(), new double[] {4, 5});
      assertSameBits("var", var.get(), new double[] {0.5, 0.5});
      assertSameBits("y", y.get(), new double[] {0, 0});
    }
  }

  @Test
  void refusesBadDescriptions() {
    assertThatThrownBy(() -> LayerNorm.of(-1, 2))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage("layerNorm: sizes must not be negative; rows=-1, cols=2");
    assertThatThrownBy(() -> new RmsNorm(DType.I32, 1, 2, 0))
        .hasMessage("rmsNorm: type must be f64, f32, bf16 or f16; type=i32");
    for (double eps : new double[] {-1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> new LayerNorm(DType.F32, 1, 2, eps))
          .hasMessageStartingWith("layerNorm: eps must be finite and not negative; eps=");
    }
    assertThatThrownBy(() -> BatchNorm.of(1, -2, 3))
        .hasMessage("batchNorm: sizes must not be negative; n=1, c=-2, spatial=3");
    assertThatThrownBy(() -> GroupNorm.of(1, 6, 3, 4))
        .hasMessage("groupNorm: groups must divide the channels; groups=4, c=6");
    assertThatThrownBy(() -> GroupNorm.of(1, 6, 3, 0)).hasMessageContaining("groups=0");
    assertThatThrownBy(() -> BatchNorm.of(1L << 40, 1L << 40, 3))
        .isInstanceOf(InvalidArgumentException.class);
  }

  @Test
  void refusesBadOperands() {
    var layer = DEVICE.plan(LayerNorm.of(2, 3));
    var batch = DEVICE.plan(BatchNorm.of(2, 3, 1));
    try (var x = TestArray.normal(DEVICE, DType.F32, 6, 1);
        var y = TestArray.output(DEVICE, DType.F32, 6);
        var three = TestArray.normal(DEVICE, DType.F32, 3, 1);
        var other = TestArray.normal(DEVICE, DType.F32, 3, 1)) {
      Buffer p = three.buffer();
      assertThatThrownBy(() -> layer.forward(STREAM, x.buffer(), null, p, y.buffer(), null, null))
          .hasMessageStartingWith("layerNorm: beta must not be given without gamma");
      assertThatThrownBy(
              () -> layer.forward(STREAM, x.buffer(), p, null, y.buffer(), x.buffer(), null))
          .hasMessageStartingWith("layerNorm: mean must not overlap x");
      assertThatThrownBy(() -> layer.forward(STREAM, x.buffer(), p, null, y.buffer(), p, null))
          .hasMessageStartingWith("layerNorm: mean must not overlap gamma");
      assertThatThrownBy(() -> layer.forward(STREAM, p, null, null, y.buffer(), null, null))
          .hasMessageStartingWith("layerNorm: x must hold at least 6 elements of f32");
      Buffer o = other.buffer();
      assertThatThrownBy(
              () -> layer.backward(STREAM, x.buffer(), null, o, o, y.buffer(), p, null, null))
          .hasMessageStartingWith("layerNorm: dx must hold at least 6 elements");
      assertThatThrownBy(
              () -> layer.backward(STREAM, x.buffer(), null, o, o, y.buffer(), null, p, p))
          .hasMessageStartingWith("layerNorm: dgamma must not overlap dbeta");
      assertThatThrownBy(() ->
              layer.backward(STREAM, x.buffer(), null, o, o, y.buffer(), null, x.buffer(), null))
          .hasMessageStartingWith("layerNorm: dgamma must not overlap x");
      assertThatThrownBy(() ->
              batch.forward(STREAM, x.buffer(), null, null, y.buffer(), null, null, p, null, 0.1))
          .hasMessageStartingWith(
              "batchNorm: runningMean and runningVar must be given together; runningMean=");
      assertThatThrownBy(() ->
              batch.forward(STREAM, x.buffer(), null, null, y.buffer(), null, null, p, o, 1.5))
          .hasMessage("batchNorm: momentum must be in 0..1; momentum=1.5");
      assertThatThrownBy(() ->
              batch.forward(STREAM, x.buffer(), null, null, y.buffer(), null, null, p, p, 0.5))
          .hasMessageStartingWith("batchNorm: runningVar must not overlap runningMean");
      assertThatThrownBy(
              () -> batch.inference(STREAM, x.buffer(), null, null, y.buffer(), o, y.buffer()))
          .hasMessageStartingWith("batchNorm: y must not overlap mean");
    }
    if (TestDevice.isCpu()) {
      assertThat(layer.explain().toString())
          .isEqualTo("layerNorm on cpu: rows (contiguous rows), workspace 0 bytes");
      assertThat(batch.explain().toString()).contains("channels (channels last)");
      assertThat(DEVICE.plan(GroupNorm.of(2, 4, 3, 2)).explain().toString())
          .contains("channel by channel");
    }
    assertThat(RmsNorm.of(2, 3).supports(DEVICE).toString()).isNotEmpty();
    assertThat(GroupNorm.of(2, 4, 3, 2).with(DType.BF16, ImageLayout.NHWC).statType())
        .isEqualTo(DType.F32);
  }
}
