package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.Pool;
import dev.gridstride.kernels.PoolAxis;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/** Pooling by {@code gs_pool_forward} and {@code gs_pool_backward}. */
public final class CudaPool extends CudaKernel implements Pool.Kernel {
  private static final MethodHandle FORWARD =
      status("gs_pool_forward", HOST, DEVICE, DEVICE, DEVICE, DEVICE);
  private static final MethodHandle BACKWARD =
      status("gs_pool_backward", HOST, DEVICE, DEVICE, DEVICE, DEVICE, DEVICE);

  private final MemorySegment forward = symbol("gs_pool_forward");
  private final MemorySegment backward = symbol("gs_pool_backward");
  private final MemorySegment pool;

  /** A kernel for {@code op}. */
  public CudaPool(Pool op, Device device) {
    super(op.name(), device);
    var s =
        Struct.of(Abi.POOL)
            .set("kind", Abi.number(op.kind()))
            .set("type", Abi.type(op.type()))
            .set("layout", Abi.number(op.layout()))
            .set("axes", op.axes().size())
            .set("n", op.n())
            .set("c", op.c())
            .set("count_include_pad", op.countIncludePad());
    for (int i = 0; i < op.axes().size(); i++) {
      PoolAxis axis = op.axes().get(i);
      s.member(Abi.POOL_AXIS, "axis", i)
          .set("size", axis.size())
          .set("kernel", axis.kernel())
          .set("stride", axis.stride())
          .set("pad_begin", axis.padBegin())
          .set("pad_end", axis.padEnd())
          .set("dilation", axis.dilation())
          .set("ceil", axis.ceil());
    }
    this.pool = s.memory();
  }

  @Override
  public void forward(Stream stream, Buffer x, Buffer y, @Nullable Buffer indices) {
    long px = pointer(x);
    long py = pointer(y);
    long pi = pointer(indices);
    launch(stream, s -> (int) FORWARD.invokeExact(forward, pool, px, py, pi, s));
  }

  @Override
  public void backward(
      Stream stream, @Nullable Buffer x, @Nullable Buffer y, Buffer dy, Buffer dx) {
    long px = pointer(x);
    long py = pointer(y);
    long pdy = pointer(dy);
    long pdx = pointer(dx);
    launch(stream, s -> (int) BACKWARD.invokeExact(backward, pool, px, py, pdy, pdx, s));
  }
}
