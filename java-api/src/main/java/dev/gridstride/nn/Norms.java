package dev.gridstride.nn;

import dev.gridstride.device.InvalidArgumentException;
import java.util.Arrays;

/** What normalization layers share. */
final class Norms {
  private Norms() {}

  static void checkEps(String op, double eps) {
    if (!(eps >= 0) || Double.isInfinite(eps)) {
      throw InvalidArgumentException.of(
          op, "eps", "must be finite and not negative", "eps=%s", eps);
    }
  }

  /** The sizes of the last dimensions that a layer normalizes: at least one, each at least 1. */
  static long[] checkShape(String op, long[] shape) {
    boolean fits = shape.length > 0;
    for (long size : shape) {
      fits &= size >= 1;
    }
    if (!fits) {
      throw InvalidArgumentException.of(
          op,
          "shape",
          "must have dimensions, of at least 1 each",
          "shape=%s",
          Arrays.toString(shape));
    }
    return shape.clone();
  }
}
