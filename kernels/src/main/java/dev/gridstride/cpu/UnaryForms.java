package dev.gridstride.cpu;

import dev.gridstride.cpu.scalar.ScalarMath;
import dev.gridstride.cpu.vector.VectorForms;
import dev.gridstride.cpu.vector.VectorUnary;
import dev.gridstride.kernels.Unary.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What each {@link Function} computes, in double and, where it pays, in f32 vectors. */
final class UnaryForms {
  private static final double SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
  private static final double SQRT_2_PI = Math.sqrt(2 * Math.PI);

  private UnaryForms() {}

  private interface Value {
    double of(double x, double a, double b);
  }

  private interface Slope {
    double of(double saved, double a, double b);
  }

  private interface Whole {
    long of(long x, long a, long b);
  }

  private record Form(
      Value value, Slope slope, Whole whole, @Nullable Supplier<VectorUnary> vectors)
      implements UnaryForm {
    @Override
    public double apply(double x, double a, double b) {
      return value.of(x, a, b);
    }

    @Override
    public double gradient(double saved, double dy, double a, double b) {
      return dy * slope.of(saved, a, b);
    }

    @Override
    public long apply(long x, long a, long b) {
      return whole.of(x, a, b);
    }

    @Override
    public @Nullable VectorUnary vector() {
      return vectors == null ? null : vectors.get();
    }
  }

  private static Form form(Value value, Slope slope, @Nullable Supplier<VectorUnary> vectors) {
    return new Form(value, slope, (x, a, b) -> (long) value.of(x, a, b), vectors);
  }

  private static Form form(Value value, Slope slope) {
    return form(value, slope, null);
  }

  /** The form of a function. */
  static UnaryForm of(Function function) {
    return switch (function) {
      case NEG ->
          new Form((x, a, b) -> -x, (x, a, b) -> -1, (x, a, b) -> -x, () -> new VectorForms.Neg());
      case ABS ->
          new Form(
              (x, a, b) -> Math.abs(x),
              (x, a, b) -> Math.signum(x),
              (x, a, b) -> Math.abs(x),
              () -> new VectorForms.Abs());
      case SQUARE ->
          new Form(
              (x, a, b) -> x * x,
              (x, a, b) -> 2 * x,
              (x, a, b) -> x * x,
              () -> new VectorForms.Square());
      case SIGN ->
          new Form((x, a, b) -> Math.signum(x), (x, a, b) -> 0, (x, a, b) -> Long.signum(x), null);
      case CLAMP ->
          new Form(
              (x, a, b) -> Math.min(Math.max(x, a), b),
              (x, a, b) -> x >= a && x <= b ? 1 : 0,
              (x, a, b) -> Math.min(Math.max(x, a), b),
              () -> new VectorForms.Clamp());
      case SQRT ->
          form((x, a, b) -> Math.sqrt(x), (y, a, b) -> 0.5 / y, () -> new VectorForms.Sqrt());
      case RSQRT -> form((x, a, b) -> 1 / Math.sqrt(x), (y, a, b) -> -0.5 * y * y * y);
      case RECIPROCAL -> form((x, a, b) -> 1 / x, (y, a, b) -> -y * y);
      case EXP -> form((x, a, b) -> Math.exp(x), (y, a, b) -> y, () -> new VectorForms.Exp());
      case LOG -> form((x, a, b) -> Math.log(x), (x, a, b) -> 1 / x, () -> new VectorForms.Log());
      case SIN -> form((x, a, b) -> Math.sin(x), (x, a, b) -> Math.cos(x));
      case COS -> form((x, a, b) -> Math.cos(x), (x, a, b) -> -Math.sin(x));
      case FLOOR -> form((x, a, b) -> Math.floor(x), (x, a, b) -> 0);
      case CEIL -> form((x, a, b) -> Math.ceil(x), (x, a, b) -> 0);
      case ROUND -> form((x, a, b) -> Math.rint(x), (x, a, b) -> 0);
      case ERF ->
          form(
              (x, a, b) -> ScalarMath.erf(x),
              (x, a, b) -> 2 / Math.sqrt(Math.PI) * Math.exp(-x * x));
      case RELU ->
          form(
              (x, a, b) -> x > 0 || Double.isNaN(x) ? x : 0,
              (x, a, b) -> x > 0 ? 1 : 0,
              () -> new VectorForms.Relu());
      case LEAKY_RELU ->
          form(
              (x, a, b) -> x >= 0 ? x : a * x,
              (x, a, b) -> x >= 0 ? 1 : a,
              () -> new VectorForms.LeakyRelu());
      case ELU ->
          form(
              (x, a, b) -> x >= 0 ? x : a * Math.expm1(x),
              (x, a, b) -> x >= 0 ? 1 : a * Math.exp(x));
      case GELU ->
          form(
              (x, a, b) -> x * ScalarMath.normalCdf(x),
              (x, a, b) -> ScalarMath.normalCdf(x) + x * Math.exp(-x * x / 2) / SQRT_2_PI,
              () -> new VectorForms.Gelu());
      case GELU_TANH -> form(UnaryForms::geluTanh, UnaryForms::geluTanhSlope);
      case SILU ->
          form(
              (x, a, b) -> x * ScalarMath.sigmoid(x),
              (x, a, b) -> {
                double s = ScalarMath.sigmoid(x);
                return s + x * s * (1 - s);
              },
              () -> new VectorForms.Silu());
      case SIGMOID ->
          form(
              (x, a, b) -> ScalarMath.sigmoid(x),
              (y, a, b) -> y * (1 - y),
              () -> new VectorForms.Sigmoid());
      case TANH ->
          form((x, a, b) -> Math.tanh(x), (y, a, b) -> 1 - y * y, () -> new VectorForms.Tanh());
      case SOFTPLUS ->
          form(
              (x, a, b) -> ScalarMath.softplus(x),
              (x, a, b) -> ScalarMath.sigmoid(x),
              () -> new VectorForms.Softplus());
      case TAN -> form((x, a, b) -> Math.tan(x), (y, a, b) -> 1 + y * y);
      case ASIN -> form((x, a, b) -> Math.asin(x), (x, a, b) -> 1 / Math.sqrt((1 - x) * (1 + x)));
      case ACOS -> form((x, a, b) -> Math.acos(x), (x, a, b) -> -1 / Math.sqrt((1 - x) * (1 + x)));
      case ATAN -> form((x, a, b) -> Math.atan(x), (x, a, b) -> 1 / (1 + x * x));
      case SINH -> form((x, a, b) -> Math.sinh(x), (x, a, b) -> Math.cosh(x));
      case COSH -> form((x, a, b) -> Math.cosh(x), (x, a, b) -> Math.sinh(x));
      case ASINH -> form((x, a, b) -> ScalarMath.asinh(x), (x, a, b) -> 1 / Math.hypot(1, x));
      case ACOSH ->
          form(
              (x, a, b) -> ScalarMath.acosh(x),
              (x, a, b) -> 1 / (Math.sqrt(x - 1) * Math.sqrt(x + 1)));
      case ATANH -> form((x, a, b) -> ScalarMath.atanh(x), (x, a, b) -> 1 / ((1 - x) * (1 + x)));
    };
  }

  private static double geluTanh(double x, double a, double b) {
    return 0.5 * x * (1 + Math.tanh(SQRT_2_OVER_PI * (x + 0.044715 * x * x * x)));
  }

  private static double geluTanhSlope(double x, double a, double b) {
    double t = Math.tanh(SQRT_2_OVER_PI * (x + 0.044715 * x * x * x));
    double inner = SQRT_2_OVER_PI * (1 + 3 * 0.044715 * x * x);
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner;
  }
}
