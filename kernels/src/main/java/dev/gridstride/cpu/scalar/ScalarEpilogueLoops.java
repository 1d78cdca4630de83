package dev.gridstride.cpu.scalar;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gridstride.cpu.EpilogueLoops;
import dev.gridstride.kernels.Epilogue.Activation;
import java.lang.foreign.MemorySegment;

/** Activations computed in double, for rows of f64 or f32. */
public final class ScalarEpilogueLoops implements EpilogueLoops {
  private static final double INV_SQRT_2PI = 0.3989422804014327;
  private static final double SQRT_2_OVER_PI = 0.7978845608028654;
  private static final double CUBIC = 0.044715;

  private final boolean wide;

  /** Rows of f64 when {@code wide}, or else of f32. */
  public ScalarEpilogueLoops(boolean wide) {
    this.wide = wide;
  }

  private double get(MemorySegment s, long off, int i) {
    return wide
        ? s.get(JAVA_DOUBLE_UNALIGNED, off + 8L * i)
        : s.get(JAVA_FLOAT_UNALIGNED, off + 4L * i);
  }

  private void set(MemorySegment s, long off, int i, double v) {
    if (wide) {
      s.set(JAVA_DOUBLE_UNALIGNED, off + 8L * i, v);
    } else {
      s.set(JAVA_FLOAT_UNALIGNED, off + 4L * i, (float) v);
    }
  }

  @Override
  public void apply(Activation f, MemorySegment x, long off, int n) {
    for (int i = 0; i < n; i++) {
      set(x, off, i, value(f, get(x, off, i)));
    }
  }

  @Override
  public void differentiate(
      Activation f, MemorySegment d, long off, MemorySegment z, long zOff, int n) {
    for (int i = 0; i < n; i++) {
      double dy = get(d, off, i);
      double x = get(z, zOff, i);
      // not 0 times dy: an infinite gradient where ReLU is flat gives 0
      set(d, off, i, f == Activation.RELU ? (x <= 0 ? 0 : dy) : dy * derivative(f, x));
    }
  }

  private static double value(Activation f, double x) {
    return switch (f) {
      case IDENTITY -> x;
      case RELU -> x <= 0 ? 0 : x;
      case GELU -> x == Double.NEGATIVE_INFINITY ? 0 : x * ScalarMath.normalCdf(x);
      case GELU_TANH -> x == Double.NEGATIVE_INFINITY ? 0 : 0.5 * x * (1 + Math.tanh(inner(x)));
    };
  }

  private static double inner(double x) {
    return SQRT_2_OVER_PI * x * (1 + CUBIC * x * x);
  }

  private static double derivative(Activation f, double x) {
    return switch (f) {
      case IDENTITY -> 1;
      case RELU -> x <= 0 ? 0 : 1;
      case GELU -> {
        double density = INV_SQRT_2PI * Math.exp(-0.5 * x * x);
        yield ScalarMath.normalCdf(x) + (density == 0 ? 0 : x * density);
      }
      case GELU_TANH -> {
        double t = Math.tanh(inner(x));
        double slope = 1 - t * t;
        double u = SQRT_2_OVER_PI * (1 + 3 * CUBIC * x * x);
        yield 0.5 * (1 + t) + (slope == 0 ? 0 : 0.5 * x * slope * u);
      }
    };
  }
}
