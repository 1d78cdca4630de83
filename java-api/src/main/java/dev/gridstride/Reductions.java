package dev.gridstride;

import dev.gridstride.kernels.ArgReduce;
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
    return prod(false, axes);
  }

  /** Product. */
  default Tensor prod(boolean keepDims, int... axes) {
    return ReduceFunction.apply(Reduce.Kind.PROD, (Tensor) this, keepDims, axes);
  }

  /** Sum of squares. */
  default Tensor sumSquares(int... axes) {
    return sumSquares(false, axes);
  }

  /** Sum of squares. */
  default Tensor sumSquares(boolean keepDims, int... axes) {
    return ReduceFunction.apply(Reduce.Kind.SUM_SQUARES, (Tensor) this, keepDims, axes);
  }

  /** Sum of magnitudes. */
  default Tensor l1Norm(int... axes) {
    return l1Norm(false, axes);
  }

  /** Sum of magnitudes. */
  default Tensor l1Norm(boolean keepDims, int... axes) {
    return ReduceFunction.apply(Reduce.Kind.L1, (Tensor) this, keepDims, axes);
  }

  /** Euclidean norm; its gradient at 0 is 0. */
  default Tensor l2Norm(int... axes) {
    return l2Norm(false, axes);
  }

  /** Euclidean norm; its gradient at 0 is 0. */
  default Tensor l2Norm(boolean keepDims, int... axes) {
    return ReduceFunction.apply(Reduce.Kind.L2, (Tensor) this, keepDims, axes);
  }

  /** {@code log(sum(exp(x)))} without overflow. */
  default Tensor logSumExp(int... axes) {
    return logSumExp(false, axes);
  }

  /** {@code log(sum(exp(x)))} without overflow. */
  default Tensor logSumExp(boolean keepDims, int... axes) {
    return ReduceFunction.apply(Reduce.Kind.LOG_SUM_EXP, (Tensor) this, keepDims, axes);
  }

  /**
   * Running sums along an axis: {@code y[i] = x[0] + ... + x[i]}, summed pairwise. Types narrower
   * than f32 are rounded in each of log2(n) steps; integers wrap around.
   */
  default Tensor cumSum(int axis) {
    return ScanFunction.apply("cumSum", (Tensor) this, axis, Tensor::add);
  }

  /** Running products along an axis: {@code y[i] = x[0] ... x[i]}; see {@link #cumSum}. */
  default Tensor cumProd(int axis) {
    return ScanFunction.apply("cumProd", (Tensor) this, axis, Tensor::mul);
  }

  /**
   * Place of the largest element along an axis, i64, the first of equal ones; NaN wins. See {@link
   * ArgReduce}.
   */
  @NotDifferentiable("places are integers")
  default Tensor argMax(int axis) {
    return argMax(false, axis);
  }

  /** Place of the largest element along an axis, i64, the first of equal ones; NaN wins. */
  @NotDifferentiable("places are integers")
  default Tensor argMax(boolean keepDims, int axis) {
    return OrderFunction.arg(ArgReduce.Kind.MAX, (Tensor) this, keepDims, axis);
  }

  /** Place of the smallest element along an axis, i64, the first of equal ones; NaN wins. */
  @NotDifferentiable("places are integers")
  default Tensor argMin(int axis) {
    return argMin(false, axis);
  }

  /** Place of the smallest element along an axis, i64, the first of equal ones; NaN wins. */
  @NotDifferentiable("places are integers")
  default Tensor argMin(boolean keepDims, int axis) {
    return OrderFunction.arg(ArgReduce.Kind.MIN, (Tensor) this, keepDims, axis);
  }

  /** The k largest elements along an axis, largest first; see {@link #topK(long, int, boolean)}. */
  default TopKResult topK(long k, int axis) {
    return topK(k, axis, true);
  }

  /**
   * The k largest (or smallest) elements along an axis, best first, equal ones by lower index; NaN
   * counts as larger than every number. Gradients of the values go to the chosen places. See {@link
   * dev.gridstride.kernels.TopK}.
   */
  default TopKResult topK(long k, int axis, boolean largest) {
    return OrderFunction.topK((Tensor) this, k, axis, largest);
  }
}
