package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.ArgReduce;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Places of the largest or smallest elements by {@code gs_arg_reduce_run}. */
public final class CudaArgReduce extends CudaKernel implements ArgReduce.Kernel {
  private static final MethodHandle WORKSPACE = status("gs_arg_reduce_workspace", HOST, HOST);
  private static final MethodHandle RUN =
      status("gs_arg_reduce_run", HOST, DEVICE, DEVICE, DEVICE, DEVICE);

  private final MemorySegment run = symbol("gs_arg_reduce_run");
  private final MemorySegment reduce;
  private final long workspace;

  /** A kernel for {@code op}. */
  public CudaArgReduce(ArgReduce op, Device device) {
    super(op.name(), device);
    var s =
        Struct.of(Abi.ARG_REDUCE)
            .set("kind", Abi.number(op.kind()))
            .set("type", Abi.type(op.type()))
            .set("axis", op.axis())
            .set("last", op.last());
    Layouts.fill(s.member(Abi.LAYOUT, "x"), op.x());
    this.reduce = s.memory();
    MemorySegment query = symbol("gs_arg_reduce_workspace");
    this.workspace = sizes(1, b -> (int) WORKSPACE.invokeExact(query, reduce, b))[0];
  }

  /** Whether there is a kernel for {@code op}. */
  public static Support accepts(ArgReduce op) {
    return Layouts.rank(op.x());
  }

  @Override
  public void run(Stream stream, Buffer x, Buffer y) {
    long px = pointer(x);
    long py = pointer(y);
    launch(stream, workspace, (w, s) -> (int) RUN.invokeExact(run, reduce, px, py, w, s));
  }
}
