package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.Pad;
import dev.gridstride.kernels.PadAxis;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Padding by {@code gs_pad_forward} and {@code gs_pad_backward}. */
public final class CudaPad extends CudaKernel implements Pad.Kernel {
  private static final MethodHandle FORWARD =
      status("gs_pad_forward", HOST, DEVICE, DEVICE, DEVICE);
  private static final MethodHandle BACKWARD =
      status("gs_pad_backward", HOST, DEVICE, DEVICE, DEVICE);

  private final MemorySegment forward = symbol("gs_pad_forward");
  private final MemorySegment backward = symbol("gs_pad_backward");
  private final MemorySegment pad;

  /** A kernel for {@code op}. */
  public CudaPad(Pad op, Device device) {
    super(op.name(), device);
    var s =
        Struct.of(Abi.PAD)
            .set("mode", Abi.number(op.mode()))
            .set("type", Abi.type(op.type()))
            .set("dims", op.axes().size())
            .set("value", op.value());
    for (int i = 0; i < op.axes().size(); i++) {
      PadAxis axis = op.axes().get(i);
      s.element("size", i, axis.size())
          .element("before", i, axis.before())
          .element("after", i, axis.after());
    }
    this.pad = s.memory();
  }

  /** Whether there is a kernel for {@code op}. */
  public static Support accepts(Pad op) {
    return Layouts.rank(op.axes().size());
  }

  @Override
  public void forward(Stream stream, Buffer x, Buffer y) {
    long px = pointer(x);
    long py = pointer(y);
    launch(stream, s -> (int) FORWARD.invokeExact(forward, pad, px, py, s));
  }

  @Override
  public void backward(Stream stream, Buffer dy, Buffer dx) {
    long pdy = pointer(dy);
    long pdx = pointer(dx);
    launch(stream, s -> (int) BACKWARD.invokeExact(backward, pad, pdy, pdx, s));
  }
}
