package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.GatherElements;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Elements by index by {@code gs_gather_elements_forward} and {@code gs_gather_elements_scatter}.
 */
public final class CudaGatherElements extends CudaIndexed implements GatherElements.Kernel {
  private static final MethodHandle WORKSPACE =
      status("gs_gather_elements_workspace", HOST, HOST, HOST);
  private static final MethodHandle FORWARD =
      status("gs_gather_elements_forward", HOST, DEVICE, DEVICE, DEVICE, DEVICE, DEVICE);
  private static final MethodHandle SCATTER =
      status("gs_gather_elements_scatter", HOST, DEVICE, DEVICE, DEVICE, I32, DEVICE, DEVICE);

  private final MemorySegment forward = symbol("gs_gather_elements_forward");
  private final MemorySegment scatter = symbol("gs_gather_elements_scatter");
  private final MemorySegment gather;
  private final long[] workspaces;

  /** A kernel for {@code op}. */
  public CudaGatherElements(GatherElements op, Device device) {
    super(op.name(), device, op.indexType(), op.x().dim(op.axis()), op.fromEnd());
    var s =
        Struct.of(Abi.GATHER_ELEMENTS)
            .set("type", Abi.type(op.type()))
            .set("index_type", Abi.type(op.indexType()))
            .set("from_end", op.fromEnd())
            .set("dims", op.x().rank())
            .set("axis", op.axis());
    for (int i = 0; i < op.x().rank(); i++) {
      s.element("size_x", i, op.x().dim(i)).element("size_index", i, op.index().dim(i));
    }
    this.gather = s.memory();
    MemorySegment query = symbol("gs_gather_elements_workspace");
    this.workspaces =
        sizes(2, b -> (int) WORKSPACE.invokeExact(query, gather, b, b.asSlice(Long.BYTES)));
  }

  /** Whether there is a kernel for {@code op}. */
  public static Support accepts(GatherElements op) {
    return Layouts.rank(op.x());
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
  public void scatter(Stream stream, Buffer source, Buffer indices, Buffer target, boolean add) {
    long from = pointer(source);
    long pi = pointer(indices);
    long to = pointer(target);
    int adds = add ? 1 : 0;
    run(
        stream,
        workspaces[1],
        indices,
        (w, s) -> (int) SCATTER.invokeExact(scatter, gather, from, pi, to, adds, w, s));
  }
}
