package dev.gridstride;

import dev.gridstride.kernels.Softmax;
import dev.gridstride.kernels.Unary.Function;

/**
 * Activation functions and elementary functions, element by element; see {@link
 * dev.gridstride.kernels.Unary}. The result has the memory format of its input.
 */
public sealed interface Activations permits Tensor {
  /** {@code max(x, 0)}. */
  default Tensor relu() {
    return UnaryFunction.apply(Function.RELU, (Tensor) this);
  }

  /** {@code x >= 0 ? x : slope x}. */
  default Tensor leakyRelu(double slope) {
    return UnaryFunction.apply(Function.LEAKY_RELU, (Tensor) this, slope, 0);
  }

  /** {@code x >= 0 ? x : alpha (e^x - 1)}. */
  default Tensor elu(double alpha) {
    return UnaryFunction.apply(Function.ELU, (Tensor) this, alpha, 0);
  }

  /** Gaussian error linear unit, by erf. */
  default Tensor gelu() {
    return UnaryFunction.apply(Function.GELU, (Tensor) this);
  }

  /** Gaussian error linear unit, by its tanh approximation. */
  default Tensor geluTanh() {
    return UnaryFunction.apply(Function.GELU_TANH, (Tensor) this);
  }

  /** {@code x sigmoid(x)}, also known as swish. */
  default Tensor silu() {
    return UnaryFunction.apply(Function.SILU, (Tensor) this);
  }

  /** {@code 1 / (1 + e^-x)}. */
  default Tensor sigmoid() {
    return UnaryFunction.apply(Function.SIGMOID, (Tensor) this);
  }

  /** Hyperbolic tangent. */
  default Tensor tanh() {
    return UnaryFunction.apply(Function.TANH, (Tensor) this);
  }

  /** {@code ln(1 + e^x)}. */
  default Tensor softplus() {
    return UnaryFunction.apply(Function.SOFTPLUS, (Tensor) this);
  }

  /**
   * {@code exp(x - max) / sum(exp(x - max))} along {@code axis}; see {@link Softmax} for edge
   * cases.
   *
   * @param axis the dimension; negative axes count from the last
   */
  default Tensor softmax(int axis) {
    return SoftmaxFunction.apply((Tensor) this, axis, false);
  }

  /** The logarithm of {@link #softmax}, computed without forming small probabilities. */
  default Tensor logSoftmax(int axis) {
    return SoftmaxFunction.apply((Tensor) this, axis, true);
  }

  /** {@code -x}. */
  default Tensor neg() {
    return UnaryFunction.apply(Function.NEG, (Tensor) this);
  }

  /** {@code |x|}. */
  default Tensor abs() {
    return UnaryFunction.apply(Function.ABS, (Tensor) this);
  }

  /** {@code x^2}. */
  default Tensor square() {
    return UnaryFunction.apply(Function.SQUARE, (Tensor) this);
  }

  /** {@code min(max(x, low), high)}. */
  default Tensor clamp(double low, double high) {
    return UnaryFunction.apply(Function.CLAMP, (Tensor) this, low, high);
  }

  /** Square root. */
  default Tensor sqrt() {
    return UnaryFunction.apply(Function.SQRT, (Tensor) this);
  }

  /** {@code 1 / sqrt(x)}. */
  default Tensor rsqrt() {
    return UnaryFunction.apply(Function.RSQRT, (Tensor) this);
  }

  /** {@code 1 / x}. */
  default Tensor reciprocal() {
    return UnaryFunction.apply(Function.RECIPROCAL, (Tensor) this);
  }

  /** {@code e^x}. */
  default Tensor exp() {
    return UnaryFunction.apply(Function.EXP, (Tensor) this);
  }

  /** Natural logarithm. */
  default Tensor log() {
    return UnaryFunction.apply(Function.LOG, (Tensor) this);
  }

  /** Sine. */
  default Tensor sin() {
    return UnaryFunction.apply(Function.SIN, (Tensor) this);
  }

  /** Cosine. */
  default Tensor cos() {
    return UnaryFunction.apply(Function.COS, (Tensor) this);
  }

  /** Tangent. */
  default Tensor tan() {
    return UnaryFunction.apply(Function.TAN, (Tensor) this);
  }

  /** Inverse sine; NaN outside [-1, 1]. */
  default Tensor asin() {
    return UnaryFunction.apply(Function.ASIN, (Tensor) this);
  }

  /** Inverse cosine; NaN outside [-1, 1]. */
  default Tensor acos() {
    return UnaryFunction.apply(Function.ACOS, (Tensor) this);
  }

  /** Inverse tangent. */
  default Tensor atan() {
    return UnaryFunction.apply(Function.ATAN, (Tensor) this);
  }

  /** Hyperbolic sine. */
  default Tensor sinh() {
    return UnaryFunction.apply(Function.SINH, (Tensor) this);
  }

  /** Hyperbolic cosine. */
  default Tensor cosh() {
    return UnaryFunction.apply(Function.COSH, (Tensor) this);
  }

  /** Inverse hyperbolic sine. */
  default Tensor asinh() {
    return UnaryFunction.apply(Function.ASINH, (Tensor) this);
  }

  /** Inverse hyperbolic cosine, not negative; NaN below 1. */
  default Tensor acosh() {
    return UnaryFunction.apply(Function.ACOSH, (Tensor) this);
  }

  /** Inverse hyperbolic tangent; NaN outside [-1, 1]. */
  default Tensor atanh() {
    return UnaryFunction.apply(Function.ATANH, (Tensor) this);
  }

  /** The error function. */
  default Tensor erf() {
    return UnaryFunction.apply(Function.ERF, (Tensor) this);
  }

  /** -1, 0 or 1. */
  @NotDifferentiable("constant almost everywhere")
  default Tensor sign() {
    return UnaryFunction.apply(Function.SIGN, (Tensor) this);
  }

  /** The largest integer not above each element. */
  @NotDifferentiable("constant almost everywhere")
  default Tensor floor() {
    return UnaryFunction.apply(Function.FLOOR, (Tensor) this);
  }

  /** The smallest integer not below each element. */
  @NotDifferentiable("constant almost everywhere")
  default Tensor ceil() {
    return UnaryFunction.apply(Function.CEIL, (Tensor) this);
  }

  /** The nearest integer, ties to even. */
  @NotDifferentiable("constant almost everywhere")
  default Tensor round() {
    return UnaryFunction.apply(Function.ROUND, (Tensor) this);
  }
}
