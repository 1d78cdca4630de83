package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.Gather;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Entries by index by {@code gs_gather_forward} and {@code gs_gather_add}. */
public final class CudaGather extends CudaIndexed implements Gather.Kernel {
  private static final MethodHandle WORKSPACE = status("gs_gather_workspace", HOST, HOST, HOST);
  private static final MethodHandle FORWARD =
      status("gs_gather_forward", HOST, DEVICE, DEVICE, DEVICE, DEVICE, DEVICE);
  private static final MethodHandle ADD =
      status("gs_gather_add", HOST, DEVICE, DEVICE, DEVICE, I32, DEVICE, DEVICE);

  private final MemorySegment forward = symbol("gs_gather_forward");
  private final MemorySegment add = symbol("gs_gather_add");
  private final MemorySegment gather;
  private final long[] workspaces;

  /** A kernel for {@code op}. */
  public CudaGather(Gather op, Device device) {
    super(op.name(), device, op.indexType(), op.size(), op.fromEnd());
    this.gather =
        Struct.of(Abi.GATHER)
            .set("outer", op.outer())
            .set("size", op.size())
            .set("inner", op.inner())
            .set("count", op.count())
            .set("type", Abi.type(op.type()))
            .set("index_type", Abi.type(op.indexType()))
            .set("from_end", op.fromEnd())
            .memory();
    MemorySegment query = symbol("gs_gather_workspace");
    this.workspaces =
        sizes(2, s -> (int) WORKSPACE.invokeExact(query, gather, s, s.asSlice(Long.BYTES)));
  }

  @Override
  public void gather(Stream stream, Buffer x, Buffer indices, Buffer y) {
    long px = pointer(x);
    long pi = pointer(indices);
    long py = pointer(y);
    run(
        stream,
        workspaces[0],
        indices,
        (w, s) -> (int) FORWARD.invokeExact(forward, gather, px, pi, py, w, s));
  }

  @Override
  public void scatterAdd(Stream stream, Buffer y, Buffer indices, Buffer x, boolean clear) {
    long px = pointer(x);
    long pi = pointer(indices);
    long py = pointer(y);
    int zero = clear ? 1 : 0;
    run(
        stream,
        workspaces[1],
        indices,
        (w, s) -> (int) ADD.invokeExact(add, gather, py, pi, px, zero, w, s));
  }
}
