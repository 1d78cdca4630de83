package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.BatchNorm;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/** Batch normalization; inference by {@code gs_batch_norm_inference} and its backward form. */
public final class CudaBatchNorm extends CudaNorm implements BatchNorm.Kernel {
  private static final MethodHandle INFERENCE =
      status(
          "gs_batch_norm_inference",
          HOST,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE);
  private static final MethodHandle INFERENCE_BACKWARD =
      status(
          "gs_batch_norm_inference_backward",
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

  private final MemorySegment inference = symbol("gs_batch_norm_inference");
  private final MemorySegment inferenceBackward = symbol("gs_batch_norm_inference_backward");

  /** A kernel for {@code op}. */
  public CudaBatchNorm(BatchNorm op, Device device) {
    super(op, device);
  }

  @Override
  public void inference(
      Stream stream,
      Buffer x,
      @Nullable Buffer gamma,
      @Nullable Buffer beta,
      Buffer mean,
      Buffer variance,
      Buffer y) {
    long px = pointer(x);
    long pg = pointer(gamma);
    long pb = pointer(beta);
    long pm = pointer(mean);
    long pv = pointer(variance);
    long py = pointer(y);
    launch(
        stream,
        workspace,
        (work, s) -> (int) INFERENCE.invokeExact(inference, norm, px, pg, pb, pm, pv, py, work, s));
  }

  @Override
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
    long px = pointer(x);
    long pg = pointer(gamma);
    long pm = pointer(mean);
    long pv = pointer(variance);
    long pdy = pointer(dy);
    long pdx = pointer(dx);
    long pdg = pointer(dgamma);
    long pdb = pointer(dbeta);
    launch(
        stream,
        workspace,
        (work, s) ->
            (int)
                INFERENCE_BACKWARD.invokeExact(
                    inferenceBackward, norm, px, pg, pm, pv, pdy, pdx, pdg, pdb, work, s));
  }
}
