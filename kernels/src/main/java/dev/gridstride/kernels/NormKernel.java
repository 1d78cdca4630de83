package dev.gridstride.kernels;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a backend implements for a normalization whose statistics come from its input; operands are
 * checked and pinned. Layer, group and root-mean-square normalization use it as it is.
 */
public interface NormKernel extends DeviceKernel {
  /** Statistics of x, then y; mean and rstd are written when given. y may be x. */
  void forward(
      Stream stream,
      Buffer x,
      @Nullable Buffer gamma,
      @Nullable Buffer beta,
      Buffer y,
      @Nullable Buffer mean,
      @Nullable Buffer rstd);

  /**
   * The gradients that are asked for; mean is null where the op has none. dx may be dy or x.
   *
   * @param mean as forward has written it
   * @param rstd as forward has written it
   */
  void backward(
      Stream stream,
      Buffer x,
      @Nullable Buffer gamma,
      @Nullable Buffer mean,
      Buffer rstd,
      Buffer dy,
      @Nullable Buffer dx,
      @Nullable Buffer dgamma,
      @Nullable Buffer dbeta);
}
