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
import java.util.Objects;
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
  private final Reuse<Rows> kept;

  private ConvPointwise(Conv op, ConvAxis @Nullable [] strided) {
    this.strided = strided;
    kept = new Reuse<>(() -> new Rows(Objects.requireNonNull(strided)));
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
    Rows rows = kept.take();
    rows.pixels = workspace;
    rows.bias = bias;
    rows.images = dx;
    rows.spreads = true;
    rows.run();
    kept.give(rows);
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

  /** The pixels of x that are read. */
  private MemorySegment read(MemorySegment x, MemorySegment workspace) {
    if (strided == null) {
      return x;
    }
    Rows rows = kept.take();
    rows.pixels = workspace;
    rows.images = x;
    rows.spreads = false;
    rows.run();
    kept.give(rows);
    return workspace;
  }

  /**
   * Copies between images and the pixels of them that a stride leaves, row by row of the images.
   */
  private final class Rows implements Parallel.Range {
    private final ConvAxis[] axes;
    private final long pixel = channels * type.bytes();

    /** The pixels that the stride leaves, one after the other. */
    MemorySegment pixels = Tiles.ZEROS;

    MemorySegment images = Tiles.ZEROS;

    /** What the other pixels of the images get, 0 without. */
    @Nullable MemorySegment bias;

    /** Whether the images are written. */
    boolean spreads;

    Rows(ConvAxis[] axes) {
      this.axes = axes;
    }

    void run() {
      long rows = axes[0].size() * axes[1].size() * ConvPointwise.this.images;
      long perRow = axes[2].size() * channels;
      Parallel.forRange(rows, Math.max(1, ROW_ELEMENTS / perRow), this);
      pixels = Tiles.ZEROS; // keep nothing alive
      images = Tiles.ZEROS;
      bias = null;
    }

    @Override
    public void run(long from, long to) {
      long height = axes[1].size();
      for (long i = from; i < to; i++) {
        long y = i % height;
        long z = i / height % axes[0].size();
        long image = i / height / axes[0].size();
        long line =
            (image * axes[0].out() + z / axes[0].stride()) * axes[1].out() + y / axes[1].stride();
        boolean read = y % axes[1].stride() == 0 && z % axes[0].stride() == 0;
        if (spreads) {
          spread(i, read ? line * axes[2].out() : -1);
        } else if (read) {
          gather(i, line * axes[2].out());
        }
      }
    }

    /** Copies the pixels of an image's row to number {@code at} on. */
    private void gather(long row, long at) {
      ConvAxis w = axes[2];
      for (long i = 0; i < w.out(); i++) {
        long from = (row * w.size() + i * w.stride()) * pixel;
        MemorySegment.copy(images, from, pixels, (at + i) * pixel, pixel);
      }
    }

    /** Writes a row: the pixels from number {@code at} on, unless it is -1, and the bias. */
    private void spread(long row, long at) {
      ConvAxis w = axes[2];
      for (long x = 0; x < w.size(); x++) {
        long to = (row * w.size() + x) * pixel;
        if (at >= 0 && x % w.stride() == 0) {
          MemorySegment.copy(pixels, (at + x / w.stride()) * pixel, images, to, pixel);
        } else if (bias != null) {
          MemorySegment.copy(bias, 0, images, to, pixel);
        } else {
          images.asSlice(to, pixel).fill((byte) 0);
        }
      }
    }
  }
}
