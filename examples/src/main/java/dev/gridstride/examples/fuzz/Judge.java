package dev.gridstride.examples.fuzz;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Whether a result is as near to the exact one as its type allows. */
final class Judge {
  private Judge() {}

  private static double largest(DType type) {
    return switch (type) {
      case F64 -> Double.MAX_VALUE;
      case F32 -> Float.MAX_VALUE;
      case BF16 -> 0x1.FEp127;
      case F16 -> 65504;
      default -> Double.POSITIVE_INFINITY;
    };
  }

  /** Results below may be flushed to 0, as intermediate products may have been. */
  private static double smallest(DType type) {
    return switch (type) {
      case F64 -> 2 * Double.MIN_NORMAL;
      case F16 -> 0x1p-24;
      case F32, BF16 -> 2 * Float.MIN_NORMAL;
      default -> 0;
    };
  }

  /** What is wrong with a result, or null. */
  static @Nullable String mistake(Trial trial, Tensor result) {
    if (result.count() != trial.exact().length) {
      return "the result has %d elements instead of %d"
          .formatted(result.count(), trial.exact().length);
    }
    DType type = result.dtype();
    DType inside = type == DType.BF16 || type == DType.F16 ? DType.F32 : type;
    double[] actual = result.toDoubleArray();
    for (int i = 0; i < actual.length; i++) {
      double exact = trial.exact()[i];
      double scale = trial.scale()[i];
      if (Double.isNaN(scale) || scale > largest(inside) / 4) {
        continue; // sums may overflow on the way
      }
      double tolerance =
          type.isFloating()
              ? trial.units() * inside.epsilon() * scale
                  + type.epsilon() * Math.abs(exact)
                  + smallest(type)
              : 0;
      if (!close(actual[i], exact, tolerance, largest(type))) {
        return String.format(
            Locale.ROOT,
            "element %d is %s, exactly %s, tolerance %.3g",
            i,
            actual[i],
            exact,
            tolerance);
      }
    }
    return null;
  }

  private static boolean close(double actual, double exact, double tolerance, double largest) {
    if (Double.isNaN(exact)) {
      return Double.isNaN(actual);
    }
    if (actual == exact) {
      return true;
    }
    if (Math.abs(exact) + tolerance > largest && Double.isInfinite(actual)) {
      return (actual > 0) == (exact > 0);
    }
    return Double.isFinite(exact) && Math.abs(actual - exact) <= tolerance;
  }
}
