package dev.gridstride;

/** Loss functions; the tensor they are called on holds the predictions. */
public sealed interface Losses permits Tensor {
  /**
   * The mean softmax cross-entropy of these logits, a scalar; {@link CrossEntropyOptions#DEFAULTS}.
   *
   * @param targets as in {@link #crossEntropy(Tensor, CrossEntropyOptions)}
   */
  default Tensor crossEntropy(Tensor targets) {
    return crossEntropy(targets, CrossEntropyOptions.DEFAULTS);
  }

  /**
   * Softmax cross-entropy of these logits {@code [n, classes, ...]}, or {@code [classes]} for one
   * sample; see {@link dev.gridstride.kernels.CrossEntropy} for formulas and edge cases.
   *
   * <p>The result is f64 for f64 logits and f32 otherwise; gradients reach the logits, not the
   * targets or weights.
   *
   * @param targets classes (i32 or i64) of the logits' shape without the class dimension, or
   *     probabilities of the logits' shape and dtype
   * @return a scalar, or one loss for each position without reduction
   */
  default Tensor crossEntropy(Tensor targets, CrossEntropyOptions options) {
    return CrossEntropyFunction.apply((Tensor) this, targets, options);
  }
}
