package dev.gridstride.examples.verify;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Compares results with what was expected, and keeps the largest errors. */
final class Comparison {
  private final @Nullable Double relative;
  private final @Nullable Double absolute;
  private double maxAbsError;
  private double maxRelError;
  private @Nullable String mistake;

  /**
   * A comparison.
   *
   * @param relative tolerance in parts of the expected number; null for the dtype's own
   * @param absolute tolerance beside it; null for the dtype's own
   */
  Comparison(@Nullable Double relative, @Nullable Double absolute) {
    this.relative = relative;
    this.absolute = absolute;
  }

  /** Largest absolute error so far; NaN once a number met a NaN or another infinity. */
  double maxAbsError() {
    return maxAbsError;
  }

  /** Largest error so far in parts of the expected number. */
  double maxRelError() {
    return maxRelError;
  }

  /** The first mistake found, or null. */
  @Nullable String mistake() {
    return mistake;
  }

  /** Keeps a mistake, if it is the first. */
  void mistake(String format, Object... values) {
    if (mistake == null) {
      mistake = String.format(Locale.ROOT, format, values);
    }
  }

  /**
   * The narrowest floating type decides, of what went in too: a result can't be more precise. Two
   * units of the last place for the narrow types, since the result of an op is rounded once and its
   * expected value once.
   */
  private static double defaultRelative(DType type) {
    return switch (type) {
      case F16 -> 0x1p-9;
      case BF16 -> 0x1p-6;
      default -> 1e-5;
    };
  }

  private static double defaultAbsolute(DType type) {
    return switch (type) {
      case F16 -> 0x1p-10;
      case BF16 -> 0x1p-7;
      default -> 1e-6;
    };
  }

  /** Whether dtype and shape are the expected ones. */
  boolean sameKind(String name, Tensor actual, Tensor expected) {
    boolean same = actual.dtype() == expected.dtype() && actual.shape().equals(expected.shape());
    if (!same) {
      mistake(
          "%s: expected %s%s, computed %s%s",
          name, expected.dtype(), expected.shape(), actual.dtype(), actual.shape());
    }
    return same;
  }

  /**
   * Compares one output.
   *
   * @param narrowest the narrowest floating type among the case's values
   */
  void compare(String name, Tensor actual, Tensor expected, DType narrowest) {
    if (!sameKind(name, actual, expected)) {
      return;
    }
    if (!expected.dtype().isFloating()) {
      exact(name, actual.toLongArray(), expected.toLongArray());
      return;
    }
    double rtol = relative == null ? defaultRelative(narrowest) : relative;
    double atol = absolute == null ? defaultAbsolute(narrowest) : absolute;
    double[] a = actual.toDoubleArray();
    double[] e = expected.toDoubleArray();
    for (int i = 0; i < e.length; i++) {
      if ((Double.isNaN(a[i]) && Double.isNaN(e[i])) || a[i] == e[i]) {
        continue;
      }
      double error = Math.abs(a[i] - e[i]);
      maxAbsError = Math.max(maxAbsError, error);
      if (e[i] != 0) {
        maxRelError = Math.max(maxRelError, error / Math.abs(e[i]));
      }
      // written so that a NaN is a mistake
      if (!(Double.isFinite(e[i]) && error <= atol + rtol * Math.abs(e[i]))) {
        mistake(
            "%s: element %d is %s, expected %s, tolerance %s + %s |expected|",
            name, i, a[i], e[i], atol, rtol);
      }
    }
  }

  private void exact(String name, long[] actual, long[] expected) {
    for (int i = 0; i < expected.length; i++) {
      if (actual[i] != expected[i]) {
        double error = Math.abs((double) actual[i] - expected[i]);
        maxAbsError = Math.max(maxAbsError, error);
        maxRelError =
            Math.max(maxRelError, expected[i] == 0 ? 0 : error / Math.abs((double) expected[i]));
        mistake("%s: element %d is %d, expected %d", name, i, actual[i], expected[i]);
      }
    }
  }
}
