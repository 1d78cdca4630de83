package dev.gridstride.examples.onnx;

import dev.gridstride.Tensor;

/** Lp norms; p = 1 and 2 without a general power. */
final class Norms {
  private Norms() {}

  /** {@code (sum |x|^p)^(1/p)} over the axes, which stay with size 1. */
  static Tensor lp(Tensor x, double p, int... axes) {
    if (p == 1) {
      return x.l1Norm(true, axes);
    }
    return p == 2 ? x.l2Norm(true, axes) : root(power(x, p).sum(true, axes), p);
  }

  /** {@code |x|^p}. */
  static Tensor power(Tensor x, double p) {
    if (p == 2) {
      return x.square();
    }
    return p == 1 ? x.abs() : x.abs().pow(p);
  }

  /** {@code x^(1/p)}. */
  static Tensor root(Tensor x, double p) {
    if (p == 2) {
      return x.sqrt();
    }
    return p == 1 ? x : x.pow(1 / p);
  }
}
