package dev.gridstride.cuda;

import dev.gridstride.device.Device;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.ConvTranspose;

/** Transposed convolutions by {@code gs_conv_transpose_forward} and its backward functions. */
public final class CudaConvTranspose extends CudaConvolution implements ConvTranspose.Kernel {
  /** A kernel for {@code op}. */
  public CudaConvTranspose(ConvTranspose op, Device device) {
    super(op.name(), "gs_conv_transpose_", op.adjoint(), device);
  }

  /** Whether there is a kernel for {@code op}. */
  public static Support accepts(ConvTranspose op) {
    return acceptsAdjoint(op.adjoint());
  }

  @Override
  public String details() {
    return "implicit product of the adjoint";
  }
}
