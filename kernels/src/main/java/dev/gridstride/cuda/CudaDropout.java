package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.Dropout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Dropout by {@code gs_dropout}. */
public final class CudaDropout extends CudaKernel implements Dropout.Kernel {
  private static final MethodHandle DROPOUT =
      status("gs_dropout", I32, I64, F64, I64, I64, DEVICE, DEVICE, DEVICE);

  private final Dropout op;
  private final int type;
  private final MemorySegment dropout = symbol("gs_dropout");

  /** A kernel for {@code op}. */
  public CudaDropout(Dropout op, Device device) {
    super(op.name(), device);
    this.op = op;
    this.type = Abi.type(op.type());
  }

  @Override
  public void run(Stream stream, long seed, long offset, Buffer x, Buffer y) {
    long px = pointer(x);
    long py = pointer(y);
    launch(
        stream,
        s -> (int) DROPOUT.invokeExact(dropout, type, op.count(), op.p(), seed, offset, px, py, s));
  }
}
