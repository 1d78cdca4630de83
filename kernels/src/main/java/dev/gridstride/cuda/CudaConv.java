package dev.gridstride.cuda;

import dev.gridstride.device.Device;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.Conv;

/** Convolutions by {@code gs_conv_forward} and its backward functions. */
public final class CudaConv extends CudaConvolution implements Conv.Kernel {
  /** A kernel for {@code op}. */
  public CudaConv(Conv op, Device device) {
    super(op.name(), "gs_conv_", op, device);
  }

  /** Whether there is a kernel for {@code op}. */
  public static Support accepts(Conv op) {
    return acceptsAdjoint(op);
  }

  @Override
  public String details() {
    return "implicit product";
  }
}
