package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuNorm;
import dev.gridstride.cuda.CudaNorm;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Op;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import org.jspecify.annotations.Nullable;

/**
 * Group normalization of images {@code [n, c, spatial]}: {@code y = (x - mean) * rstd * gamma +
 * beta}, the mean and the biased variance taken over each image's group of {@code c / groups}
 * channels, gamma and beta given for each channel. With as many groups as channels it is instance
 * normalization.
 *
 * <p>Types, accumulation and edge cases as in {@link LayerNorm}, a group in place of a row. Wu and
 * He, "Group Normalization", 2018.
 *
 * @param type element type of x, y, gamma and beta
 * @param layout order of the dimensions
 * @param n number of images
 * @param c channels, and length of gamma and beta
 * @param spatial product of the spatial sizes; 1 for none
 * @param groups a divisor of c
 * @param eps added to the variance; finite, not negative
 */
public record GroupNorm(
    DType type, ImageLayout layout, long n, long c, long spatial, long groups, double eps)
    implements Op<GroupNorm.Plan> {
  private static final Implementations<GroupNorm, NormKernel> IMPLEMENTATIONS =
      Implementations.of(
          Implementation.cpu("groups", CpuNorm::of), Implementation.cuda("cuda", CudaNorm::new));

  /** Checks sizes, type and eps. */
  public GroupNorm {
    NormPlan.checkImages("groupNorm", n, c, spatial);
    NormPlan.checkOptions("groupNorm", type, eps);
    if (groups < 1 || c % groups != 0) {
      throw InvalidArgumentException.of(
          "groupNorm", "groups", "must divide the channels", "groups=%d, c=%d", groups, c);
    }
    if (groups > Long.MAX_VALUE / Math.max(1, n)) { // with c = 0
      throw InvalidArgumentException.of(
          "groupNorm", "n groups", "must be below 2^63", "n=%d, groups=%d", n, groups);
    }
  }

  /** Of NCHW f32 images, with an eps of 1e-5. */
  public static GroupNorm of(long n, long c, long spatial, long groups) {
    return new GroupNorm(DType.F32, ImageLayout.NCHW, n, c, spatial, groups, 1e-5);
  }

  /** The same in another type and layout. */
  public GroupNorm with(DType newType, ImageLayout newLayout) {
    return new GroupNorm(newType, newLayout, n, c, spatial, groups, eps);
  }

  @Override
  public String name() {
    return "groupNorm";
  }

  /** Type of the means and reciprocal standard deviations. */
  public DType statType() {
    return NormPlan.statType(type);
  }

  @Override
  public Support supports(Device device) {
    return IMPLEMENTATIONS.supports(this, device);
  }

  @Override
  public Plan plan(Device device) {
    return new Plan(this, device);
  }

  /** A group normalization that can be run. */
  public static final class Plan extends NormPlan<GroupNorm, NormKernel> {
    private Plan(GroupNorm op, Device device) {
      super(
          op,
          device,
          IMPLEMENTATIONS,
          op.type(),
          op.n() * op.c() * op.spatial(),
          op.c(),
          op.n() * op.groups(),
          true);
    }

    /**
     * {@code y = (x - mean) * rstd * gamma + beta}.
     *
     * @param x {@code [n, c, spatial]} in the op's layout
     * @param gamma {@code [c]}; null for ones
     * @param beta {@code [c]}; null for zeros; must be null when gamma is
     * @param y as x; may be x, must not overlap it otherwise
     * @param mean {@code [n, groups]} of the op's {@code statType}, for the backward pass; may be
     *     null
     * @param rstd {@code [n, groups]} likewise
     */
    public void forward(
        Stream stream,
        Buffer x,
        @Nullable Buffer gamma,
        @Nullable Buffer beta,
        Buffer y,
        @Nullable Buffer mean,
        @Nullable Buffer rstd) {
      runForward(stream, x, gamma, beta, y, mean, rstd);
    }

    /**
     * The gradients with respect to x, gamma and beta; those given as null are not computed.
     *
     * @param x the forward's input
     * @param gamma the forward's gamma
     * @param mean as the forward has written it
     * @param rstd likewise
     * @param dy gradient with respect to y
     * @param dx gradient with respect to x; may be dy or x, must not overlap them otherwise
     * @param dgamma gradient with respect to gamma, overwritten
     * @param dbeta gradient with respect to beta, overwritten
     */
    public void backward(
        Stream stream,
        Buffer x,
        @Nullable Buffer gamma,
        Buffer mean,
        Buffer rstd,
        Buffer dy,
        @Nullable Buffer dx,
        @Nullable Buffer dgamma,
        @Nullable Buffer dbeta) {
      runBackward(stream, x, gamma, mean, rstd, dy, dx, dgamma, dbeta);
    }
  }
}
