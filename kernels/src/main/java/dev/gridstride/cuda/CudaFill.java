package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.Fill;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Constants by {@code gs_fill_f64} and {@code gs_fill_i64}. */
public final class CudaFill extends CudaKernel implements Fill.Kernel {
  private static final MethodHandle FILL_F64 =
      status("gs_fill_f64", I32, HOST, F64, DEVICE, DEVICE);
  private static final MethodHandle FILL_I64 =
      status("gs_fill_i64", I32, HOST, I64, DEVICE, DEVICE);

  private final int type;
  private final MemorySegment fillF64 = symbol("gs_fill_f64");
  private final MemorySegment fillI64 = symbol("gs_fill_i64");
  private final MemorySegment layout;

  /** A kernel for {@code op}. */
  public CudaFill(Fill op, Device device) {
    super(op.name(), device);
    this.type = Abi.type(op.type());
    this.layout = Layouts.fill(Struct.of(Abi.LAYOUT), op.to()).memory();
  }

  /** Whether there is a kernel for {@code op}. */
  public static Support accepts(Fill op) {
    return Layouts.rank(op.to());
  }

  @Override
  public void run(Stream stream, double value, Buffer y) {
    long p = pointer(y);
    launch(stream, s -> (int) FILL_F64.invokeExact(fillF64, type, layout, value, p, s));
  }

  @Override
  public void run(Stream stream, long value, Buffer y) {
    long p = pointer(y);
    launch(stream, s -> (int) FILL_I64.invokeExact(fillI64, type, layout, value, p, s));
  }
}
