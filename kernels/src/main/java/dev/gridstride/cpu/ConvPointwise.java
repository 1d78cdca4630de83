package dev.gridstride.cpu;

import dev.gridstride.device.DType;
import dev.gridstride.kernels.Conv;
import dev.gridstride.kernels.ConvAxis;
import dev.gridstride.kernels.Epilogue;
import dev.gridstride.kernels.Gemm;
import dev.gridstride.kernels.ImageLayout;
import dev.gridstride.kernels.Layout;
import dev.gridstride.kernels.Reduce;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A convolution of single taps, channels last: with a row for each pixel of all images it is a
 * matrix product in each pass, {@code y = x w^T}, {@code dx = dy w} and {@code dw = dy^T x}, whose
 * operands lie as a product wants them. With a stride the pixels that are read lie in the workspace
 * one after the other.
 */
final class ConvPointwise {
  /** Fewer channels fill no vector, for which convolutions have passes of their own. */
  private static final int LEAST_CHANNELS = 16;

  /**
   * Pixels up to which the weights are what takes the time: products read them with less copying.
   */
  private static final long FEW_PIXELS = 256;

  /**
   * Pixels up to which the weights' gradient is a product; over more of them only of {@link
   * #MANY_FILTERS} and no more filters than channels: the vectors of {@link ConvWeightGradient} lie
   * along the filters.
   */
  private static final long WEIGHT_PIXELS = 1024;

  private static final int MANY_FILTERS = 64;

  /**
   * Filters or pixels from which a forward pass with a stride is a product: of fewer of both, to
   * copy the pixels takes longer than the product gains.
   */
  private static final int STRIDED_FILTERS = 512;

  private static final long STRIDED_PIXELS = 1024;

  /** Elements of a task that copies rows. */
  private static final long ROW_ELEMENTS = 1 << 14;

  /** The axes of the images, or null where each pixel is read. */
  private final ConvAxis @Nullable [] strided;

  private final DType type;
  private final long pixels;
  private final long images;
  private final long channels;
  private final boolean takesForward;
  private final boolean takesData;
  private final boolean takesWeights;
  private final CpuGemm forward;
  private final CpuGemm forwardWithBias;
  private final CpuGemm data;
  private final CpuGemm dataWithBias;
  private final CpuGemm weight;
  private final CpuReduce bias;

  private ConvPointwise(Conv op, ConvAxis @Nullable [] strided) {
    this.strided = strided;
    type = op.type();
    images = op.n();
    channels = op.c();
    pixels = op.yCount() / op.k();
    Gemm y = Gemm.of(pixels, op.k(), op.c()).trans(false, true).type(op.type());
    Gemm dx = Gemm.of(pixels, op.c(), op.k()).type(op.type());
    Gemm dw = Gemm.of(op.k(), op.c(), pixels).trans(true, false).type(op.type());
    forward = new CpuGemm(y.with(withRelu(Epilogue.NONE, op.relu())));
    forwardWithBias = new CpuGemm(y.with(withRelu(Epilogue.bias(), op.relu())));
    data = new CpuGemm(dx);
    dataWithBias = new CpuGemm(dx.with(Epilogue.bias()));
    weight = new CpuGemm(dw);
    boolean few = strided == null && pixels <= FEW_PIXELS;
    boolean much = op.k() >= STRIDED_FILTERS || pixels >= STRIDED_PIXELS;
    takesForward = few || (strided != null && much);
    takesData = few || strided != null;
    takesWeights =
        strided != null || pixels <= WEIGHT_PIXELS || (op.k() >= MANY_FILTERS && op.k() <= op.c());
    bias =
        new CpuReduce(Reduce.of(Reduce.Kind.SUM, op.type(), Layout.contiguous(pixels, op.k()), 0));
  }

  /** The products of {@code op}, or null if it is none. */
  static @Nullable ConvPointwise of(Conv op) {
    ConvAxis[] axes = ConvEngine.threeAxes(op.axes());
    boolean single = true;
    boolean dense = true;
    for (ConvAxis a : axes) {
      single &= a.kernel() == 1 && a.padBegin() == 0 && a.padEnd() == 0;
      dense &= a.stride() == 1;
    }
    boolean fits =
        single
            && op.layout() == ImageLayout.NHWC
            && op.groups() == 1
            && (op.type() == DType.F32 || op.type() == DType.F64)
            && Math.min(op.c(), op.k()) >= LEAST_CHANNELS;
    return fits ? new ConvPointwise(op, dense ? null : axes) : null;
  }

  /** Bytes of the pixels that a stride leaves. */
  long workspaceBytes() {
    return strided == null ? 0 : pixels * channels * type.bytes();
  }

  private static Epilogue withRelu(Epilogue e, boolean relu) {
    return relu ? e.then(Epilogue.Activation.RELU) : e;
  }

  void forward(
      MemorySegment x,
      MemorySegment w,
      @Nullable MemorySegment bias,
      MemorySegment y,
      MemorySegment workspace) {
    (bias == null ? forward : forwardWithBias).run(1, read(x, workspace), w, 0, y, bias, null);
  }

  void backwardData(
      MemorySegment dy,
      MemorySegment w,
      @Nullable MemorySegment bias,
      MemorySegment dx,
      MemorySegment workspace) {
    var product = bias == null ? data : dataWithBias;
    if (strided == null) {
      product.run(1, dy, w, 0, dx, bias, null);
      return;
    }
    product.run(1, dy, w, 0, workspace, bias, null);
    forRows(strided, (row, from) -> spread(strided[2], workspace, from, bias, dx, row));
  }

  /** Whether {@link #forward} is the faster way. */
  boolean takesForward() {
    return takesForward;
  }

  /** Whether {@link #backwardData} is the faster way. */
  boolean takesData() {
    return takesData;
  }

  /** Whether {@link #backwardWeight} is the faster way. */
  boolean takesWeights() {
    return takesWeights;
  }

  void backwardWeight(
      MemorySegment x,
      MemorySegment dy,
      MemorySegment dw,
      @Nullable MemorySegment dbias,
      MemorySegment workspace) {
    weight.run(1, dy, read(x, workspace), 0, dw, null, null);
    if (dbias != null) {
      bias.run(dy, dbias);
    }
  }

  /** A row of pixels of x. */
  private interface Row {
    /**
     * Does a row.
     *
     * @param row number of the row among those of all images
     * @param at number of its first pixel among those that the stride leaves, or -1 if it has none
     */
    void run(long row, long at);
  }

  private void forRows(ConvAxis[] axes, Row body) {
    long rows = axes[1].size();
    long planes = axes[0].size();
    long perRow = axes[2].size() * channels;
    Parallel.forRange(
        images * planes * rows,
        Math.max(1, ROW_ELEMENTS / perRow),
        (from, to) -> {
          for (long i = from; i < to; i++) {
            long y = i % rows;
            long z = i / rows % planes;
            long line =
                (i / rows / planes * axes[0].out() + z / axes[0].stride()) * axes[1].out()
                    + y / axes[1].stride();
            boolean read = y % axes[1].stride() == 0 && z % axes[0].stride() == 0;
            body.run(i, read ? line * axes[2].out() : -1);
          }
        });
  }

  /** The pixels of x that are read. */
  private MemorySegment read(MemorySegment x, MemorySegment workspace) {
    if (strided == null) {
      return x;
    }
    long pixel = channels * type.bytes();
    ConvAxis w = strided[2];
    forRows(
        strided,
        (row, at) -> {
          for (long i = 0; at >= 0 && i < w.out(); i++) {
            long from = (row * w.size() + i * w.stride()) * pixel;
            MemorySegment.copy(x, from, workspace, (at + i) * pixel, pixel);
          }
        });
    return workspace;
  }

  /** Writes a row of dx: what pixels that are read got, and the bias for the others. */
  private void spread(
      ConvAxis w,
      MemorySegment pixels,
      long at,
      @Nullable MemorySegment bias,
      MemorySegment dx,
      long row) {
    long pixel = channels * type.bytes();
    for (long x = 0; x < w.size(); x++) {
      long to = (row * w.size() + x) * pixel;
      if (at >= 0 && x % w.stride() == 0) {
        MemorySegment.copy(pixels, (at + x / w.stride()) * pixel, dx, to, pixel);
      } else if (bias != null) {
        MemorySegment.copy(bias, 0, dx, to, pixel);
      } else {
        dx.asSlice(to, pixel).fill((byte) 0);
      }
    }
  }
}
