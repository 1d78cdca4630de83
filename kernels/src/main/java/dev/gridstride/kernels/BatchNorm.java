package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuBatchNorm;
import dev.gridstride.cuda.CudaBatchNorm;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Op;
import dev.gridstride.device.Pins;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import org.jspecify.annotations.Nullable;

/**
 * Batch normalization of images {@code [n, c, spatial]}: {@code y = (x - mean) * rstd * gamma +
 * beta}, with {@code rstd = 1 / sqrt(var + eps)}, for each channel. In training the mean and the
 * biased variance are those of the channel over the batch; in inference they are given, as the
 * running averages that training keeps.
 *
 * <p>Types, accumulation and edge cases as in {@link LayerNorm}, a channel in place of a row. Ioffe
 * and Szegedy, "Batch Normalization", 2015; the running averages as in PyTorch.
 *
 * @param type element type of x, y, gamma and beta
 * @param layout order of the dimensions
 * @param n number of images
 * @param c channels
 * @param spatial product of the spatial sizes; 1 for none
 * @param eps added to the variance; finite, not negative
 */
public record BatchNorm(DType type, ImageLayout layout, long n, long c, long spatial, double eps)
    implements Op<BatchNorm.Plan> {
  private static final Implementations<BatchNorm, Kernel> IMPLEMENTATIONS =
      Implementations.of(
          Implementation.cpu("channels", CpuBatchNorm::new),
          Implementation.cuda("cuda", CudaBatchNorm::new));

  /** Checks sizes, type and eps. */
  public BatchNorm {
    NormPlan.checkImages("batchNorm", n, c, spatial);
    NormPlan.checkOptions("batchNorm", type, eps);
  }

  /** Of NCHW f32 images, with an eps of 1e-5. */
  public static BatchNorm of(long n, long c, long spatial) {
    return new BatchNorm(DType.F32, ImageLayout.NCHW, n, c, spatial, 1e-5);
  }

  /** The same in another type and layout. */
  public BatchNorm with(DType newType, ImageLayout newLayout) {
    return new BatchNorm(newType, newLayout, n, c, spatial, eps);
  }

  @Override
  public String name() {
    return "batchNorm";
  }

  /** Type of the means, variances and reciprocal standard deviations. */
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

  /** What a backend implements; operands are checked and pinned. */
  public interface Kernel extends NormKernel {
    /** Forward in training that also moves the running averages; see {@link Plan#forward}. */
    void forward(
        Stream stream,
        Buffer x,
        @Nullable Buffer gamma,
        @Nullable Buffer beta,
        Buffer y,
        @Nullable Buffer mean,
        @Nullable Buffer rstd,
        @Nullable Buffer runningMean,
        @Nullable Buffer runningVar,
        double momentum);

    @Override
    default void forward(
        Stream stream,
        Buffer x,
        @Nullable Buffer gamma,
        @Nullable Buffer beta,
        Buffer y,
        @Nullable Buffer mean,
        @Nullable Buffer rstd) {
      forward(stream, x, gamma, beta, y, mean, rstd, null, null, 0);
    }

    /** See {@link Plan#inference}. */
    void inference(
        Stream stream,
        Buffer x,
        @Nullable Buffer gamma,
        @Nullable Buffer beta,
        Buffer mean,
        Buffer variance,
        Buffer y);

    /** See {@link Plan#inferenceBackward}. */
    void inferenceBackward(
        Stream stream,
        Buffer x,
        @Nullable Buffer gamma,
        Buffer mean,
        Buffer variance,
        Buffer dy,
        @Nullable Buffer dx,
        @Nullable Buffer dgamma,
        @Nullable Buffer dbeta);
  }

  /** A batch normalization that can be run. */
  public static final class Plan extends NormPlan<BatchNorm, Kernel> {
    private Plan(BatchNorm op, Device device) {
      super(
          op,
          device,
          IMPLEMENTATIONS,
          op.type(),
          op.n() * op.c() * op.spatial(),
          op.c(),
          op.c(),
          true);
    }

    /**
     * Training: normalizes by the batch's statistics.
     *
     * <p>The running averages become {@code (1 - momentum) * running + momentum * batch}, with the
     * unbiased variance; that of a single element counts as 0, and a batch without elements leaves
     * them as they are.
     *
     * @param x {@code [n, c, spatial]} in the op's layout
     * @param gamma {@code [c]}; null for ones
     * @param beta {@code [c]}; null for zeros; must be null when gamma is
     * @param y as x; may be x, must not overlap it otherwise
     * @param mean {@code [c]} of the op's {@code statType}, for the backward pass; may be null
     * @param rstd {@code [c]} likewise
     * @param runningMean {@code [c]} of the op's {@code statType}, updated in place; may be null
     * @param runningVar {@code [c]} likewise; given if and only if runningMean is
     * @param momentum weight of the new batch in the running averages, in 0..1
     */
    public void forward(
        Stream stream,
        Buffer x,
        @Nullable Buffer gamma,
        @Nullable Buffer beta,
        Buffer y,
        @Nullable Buffer mean,
        @Nullable Buffer rstd,
        @Nullable Buffer runningMean,
        @Nullable Buffer runningVar,
        double momentum) {
      checkForward(stream, x, gamma, beta, y);
      if ((runningMean == null) != (runningVar == null)) {
        throw InvalidArgumentException.of(
            op.name(),
            "runningMean and runningVar",
            "must be given together",
            "runningMean=%s, runningVar=%s",
            String.valueOf(runningMean),
            String.valueOf(runningVar));
      }
      if (!(momentum >= 0 && momentum <= 1)) {
        throw InvalidArgumentException.of(
            op.name(), "momentum", "must be in 0..1", "momentum=%s", momentum);
      }
      checkStatistic("mean", mean, x, gamma, beta, y);
      checkStatistic("rstd", rstd, x, gamma, beta, y);
      checkStatistic("runningMean", runningMean, x, gamma, beta, y);
      checkStatistic("runningVar", runningVar, x, gamma, beta, y);
      checkDisjoint("mean", mean, "rstd", rstd);
      checkDisjoint("runningMean", runningMean, "mean", mean);
      checkDisjoint("runningMean", runningMean, "rstd", rstd);
      checkDisjoint("runningVar", runningVar, "mean", mean);
      checkDisjoint("runningVar", runningVar, "rstd", rstd);
      checkDisjoint("runningVar", runningVar, "runningMean", runningMean);
      Pins.pinAll(op.name(), x, gamma, beta, y, mean, rstd, runningMean, runningVar);
      try {
        kernel.forward(stream, x, gamma, beta, y, mean, rstd, runningMean, runningVar, momentum);
      } finally {
        Pins.unpinAll(x, gamma, beta, y, mean, rstd, runningMean, runningVar);
      }
    }

    /**
     * The gradients of a training pass with respect to x, gamma and beta; those given as null are
     * not computed.
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

    /**
     * Inference: normalizes by given statistics.
     *
     * @param x {@code [n, c, spatial]} in the op's layout
     * @param gamma {@code [c]}; null for ones
     * @param beta {@code [c]}; null for zeros; must be null when gamma is
     * @param mean {@code [c]} of the op's {@code statType}: the running mean
     * @param variance {@code [c]} likewise: the running variance
     * @param y as x; may be x, must not overlap it otherwise
     */
    public void inference(
        Stream stream,
        Buffer x,
        @Nullable Buffer gamma,
        @Nullable Buffer beta,
        Buffer mean,
        Buffer variance,
        Buffer y) {
      checkForward(stream, x, gamma, beta, y);
      check("mean", mean, op.statType(), stats);
      check("variance", variance, op.statType(), stats);
      checkDisjoint("y", y, "mean", mean);
      checkDisjoint("y", y, "variance", variance);
      Pins.pinAll(op.name(), x, gamma, beta, mean, variance, y);
      try {
        kernel.inference(stream, x, gamma, beta, mean, variance, y);
      } finally {
        Pins.unpinAll(x, gamma, beta, mean, variance, y);
      }
    }

    /**
     * The gradients of an inference pass, whose statistics are constants; those given as null are
     * not computed.
     *
     * @param x the forward's input
     * @param gamma the forward's gamma
     * @param mean the mean that the forward was given
     * @param variance the variance that the forward was given
     * @param dy gradient with respect to y
     * @param dx gradient with respect to x; may be dy or x, must not overlap them otherwise
     * @param dgamma gradient with respect to gamma, overwritten
     * @param dbeta gradient with respect to beta, overwritten
     */
    public void inferenceBackward(
        Stream stream,
        Buffer x,
        @Nullable Buffer gamma,
        Buffer mean,
        Buffer variance,
        Buffer dy,
        @Nullable Buffer dx,
        @Nullable Buffer dgamma,
        @Nullable Buffer dbeta) {
      checkBackward(stream, x, gamma, "mean", mean, "variance", variance, dy, dx, dgamma, dbeta);
      Pins.pinAll(op.name(), x, gamma, mean, variance, dy, dx, dgamma, dbeta);
      try {
        kernel.inferenceBackward(stream, x, gamma, mean, variance, dy, dx, dgamma, dbeta);
      } finally {
        Pins.unpinAll(x, gamma, mean, variance, dy, dx, dgamma, dbeta);
      }
    }
  }
}
