package dev.gridstride;

import java.util.function.BinaryOperator;

/**
 * Running totals along an axis, composed of recorded ops: after step s each element holds the total
 * of the 2^s elements up to it. This takes log2(n) passes, and sums pairwise.
 */
final class ScanFunction {
  private ScanFunction() {}

  static Tensor apply(String op, Tensor x, int axis, BinaryOperator<Tensor> combine) {
    int a = x.shape().axis(op, axis);
    long n = x.size(a);
    Tensor y = x.copy();
    for (long reach = 1; reach < n; reach *= 2) {
      Tensor done = y.slice(a, 0, reach);
      Tensor further = combine.apply(y.slice(a, reach, n), y.slice(a, 0, n - reach));
      y = Shapes.concat(a, done, further);
    }
    return y;
  }
}
