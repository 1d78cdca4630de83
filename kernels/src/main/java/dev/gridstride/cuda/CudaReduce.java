package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.Reduce;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Reductions by {@code gs_reduce_forward} and {@code gs_reduce_backward}; their workspace is of the
 * call, from the stream-ordered pool.
 */
public final class CudaReduce extends CudaKernel implements Reduce.Kernel {
  private static final MethodHandle WORKSPACE = status("gs_reduce_workspace", HOST, HOST);
  private static final MethodHandle FORWARD =
      status("gs_reduce_forward", HOST, DEVICE, DEVICE, DEVICE, DEVICE);
  private static final MethodHandle BACKWARD =
      status("gs_reduce_backward", HOST, DEVICE, DEVICE, DEVICE, DEVICE, DEVICE, DEVICE);

  private final MemorySegment forward = symbol("gs_reduce_forward");
  private final MemorySegment backward = symbol("gs_reduce_backward");
  private final MemorySegment reduce;
  private final long workspace;

  /** A kernel for {@code op}. */
  public CudaReduce(Reduce op, Device device) {
    super(op.name(), device);
    var s =
        Struct.of(Abi.REDUCE)
            .set("kind", Abi.number(op.kind()))
            .set("type", Abi.type(op.type()))
            .set("axes", (int) op.axes());
    Layouts.fill(s.member(Abi.LAYOUT, "x"), op.x());
    this.reduce = s.memory();
    MemorySegment query = symbol("gs_reduce_workspace");
    this.workspace = sizes(1, b -> (int) WORKSPACE.invokeExact(query, reduce, b))[0];
  }

  /** Whether there is a kernel for {@code op}. */
  public static Support accepts(Reduce op) {
    return Layouts.rank(op.x());
  }

  @Override
  public void run(Stream stream, Buffer x, Buffer y) {
    long px = pointer(x);
    long py = pointer(y);
    launch(stream, workspace, (w, s) -> (int) FORWARD.invokeExact(forward, reduce, px, py, w, s));
  }

  @Override
  public void backward(Stream stream, Buffer x, Buffer y, Buffer dy, Buffer dx) {
    long px = pointer(x);
    long py = pointer(y);
    long pdy = pointer(dy);
    long pdx = pointer(dx);
    launch(
        stream,
        workspace,
        (w, s) -> (int) BACKWARD.invokeExact(backward, reduce, px, py, pdy, pdx, w, s));
  }
}
