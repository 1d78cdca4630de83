package dev.gridstride;

import org.jspecify.annotations.Nullable;

/**
 * Normalizations: {@code y = (x - mean) / sqrt(var + eps) * gamma + beta}, with the biased
 * variance, over the elements that each method names. Definitions are PyTorch's.
 *
 * <p>Any floating dtype; gamma and beta have the tensor's, and a beta needs a gamma. Statistics are
 * taken in f64 for f64 and in at least f32 otherwise; see {@link dev.gridstride.kernels.LayerNorm}
 * for accuracy and edge cases. Gradients reach the tensor, gamma and beta. Those of images work in
 * either memory format and keep it ({@link Shaping#channelsLast}).
 */
public sealed interface Normalizations permits Tensor {
  /** Layer normalization over as many last dimensions as gamma has, with an eps of 1e-5. */
  default Tensor layerNorm(Tensor gamma, @Nullable Tensor beta) {
    return layerNorm(gamma.rank(), gamma, beta, 1e-5);
  }

  /**
   * Layer normalization: over the last {@code dims} dimensions.
   *
   * @param dims number of dimensions, at least 1
   * @param gamma of the shape of these dimensions; null for ones
   * @param beta likewise; null for zeros
   * @param eps added to the variance; finite, not negative
   */
  default Tensor layerNorm(int dims, @Nullable Tensor gamma, @Nullable Tensor beta, double eps) {
    return NormFunction.layer((Tensor) this, dims, gamma, beta, eps);
  }

  /**
   * Root-mean-square normalization: {@code x / sqrt(mean(x^2) + eps) * gamma} over the last {@code
   * dims} dimensions; see {@link dev.gridstride.kernels.RmsNorm}.
   *
   * @param dims number of dimensions, at least 1
   * @param gamma of the shape of these dimensions; null for ones
   * @param eps added to the mean square; finite, not negative
   */
  default Tensor rmsNorm(int dims, @Nullable Tensor gamma, double eps) {
    return NormFunction.rms((Tensor) this, dims, gamma, eps);
  }

  /**
   * Group normalization of {@code [n, c, spatial...]}: over {@code c / groups} channels of an image
   * and all their places.
   *
   * @param groups a divisor of the channels
   * @param gamma {@code [c]}; null for ones
   * @param beta {@code [c]}; null for zeros
   * @param eps added to the variance; finite, not negative
   */
  default Tensor groupNorm(long groups, @Nullable Tensor gamma, @Nullable Tensor beta, double eps) {
    return NormFunction.group("groupNorm", (Tensor) this, groups, gamma, beta, eps);
  }

  /**
   * Instance normalization of {@code [n, c, spatial...]}: over each channel of each image.
   *
   * @param gamma {@code [c]}; null for ones
   * @param beta {@code [c]}; null for zeros
   * @param eps added to the variance; finite, not negative
   */
  default Tensor instanceNorm(@Nullable Tensor gamma, @Nullable Tensor beta, double eps) {
    return NormFunction.instance((Tensor) this, gamma, beta, eps);
  }

  /**
   * Local response normalization of {@code [n, c, spatial...]}: {@code x / (k + alpha m)^beta},
   * with m the mean of the squares of {@code size} neighbouring channels at the same place, of
   * which those beyond the first and last count as 0. The window of channel i begins at {@code i -
   * (size - 1) / 2}, rounded down.
   *
   * <p>Krizhevsky et al., "ImageNet Classification with Deep Convolutional Neural Networks", 2012,
   * section 3.3; with alpha divided by size, as in AlexNet's implementations and ONNX. For an even
   * size PyTorch's window begins one channel earlier.
   */
  default Tensor localResponseNorm(long size, double alpha, double beta, double k) {
    return NormFunction.localResponse((Tensor) this, size, alpha, beta, k);
  }

  /**
   * Batch normalization of {@code [n, c, spatial...]} in training: over each channel of the batch.
   * A batch with a single element in a channel is refused.
   *
   * @param gamma {@code [c]}; null for ones
   * @param beta {@code [c]}; null for zeros
   * @param eps added to the variance; finite, not negative
   */
  default Tensor batchNorm(@Nullable Tensor gamma, @Nullable Tensor beta, double eps) {
    return NormFunction.batch((Tensor) this, gamma, beta, null, null, 0, eps);
  }

  /**
   * Batch normalization in training that also moves running averages, in place: {@code running = (1
   * - momentum) * running + momentum * batch}, with the unbiased variance.
   *
   * @param gamma {@code [c]}; null for ones
   * @param beta {@code [c]}; null for zeros
   * @param runningMean {@code [c]}, f64 for f64 and f32 otherwise, without a gradient
   * @param runningVar likewise
   * @param momentum weight of this batch, in 0..1
   * @param eps added to the variance; finite, not negative
   */
  default Tensor batchNorm(
      @Nullable Tensor gamma,
      @Nullable Tensor beta,
      Tensor runningMean,
      Tensor runningVar,
      double momentum,
      double eps) {
    return NormFunction.batch((Tensor) this, gamma, beta, runningMean, runningVar, momentum, eps);
  }

  /**
   * Batch normalization of {@code [n, c, spatial...]} by given statistics, which are constants for
   * the gradients.
   *
   * @param gamma {@code [c]}; null for ones
   * @param beta {@code [c]}; null for zeros
   * @param mean {@code [c]}, f64 for f64 and f32 otherwise, without a gradient
   * @param variance likewise
   * @param eps added to the variance; finite, not negative
   */
  default Tensor batchNormInference(
      @Nullable Tensor gamma, @Nullable Tensor beta, Tensor mean, Tensor variance, double eps) {
    return NormFunction.batchInference((Tensor) this, gamma, beta, mean, variance, eps);
  }

  /** Vectors along {@code axis} divided by their lengths; as {@link #normalize(int, double)}. */
  default Tensor normalize(int axis) {
    return normalize(axis, 1e-12);
  }

  /**
   * Vectors along {@code axis} divided by their lengths: {@code x / max(|x|, eps)} with the
   * Euclidean norm, as {@code torch.nn.functional.normalize}.
   *
   * @param axis the dimension; negative axes count from the last
   * @param eps keeps the zero vector finite; positive and finite in the tensor's dtype
   */
  default Tensor normalize(int axis, double eps) {
    return NormFunction.unit((Tensor) this, axis, eps);
  }
}
