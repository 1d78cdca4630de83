package dev.gridstride.cpu.scalar;

/** Elementary functions in double that {@link Math} lacks; relative errors of a few 1e-16. */
public final class ScalarMath {
  /** From here on {@code sqrt(x^2 + 1)} and {@code sqrt(x^2 - 1)} are x in double. */
  private static final double LARGE = 0x1p28;

  private static final double LN_2 = Math.log(2);
  private static final int TAYLOR_TERMS = 20;
  private static final double[] TAYLOR = taylor();

  /**
   * Chebyshev coefficients of {@code (1 + 2x) exp(x^2) erfc(x)} over {@code (x - 3.75) / (x +
   * 3.75)}, the variable that Shepherd and Laframboise proposed (Math. Comp. 36, 1981); computed
   * with 40 digits.
   */
  private static final double[] ERFC = {
    1.1775789345674017,
    -0.004590054580646478,
    -0.08424913336651792,
    0.05920993999819189,
    -0.026658668435305753,
    0.009074997670705265,
    -0.002413163540417608,
    0.0004907758365258086,
    -6.916973302501207e-05,
    4.13902798607301e-06,
    7.74038306619849e-07,
    -2.1886401049234397e-07,
    1.076499946567091e-08,
    4.521959811218287e-09,
    -7.754400208831351e-10,
    -6.318088340886684e-11,
    2.86879501093067e-11,
    1.9455868545777347e-13,
    -9.65469674843344e-13,
    3.25254814814874e-14,
    3.3478119482868056e-14,
    -1.864562880419313e-15,
    -1.2507950530688648e-15,
    7.418235256624044e-17,
    5.068148904796111e-17
  };

  private ScalarMath() {}

  private static double[] taylor() {
    var c = new double[TAYLOR_TERMS];
    double factorial = 1;
    for (int n = 0; n < TAYLOR_TERMS; n++) {
      c[n] = 2 / Math.sqrt(Math.PI) / factorial / (2 * n + 1) * (n % 2 == 0 ? 1 : -1);
      factorial *= n + 1;
    }
    return c;
  }

  /** The error function. */
  public static double erf(double x) {
    if (!(Math.abs(x) >= 1)) { // also NaN
      double s = x * x;
      double p = 0;
      for (int n = TAYLOR_TERMS - 1; n >= 0; n--) {
        p = p * s + TAYLOR[n];
      }
      return p * x;
    }
    return x > 0 ? 1 - tail(x) : tail(-x) - 1;
  }

  /** {@code 1 - erf(x)} without cancellation. */
  public static double erfc(double x) {
    return x >= 0.5 ? tail(x) : 1 - erf(x);
  }

  /** erfc for positive x. */
  private static double tail(double x) {
    if (x > 28) {
      return 0;
    }
    double t = (x - 3.75) / (x + 3.75);
    double b1 = 0;
    double b2 = 0;
    for (int k = ERFC.length - 1; k > 0; k--) {
      double b = 2 * t * b1 - b2 + ERFC[k];
      b2 = b1;
      b1 = b;
    }
    double square = x * x;
    double lost = Math.fma(x, x, -square); // the exponential would magnify it
    return Math.exp(-square) * (1 - lost) * (t * b1 - b2 + ERFC[0]) / (1 + 2 * x);
  }

  /** The normal distribution function. */
  public static double normalCdf(double x) {
    return erfc(x * -0.7071067811865476) / 2;
  }

  /** {@code 1 / (1 + e^-x)}. */
  public static double sigmoid(double x) {
    double e = Math.exp(-Math.abs(x));
    return (x >= 0 ? 1 : e) / (1 + e);
  }

  /** {@code ln(1 + e^x)}. */
  public static double softplus(double x) {
    return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  }

  /** The inverse hyperbolic sine; by log1p, so that small results are precise. */
  public static double asinh(double x) {
    double t = Math.abs(x);
    double y = t > LARGE ? Math.log(t) + LN_2 : Math.log1p(t + t * t / (1 + Math.sqrt(1 + t * t)));
    return Math.copySign(y, x);
  }

  /** The inverse hyperbolic cosine; by log1p, so that results near 0 are precise. */
  public static double acosh(double x) {
    double t = x - 1;
    return x > LARGE ? Math.log(x) + LN_2 : Math.log1p(t + Math.sqrt(t * (x + 1)));
  }

  /** The inverse hyperbolic tangent; by log1p, so that small results are precise. */
  public static double atanh(double x) {
    double t = Math.abs(x);
    return Math.copySign(0.5 * Math.log1p(2 * t / (1 - t)), x);
  }
}
