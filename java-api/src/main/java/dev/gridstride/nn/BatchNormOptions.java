package dev.gridstride.nn;

import java.util.OptionalDouble;

/**
 * Options of batch normalization layers.
 *
 * @param eps added to the variance; finite, not negative
 * @param momentum weight of a new batch in the running averages, in 0..1; empty for the average of
 *     all batches, each with the same weight
 * @param affine whether there are a weight and a bias
 * @param tracked whether running averages are kept and used in evaluation; otherwise the batch's
 *     own statistics are used there too
 */
public record BatchNormOptions(
    double eps, OptionalDouble momentum, boolean affine, boolean tracked) {
  /** An eps of 1e-5, a momentum of 0.1, with weight, bias and running averages, as in PyTorch. */
  public static final BatchNormOptions DEFAULT =
      new BatchNormOptions(1e-5, OptionalDouble.of(0.1), true, true);

  /** The same with another eps. */
  public BatchNormOptions withEps(double value) {
    return new BatchNormOptions(value, momentum, affine, tracked);
  }

  /** The same with another momentum. */
  public BatchNormOptions withMomentum(double value) {
    return new BatchNormOptions(eps, OptionalDouble.of(value), affine, tracked);
  }

  /** The same with the average of all batches. */
  public BatchNormOptions withCumulativeAverage() {
    return new BatchNormOptions(eps, OptionalDouble.empty(), affine, tracked);
  }

  /** The same without weight and bias. */
  public BatchNormOptions withoutAffine() {
    return new BatchNormOptions(eps, momentum, false, tracked);
  }

  /** The same without running averages. */
  public BatchNormOptions withoutTracking() {
    return new BatchNormOptions(eps, momentum, affine, false);
  }
}
