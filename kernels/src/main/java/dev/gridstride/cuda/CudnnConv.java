package dev.gridstride.cuda;

import dev.gridstride.cuda.Cudnn.Native;
import dev.gridstride.cuda.Cudnn.Operand;
import dev.gridstride.cuda.Cudnn.Pass;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.device.UnsupportedException;
import dev.gridstride.kernels.Conv;
import dev.gridstride.kernels.Copy;
import dev.gridstride.kernels.Layout;
import dev.gridstride.kernels.Reduce;
import dev.gridstride.kernels.Unary;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Convolutions by cuDNN, with the one algorithm of each pass that always sums in the same order:
 * implicit product with precomputed indices forward, algorithm 1 backward.
 *
 * <p>Bias, ReLU, the gradient of the bias and the order of filters for images with channels last
 * are Gridstride's own ops around it. A bias is there before the product is added, so that narrow
 * types are rounded once.
 */
public final class CudnnConv extends CudaKernel implements Conv.Kernel {
  /** cudnnConvolutionFwdAlgo_t: CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM. */
  private static final int FORWARD_ALGORITHM = 1;

  /** CUDNN_CONVOLUTION_BWD_DATA_ALGO_1 and CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1. */
  private static final int BACKWARD_ALGORITHM = 1;

  private final Cudnn library;
  private final CudnnSession session;
  private final Native x;
  private final Native w;
  private final Native y;
  private final Native convolution;
  private final long forwardBytes;
  private final long dataBytes;
  private final long filterBytes;

  /** Bytes of filters in cuDNN's order, which lie at the begin of the workspace; 0 for none. */
  private final long filterCopy;

  private final Copy.@Nullable Plan toFilter;
  private final Copy.@Nullable Plan fromFilter;
  private final Copy.Plan broadcastBias;
  private final Unary.@Nullable Plan relu;
  private final Reduce.Plan sumBias;

  /** A kernel for {@code op}. */
  public CudnnConv(Conv op, Device device) {
    this(op, device, CudnnLibrary.installed());
  }

  /** A kernel for {@code op} by a binding of cuDNN. */
  public CudnnConv(Conv op, Device device, Cudnn.Found found) {
    super(op.name(), device);
    Cudnn cudnn = found.library();
    if (cudnn == null) {
      throw new UnsupportedException("conv: cuDNN: " + found.reason());
    }
    this.library = cudnn;
    this.session = new CudnnSession(op.name(), cudnn, (CudaDevice) device);
    var shape = new CudnnShape(op);
    try {
      this.x = images(op, shape.xDims(), shape.format());
      this.y = images(op, shape.yDims(), shape.format());
      this.w = session.filter(op.type(), shape.format(), shape.wDims());
      this.convolution =
          session.convolution(
              shape.padding(), shape.strides(), shape.dilations(), shape.groups(), shape.math());
      this.forwardBytes = session.workspace(Pass.FORWARD, x, w, convolution, y, FORWARD_ALGORITHM);
      this.dataBytes =
          session.workspace(Pass.BACKWARD_DATA, w, y, convolution, x, BACKWARD_ALGORITHM);
      this.filterBytes =
          session.workspace(Pass.BACKWARD_FILTER, x, y, convolution, w, BACKWARD_ALGORITHM);
    } catch (RuntimeException refused) {
      session.close();
      throw refused;
    }
    long pixels = op.yCount() / op.n() / op.k();
    boolean planes = shape.format() == Cudnn.NCHW;
    long[] dims =
        planes ? new long[] {op.n(), op.k(), pixels} : new long[] {op.n() * pixels, op.k()};
    Layout whole = Layout.contiguous(dims);
    Layout channels = Layout.of(dims, planes ? new long[] {0, 1, 0} : new long[] {0, 1});
    this.broadcastBias = device.plan(Copy.of(op.type(), channels, whole));
    this.sumBias =
        device.plan(
            Reduce.of(
                Reduce.Kind.SUM, op.type(), whole, planes ? new int[] {0, 2} : new int[] {0}));
    this.relu =
        op.relu() ? device.plan(Unary.of(Unary.Function.RELU, op.type(), op.yCount())) : null;
    if (shape.reordersFilters()) {
      long c = op.c() / op.groups();
      long taps = op.wCount() / op.k() / c;
      Layout ours = Layout.contiguous(op.k(), c, taps);
      Layout theirs = Layout.of(ours.dims(), new long[] {c * taps, 1, c});
      this.toFilter = device.plan(Copy.of(op.type(), ours, theirs));
      this.fromFilter = device.plan(Copy.of(op.type(), theirs, ours));
      this.filterCopy = op.type().bytes(op.wCount());
    } else {
      this.toFilter = null;
      this.fromFilter = null;
      this.filterCopy = 0;
    }
  }

  private Native images(Conv op, int[] dims, int format) {
    return session.tensor(op.type(), dims, CudnnShape.strides(dims, format));
  }

  /** Whether cuDNN computes {@code op} as Gridstride means it, and why not. */
  public static Support accepts(Conv op, Device device) {
    return accepts(op, device, CudnnLibrary.installed());
  }

  /** Whether a binding of cuDNN computes {@code op} as Gridstride means it, and why not. */
  public static Support accepts(Conv op, Device device, Cudnn.Found found) {
    return VendorSupport.of(
        device,
        found.reason(),
        () -> CudnnShape.describes(op),
        () -> new CudnnConv(op, device, found));
  }

  @Override
  public long workspaceBytes() {
    long most = Math.max(forwardBytes, Math.max(dataBytes, filterBytes));
    return alignable(alignedBytes(filterCopy) + most);
  }

  @Override
  public String details() {
    return library.name() + (filterCopy > 0 ? ", filters reordered" : "");
  }

  /** The part of the workspace that holds filters in cuDNN's order. */
  private Buffer filters(@Nullable Buffer workspace) {
    Buffer given = Objects.requireNonNull(workspace, "workspace");
    return given.slice(aligned(given) - pointer(given), filterCopy);
  }

  /** The filters as cuDNN wants them. */
  private long ordered(Stream stream, Buffer filter, @Nullable Buffer workspace) {
    if (toFilter == null) {
      return pointer(filter);
    }
    Buffer copy = filters(workspace);
    toFilter.run(stream, filter, copy);
    return pointer(copy);
  }

  private void convolve(
      Stream stream,
      Pass pass,
      int algorithm,
      Operand first,
      Operand second,
      @Nullable Buffer workspace,
      long bytes,
      boolean adds,
      Operand result) {
    long scratch = bytes == 0 ? 0 : aligned(workspace) + alignedBytes(filterCopy);
    launch(
        stream,
        s ->
            session.queue(
                s,
                pass.run(),
                handle ->
                    library.convolve(
                        handle,
                        pass,
                        first,
                        second,
                        convolution,
                        algorithm,
                        scratch,
                        bytes,
                        adds ? 1 : 0,
                        result)));
  }

  @Override
  public void forward(
      Stream stream,
      Buffer xs,
      Buffer filter,
      @Nullable Buffer bias,
      Buffer ys,
      @Nullable Buffer workspace) {
    long pw = ordered(stream, filter, workspace);
    if (bias != null) {
      broadcastBias.run(stream, bias, ys);
    }
    convolve(
        stream,
        Pass.FORWARD,
        FORWARD_ALGORITHM,
        new Operand(x, pointer(xs)),
        new Operand(w, pw),
        workspace,
        forwardBytes,
        bias != null,
        new Operand(y, pointer(ys)));
    if (relu != null) {
      relu.forward(stream, ys, ys);
    }
  }

  @Override
  public void backwardData(
      Stream stream, Buffer dy, Buffer filter, Buffer dx, @Nullable Buffer workspace) {
    long pw = ordered(stream, filter, workspace);
    convolve(
        stream,
        Pass.BACKWARD_DATA,
        BACKWARD_ALGORITHM,
        new Operand(w, pw),
        new Operand(y, pointer(dy)),
        workspace,
        dataBytes,
        false,
        new Operand(x, pointer(dx)));
  }

  @Override
  public void backwardWeight(
      Stream stream,
      Buffer xs,
      Buffer dy,
      Buffer dw,
      @Nullable Buffer dbias,
      @Nullable Buffer workspace) {
    Buffer target = fromFilter == null ? dw : filters(workspace);
    convolve(
        stream,
        Pass.BACKWARD_FILTER,
        BACKWARD_ALGORITHM,
        new Operand(x, pointer(xs)),
        new Operand(y, pointer(dy)),
        workspace,
        filterBytes,
        false,
        new Operand(w, pointer(target)));
    if (fromFilter != null) {
      fromFilter.run(stream, target, dw);
    }
    if (dbias != null) {
      sumBias.run(stream, dy, dbias);
    }
  }

  @Override
  public void close() {
    session.close();
  }
}
