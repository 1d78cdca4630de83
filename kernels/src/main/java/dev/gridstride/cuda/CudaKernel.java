package dev.gridstride.cuda;

import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.DeviceKernel;

/**
 * What the kernels of all ops share: the device, the functions' addresses, and how one is called.
 *
 * <p>Operands have been checked and pinned by the plan.
 */
abstract class CudaKernel extends Calls implements DeviceKernel {
  private final String op;
  private final CudaDevice device;

  /** For {@code op} on a device of this package. */
  CudaKernel(String op, Device device) {
    super(((CudaDevice) device).library().symbols());
    this.op = op;
    this.device = (CudaDevice) device;
  }

  /** One native call; its status becomes an exception. */
  interface Call {
    /** Enqueues the work. */
    int on(long stream) throws Throwable;
  }

  /** Enqueues work in {@code stream}, which can't be destroyed meanwhile. */
  final void launch(Stream stream, Call call) {
    var queue = (CudaStream) stream;
    long handle = queue.pin(op);
    try {
      device.enter();
      device.check(op, call.on(handle));
      device.launched(op, handle);
    } catch (Throwable t) {
      throw unexpected(t);
    } finally {
      queue.unpin();
    }
  }
}
