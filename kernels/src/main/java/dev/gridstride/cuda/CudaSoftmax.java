package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.Softmax;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Softmax and log-softmax by {@code gs_softmax_forward} and {@code gs_softmax_backward}. */
public final class CudaSoftmax extends CudaKernel implements Softmax.Kernel {
  private static final MethodHandle FORWARD =
      status("gs_softmax_forward", HOST, DEVICE, DEVICE, DEVICE);
  private static final MethodHandle BACKWARD =
      status("gs_softmax_backward", HOST, DEVICE, DEVICE, DEVICE, DEVICE);

  private final MemorySegment forward = symbol("gs_softmax_forward");
  private final MemorySegment backward = symbol("gs_softmax_backward");
  private final MemorySegment softmax;

  /** A kernel for {@code op}. */
  public CudaSoftmax(Softmax op, Device device) {
    super(op.name(), device);
    this.softmax =
        Struct.of(Abi.SOFTMAX)
            .set("outer", op.outer())
            .set("size", op.size())
            .set("inner", op.inner())
            .set("type", Abi.type(op.type()))
            .set("log", op.log())
            .memory();
  }

  @Override
  public void forward(Stream stream, Buffer x, Buffer y) {
    long px = pointer(x);
    long py = pointer(y);
    launch(stream, s -> (int) FORWARD.invokeExact(forward, softmax, px, py, s));
  }

  @Override
  public void backward(Stream stream, Buffer y, Buffer dy, Buffer dx) {
    long py = pointer(y);
    long pdy = pointer(dy);
    long pdx = pointer(dx);
    launch(stream, s -> (int) BACKWARD.invokeExact(backward, softmax, py, pdy, pdx, s));
  }
}
