package dev.gridstride;

import dev.gridstride.kernels.CrossEntropy;
import dev.gridstride.kernels.LossReduction;
import org.jspecify.annotations.Nullable;

/**
 * Loss functions; the tensor they are called on holds the predictions.
 *
 * <p>Names and definitions are PyTorch's. The result is f64 for f64 predictions and f32 otherwise;
 * narrower types are computed in f32. Without a reduction in the arguments it is the mean. The
 * losses that compare element by element want targets of the predictions' shape (nothing is
 * broadcast), dtype and device; their gradients reach predictions and targets. Their mean over no
 * elements is NaN and their sum 0.
 */
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

  /** The mean of {@code (x - target)^2}. */
  default Tensor mseLoss(Tensor targets) {
    return mseLoss(targets, LossReduction.MEAN);
  }

  /** The squared error {@code (x - target)^2}. */
  default Tensor mseLoss(Tensor targets, LossReduction reduction) {
    return LossFunction.mse((Tensor) this, targets, reduction);
  }

  /** The mean of {@code |x - target|}. */
  default Tensor l1Loss(Tensor targets) {
    return l1Loss(targets, LossReduction.MEAN);
  }

  /** The absolute error {@code |x - target|}; its gradient where both are equal is 0. */
  default Tensor l1Loss(Tensor targets, LossReduction reduction) {
    return LossFunction.l1((Tensor) this, targets, reduction);
  }

  /**
   * The mean Huber loss.
   *
   * @param delta as in {@link #huberLoss(Tensor, double, LossReduction)}
   */
  default Tensor huberLoss(Tensor targets, double delta) {
    return huberLoss(targets, delta, LossReduction.MEAN);
  }

  /**
   * Huber's loss of {@code d = x - target}: {@code d^2 / 2} where {@code |d| <= delta}, otherwise
   * {@code delta (|d| - delta / 2)}.
   *
   * @param delta where the loss turns from quadratic to linear; positive and finite in the result's
   *     dtype
   */
  default Tensor huberLoss(Tensor targets, double delta, LossReduction reduction) {
    return LossFunction.huber((Tensor) this, targets, delta, reduction);
  }

  /**
   * The mean smooth L1 loss.
   *
   * @param beta as in {@link #smoothL1Loss(Tensor, double, LossReduction)}
   */
  default Tensor smoothL1Loss(Tensor targets, double beta) {
    return smoothL1Loss(targets, beta, LossReduction.MEAN);
  }

  /**
   * The smooth L1 loss of {@code d = x - target}: {@code d^2 / (2 beta)} where {@code |d| < beta},
   * otherwise {@code |d| - beta / 2}. This is Huber's loss divided by beta.
   *
   * @param beta where the loss turns from quadratic to linear; not negative, and 0 gives {@link
   *     #l1Loss}
   */
  default Tensor smoothL1Loss(Tensor targets, double beta, LossReduction reduction) {
    return LossFunction.smoothL1((Tensor) this, targets, beta, reduction);
  }

  /** The mean binary cross-entropy of these logits. */
  default Tensor binaryCrossEntropyWithLogits(Tensor targets) {
    return binaryCrossEntropyWithLogits(targets, null, LossReduction.MEAN);
  }

  /**
   * Binary cross-entropy of these logits, {@code -(p t ln(s) + (1 - t) ln(1 - s))} with {@code s =
   * sigmoid(x)} and the positives' weight p.
   *
   * <p>It is computed as {@code p t softplus(-x) + (1 - t) softplus(x)}: no logarithm of a rounded
   * probability, and no difference of terms for t in [0, 1], so that losses near 0 are precise. An
   * infinite logit gives Inf or NaN.
   *
   * @param targets probabilities; not checked to be in [0, 1]
   * @param posWeight factor of the positive term, broadcast to the logits' shape, f64 for f64
   *     logits and f32 otherwise; gradients reach it too. Null for 1
   * @param reduction the mean divides by the number of elements, whatever the weights
   */
  default Tensor binaryCrossEntropyWithLogits(
      Tensor targets, @Nullable Tensor posWeight, LossReduction reduction) {
    return LossFunction.binaryCrossEntropy((Tensor) this, targets, posWeight, reduction);
  }

  /** The mean negative log-likelihood of target classes under these log-probabilities. */
  default Tensor nllLoss(Tensor targets) {
    return nllLoss(targets, null, CrossEntropy.DEFAULT_IGNORE_INDEX, LossReduction.MEAN);
  }

  /**
   * Negative log-likelihood {@code -weight_t x_t} of target classes t, where this tensor holds
   * log-probabilities {@code [n, classes, ...]}, or {@code [classes]} for one sample. After {@link
   * Activations#logSoftmax} along the classes it equals {@link #crossEntropy(Tensor)}, which needs
   * one pass instead of two.
   *
   * <p>Gradients reach the log-probabilities only. An ignored position, and one whose class has
   * weight 0, has loss 0 and gradient 0 whatever its log-probabilities are. Targets are read and
   * checked on the host.
   *
   * @param targets classes (i32 or i64) of the shape without the class dimension
   * @param weight a weight for each class, {@code [classes]}, f64 for f64 log-probabilities and f32
   *     otherwise; null for 1
   * @param ignoreIndex target class of positions that are left out; may be outside 0..classes
   * @param reduction the mean divides by the sum of {@code weight_t} over the positions that are
   *     not ignored, and is NaN when that is 0
   * @return a scalar, or one loss for each position without reduction
   */
  default Tensor nllLoss(
      Tensor targets, @Nullable Tensor weight, long ignoreIndex, LossReduction reduction) {
    return NllFunction.apply((Tensor) this, targets, weight, ignoreIndex, reduction);
  }

  /**
   * The supervised contrastive loss of these embeddings {@code [n, size]}: it pulls examples of one
   * class together and pushes those of others away. With {@code z} the embeddings divided by their
   * Euclidean norms and P(i) the other examples of i's class, the mean over the examples with a
   * non-empty P(i) of {@code -1/|P(i)| sum over p in P(i) of log(exp(z_i z_p / t) / sum over a != i
   * of exp(z_i z_a / t))}; NaN when no class occurs twice.
   *
   * <p>Khosla et al., "Supervised Contrastive Learning", 2020, equation 2. Labels are read on the
   * host.
   *
   * @param labels the class of each example, integer {@code [n]}
   * @param temperature t; positive and finite. A low one makes the nearest examples count most
   */
  default Tensor contrastiveLoss(Tensor labels, double temperature) {
    return LossFunction.contrastive((Tensor) this, labels, temperature);
  }
}
