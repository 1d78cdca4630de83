package dev.gridstride;

import dev.gridstride.kernels.CrossEntropy;
import dev.gridstride.kernels.LossReduction;
import org.jspecify.annotations.Nullable;

/**
 * Variants of cross-entropy; names and meaning as in {@link CrossEntropy}.
 *
 * @param labelSmoothing share of the target that is spread over all classes, in [0, 1]
 * @param ignoreIndex target class of positions that are left out
 * @param weight a weight for each class, {@code [classes]}, f64 for f64 logits and f32 otherwise;
 *     null for none
 * @param reduction what becomes of the positions' losses
 */
public record CrossEntropyOptions(
    double labelSmoothing, long ignoreIndex, @Nullable Tensor weight, LossReduction reduction) {
  /** The mean, no smoothing, no weights, PyTorch's ignore index. */
  public static final CrossEntropyOptions DEFAULTS =
      new CrossEntropyOptions(0, CrossEntropy.DEFAULT_IGNORE_INDEX, null, LossReduction.MEAN);

  /** The same with another label smoothing. */
  public CrossEntropyOptions withLabelSmoothing(double smoothing) {
    return new CrossEntropyOptions(smoothing, ignoreIndex, weight, reduction);
  }

  /** The same with another ignored class. */
  public CrossEntropyOptions withIgnoreIndex(long index) {
    return new CrossEntropyOptions(labelSmoothing, index, weight, reduction);
  }

  /** The same with a weight for each class. */
  public CrossEntropyOptions withWeight(Tensor weights) {
    return new CrossEntropyOptions(labelSmoothing, ignoreIndex, weights, reduction);
  }

  /** The same with another reduction. */
  public CrossEntropyOptions withReduction(LossReduction wanted) {
    return new CrossEntropyOptions(labelSmoothing, ignoreIndex, weight, wanted);
  }
}
