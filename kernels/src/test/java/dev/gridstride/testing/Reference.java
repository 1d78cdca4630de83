package dev.gridstride.testing;

/** Functions that {@link Math} lacks, in double, by the plainest method that converges. */
public final class Reference {
  private Reference() {}

  /** The error function: its Taylor series near 0, else from {@link #erfc}. */
  public static double erf(double x) {
    if (Double.isNaN(x)) {
      return x;
    }
    if (Math.abs(x) > 2.5) {
      return x > 0 ? 1 - erfc(x) : erfc(-x) - 1;
    }
    double sum = 0;
    double power = x;
    for (int n = 0; Math.abs(power) > 1e-18 * Math.abs(sum); n++) {
      sum += power / (2 * n + 1);
      power *= -x * x / (n + 1);
    }
    return 2 / Math.sqrt(Math.PI) * sum;
  }

  /** {@code 1 - erf(x)}: its continued fraction far from 0. */
  public static double erfc(double x) {
    if (!(x > 2)) {
      return 1 - erf(x);
    }
    if (x > 30) {
      return 0;
    }
    double f = x;
    for (int k = 120; k > 0; k--) {
      f = x + k / 2.0 / f;
    }
    return Math.exp(-x * x) / Math.sqrt(Math.PI) / f;
  }

  /** The normal distribution function. */
  public static double normalCdf(double x) {
    return erfc(-x / Math.sqrt(2)) / 2;
  }

  /** {@code 1 / (1 + e^-x)}. */
  public static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  /** {@code ln(1 + e^x)}. */
  public static double softplus(double x) {
    return x > 40 ? x : Math.log1p(Math.exp(x));
  }
}
