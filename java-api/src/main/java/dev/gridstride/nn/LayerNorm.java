package dev.gridstride.nn;

import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import org.jspecify.annotations.Nullable;

/**
 * Layer normalization of {@code [..., shape]} over the dimensions of {@code shape}.
 *
 * <p>Parameters {@code weight} and {@code bias}, of that shape, f32, named and initialised as
 * PyTorch does. See {@link dev.gridstride.kernels.LayerNorm} for the formula; Ba, Kiros and Hinton,
 * "Layer Normalization", 2016.
 */
public final class LayerNorm extends Module {
  private final int dims;
  private final double eps;
  private final @Nullable Tensor weight;
  private final @Nullable Tensor bias;

  /** With an eps of 1e-5, weight and bias. */
  public LayerNorm(Device device, long... shape) {
    this(device, 1e-5, true, true, shape);
  }

  /**
   * Any options.
   *
   * @param eps added to the variance; finite, not negative
   * @param affine whether there is a weight
   * @param withBias whether there is a bias too, if there is a weight
   * @param shape sizes of the last dimensions
   */
  public LayerNorm(Device device, double eps, boolean affine, boolean withBias, long... shape) {
    long[] sizes = Norms.checkShape("layerNorm", shape);
    Norms.checkEps("layerNorm", eps);
    this.dims = sizes.length;
    this.eps = eps;
    weight = affine ? parameter("weight", () -> Tensors.ones(device, DType.F32, sizes)) : null;
    bias =
        affine && withBias
            ? parameter("bias", () -> Tensors.zeros(device, DType.F32, sizes))
            : null;
  }

  @Override
  public Tensor forward(Tensor x) {
    return x.layerNorm(dims, weight, bias, eps);
  }
}
