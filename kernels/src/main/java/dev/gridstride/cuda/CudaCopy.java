package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.Copy;
import dev.gridstride.kernels.Layout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Copies and casts between layouts by {@code gs_copy}. */
public final class CudaCopy extends CudaKernel implements Copy.Kernel {
  private static final MethodHandle COPY =
      status("gs_copy", I32, I32, HOST, DEVICE, DEVICE, DEVICE);

  private final int from;
  private final int to;
  private final long first;
  private final MemorySegment copy = symbol("gs_copy");
  private final MemorySegment layout;

  /** A kernel for {@code op}. */
  public CudaCopy(Copy op, Device device) {
    super(op.name(), device);
    this.from = Abi.type(op.fromType());
    this.to = Abi.type(op.toType());
    var s = Layouts.of(Abi.COPY_LAYOUT, op.to());
    Layouts.strides(s, "stride_y", op.to());
    Layout x = op.from();
    long start = 0;
    for (int i = 0; i < x.rank(); i++) {
      boolean backwards = (op.reversed() >>> i & 1) != 0;
      s.element("stride_x", i, backwards ? -x.stride(i) : x.stride(i));
      if (backwards && x.count() > 0) {
        start += (x.dim(i) - 1) * x.stride(i);
      }
    }
    this.first = start * op.fromType().bytes();
    this.layout = s.memory();
  }

  /** Whether there is a kernel for {@code op}. */
  public static Support accepts(Copy op) {
    return Layouts.rank(op.to());
  }

  @Override
  public void run(Stream stream, Buffer x, Buffer y) {
    long px = pointer(x) + first;
    long py = pointer(y);
    launch(stream, s -> (int) COPY.invokeExact(copy, from, to, layout, px, py, s));
  }
}
