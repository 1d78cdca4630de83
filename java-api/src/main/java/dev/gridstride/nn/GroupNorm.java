package dev.gridstride.nn;

import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import org.jspecify.annotations.Nullable;

/**
 * Group normalization of {@code [n, channels, spatial...]}: over {@code channels / groups} channels
 * of an image and all their places.
 *
 * <p>Parameters {@code weight} and {@code bias [channels]}, f32, named and initialised as PyTorch
 * does. See {@link dev.gridstride.kernels.GroupNorm} for the formula; Wu and He, "Group
 * Normalization", 2018.
 */
public final class GroupNorm extends Module {
  private final long groups;
  private final long channels;
  private final double eps;
  private final @Nullable Tensor weight;
  private final @Nullable Tensor bias;

  /** With an eps of 1e-5, weight and bias. */
  public GroupNorm(Device device, long groups, long channels) {
    this(device, groups, channels, 1e-5, true);
  }

  /**
   * Any options.
   *
   * @param groups a divisor of channels
   * @param eps added to the variance; finite, not negative
   * @param affine whether there are a weight and a bias
   */
  public GroupNorm(Device device, long groups, long channels, double eps, boolean affine) {
    if (groups < 1 || channels < 1 || channels % groups != 0) {
      throw InvalidArgumentException.of(
          "groupNorm",
          "groups",
          "must divide the channels",
          "groups=%d, channels=%d",
          groups,
          channels);
    }
    Norms.checkEps("groupNorm", eps);
    this.groups = groups;
    this.channels = channels;
    this.eps = eps;
    weight = affine ? parameter("weight", () -> Tensors.ones(device, DType.F32, channels)) : null;
    bias = affine ? parameter("bias", () -> Tensors.zeros(device, DType.F32, channels)) : null;
  }

  @Override
  public Tensor forward(Tensor x) {
    if (x.rank() < 2 || x.size(1) != channels) {
      throw InvalidArgumentException.of(
          "groupNorm",
          "x",
          "must be [n, channels, spatial...]",
          "shape=%s, channels=%d",
          x.shape(),
          channels);
    }
    return x.groupNorm(groups, weight, bias, eps);
  }
}
