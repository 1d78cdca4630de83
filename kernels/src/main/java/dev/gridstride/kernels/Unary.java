package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuUnary;
import dev.gridstride.cuda.CudaUnary;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Op;
import dev.gridstride.device.Pins;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;

/**
 * An elementwise function of one array: {@code y[i] = f(x[i])}, with its gradient.
 *
 * <p>All operands have {@code count} elements without gaps, in one order. f32 by polynomials within
 * a few units in the last place, f64 by Java's Math, bf16 and f16 rounded once from a wider result;
 * i32 and i64 (wrapping around) where {@link Function#integers} says so. Deterministic.
 *
 * @param function the function
 * @param type element type of all operands
 * @param a first parameter, where the function has one
 * @param b second parameter, where the function has one
 * @param count number of elements
 */
public record Unary(Function function, DType type, double a, double b, long count)
    implements Op<Unary.Plan> {
  /** The functions; a and b are the parameters. */
  public enum Function {
    /** {@code -x}. */
    NEG(false, true),
    /** {@code |x|}; gradient 0 at 0. */
    ABS(false, true),
    /** {@code x^2}. */
    SQUARE(false, true),
    /** -1, 0 or 1. */
    SIGN(false, true),
    /** {@code min(max(x, a), b)}; gradient 1 from a to b, both included. */
    CLAMP(false, true),
    /** {@code sqrt(x)}. */
    SQRT(true, false),
    /** {@code 1 / sqrt(x)}. */
    RSQRT(true, false),
    /** {@code 1 / x}. */
    RECIPROCAL(true, false),
    /** {@code e^x}. */
    EXP(true, false),
    /** {@code ln(x)}. */
    LOG(false, false),
    /** {@code sin(x)}. */
    SIN(false, false),
    /** {@code cos(x)}. */
    COS(false, false),
    /** The largest integer not above x. */
    FLOOR(false, false),
    /** The smallest integer not below x. */
    CEIL(false, false),
    /** The nearest integer, ties to even. */
    ROUND(false, false),
    /** The error function. */
    ERF(false, false),
    /** {@code max(x, 0)}; gradient 0 at 0; NaN stays. */
    RELU(false, false),
    /** {@code x >= 0 ? x : a x}. */
    LEAKY_RELU(false, false),
    /** {@code x >= 0 ? x : a (e^x - 1)}. */
    ELU(false, false),
    /** x times the standard normal distribution function, by erf. */
    GELU(false, false),
    /** GELU by its tanh approximation. */
    GELU_TANH(false, false),
    /** {@code x / (1 + e^-x)}. */
    SILU(false, false),
    /** {@code 1 / (1 + e^-x)}. */
    SIGMOID(true, false),
    /** {@code tanh(x)}. */
    TANH(true, false),
    /** {@code ln(1 + e^x)}. */
    SOFTPLUS(false, false),
    /** {@code tan(x)}. */
    TAN(true, false),
    /** The inverse sine, in -pi/2..pi/2; NaN outside [-1, 1]. */
    ASIN(false, false),
    /** The inverse cosine, in 0..pi; NaN outside [-1, 1]. */
    ACOS(false, false),
    /** The inverse tangent, in -pi/2..pi/2. */
    ATAN(false, false),
    /** The hyperbolic sine. */
    SINH(false, false),
    /** The hyperbolic cosine. */
    COSH(false, false),
    /** The inverse hyperbolic sine. */
    ASINH(false, false),
    /** The inverse hyperbolic cosine, not negative; NaN below 1. */
    ACOSH(false, false),
    /** The inverse hyperbolic tangent; NaN outside [-1, 1]. */
    ATANH(false, false);

    private final boolean savesResult;
    private final boolean integers;

    Function(boolean savesResult, boolean integers) {
      this.savesResult = savesResult;
      this.integers = integers;
    }

    /** Whether the gradient is computed from y instead of x. */
    public boolean savesResult() {
      return savesResult;
    }

    /** Whether i32 and i64 are offered. */
    public boolean integers() {
      return integers;
    }

    /** Whether it has a gradient that is not 0 almost everywhere. */
    public boolean isDifferentiable() {
      return this != SIGN && this != FLOOR && this != CEIL && this != ROUND;
    }
  }

  private static final Implementations<Unary, Kernel> IMPLEMENTATIONS =
      Implementations.of(
          Implementation.cpu("loops", CpuUnary::new), Implementation.cuda("cuda", CudaUnary::new));

  /** Checks type and size. */
  public Unary {
    boolean integer = type == DType.I32 || type == DType.I64;
    if (!type.isFloating() && !(integer && function.integers())) {
      throw InvalidArgumentException.of(
          "unary",
          "type",
          "must be f64, f32, bf16, f16" + (function.integers() ? ", i64 or i32" : ""),
          "type=%s, function=%s",
          type,
          function);
    }
    Layout.contiguous(count);
  }

  /** A function without parameters. */
  public static Unary of(Function function, DType type, long count) {
    return new Unary(function, type, 0, 0, count);
  }

  @Override
  public String name() {
    return "unary";
  }

  @Override
  public Support supports(Device device) {
    return IMPLEMENTATIONS.supports(this, device);
  }

  @Override
  public Plan plan(Device device) {
    return new Plan(this, device);
  }

  /** What a backend implements; operands are checked and pinned. */
  public interface Kernel extends DeviceKernel {
    /** See {@link Plan#forward}. */
    void forward(Stream stream, Buffer x, Buffer y);

    /** See {@link Plan#backward}. */
    void backward(Stream stream, Buffer saved, Buffer dy, Buffer dx);
  }

  /** A function that can be run. */
  public static final class Plan extends OpPlan<Unary, Kernel> {
    private Plan(Unary op, Device device) {
      super(op, device, IMPLEMENTATIONS);
    }

    /** {@code y = f(x)}; y may be x. */
    public void forward(Stream stream, Buffer x, Buffer y) {
      checkStream(stream);
      check("x", x, op.type(), op.count());
      check("y", y, op.type(), op.count());
      checkSameOrDisjoint("y", y, "x", x);
      Pins.pinAll(op.name(), x, y);
      try {
        kernel.forward(stream, x, y);
      } finally {
        Pins.unpinAll(x, y);
      }
    }

    /**
     * {@code dx = dy f'(x)}.
     *
     * @param saved x, or y where {@link Function#savesResult} says so
     * @param dx may be dy or saved
     */
    public void backward(Stream stream, Buffer saved, Buffer dy, Buffer dx) {
      checkStream(stream);
      if (!op.function().isDifferentiable() || !op.type().isFloating()) {
        throw InvalidArgumentException.of(
            op.name(),
            "function",
            "must have a gradient",
            "function=%s, type=%s",
            op.function(),
            op.type());
      }
      check("saved", saved, op.type(), op.count());
      check("dy", dy, op.type(), op.count());
      check("dx", dx, op.type(), op.count());
      checkSameOrDisjoint("dx", dx, "dy", dy);
      checkSameOrDisjoint("dx", dx, "saved", saved);
      Pins.pinAll(op.name(), saved, dy, dx);
      try {
        kernel.backward(stream, saved, dy, dx);
      } finally {
        Pins.unpinAll(saved, dy, dx);
      }
    }
  }
}
