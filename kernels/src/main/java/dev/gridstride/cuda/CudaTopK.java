package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.TopK;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The best elements by {@code gs_top_k_forward} and {@code gs_top_k_backward}; the second waits for
 * the number of bad indices.
 */
public final class CudaTopK extends CudaKernel implements TopK.Kernel {
  private static final MethodHandle WORKSPACE = status("gs_top_k_workspace", HOST, HOST);
  private static final MethodHandle FORWARD =
      status("gs_top_k_forward", HOST, DEVICE, DEVICE, DEVICE, DEVICE, DEVICE);
  private static final MethodHandle BACKWARD =
      status("gs_top_k_backward", HOST, DEVICE, DEVICE, DEVICE, DEVICE, DEVICE);

  /** As in the contract of {@code gs_top_k}. */
  private static final long LARGEST_SELECTED = 1024;

  private static final long LARGEST_SORTED = (1L << 32) - 1;

  private final TopK op;
  private final MemorySegment forward = symbol("gs_top_k_forward");
  private final MemorySegment backward = symbol("gs_top_k_backward");
  private final MemorySegment topK;
  private final long workspace;

  /** A kernel for {@code op}. */
  public CudaTopK(TopK op, Device device) {
    super(op.name(), device);
    this.op = op;
    this.topK = description(op);
    MemorySegment query = symbol("gs_top_k_workspace");
    this.workspace = sizes(1, b -> (int) WORKSPACE.invokeExact(query, topK, b))[0];
  }

  private static MemorySegment description(TopK op) {
    var s =
        Struct.of(Abi.TOP_K)
            .set("type", Abi.type(op.type()))
            .set("axis", op.axis())
            .set("largest", op.largest())
            .set("k", op.k());
    Layouts.fill(s.member(Abi.LAYOUT, "x"), op.x());
    return s.memory();
  }

  /** Whether there is a kernel for {@code op}. */
  public static Support accepts(TopK op) {
    long size = op.x().dim(op.axis());
    if (op.k() > LARGEST_SELECTED && size > LARGEST_SORTED) {
      return Support.no(
          "at most 1024 of more than 2^32-1 elements; k=" + op.k() + ", size=" + size);
    }
    return Layouts.rank(op.x());
  }

  @Override
  public String details() {
    return "k=" + op.k() + " of " + op.x().dim(op.axis());
  }

  @Override
  public void forward(Stream stream, Buffer x, Buffer values, Buffer indices) {
    long px = pointer(x);
    long pv = pointer(values);
    long pi = pointer(indices);
    launch(stream, workspace, (w, s) -> (int) FORWARD.invokeExact(forward, topK, px, pv, pi, w, s));
  }

  @Override
  public void backward(Stream stream, Buffer dy, Buffer indices, Buffer dx) {
    long pdy = pointer(dy);
    long pi = pointer(indices);
    long pdx = pointer(dx);
    long bad =
        withWorkspace(
            stream,
            workspace,
            w -> {
              launch(stream, s -> (int) BACKWARD.invokeExact(backward, topK, pdy, pi, pdx, w, s));
              return isRecorded() ? -1 : readLong(stream, w);
            });
    if (bad >= 0) {
      throw InvalidArgumentException.of(
          op.name(),
          "indices",
          "must be in 0..size",
          "index=%d, size=%d",
          readLong(stream, indices.devicePointer() + Long.BYTES * bad),
          op.x().dim(op.axis()));
    }
  }
}
