package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.BatchNorm;
import dev.gridstride.kernels.GroupNorm;
import dev.gridstride.kernels.ImageLayout;
import dev.gridstride.kernels.LayerNorm;
import dev.gridstride.kernels.NormKernel;
import dev.gridstride.kernels.RmsNorm;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * Layer, root-mean-square and group normalization by {@code gs_norm_forward} and {@code
 * gs_norm_backward}, and what batch normalization has in common with them.
 *
 * <p>The workspace is of the call, from the stream-ordered pool: plans are shared by threads.
 */
public sealed class CudaNorm extends CudaKernel implements NormKernel permits CudaBatchNorm {
  private static final MethodHandle WORKSPACE = status("gs_norm_workspace", HOST, HOST);
  private static final MethodHandle FORWARD =
      status(
          "gs_norm_forward",
          HOST,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE,
          F64,
          DEVICE,
          DEVICE);
  private static final MethodHandle BACKWARD =
      status(
          "gs_norm_backward",
          HOST,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE);

  /** The description. */
  final MemorySegment norm;

  private final MemorySegment forward = symbol("gs_norm_forward");
  private final MemorySegment backward = symbol("gs_norm_backward");
  final long workspace;

  /** A kernel for {@code op}. */
  public CudaNorm(LayerNorm op, Device device) {
    this(op.name(), device, rows(Abi.LAYER_NORM, op.type(), op.rows(), op.cols(), op.eps()));
  }

  /** A kernel for {@code op}. */
  public CudaNorm(RmsNorm op, Device device) {
    this(op.name(), device, rows(Abi.RMS_NORM, op.type(), op.rows(), op.cols(), op.eps()));
  }

  /** A kernel for {@code op}. */
  public CudaNorm(GroupNorm op, Device device) {
    this(
        op.name(),
        device,
        images(
            Abi.GROUP_NORM,
            op.type(),
            op.layout(),
            op.n(),
            op.c(),
            op.spatial(),
            op.groups(),
            op.eps()));
  }

  /** A kernel for {@code op}. */
  CudaNorm(BatchNorm op, Device device) {
    this(
        op.name(),
        device,
        images(Abi.BATCH_NORM, op.type(), op.layout(), op.n(), op.c(), op.spatial(), 1, op.eps()));
  }

  private CudaNorm(String name, Device device, MemorySegment norm) {
    super(name, device);
    this.norm = norm;
    MemorySegment query = symbol("gs_norm_workspace");
    this.workspace = sizes(1, b -> (int) WORKSPACE.invokeExact(query, norm, b))[0];
  }

  private static MemorySegment rows(int kind, DType type, long rows, long cols, double eps) {
    return images(kind, type, ImageLayout.NCHW, rows, cols, 1, 1, eps);
  }

  private static MemorySegment images(
      int kind,
      DType type,
      ImageLayout layout,
      long n,
      long c,
      long spatial,
      long groups,
      double eps) {
    return Struct.of(Abi.NORM)
        .set("kind", kind)
        .set("type", Abi.type(type))
        .set("layout", Abi.number(layout))
        .set("n", n)
        .set("c", c)
        .set("spatial", spatial)
        .set("groups", groups)
        .set("eps", eps)
        .memory();
  }

  @Override
  public void forward(
      Stream stream,
      Buffer x,
      @Nullable Buffer gamma,
      @Nullable Buffer beta,
      Buffer y,
      @Nullable Buffer mean,
      @Nullable Buffer rstd) {
    forward(stream, x, gamma, beta, y, mean, rstd, null, null, 0);
  }

  /** Forward that may also move running averages. */
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
    long px = pointer(x);
    long pg = pointer(gamma);
    long pb = pointer(beta);
    long py = pointer(y);
    long pm = pointer(mean);
    long pr = pointer(rstd);
    long rm = pointer(runningMean);
    long rv = pointer(runningVar);
    launch(
        stream,
        workspace,
        (work, s) ->
            (int)
                FORWARD.invokeExact(
                    forward, norm, px, pg, pb, py, pm, pr, rm, rv, momentum, work, s));
  }

  @Override
  public void backward(
      Stream stream,
      Buffer x,
      @Nullable Buffer gamma,
      @Nullable Buffer mean,
      Buffer rstd,
      Buffer dy,
      @Nullable Buffer dx,
      @Nullable Buffer dgamma,
      @Nullable Buffer dbeta) {
    long px = pointer(x);
    long pg = pointer(gamma);
    long pm = pointer(mean);
    long pr = pointer(rstd);
    long pdy = pointer(dy);
    long pdx = pointer(dx);
    long pdg = pointer(dgamma);
    long pdb = pointer(dbeta);
    launch(
        stream,
        workspace,
        (work, s) ->
            (int)
                BACKWARD.invokeExact(backward, norm, px, pg, pm, pr, pdy, pdx, pdg, pdb, work, s));
  }
}
