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
import dev.gridstride.testing.TestArray;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Attention against its definition in double. */
@ExtendWith(TestDevice.class)
class AttentionTest {
  private static final Device DEVICE = TestDevice.get();
  private static final Stream STREAM = DEVICE.defaultStream();

  /** All results by plain loops. */
  private static final class Oracle {
    final double[] y;
    final double[] lse;
    final double[] dq;
    final double[] dk;
    final double[] dv;

    Oracle(Attention op, double[] q, double[] k, double[] v, double[] dy) {
      int e = (int) op.depth();
      int d = (int) op.valueDepth();
      int rows = (int) (op.products() * op.queries());
      y = new double[rows * d];
      lse = new double[rows];
      dq = new double[q.length];
      dk = new double[k.length];
      dv = new double[v.length];
      for (int row = 0; row < rows; row++) {
        int i = row % (int) op.queries();
        int base = (int) (row / op.queries() / op.sharing() * op.keys());
        int n = (int) (op.causal() ? Math.min(op.keys(), i + 1) : op.keys());
        var w = new double[n];
        double max = Double.NEGATIVE_INFINITY;
        for (int j = 0; j < n; j++) {
          for (int c = 0; c < e; c++) {
            w[j] += op.scale() * q[row * e + c] * k[(base + j) * e + c];
          }
          max = Math.max(max, w[j]);
        }
        double sum = 0;
        for (int j = 0; j < n; j++) {
          w[j] = Math.exp(w[j] - max);
          sum += w[j];
        }
        lse[row] = n == 0 ? Double.NEGATIVE_INFINITY : max + Math.log(sum);
        var dw = new double[n];
        double delta = 0;
        for (int j = 0; j < n; j++) {
          w[j] /= sum;
          for (int c = 0; c < d; c++) {
            y[row * d + c] += w[j] * v[(base + j) * d + c];
            dw[j] += dy[row * d + c] * v[(base + j) * d + c];
            dv[(base + j) * d + c] += w[j] * dy[row * d + c];
          }
          delta += w[j] * dw[j];
        }
        for (int j = 0; j < n; j++) {
          double ds = op.scale() * w[j] * (dw[j] - delta);
          for (int c = 0; c < e; c++) {
            dq[row * e + c] += ds * k[(base + j) * e + c];
            dk[(base + j) * e + c] += ds * q[row * e + c];
          }
        }
      }
    }
  }

  private static List<Attention> cases() {
    var cases = new ArrayList<Attention>();
    for (DType type : new DType[] {DType.F32, DType.F64, DType.BF16, DType.F16}) {
      cases.add(new Attention(type, 1, 1, 1, 1, 1, 1, 1, false));
      cases.add(new Attention(type, 2, 2, 65, 33, 7, 65, 0.4, true));
      cases.add(new Attention(type, 4, 2, 5, 70, 24, 8, 0.2, false));
    }
    long[][] shapes = {
      {3, 63, 64, 16, 16},
      {1, 64, 255, 8, 3},
      {1, 130, 257, 5, 9},
      {1, 300, 17, 33, 1},
      {1, 3, 600, 2, 130},
      {1, 4, 5, 0, 3},
      {1, 4, 5, 3, 0},
      {2, 3, 0, 2, 2},
      {2, 0, 3, 2, 2},
      {0, 3, 3, 2, 2}
    };
    for (long[] s : shapes) {
      for (boolean causal : new boolean[] {false, true}) {
        cases.add(new Attention(DType.F32, s[0], 1, s[1], s[2], s[3], s[4], 0.5, causal));
      }
    }
    return cases;
  }

  private static long keyRows(Attention op) {
    return op.products() / op.sharing() * op.keys();
  }

  /**
   * Elements are of order 1 to 5. y is a mean, a few roundings of its type and sqrt(keys) of the
   * sums' from exact; the gradients are sums of up to so many terms, and use the rounded y.
   */
  @ParameterizedTest
  @MethodSource("cases")
  void matchesOracle(Attention op) {
    long rows = op.products() * op.queries();
    try (var q = TestArray.normal(DEVICE, op.type(), rows * op.depth(), 1);
        var k = TestArray.normal(DEVICE, op.type(), keyRows(op) * op.depth(), 2);
        var v = TestArray.normal(DEVICE, op.type(), keyRows(op) * op.valueDepth(), 3);
        var dy = TestArray.normal(DEVICE, op.type(), rows * op.valueDepth(), 4);
        var y = TestArray.output(DEVICE, op.type(), rows * op.valueDepth());
        var lse = TestArray.output(DEVICE, op.statType(), rows);
        var dq = TestArray.output(DEVICE, op.type(), rows * op.depth());
        var dk = TestArray.output(DEVICE, op.type(), keyRows(op) * op.depth());
        var dv = TestArray.output(DEVICE, op.type(), keyRows(op) * op.valueDepth())) {
      var oracle = new Oracle(op, q.get(), k.get(), v.get(), dy.get());
      var plan = DEVICE.plan(op);
      plan.forward(STREAM, q.buffer(), k.buffer(), v.buffer(), y.buffer(), lse.buffer());
      long terms = Math.max(op.queries() * op.sharing(), Math.max(op.keys(), op.depth()));
      double sums = 16 * op.statType().epsilon() * Math.sqrt(Math.max(1, terms));
      double tolerance = 4 * op.type().epsilon() + sums;
      assertClose("y", y.get(), oracle.y, tolerance, tolerance);
      assertClose("lse", lse.get(), oracle.lse, sums, sums);
      plan.backward(
          STREAM,
          q.buffer(),
          k.buffer(),
          v.buffer(),
          y.buffer(),
          lse.buffer(),
          dy.buffer(),
          dq.buffer(),
          dk.buffer(),
          dv.buffer());
      double wider = 8 * tolerance;
      assertClose("dq", dq.get(), oracle.dq, wider, wider);
      assertClose("dk", dk.get(), oracle.dk, wider, wider);
      assertClose("dv", dv.get(), oracle.dv, wider, wider);
    }
  }

  /** Each gradient alone, and for any number of threads, the same bits. */
  @Test
  @ResourceLock("threads")
  void sameBitsInPartAndForAnyNumberOfThreads() {
    var op = new Attention(DType.F32, 2, 1, 150, 300, 9, 7, 0.3, true);
    int before = DEVICE.threads();
    var results = new ArrayList<double[]>();
    try (var q = TestArray.normal(DEVICE, DType.F32, 2 * 150 * 9, 1);
        var k = TestArray.normal(DEVICE, DType.F32, 2 * 300 * 9, 2);
        var v = TestArray.normal(DEVICE, DType.F32, 2 * 300 * 7, 3);
        var y = TestArray.output(DEVICE, DType.F32, 2 * 150 * 7);
        var lse = TestArray.output(DEVICE, DType.F32, 2 * 150);
        var dq = TestArray.output(DEVICE, DType.F32, 2 * 150 * 9);
        var dk = TestArray.output(DEVICE, DType.F32, 2 * 300 * 9);
        var dv = TestArray.output(DEVICE, DType.F32, 2 * 300 * 7)) {
      var plan = DEVICE.plan(op);
      for (int threads : new int[] {1, 2, 3}) {
        DEVICE.threads(threads);
        Buffer qs = q.buffer();
        Buffer ks = k.buffer();
        Buffer vs = v.buffer();
        Buffer ys = y.buffer();
        Buffer l = lse.buffer();
        plan.forward(STREAM, qs, ks, vs, ys, l);
        plan.backward(STREAM, qs, ks, vs, ys, l, ys, dq.buffer(), null, null);
        plan.backward(STREAM, qs, ks, vs, ys, l, ys, null, dk.buffer(), null);
        plan.backward(STREAM, qs, ks, vs, ys, l, ys, null, null, dv.buffer());
        results.addAll(List.of(y.get(), lse.get(), dq.get(), dk.get(), dv.get()));
      }
    } finally {
      DEVICE.threads(before);
    }
    for (int i = 5; i < results.size(); i++) {
      assertSameBits("result " + i, results.get(i), results.get(i % 5));
    }
  }

  @Test
  void scoresThatAreNotFinite() {
    double inf = Double.POSITIVE_INFINITY;
    var op = new Attention(DType.F32, 1, 1, 5, 2, 2, 1, 1, false);
    try (var q = TestArray.of(DEVICE, DType.F32, 1e4, 0, 0, 1e4, Double.NaN, 0, -inf, 1, inf, 1);
        var k = TestArray.of(DEVICE, DType.F32, 1e4, 0, 1, 1e4);
        var v = TestArray.of(DEVICE, DType.F32, 5, 7);
        var y = TestArray.output(DEVICE, DType.F32, 5)) {
      DEVICE.plan(op).forward(STREAM, q.buffer(), k.buffer(), v.buffer(), y.buffer(), null);
      assertClose("y", y.get(), new double[] {5, 7, Double.NaN, Double.NaN, Double.NaN}, 0, 0);
    }
  }

  /** What a query does not look at can't matter: other keys of another length, the same bits. */
  @Test
  void causalQueriesDoNotSeeLaterKeys() {
    try (var q = TestArray.normal(DEVICE, DType.F32, 5 * 4, 1);
        var k = TestArray.normal(DEVICE, DType.F32, 9 * 4, 2);
        var v = TestArray.normal(DEVICE, DType.F32, 9 * 4, 3);
        var y = TestArray.output(DEVICE, DType.F32, 5 * 4);
        var z = TestArray.output(DEVICE, DType.F32, 5 * 4)) {
      DEVICE
          .plan(Attention.of(1, 5, 9, 4).withCausal())
          .forward(STREAM, q.buffer(), k.buffer(), v.buffer(), y.buffer(), null);
      DEVICE
          .plan(Attention.of(1, 5, 5, 4).withCausal())
          .forward(STREAM, q.buffer(), k.buffer(), v.buffer(), z.buffer(), null);
      assertClose("y", y.get(), z.get(), 4 * DType.F32.epsilon(), 4 * DType.F32.epsilon());
    }
  }

  @Test
  void refusesBadDescriptionsAndOperands() {
    assertThatThrownBy(() -> Attention.of(1, -2, 3, 4))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage(
            "attention: sizes must not be negative; products=1, queries=-2, keys=3, depth=4,"
                + " valueDepth=4");
    assertThatThrownBy(() -> Attention.of(3, 1, 1, 1).withSharing(2))
        .hasMessage("attention: sharing must divide the products; sharing=2, products=3");
    assertThatThrownBy(() -> Attention.of(3, 1, 1, 1).withSharing(0))
        .hasMessageContaining("sharing=0");
    assertThatThrownBy(() -> Attention.of(1, 1, 1, 1).with(DType.I32))
        .hasMessage("attention: type must be f64, f32, bf16 or f16; type=i32");
    assertThatThrownBy(() -> new Attention(DType.F32, 1, 1, 1, 1, 1, 1, Double.NaN, false))
        .hasMessage("attention: scale must be a number; scale=NaN");
    assertThatThrownBy(() -> Attention.of(1L << 40, 1L << 40, 1, 1))
        .isInstanceOf(InvalidArgumentException.class);
    var plan = DEVICE.plan(Attention.of(1, 2, 2, 2));
    try (var a = TestArray.normal(DEVICE, DType.F32, 4, 1);
        var b = TestArray.normal(DEVICE, DType.F32, 3, 1);
        var c = TestArray.output(DEVICE, DType.F32, 4)) {
      Buffer x = a.buffer();
      Buffer y = c.buffer();
      assertThatThrownBy(() -> plan.forward(STREAM, x, b.buffer(), x, y, null))
          .hasMessageStartingWith("attention: k must hold at least 4 elements of f32");
      assertThatThrownBy(() -> plan.forward(STREAM, x, x, x, x, null))
          .hasMessageStartingWith("attention: y must not overlap q");
      assertThatThrownBy(() -> plan.forward(STREAM, x, x, x, y, y))
          .hasMessageStartingWith("attention: lse must not overlap y");
      assertThatThrownBy(() -> plan.backward(STREAM, x, x, x, x, x, x, y, y, null))
          .hasMessageStartingWith("attention: dk must not overlap dq");
      assertThatThrownBy(() -> plan.backward(STREAM, x, x, x, x, x, x, null, null, x))
          .hasMessageStartingWith("attention: dv must not overlap q");
    }
    if (TestDevice.isCpu()) {
      assertThat(plan.explain().toString())
          .isEqualTo(
              "attention on cpu: tiles (tiles of 64 queries and 256 keys), workspace 0 bytes");
    } else {
      assertThat(Attention.of(1, 2, 2, 257).supports(DEVICE).toString())
          .contains("depths up to 256; given depth=257");
    }
  }
}
