package dev.gridstride;

import dev.gridstride.kernels.Reduce;

/**
 * Reductions over axes: the named ones, or all when none is named; negative axes count from the
 * last. Reduced dimensions go away, or stay with size 1 where {@code keepDims} is given as true.
 * See {@link Reduce} for precision and edge cases.
 */
public sealed interface Reductions permits Tensor {
  /** Sum. */
  default Tensor sum(int... axes) {
    return sum(false, axes);
  }

  /** Sum. */
  default Tensor sum(boolean keepDims, int... axes) {
    return ReduceFunction.apply(Reduce.Kind.SUM, (Tensor) this, keepDims, axes);
  }

  /** Mean. */
  default Tensor mean(int... axes) {
    return mean(false, axes);
  }

  /** Mean. */
  default Tensor mean(boolean keepDims, int... axes) {
    return ReduceFunction.apply(Reduce.Kind.MEAN, (Tensor) this, keepDims, axes);
  }

  /** Largest element; equal largest elements share the gradient evenly. */
  default Tensor max(int... axes) {
    return max(false, axes);
  }

  /** Largest element; equal largest elements share the gradient evenly. */
  default Tensor max(boolean keepDims, int... axes) {
    return ReduceFunction.apply(Reduce.Kind.MAX, (Tensor) this, keepDims, axes);
  }

  /** Smallest element; equal smallest elements share the gradient evenly. */
  default Tensor min(int... axes) {
    return min(false, axes);
  }

  /** Smallest element; equal smallest elements share the gradient evenly. */
  default Tensor min(boolean keepDims, int... axes) {
    return ReduceFunction.apply(Reduce.Kind.MIN, (Tensor) this, keepDims, axes);
  }

  /** Product. */
  default Tensor prod(int... axes) {
    return ReduceFunction.apply(Reduce.Kind.PROD, (Tensor) this, false, axes);
  }

  /** Sum of squares. */
  default Tensor sumSquares(int... axes) {
    return ReduceFunction.apply(Reduce.Kind.SUM_SQUARES, (Tensor) this, false, axes);
  }

  /** Sum of magnitudes. */
  default Tensor l1Norm(int... axes) {
    return ReduceFunction.apply(Reduce.Kind.L1, (Tensor) this, false, axes);
  }

  /** Euclidean norm; its gradient at 0 is 0. */
  default Tensor l2Norm(int... axes) {
    return ReduceFunction.apply(Reduce.Kind.L2, (Tensor) this, false, axes);
  }

  /** {@code log(sum(exp(x)))} without overflow. */
  default Tensor logSumExp(int... axes) {
    return ReduceFunction.apply(Reduce.Kind.LOG_SUM_EXP, (Tensor) this, false, axes);
  }
}
