package dev.gridstride;

import dev.gridstride.kernels.Binary.Kind;

/**
 * Elementwise arithmetic and comparisons with NumPy broadcasting: shapes are matched from the
 * right, and dimensions of size 1 (or missing ones) are repeated. Operands have one dtype and live
 * on one device. See {@link dev.gridstride.kernels.Binary} for integers and NaN.
 */
public sealed interface Arithmetic permits Tensor {
  /** {@code this + other}. */
  default Tensor add(Tensor other) {
    return BinaryFunction.add((Tensor) this, other);
  }

  /** {@code this - other}. */
  default Tensor sub(Tensor other) {
    return BinaryFunction.sub((Tensor) this, other);
  }

  /** {@code this * other}. */
  default Tensor mul(Tensor other) {
    return BinaryFunction.mul((Tensor) this, other);
  }

  /** {@code this / other}; truncated for integers. */
  default Tensor div(Tensor other) {
    return BinaryFunction.div((Tensor) this, other);
  }

  /**
   * {@code this ^ exponent}. The gradient for this tensor is 0 where the exponent is 0; that for
   * the exponent, {@code y ln(this)}, is 0 where this is 0 and the exponent is not negative, and
   * NaN where this is negative, as in PyTorch.
   */
  default Tensor pow(Tensor exponent) {
    return BinaryFunction.pow((Tensor) this, exponent);
  }

  /** The larger of each pair; equal ones share the gradient evenly. */
  default Tensor maximum(Tensor other) {
    return BinaryFunction.extreme(Kind.MAX, (Tensor) this, other);
  }

  /** The smaller of each pair; equal ones share the gradient evenly. */
  default Tensor minimum(Tensor other) {
    return BinaryFunction.extreme(Kind.MIN, (Tensor) this, other);
  }

  /** {@code this + value}. */
  default Tensor add(double value) {
    return add(BinaryFunction.scalar((Tensor) this, value));
  }

  /** {@code this - value}. */
  default Tensor sub(double value) {
    return sub(BinaryFunction.scalar((Tensor) this, value));
  }

  /** {@code this * value}. */
  default Tensor mul(double value) {
    return mul(BinaryFunction.scalar((Tensor) this, value));
  }

  /** {@code this / value}. */
  default Tensor div(double value) {
    return div(BinaryFunction.scalar((Tensor) this, value));
  }

  /** {@code this ^ value}. */
  default Tensor pow(double value) {
    return pow(BinaryFunction.scalar((Tensor) this, value));
  }

  /** {@code this == other} as BOOL. */
  @NotDifferentiable("a predicate")
  default Tensor eq(Tensor other) {
    return BinaryFunction.run(Kind.EQ, (Tensor) this, other);
  }

  /** {@code this != other} as BOOL. */
  @NotDifferentiable("a predicate")
  default Tensor ne(Tensor other) {
    return BinaryFunction.run(Kind.NE, (Tensor) this, other);
  }

  /** {@code this < other} as BOOL. */
  @NotDifferentiable("a predicate")
  default Tensor lt(Tensor other) {
    return BinaryFunction.run(Kind.LT, (Tensor) this, other);
  }

  /** {@code this <= other} as BOOL. */
  @NotDifferentiable("a predicate")
  default Tensor le(Tensor other) {
    return BinaryFunction.run(Kind.LE, (Tensor) this, other);
  }

  /** {@code this > other} as BOOL. */
  @NotDifferentiable("a predicate")
  default Tensor gt(Tensor other) {
    return BinaryFunction.run(Kind.GT, (Tensor) this, other);
  }

  /** {@code this >= other} as BOOL. */
  @NotDifferentiable("a predicate")
  default Tensor ge(Tensor other) {
    return BinaryFunction.run(Kind.GE, (Tensor) this, other);
  }

  /** Both true; BOOL operands. */
  @NotDifferentiable("a predicate")
  default Tensor and(Tensor other) {
    return BinaryFunction.run(Kind.AND, (Tensor) this, other);
  }

  /** Either true; BOOL operands. */
  @NotDifferentiable("a predicate")
  default Tensor or(Tensor other) {
    return BinaryFunction.run(Kind.OR, (Tensor) this, other);
  }

  /** One true; BOOL operands. */
  @NotDifferentiable("a predicate")
  default Tensor xor(Tensor other) {
    return BinaryFunction.run(Kind.XOR, (Tensor) this, other);
  }

  /** With this BOOL tensor as the condition: {@code this ? a : b}, all three broadcast together. */
  default Tensor where(Tensor a, Tensor b) {
    return BinaryFunction.where((Tensor) this, a, b);
  }

  /**
   * {@code this += other}, where other is broadcast to this tensor's shape; not recorded.
   *
   * @return this tensor
   */
  @NotDifferentiable("changes its operand in place")
  default Tensor addInPlace(Tensor other) {
    Tensor a = (Tensor) this;
    BinaryFunction.into(Kind.ADD, a, other, a);
    a.changed();
    return a;
  }
}
