package dev.gridstride.testing;

import static org.assertj.core.api.Assertions.fail;

import java.util.Locale;

/** Compares results with an oracle, element by element, in both directions. */
public final class Close {
  private Close() {}

  /**
   * Every element must satisfy {@code |actual - expected| <= absolute + relative * |expected|}; NaN
   * must meet NaN and an infinity the same infinity.
   */
  public static void assertClose(
      String what, double[] actual, double[] expected, double relative, double absolute) {
    if (actual.length != expected.length) {
      fail("%s: length %d, expected %d", what, actual.length, expected.length);
    }
    for (int i = 0; i < actual.length; i++) {
      double a = actual[i];
      double e = expected[i];
      boolean same = Double.isNaN(e) ? Double.isNaN(a) : a == e;
      boolean near =
          Double.isFinite(a)
              && Double.isFinite(e)
              && Math.abs(a - e) <= absolute + relative * Math.abs(e);
      if (!same && !near) {
        fail(
            String.format(
                Locale.ROOT,
                "%s: element %d is %.9g, expected %.9g (difference %.3g, allowed %.3g)",
                what,
                i,
                a,
                e,
                Math.abs(a - e),
                absolute + relative * Math.abs(e)));
      }
    }
  }

  /** Every element must have the same bits. */
  public static void assertSameBits(String what, double[] actual, double[] expected) {
    if (actual.length != expected.length) {
      fail("%s: length %d, expected %d", what, actual.length, expected.length);
    }
    for (int i = 0; i < actual.length; i++) {
      if (Double.doubleToRawLongBits(actual[i]) != Double.doubleToRawLongBits(expected[i])) {
        fail("%s: element %d is %s, expected %s", what, i, actual[i], expected[i]);
      }
    }
  }
}
