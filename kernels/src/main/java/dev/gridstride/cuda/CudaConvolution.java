package dev.gridstride.cuda;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.Conv;
import dev.gridstride.kernels.ConvAxis;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/** The passes of convolutions and of transposed ones, whose functions have the same signatures. */
abstract class CudaConvolution extends CudaKernel {
  private static final MethodHandle WORKSPACE = status("gs_conv_workspace", HOST, HOST);
  private static final MethodHandle FORWARD =
      status("gs_conv_forward", HOST, DEVICE, DEVICE, DEVICE, DEVICE, DEVICE, DEVICE);
  private static final MethodHandle BACKWARD_DATA =
      status("gs_conv_backward_data", HOST, DEVICE, DEVICE, DEVICE, DEVICE, DEVICE);
  private static final MethodHandle BACKWARD_WEIGHT =
      status("gs_conv_backward_weight", HOST, DEVICE, DEVICE, DEVICE, DEVICE, DEVICE, DEVICE);

  static {
    alike("gs_conv_transpose_forward", "gs_conv_forward");
    alike("gs_conv_transpose_backward_data", "gs_conv_backward_data");
    alike("gs_conv_transpose_backward_weight", "gs_conv_backward_weight");
  }

  /** Axes reach and filters hold less than the kernels' 32-bit places. */
  private static final long MOST_PLACES = 1 << 30;

  private final MemorySegment forward;
  private final MemorySegment backwardData;
  private final MemorySegment backwardWeight;
  private final MemorySegment conv;
  private final long workspace;

  /** The functions {@code prefix + "forward"} and so on, for what {@code conv} describes. */
  CudaConvolution(String op, String prefix, Conv conv, Device device) {
    super(op, device);
    this.forward = symbol(prefix + "forward");
    this.backwardData = symbol(prefix + "backward_data");
    this.backwardWeight = symbol(prefix + "backward_weight");
    this.conv = describe(conv);
    MemorySegment query = symbol("gs_conv_workspace");
    this.workspace = sizes(1, b -> (int) WORKSPACE.invokeExact(query, this.conv, b))[0];
  }

  private static MemorySegment describe(Conv op) {
    var s =
        Struct.of(Abi.CONV)
            .set("type", Abi.type(op.type()))
            .set("layout", Abi.number(op.layout()))
            .set("axes", op.axes().size())
            .set("relu", op.relu())
            .set("n", op.n())
            .set("c", op.c())
            .set("k", op.k())
            .set("groups", op.groups());
    for (int i = 0; i < op.axes().size(); i++) {
      ConvAxis axis = op.axes().get(i);
      s.member(Abi.CONV_AXIS, "axis", i)
          .set("size", axis.size())
          .set("kernel", axis.kernel())
          .set("stride", axis.stride())
          .set("pad_begin", axis.padBegin())
          .set("pad_end", axis.padEnd())
          .set("dilation", axis.dilation());
    }
    return s.memory();
  }

  /** Whether there is a kernel for {@code op}; the library's own limits. */
  static Support acceptsAdjoint(Conv op) {
    long taps = 1;
    for (ConvAxis a : op.axes()) {
      if (a.size() + Math.abs(a.padBegin()) + Math.abs(a.padEnd()) >= MOST_PLACES) {
        return Support.no("size and padding of an axis must together be below 2^30; given " + a);
      }
      taps *= a.kernel();
    }
    long channels = Math.max(op.c(), op.k()) / op.groups();
    return taps <= Integer.MAX_VALUE && channels <= Integer.MAX_VALUE / taps
        ? Support.YES
        : Support.no("a filter must have fewer than 2^31 elements; given " + op);
  }

  @Override
  public final long workspaceBytes() {
    return alignable(workspace);
  }

  /** {@code y} from x and w; see the ops. */
  public final void forward(
      Stream stream,
      Buffer x,
      Buffer w,
      @Nullable Buffer bias,
      Buffer y,
      @Nullable Buffer workspace) {
    long px = pointer(x);
    long pw = pointer(w);
    long pb = pointer(bias);
    long py = pointer(y);
    long work = aligned(workspace);
    launch(stream, s -> (int) FORWARD.invokeExact(forward, conv, px, pw, pb, py, work, s));
  }

  /** {@code dx} from dy and w; see the ops. */
  public final void backwardData(
      Stream stream, Buffer dy, Buffer w, Buffer dx, @Nullable Buffer workspace) {
    long pdy = pointer(dy);
    long pw = pointer(w);
    long pdx = pointer(dx);
    long work = aligned(workspace);
    launch(stream, s -> (int) BACKWARD_DATA.invokeExact(backwardData, conv, pdy, pw, pdx, work, s));
  }

  /** {@code dw} and dbias from x and dy; see the ops. */
  public final void backwardWeight(
      Stream stream,
      Buffer x,
      Buffer dy,
      Buffer dw,
      @Nullable Buffer dbias,
      @Nullable Buffer workspace) {
    long px = pointer(x);
    long pdy = pointer(dy);
    long pdw = pointer(dw);
    long pb = pointer(dbias);
    long work = aligned(workspace);
    launch(
        stream,
        s -> (int) BACKWARD_WEIGHT.invokeExact(backwardWeight, conv, px, pdy, pdw, pb, work, s));
  }
}
