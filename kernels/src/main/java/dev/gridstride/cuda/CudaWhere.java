package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.Where;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Choices between two arrays by {@code gs_where}. */
public final class CudaWhere extends CudaKernel implements Where.Kernel {
  private static final MethodHandle WHERE =
      status("gs_where", I32, HOST, DEVICE, DEVICE, DEVICE, DEVICE, DEVICE);

  private final int type;
  private final MemorySegment where = symbol("gs_where");
  private final MemorySegment layout;

  /** A kernel for {@code op}. */
  public CudaWhere(Where op, Device device) {
    super(op.name(), device);
    this.type = Abi.type(op.type());
    var s = Layouts.of(Abi.WHERE_LAYOUT, op.y());
    Layouts.strides(s, "stride_condition", op.condition());
    Layouts.strides(s, "stride_a", op.a());
    Layouts.strides(s, "stride_b", op.b());
    Layouts.strides(s, "stride_y", op.y());
    this.layout = s.memory();
  }

  /** Whether there is a kernel for {@code op}. */
  public static Support accepts(Where op) {
    return Layouts.rank(op.y());
  }

  @Override
  public void run(Stream stream, Buffer condition, Buffer a, Buffer b, Buffer y) {
    long pc = pointer(condition);
    long pa = pointer(a);
    long pb = pointer(b);
    long py = pointer(y);
    launch(stream, s -> (int) WHERE.invokeExact(where, type, layout, pc, pa, pb, py, s));
  }
}
