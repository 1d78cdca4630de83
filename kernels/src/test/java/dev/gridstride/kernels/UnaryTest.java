package dev.gridstride.kernels;

import static dev.gridstride.testing.Close.assertClose;
import static dev.gridstride.testing.Close.assertSameBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.Unary.Function;
import dev.gridstride.testing.TestArray;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Elementwise functions against their definitions in double, slopes by differences of those. */
@ExtendWith(TestDevice.class)
class UnaryTest {
  private static final Device DEVICE = TestDevice.get();
  private static final double A = 0.25;
  private static final double B = 1.5;

  /** By Simpson's rule: shares nothing with the implementation. */
  private static double erf(double x) {
    int n = 4000;
    double h = x / n;
    double sum = 1 + Math.exp(-x * x);
    for (int i = 1; i < n; i++) {
      sum += (i % 2 == 1 ? 4 : 2) * Math.exp(-(i * h) * (i * h));
    }
    return 2 / Math.sqrt(Math.PI) * sum * h / 3;
  }

  private static double f(Function function, double x) {
    return switch (function) {
      case NEG -> -x;
      case ABS -> Math.abs(x);
      case SQUARE -> x * x;
      case SIGN -> x > 0 ? 1 : x < 0 ? -1 : x;
      case CLAMP -> x < A ? A : x > B ? B : x;
      case SQRT -> Math.sqrt(x);
      case RSQRT -> 1 / Math.sqrt(x);
      case RECIPROCAL -> 1 / x;
      case EXP -> Math.exp(x);
      case LOG -> Math.log(x);
      case SIN -> Math.sin(x);
      case COS -> Math.cos(x);
      case FLOOR -> Math.floor(x);
      case CEIL -> Math.ceil(x);
      case ROUND -> Math.rint(x);
      case ERF -> erf(x);
      case RELU -> x <= 0 ? 0 : x;
      case LEAKY_RELU -> x < 0 ? A * x : x;
      case ELU -> x < 0 ? A * (Math.exp(x) - 1) : x;
      case GELU -> x * 0.5 * (1 + erf(x / Math.sqrt(2)));
      case GELU_TANH ->
          0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
      case SILU -> x / (1 + Math.exp(-x));
      case SIGMOID -> 1 / (1 + Math.exp(-x));
      case TANH -> Math.tanh(x);
      case SOFTPLUS -> Math.log(1 + Math.exp(x));
      case TAN -> Math.sin(x) / Math.cos(x);
      case ASIN -> Math.atan2(x, Math.sqrt((1 - x) * (1 + x)));
      case ACOS -> Math.atan2(Math.sqrt((1 - x) * (1 + x)), x);
      case ATAN -> Math.atan2(x, 1);
      case SINH -> (Math.exp(x) - Math.exp(-x)) / 2;
      case COSH -> (Math.exp(x) + Math.exp(-x)) / 2;
      case ASINH -> x < 0 ? -f(function, -x) : Math.log(x + Math.sqrt(x * x + 1));
      case ACOSH -> Math.log(x + Math.sqrt(x * x - 1));
      case ATANH -> Math.log((1 + x) / (1 - x)) / 2;
    };
  }

  private static double[] inputs(Function function, int n) {
    double[] x = TestArray.normal(n, 7);
    return Arrays.stream(x).map(v -> inDomain(function, v)).toArray();
  }

  private static double inDomain(Function function, double v) {
    return switch (function) {
      case LOG, SQRT, RSQRT -> Math.abs(v) + 0.01;
      case TAN, ASIN, ACOS, ATANH -> v / (1.1 + Math.abs(v));
      case ACOSH -> Math.abs(v) + 1.1;
      default -> v;
    };
  }

  @ParameterizedTest
  @EnumSource(Function.class)
  void matchesDefinition(Function function) {
    for (DType type : new DType[] {DType.F32, DType.F64, DType.BF16, DType.F16}) {
      for (int n : new int[] {0, 1, 7, 16, 33, 1009}) {
        var op = new Unary(function, type, A, B, n);
        try (var x = TestArray.of(DEVICE, type, inputs(function, n));
            var y = TestArray.output(DEVICE, type, n)) {
          DEVICE.plan(op).forward(DEVICE.defaultStream(), x.buffer(), y.buffer());
          double[] expected = Arrays.stream(x.get()).map(v -> f(function, v)).toArray();
          // a few ulp of the type; the oracle's own error (1 - erf, log(1 + e)) is below 1e-12
          assertClose(type + "", y.get(), expected, 4 * type.epsilon() + 1e-12, 1e-7 * eps(type));
        }
      }
    }
  }

  private static double eps(DType type) {
    return type == DType.F64 ? 1e-5 : type == DType.F32 ? 1 : 1000;
  }

  @ParameterizedTest
  @EnumSource(Function.class)
  void gradientMatchesSlope(Function function) {
    if (!function.isDifferentiable()) {
      return;
    }
    for (DType type : new DType[] {DType.F32, DType.F64}) {
      int n = 100;
      var op = new Unary(function, type, A, B, n);
      // away from the corners of the piecewise functions
      double[] xs =
          Arrays.stream(TestArray.normal(n, 7))
              .map(v ->
                  Math.abs(v) < 0.01 || Math.abs(v - A) < 0.01 || Math.abs(v - B) < 0.01 ? 2 : v)
              .map(v -> inDomain(function, v))
              .toArray();
      try (var x = TestArray.of(DEVICE, type, xs);
          var y = TestArray.output(DEVICE, type, n);
          var dy = TestArray.normal(DEVICE, type, n, 3);
          var dx = TestArray.output(DEVICE, type, n)) {
        var plan = DEVICE.plan(op);
        plan.forward(DEVICE.defaultStream(), x.buffer(), y.buffer());
        plan.backward(
            DEVICE.defaultStream(),
            function.savesResult() ? y.buffer() : x.buffer(),
            dy.buffer(),
            dx.buffer());
        double[] at = x.get();
        double[] g = dy.get();
        var expected = new double[n];
        for (int i = 0; i < n; i++) {
          double h = 1e-4 * Math.max(1e-2, Math.abs(at[i]));
          double fine = (f(function, at[i] + h) - f(function, at[i] - h)) / (2 * h);
          double wide = (f(function, at[i] + 2 * h) - f(function, at[i] - 2 * h)) / (4 * h);
          expected[i] = g[i] * (4 * fine - wide) / 3;
        }
        double tol = type == DType.F64 ? 2e-8 : 2e-6;
        assertClose(type + "", dx.get(), expected, tol, tol);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Function.class)
  void edgesAgreeBetweenF32AndF64(Function function) {
    double inf = Double.POSITIVE_INFINITY;
    double[] edges = {Double.NaN, inf, -inf, 0, -0.0, 1e-38, 100, -100, 3e38, -3e38, 0.5, 1.5};
    var op = new Unary(function, DType.F32, A, B, edges.length);
    try (var x = TestArray.of(DEVICE, DType.F32, edges);
        var y = TestArray.output(DEVICE, DType.F32, edges.length);
        var x64 = TestArray.of(DEVICE, DType.F64, x.get());
        var y64 = TestArray.output(DEVICE, DType.F64, edges.length)) {
      DEVICE.plan(op).forward(DEVICE.defaultStream(), x.buffer(), y.buffer());
      DEVICE
          .plan(new Unary(function, DType.F64, A, B, edges.length))
          .forward(DEVICE.defaultStream(), x64.buffer(), y64.buffer());
      double[] expected = Arrays.stream(y64.get()).map(v -> (double) (float) v).toArray();
      assertClose(function + "", y.get(), expected, 1e-6, 1e-37);
    }
  }

  @Test
  void integersWrapAround() {
    for (DType type : new DType[] {DType.I32, DType.I64}) {
      try (var x = TestArray.of(DEVICE, type, -3, 0, 5);
          var y = TestArray.output(DEVICE, type, 3)) {
        Object[][] cases = {
          {Function.NEG, new double[] {3, 0, -5}},
          {Function.ABS, new double[] {3, 0, 5}},
          {Function.SQUARE, new double[] {9, 0, 25}},
          {Function.SIGN, new double[] {-1, 0, 1}},
          {Function.CLAMP, new double[] {-1, 0, 2}}
        };
        for (Object[] c : cases) {
          DEVICE
              .plan(new Unary((Function) c[0], type, -1, 2, 3))
              .forward(DEVICE.defaultStream(), x.buffer(), y.buffer());
          assertThat(y.get()).containsExactly((double[]) c[1]);
        }
      }
    }
  }

  @Test
  @ResourceLock("threads")
  void sameBitsForAnyNumberOfThreadsAndInPlace() {
    int before = DEVICE.threads();
    int n = 50_001;
    var plan = DEVICE.plan(Unary.of(Function.TANH, DType.F32, n));
    try (var x = TestArray.normal(DEVICE, DType.F32, n, 1);
        var y = TestArray.output(DEVICE, DType.F32, n)) {
      DEVICE.threads(1);
      plan.forward(DEVICE.defaultStream(), x.buffer(), y.buffer());
      DEVICE.threads(3);
      plan.forward(DEVICE.defaultStream(), x.buffer(), x.buffer());
      assertSameBits("y", x.get(), y.get());
    } finally {
      DEVICE.threads(before);
    }
  }

  @Test
  void refusesBadArguments() {
    assertThatThrownBy(() -> Unary.of(Function.EXP, DType.I32, 3))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage("unary: type must be f64, f32, bf16, f16; type=i32, function=EXP");
    assertThatThrownBy(() -> Unary.of(Function.NEG, DType.BOOL, 3)).hasMessageContaining("i64");
    assertThatThrownBy(() -> Unary.of(Function.NEG, DType.F32, -3)).hasMessageContaining("-3");
    try (var x = TestArray.normal(DEVICE, DType.F32, 3, 1)) {
      var sign = DEVICE.plan(Unary.of(Function.SIGN, DType.F32, 3));
      assertThatThrownBy(
              () -> sign.backward(DEVICE.defaultStream(), x.buffer(), x.buffer(), x.buffer()))
          .hasMessageContaining("function must have a gradient");
      var big = DEVICE.plan(Unary.of(Function.SIGN, DType.F32, 4));
      assertThatThrownBy(() -> big.forward(DEVICE.defaultStream(), x.buffer(), x.buffer()))
          .hasMessageContaining("x must hold at least 4 elements");
    }
  }
}
