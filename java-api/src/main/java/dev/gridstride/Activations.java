package dev.gridstride;

import dev.gridstride.kernels.Softmax;

/** Activation functions. */
public sealed interface Activations permits Tensor {
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
}
