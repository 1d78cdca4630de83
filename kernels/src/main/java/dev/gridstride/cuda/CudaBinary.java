package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.Binary;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Functions of two arrays by {@code gs_binary}. */
public final class CudaBinary extends CudaKernel implements Binary.Kernel {
  private static final MethodHandle BINARY =
      status("gs_binary", I32, I32, HOST, DEVICE, DEVICE, DEVICE, DEVICE);

  private final int kind;
  private final int type;
  private final MemorySegment binary = symbol("gs_binary");
  private final MemorySegment layout;

  /** A kernel for {@code op}. */
  public CudaBinary(Binary op, Device device) {
    super(op.name(), device);
    this.kind = Abi.number(op.kind());
    this.type = Abi.type(op.type());
    var s = Layouts.of(Abi.BINARY_LAYOUT, op.y());
    Layouts.strides(s, "stride_a", op.a());
    Layouts.strides(s, "stride_b", op.b());
    Layouts.strides(s, "stride_y", op.y());
    this.layout = s.memory();
  }

  /** Whether there is a kernel for {@code op}. */
  public static Support accepts(Binary op) {
    if (op.type() == DType.U8) {
      return Support.no("no u8");
    }
    if (op.kind() == Binary.Kind.DIV && !op.type().isFloating()) {
      return Support.no("a kernel can't refuse an integer division by zero");
    }
    return Layouts.rank(op.y());
  }

  @Override
  public void run(Stream stream, Buffer a, Buffer b, Buffer y) {
    long pa = pointer(a);
    long pb = pointer(b);
    long py = pointer(y);
    launch(stream, s -> (int) BINARY.invokeExact(binary, kind, type, layout, pa, pb, py, s));
  }
}
