package dev.gridstride.cpu.vector;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.testing.Reference;
import java.util.Locale;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The f32 vector functions against double, over a scan of every binade.
 *
 * <p>No signature here names a vector type: the class must load where the module is absent.
 */
@Tag("vector-only")
class VectorMathTest {
  private static final float INF = Float.POSITIVE_INFINITY;
  private static final float NAN = Float.NaN;

  /** Coprime to every power of two, so that all low bits vary. */
  private static final int STEP = 4999;

  /**
   * A function, its reference, the range that is scanned, and the bound in ulp that its Javadoc
   * states.
   */
  record Case(String name, DoubleUnaryOperator exact, float limit, double ulps) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Case> cases() {
    float all = Float.MAX_VALUE;
    float turns = VectorFunctions.TRIGONOMETRIC_LIMIT;
    return Stream.of(
        new Case("exp", Math::exp, all, 1.5),
        new Case("expm1", Math::expm1, all, 2),
        new Case("log", Math::log, all, 1),
        new Case("log1p", Math::log1p, all, 2),
        new Case("tanh", Math::tanh, all, 2),
        new Case("sigmoid", Reference::sigmoid, all, 2.5),
        new Case("softplus", Reference::softplus, all, 2),
        new Case("erf", Reference::erf, all, 2),
        new Case("sin", Math::sin, turns, 2),
        new Case("cos", Math::cos, turns, 2));
  }

  /** All magnitudes up to a limit, both signs, every {@link #STEP}th bit pattern. */
  private static float[] scan(float limit) {
    int n = Float.floatToIntBits(limit) / STEP + 1;
    var x = new float[2 * n];
    for (int i = 0; i < n; i++) {
      x[2 * i] = Float.intBitsToFloat(i * STEP);
      x[2 * i + 1] = -x[2 * i];
    }
    return x;
  }

  /** Distance in units of the last place of the f32 nearest to the exact value. */
  private static double ulps(float actual, double exact) {
    float nearest = (float) exact;
    if (Float.floatToIntBits(actual) == Float.floatToIntBits(nearest)) {
      return 0;
    }
    if (!Float.isFinite(nearest) || !Float.isFinite(actual)) {
      // next to the overflow threshold the neighbours are the largest finite value and infinity
      return Math.abs(actual) == Float.MAX_VALUE || Math.abs(nearest) == Float.MAX_VALUE
          ? 1
          : Double.POSITIVE_INFINITY;
    }
    return Math.abs(actual - exact) / Math.ulp(nearest);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void staysWithinItsBound(Case c) {
    float[] x = scan(c.limit);
    float[] y = VectorFunctions.apply(c.name, x);
    double worst = 0;
    float at = 0;
    for (int i = 0; i < x.length; i++) {
      double u = ulps(y[i], c.exact.applyAsDouble(x[i]));
      if (!(u <= worst)) {
        worst = u;
        at = x[i];
      }
    }
    assertThat(worst)
        .as(String.format(Locale.ROOT, "%s: ulp, worst at %s", c.name, at))
        .isLessThanOrEqualTo(c.ulps);
  }

  @Test
  void normalCdfKeepsItsTail() {
    float[] x = scan(14);
    float[] y = VectorFunctions.apply("normalCdf", x);
    for (int i = 0; i < x.length; i++) {
      double exact = Reference.normalCdf(x[i]);
      double relative = x[i] > -13.2 ? 3e-7 * (1 + x[i] * (double) x[i] / 2) : 1;
      double allowed = x[i] > -1 ? 2.2e-7 : exact * relative;
      assertThat(Math.abs(y[i] - exact)).as("normalCdf(%s)", x[i]).isLessThanOrEqualTo(allowed);
    }
  }

  @Test
  void flushedExponentialsKeepTheirBound() {
    float[] x = scan(87.3f);
    float[] y = VectorFunctions.apply("expFlushed", x);
    for (int i = 0; i < x.length; i++) {
      assertThat(ulps(y[i], Math.exp(x[i])))
          .as("expFlushed(%s) in ulp", x[i])
          .isLessThanOrEqualTo(1.1 + Math.abs(x[i]) / 20);
    }
  }

  private static void check(String f, float... inputsAndOutputs) {
    for (int i = 0; i < inputsAndOutputs.length; i += 2) {
      float x = inputsAndOutputs[i];
      float y = VectorFunctions.apply(f, new float[] {x})[0];
      assertThat(Float.floatToIntBits(y))
          .as("%s(%s) = %s, expected %s", f, x, y, inputsAndOutputs[i + 1])
          .isEqualTo(Float.floatToIntBits(inputsAndOutputs[i + 1]));
    }
  }

  @Test
  void specialValues() {
    check("exp", NAN, NAN, INF, INF, -INF, 0, 0, 1, -0f, 1, 1e30f, INF, -1e30f, 0);
    check("expFlushed", NAN, NAN, -INF, 0, 0, 1, -0f, 1, -87.7f, 0, -1e30f, 0);
    check("expm1", NAN, NAN, INF, INF, -INF, -1, 0, 0, -0f, -0f, 1e-40f, 1e-40f);
    check("log", NAN, NAN, INF, INF, -INF, NAN, 0, -INF, -0f, -INF, -1, NAN, 1, 0);
    check("log1p", NAN, NAN, INF, INF, -INF, NAN, -1, -INF, -2, NAN, 0, 0, -0f, -0f);
    check("tanh", NAN, NAN, INF, 1, -INF, -1, 0, 0, -0f, -0f, -1e-40f, -1e-40f);
    check("sigmoid", NAN, NAN, INF, 1, -INF, 0, 0, 0.5f, -0f, 0.5f);
    check("softplus", NAN, NAN, INF, INF, -INF, 0, 1e30f, 1e30f, -1e30f, 0);
    check("erf", NAN, NAN, INF, 1, -INF, -1, 0, 0, -0f, -0f, 5, 1, -5, -1);
    check("normalCdf", NAN, NAN, INF, 1, -INF, 0, 0, 0.5f, -0f, 0.5f);
    check("sin", NAN, NAN, 0, 0, -0f, -0f, 1e-40f, 1e-40f);
    check("cos", NAN, NAN, 0, 1, -0f, 1);
  }

  @Test
  void maxAndMinKeepNan() {
    check("max1", NAN, NAN, 2, 2, 0, 1, INF, INF, -INF, 1);
    check("min1", NAN, NAN, 2, 1, 0, 0, INF, 1, -INF, -INF);
  }
}
