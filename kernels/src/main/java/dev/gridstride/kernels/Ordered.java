package dev.gridstride.kernels;

import dev.gridstride.device.DType;
import dev.gridstride.device.InvalidArgumentException;

/** What the ops that compare elements along a dimension require of it. */
final class Ordered {
  private Ordered() {}

  static void check(String op, DType type, Layout x, int axis) {
    if (type == DType.U8 || type == DType.BOOL) {
      throw InvalidArgumentException.of(
          op, "type", "must be f64, f32, bf16, f16, i64 or i32", "type=%s", type);
    }
    if (axis < 0 || axis >= x.rank()) {
      throw InvalidArgumentException.of(
          op, "axis", "must name a dimension", "axis=%d, rank=%d", axis, x.rank());
    }
  }
}
