package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.Attention;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * Attention by {@code gs_attention_forward} and {@code gs_attention_backward}.
 *
 * <p>The workspace of a backward pass is of the call, from the stream-ordered pool: plans are
 * shared by threads.
 */
public final class CudaAttention extends CudaKernel implements Attention.Kernel {
  private static final MethodHandle WORKSPACE = status("gs_attention_workspace", HOST, HOST);
  private static final MethodHandle FORWARD =
      status("gs_attention_forward", HOST, DEVICE, DEVICE, DEVICE, DEVICE, DEVICE, DEVICE);
  private static final MethodHandle BACKWARD =
      status(
          "gs_attention_backward",
          HOST,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE,
          DEVICE);

  private final MemorySegment forward = symbol("gs_attention_forward");
  private final MemorySegment backward = symbol("gs_attention_backward");
  private final MemorySegment attention;
  private final long workspace;

  /** A kernel for {@code op}. */
  public CudaAttention(Attention op, Device device) {
    super(op.name(), device);
    this.attention =
        Struct.of(Abi.ATTENTION)
            .set("products", op.products())
            .set("sharing", op.sharing())
            .set("queries", op.queries())
            .set("keys", op.keys())
            .set("depth", op.depth())
            .set("value_depth", op.valueDepth())
            .set("scale", op.scale())
            .set("type", Abi.type(op.type()))
            .set("causal", op.causal())
            .memory();
    MemorySegment query = symbol("gs_attention_workspace");
    this.workspace = sizes(1, b -> (int) WORKSPACE.invokeExact(query, attention, b))[0];
  }

  /** Whether the kernels' tiles are wide enough. */
  public static Support accepts(Attention op) {
    long largest = op.type() == DType.F64 ? 64 : 256;
    if (op.depth() > largest || op.valueDepth() > largest) {
      return Support.no(
          "depths up to "
              + largest
              + "; given depth="
              + op.depth()
              + ", valueDepth="
              + op.valueDepth());
    }
    return Support.YES;
  }

  @Override
  public void forward(Stream stream, Buffer q, Buffer k, Buffer v, Buffer y, @Nullable Buffer lse) {
    long pq = pointer(q);
    long pk = pointer(k);
    long pv = pointer(v);
    long py = pointer(y);
    long pl = pointer(lse);
    launch(stream, s -> (int) FORWARD.invokeExact(forward, attention, pq, pk, pv, py, pl, s));
  }

  @Override
  public void backward(
      Stream stream,
      Buffer q,
      Buffer k,
      Buffer v,
      Buffer y,
      Buffer lse,
      Buffer dy,
      @Nullable Buffer dq,
      @Nullable Buffer dk,
      @Nullable Buffer dv) {
    long pq = pointer(q);
    long pk = pointer(k);
    long pv = pointer(v);
    long py = pointer(y);
    long pl = pointer(lse);
    long pdy = pointer(dy);
    long pdq = pointer(dq);
    long pdk = pointer(dk);
    long pdv = pointer(dv);
    launch(
        stream,
        workspace,
        (work, s) ->
            (int)
                BACKWARD.invokeExact(
                    backward, attention, pq, pk, pv, py, pl, pdy, pdq, pdk, pdv, work, s));
  }
}
