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
 * Root-mean-square normalization of the rows of a row-major {@code [rows, cols]}: {@code y = x *
 * rstd * gamma}, with {@code rstd = 1 / sqrt(mean(x^2) + eps)} over each row.
 *
 * <p>Types and accumulation as in {@link LayerNorm}. A row that holds a NaN gives NaN for the whole
 * row, one that holds an infinity NaN there and 0 elsewhere. Zhang and Sennrich, "Root Mean Square
 * Layer Normalization", 2019.
 *
 * @param type element type of x, y and gamma
 * @param rows number of rows
 * @param cols length of a row, and of gamma
 * @param eps added to the mean square; finite, not negative
 */
public record RmsNorm(DType type, long rows, long cols, double eps) implements Op<RmsNorm.Plan> {
  private static final Implementations<RmsNorm, NormKernel> IMPLEMENTATIONS =
      Implementations.of(
          Implementation.cpu("rows", CpuNorm::of), Implementation.cuda("cuda", CudaNorm::new));

  /** Checks sizes, type and eps. */
  public RmsNorm {
    NormPlan.checkRows("rmsNorm", rows, cols);
    NormPlan.checkOptions("rmsNorm", type, eps);
  }

  /** Of f32 rows, with an eps of 1e-6. */
  public static RmsNorm of(long rows, long cols) {
    return new RmsNorm(DType.F32, rows, cols, 1e-6);
  }

  @Override
  public String name() {
    return "rmsNorm";
  }

  /** Type of the reciprocal root mean squares. */
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

  /** A root-mean-square normalization that can be run. */
  public static final class Plan extends NormPlan<RmsNorm, NormKernel> {
    private Plan(RmsNorm op, Device device) {
      super(
          op,
          device,
          IMPLEMENTATIONS,
          op.type(),
          op.rows() * op.cols(),
          op.cols(),
          op.rows(),
          false);
    }

    /**
     * {@code y = x * rstd * gamma}.
     *
     * @param x {@code [rows, cols]}
     * @param gamma {@code [cols]}; null for ones
     * @param y as x; may be x, must not overlap it otherwise
     * @param rstd {@code [rows]} of the op's {@code statType}, for the backward pass; may be null
     */
    public void forward(
        Stream stream, Buffer x, @Nullable Buffer gamma, Buffer y, @Nullable Buffer rstd) {
      runForward(stream, x, gamma, null, y, null, rstd);
    }

    /**
     * The gradients with respect to x and gamma; those given as null are not computed.
     *
     * @param x the forward's input
     * @param gamma the forward's gamma
     * @param rstd as the forward has written it
     * @param dy gradient with respect to y
     * @param dx gradient with respect to x; may be dy or x, must not overlap them otherwise
     * @param dgamma gradient with respect to gamma, overwritten
     */
    public void backward(
        Stream stream,
        Buffer x,
        @Nullable Buffer gamma,
        Buffer rstd,
        Buffer dy,
        @Nullable Buffer dx,
        @Nullable Buffer dgamma) {
      runBackward(stream, x, gamma, null, rstd, dy, dx, dgamma, null);
    }
  }
}
