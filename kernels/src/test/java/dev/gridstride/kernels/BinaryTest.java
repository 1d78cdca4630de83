package dev.gridstride.kernels;

import static dev.gridstride.testing.Close.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.Binary.Kind;
import dev.gridstride.testing.TestArray;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Elementwise functions of two operands, and the choice between two, against plain loops. */
@ExtendWith(TestDevice.class)
class BinaryTest {
  private static final Device DEVICE = TestDevice.get();

  static Stream<Binary> cases() {
    var shapes =
        new long[][][] {
          {{}, {}},
          {{1}, {1}},
          {{33}, {33}},
          {{3, 17}, {17}},
          {{3, 17}, {3, 1}},
          {{5, 1}, {1, 19}},
          {{2, 3, 4}, {}},
          {{0, 4}, {1, 4}},
          // runs that are long enough to be unrolled, at every distance from an aligned address
          {{17, 145}, {17, 145}},
          {{17, 145}, {145}},
          {{17, 145}, {17, 1}},
          {{17, 1}, {17, 145}},
          // lines of two dimensions, several to a task and several tasks
          {{3, 40, 150}, {3, 1, 150}},
          {{3, 40, 150}, {40, 1}},
          {{40_000}, {40_000}}
        };
    var cases = new ArrayList<Binary>();
    for (var s : shapes) {
      for (Kind kind : Kind.values()) {
        Layout a = Layout.contiguous(s[0]);
        Layout b = Layout.contiguous(s[1]);
        if (kind.isLogical()) {
          cases.add(Binary.of(kind, DType.BOOL, a, b));
          continue;
        }
        for (DType t : new DType[] {DType.F32, DType.F64, DType.BF16, DType.I64, DType.I32}) {
          cases.add(Binary.of(kind, t, a, b));
        }
      }
    }
    // operands that come from memory, not from a cache
    Layout large = Layout.contiguous(2101, 1001);
    Layout column = Layout.contiguous(2101, 1);
    cases.add(Binary.of(Kind.SUB, DType.F32, large, large));
    cases.add(Binary.of(Kind.SUB, DType.F32, large, column));
    cases.add(Binary.of(Kind.SUB, DType.F32, column, large));
    // channels last, a permuted view, a gap
    Layout nhwc = Layout.contiguous(2, 4, 5, 3).permute(0, 3, 1, 2);
    Layout bias = Layout.contiguous(3, 1, 1).broadcastTo("test", 2, 3, 4, 5);
    cases.add(new Binary(Kind.ADD, DType.F32, nhwc, bias, nhwc));
    cases.add(new Binary(Kind.SUB, DType.F32, bias, nhwc, nhwc));
    Layout t = Layout.contiguous(7, 5).permute(1, 0);
    cases.add(new Binary(Kind.MUL, DType.F32, t, Layout.contiguous(5, 7), t));
    Layout gap = Layout.of(new long[] {3, 4}, new long[] {10, 2});
    cases.add(new Binary(Kind.DIV, DType.F32, gap, Layout.contiguous(3, 4), gap));
    return cases.stream();
  }

  /** Offset of element {@code e}, counted row-major, in a layout. */
  private static int at(Layout l, long e) {
    long offset = 0;
    long rest = e;
    for (int i = l.rank() - 1; i >= 0; i--) {
      offset += rest % l.dim(i) * l.stride(i);
      rest /= l.dim(i);
    }
    return (int) offset;
  }

  private static double f(Kind kind, double p, double q, boolean integer) {
    return switch (kind) {
      case ADD -> p + q;
      case SUB -> p - q;
      case MUL -> p * q;
      case DIV -> integer ? (long) p / (long) q : p / q;
      case MAX -> Math.max(p, q);
      case MIN -> Math.min(p, q);
      case POW -> integer && q < 0 ? (long) Math.pow(p, q) : Math.pow(p, q);
      case EQ -> p == q ? 1 : 0;
      case NE, XOR -> p != q ? 1 : 0;
      case LT -> p < q ? 1 : 0;
      case LE -> p <= q ? 1 : 0;
      case GT -> p > q ? 1 : 0;
      case GE -> p >= q ? 1 : 0;
      case AND -> p != 0 && q != 0 ? 1 : 0;
      case OR -> p != 0 || q != 0 ? 1 : 0;
    };
  }

  private static double[] data(Binary op, Layout l, long seed) {
    double[] v = TestArray.integers(l.span(), seed);
    boolean special = op.kind() == Kind.DIV || op.kind() == Kind.POW;
    return Arrays.stream(v).map(x -> special && x == 0 ? 3 : x).toArray();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void matchesOracle(Binary op) {
    boolean integer = !op.type().isFloating();
    try (var a = TestArray.of(DEVICE, op.type(), data(op, op.a(), 1));
        var b = TestArray.of(DEVICE, op.type(), data(op, op.b(), 2));
        var y = TestArray.output(DEVICE, op.resultType(), op.y().span())) {
      double[] expected = y.get();
      double[] p = a.get();
      double[] q = b.get();
      for (long e = 0; e < op.y().count(); e++) {
        expected[at(op.y(), e)] = f(op.kind(), p[at(op.a(), e)], q[at(op.b(), e)], integer);
      }
      DEVICE.plan(op).run(DEVICE.defaultStream(), a.buffer(), b.buffer(), y.buffer());
      assertClose("y", y.get(), expected, op.resultType().epsilon(), 0);
    }
  }

  @Test
  void nanAndInfinity() {
    double nan = Double.NaN;
    double inf = Double.POSITIVE_INFINITY;
    Layout l = Layout.contiguous(20);
    var p = new double[20];
    var q = new double[20];
    double[] values = {nan, 1, nan, inf, -inf};
    double[] others = {1, nan, nan, inf, inf};
    for (int i = 0; i < 20; i++) {
      p[i] = values[i % 5];
      q[i] = others[i % 5];
    }
    for (DType t : new DType[] {DType.F32, DType.F64}) {
      for (Kind kind : Kind.values()) {
        if (kind.isLogical() || kind == Kind.POW) {
          continue;
        }
        var op = Binary.of(kind, t, l, l);
        try (var a = TestArray.of(DEVICE, t, p);
            var b = TestArray.of(DEVICE, t, q);
            var y = TestArray.output(DEVICE, op.resultType(), 20)) {
          DEVICE.plan(op).run(DEVICE.defaultStream(), a.buffer(), b.buffer(), y.buffer());
          var expected = new double[20];
          for (int i = 0; i < 20; i++) {
            expected[i] = f(kind, p[i], q[i], false);
          }
          assertClose(kind.toString(), y.get(), expected, 0, 0);
        }
      }
    }
  }

  @Test
  void worksInPlace() {
    for (int rows : new int[] {1, 17}) {
      int n = rows == 1 ? 21 : 145;
      Layout l = Layout.contiguous(rows, n);
      Layout row = Layout.contiguous(n).broadcastTo("test", rows, n);
      try (var a = TestArray.normal(DEVICE, DType.F32, rows * n, 1);
          var b = TestArray.normal(DEVICE, DType.F32, n, 2)) {
        double[] p = a.get();
        double[] q = b.get();
        DEVICE
            .plan(new Binary(Kind.ADD, DType.F32, l, row, l))
            .run(DEVICE.defaultStream(), a.buffer(), b.buffer(), a.buffer());
        double[] got = a.get();
        for (int i = 0; i < got.length; i++) {
          assertThat(got[i]).isEqualTo((float) p[i] + (float) q[i % n]);
        }
      }
    }
  }

  @Test
  void choosesByCondition() {
    for (DType t : DType.values()) {
      try (var c = TestArray.of(DEVICE, DType.BOOL, 1, 0, 1);
          var a = TestArray.of(DEVICE, t, 1, 1, 1, 1, 1, 1);
          var b = TestArray.of(DEVICE, t, 0);
          var y = TestArray.output(DEVICE, t, 6)) {
        Layout l = Layout.contiguous(2, 3);
        var op =
            new Where(
                t,
                Layout.contiguous(3).broadcastTo("test", 2, 3),
                l,
                Layout.contiguous().broadcastTo("test", 2, 3),
                l);
        DEVICE.plan(op).run(DEVICE.defaultStream(), c.buffer(), a.buffer(), b.buffer(), y.buffer());
        assertThat(y.get()).containsExactly(1, 0, 1, 1, 0, 1);
      }
    }
  }

  @Test
  void refusesBadArguments() {
    Layout l = Layout.contiguous(2);
    assertThatThrownBy(() -> new Binary(Kind.ADD, DType.F32, l, l, Layout.contiguous(3)))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageStartingWith("binary: layouts must have the same sizes");
    assertThatThrownBy(() -> Binary.of(Kind.ADD, DType.F32, l, Layout.contiguous(3)))
        .hasMessageContaining("a=[2], b=[3]");
    assertThatThrownBy(() -> Binary.of(Kind.ADD, DType.BOOL, l, l)).hasMessageContaining("type");
    assertThatThrownBy(() -> Binary.of(Kind.AND, DType.F32, l, l))
        .hasMessageContaining("must be bool");
    Layout twice = Layout.contiguous(1).broadcastTo("test", 2);
    assertThatThrownBy(() -> new Binary(Kind.ADD, DType.F32, l, l, twice))
        .hasMessageContaining("must not name an element twice");
    assertThatThrownBy(() -> new Where(DType.F32, l, l, l, twice)).hasMessageContaining("twice");
    assertThatThrownBy(() -> new Where(DType.F32, Layout.contiguous(3), l, l, l))
        .hasMessageContaining("same sizes");
    try (var a = TestArray.of(DEVICE, DType.I32, 1, 2);
        var zero = TestArray.of(DEVICE, DType.I32, 1, 0);
        var y = TestArray.of(DEVICE, DType.I32, 7, 7)) {
      var plan = DEVICE.plan(Binary.of(Kind.DIV, DType.I32, l, l));
      assertThatThrownBy(
              () -> plan.run(DEVICE.defaultStream(), a.buffer(), zero.buffer(), y.buffer()))
          .hasMessageContaining("must not hold 0");
      assertThat(y.get()).containsExactly(7, 7);
      var less = DEVICE.plan(Binary.of(Kind.LT, DType.I32, l, l));
      assertThatThrownBy(
              () -> less.run(DEVICE.defaultStream(), a.buffer(), zero.buffer(), a.buffer()))
          .hasMessageContaining("y must not overlap a");
    }
  }
}
