package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.Unary;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Functions of one array by {@code gs_unary_forward} and {@code gs_unary_backward}. */
public final class CudaUnary extends CudaKernel implements Unary.Kernel {
  private static final MethodHandle FORWARD =
      status("gs_unary_forward", I32, I32, I64, F64, F64, DEVICE, DEVICE, DEVICE);
  private static final MethodHandle BACKWARD =
      status("gs_unary_backward", I32, I32, I64, F64, F64, DEVICE, DEVICE, DEVICE, DEVICE);

  private final Unary op;
  private final int function;
  private final int type;
  private final MemorySegment forward = symbol("gs_unary_forward");
  private final MemorySegment backward = symbol("gs_unary_backward");

  /** A kernel for {@code op}. */
  public CudaUnary(Unary op, Device device) {
    super(op.name(), device);
    this.op = op;
    this.function = Abi.number(op.function());
    this.type = Abi.type(op.type());
  }

  @Override
  public void forward(Stream stream, Buffer x, Buffer y) {
    long px = pointer(x);
    long py = pointer(y);
    launch(
        stream,
        s ->
            (int)
                FORWARD.invokeExact(
                    forward, function, type, op.count(), op.a(), op.b(), px, py, s));
  }

  @Override
  public void backward(Stream stream, Buffer saved, Buffer dy, Buffer dx) {
    long p = pointer(saved);
    long pdy = pointer(dy);
    long pdx = pointer(dx);
    launch(
        stream,
        s ->
            (int)
                BACKWARD.invokeExact(
                    backward, function, type, op.count(), op.a(), op.b(), p, pdy, pdx, s));
  }
}
