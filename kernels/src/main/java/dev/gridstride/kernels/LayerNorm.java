package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuNorm;
import dev.gridstride.cuda.CudaNorm;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.Op;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import org.jspecify.annotations.Nullable;

/**
 * Layer normalization of the rows of a row-major {@code [rows, cols]}: {@code y = (x - mean) * rstd
 * * gamma + beta}, with {@code rstd = 1 / sqrt(var + eps)}, the mean and the biased variance taken
 * over each row.
 *
 * <p>f32, f64, bf16 and f16, parameters of the same type, all computed in at least f32; statistics
 * are f64 for f64 and f32 for the others. The variance is taken about the mean of short stretches,
 * which are combined in double (Chan, Golub and LeVeque 1979), so that a large mean costs no
 * digits; the backward pass recovers the part of the mean that rounding to f32 has cut off. The
 * same bits from run to run and for any number of threads.
 *
 * <p>A row that holds a NaN or an infinity gives NaN for the whole row. Of rows without elements
 * the mean and the variance are 0. Ba, Kiros and Hinton, "Layer Normalization", 2016.
 *
 * @param type element type of x, y, gamma and beta
 * @param rows number of rows
 * @param cols length of a row, and of gamma and beta
 * @param eps added to the variance; finite, not negative
 */
public record LayerNorm(DType type, long rows, long cols, double eps)
    implements Op<LayerNorm.Plan> {
  private static final Implementations<LayerNorm, NormKernel> IMPLEMENTATIONS =
      Implementations.of(
          Implementation.cpu("rows", CpuNorm::of), Implementation.cuda("cuda", CudaNorm::new));

  /** Checks sizes, type and eps. */
  public LayerNorm {
    NormPlan.checkRows("layerNorm", rows, cols);
    NormPlan.checkOptions("layerNorm", type, eps);
  }

  /** Of f32 rows, with an eps of 1e-5. */
  public static LayerNorm of(long rows, long cols) {
    return new LayerNorm(DType.F32, rows, cols, 1e-5);
  }

  @Override
  public String name() {
    return "layerNorm";
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

  /** A layer normalization that can be run. */
  public static final class Plan extends NormPlan<LayerNorm, NormKernel> {
    private Plan(LayerNorm op, Device device) {
      super(
          op,
          device,
          IMPLEMENTATIONS,
          op.type(),
          op.rows() * op.cols(),
          op.cols(),
          op.rows(),
          true);
    }

    /**
     * {@code y = (x - mean) * rstd * gamma + beta}.
     *
     * @param x {@code [rows, cols]}
     * @param gamma {@code [cols]}; null for ones
     * @param beta {@code [cols]}; null for zeros; must be null when gamma is
     * @param y as x; may be x, must not overlap it otherwise
     * @param mean {@code [rows]} of the op's {@code statType}, for the backward pass; may be null
     * @param rstd {@code [rows]} likewise
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
