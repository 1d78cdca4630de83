package dev.gridstride.nn;

import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import org.jspecify.annotations.Nullable;

/**
 * Root-mean-square normalization of {@code [..., shape]} over the dimensions of {@code shape}.
 *
 * <p>Parameter {@code weight}, of that shape, f32, named and initialised as PyTorch does. See
 * {@link dev.gridstride.kernels.RmsNorm} for the formula; Zhang and Sennrich, "Root Mean Square
 * Layer Normalization", 2019.
 */
public final class RMSNorm extends Module {
  private final int dims;
  private final double eps;
  private final @Nullable Tensor weight;

  /** With a weight and an eps of 2^-23, the epsilon of f32, as in PyTorch. */
  public RMSNorm(Device device, long... shape) {
    this(device, DType.F32.epsilon(), true, shape);
  }

  /**
   * Any options.
   *
   * @param eps added to the mean square; finite, not negative
   * @param affine whether there is a weight
   * @param shape sizes of the last dimensions
   */
  public RMSNorm(Device device, double eps, boolean affine, long... shape) {
    long[] sizes = Norms.checkShape("rmsNorm", shape);
    Norms.checkEps("rmsNorm", eps);
    this.dims = sizes.length;
    this.eps = eps;
    weight = affine ? parameter("weight", () -> Tensors.ones(device, DType.F32, sizes)) : null;
  }

  @Override
  public Tensor forward(Tensor x) {
    return x.rmsNorm(dims, weight, eps);
  }
}
