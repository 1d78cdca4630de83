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
 * operands lie as a product wants them.
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

  private final boolean takesImages;
  private final boolean takesWeights;
  private final CpuGemm forward;
  private final CpuGemm forwardWithBias;
  private final CpuGemm data;
  private final CpuGemm dataWithBias;
  private final CpuGemm weight;
  private final CpuReduce bias;

  private ConvPointwise(Conv op, long pixels) {
    Gemm y = Gemm.of(pixels, op.k(), op.c()).trans(false, true).type(op.type());
    Gemm dx = Gemm.of(pixels, op.c(), op.k()).type(op.type());
    Gemm dw = Gemm.of(op.k(), op.c(), pixels).trans(true, false).type(op.type());
    forward = new CpuGemm(y.with(withRelu(Epilogue.NONE, op.relu())));
    forwardWithBias = new CpuGemm(y.with(withRelu(Epilogue.bias(), op.relu())));
    data = new CpuGemm(dx);
    dataWithBias = new CpuGemm(dx.with(Epilogue.bias()));
    weight = new CpuGemm(dw);
    takesImages = pixels <= FEW_PIXELS;
    takesWeights = pixels <= WEIGHT_PIXELS || (op.k() >= MANY_FILTERS && op.k() <= op.c());
    bias =
        new CpuReduce(Reduce.of(Reduce.Kind.SUM, op.type(), Layout.contiguous(pixels, op.k()), 0));
  }

  /** The products of {@code op}, or null if it is none. */
  static @Nullable ConvPointwise of(Conv op) {
    boolean fits =
        ConvEngine.pointwise(op.axes().toArray(ConvAxis[]::new))
            && op.layout() == ImageLayout.NHWC
            && op.groups() == 1
            && (op.type() == DType.F32 || op.type() == DType.F64)
            && Math.min(op.c(), op.k()) >= LEAST_CHANNELS;
    return fits ? new ConvPointwise(op, op.xCount() / op.c()) : null;
  }

  private static Epilogue withRelu(Epilogue e, boolean relu) {
    return relu ? e.then(Epilogue.Activation.RELU) : e;
  }

  void forward(MemorySegment x, MemorySegment w, @Nullable MemorySegment bias, MemorySegment y) {
    (bias == null ? forward : forwardWithBias).run(1, x, w, 0, y, bias, null);
  }

  void backwardData(
      MemorySegment dy, MemorySegment w, @Nullable MemorySegment bias, MemorySegment dx) {
    (bias == null ? data : dataWithBias).run(1, dy, w, 0, dx, bias, null);
  }

  /** Whether {@link #forward} and {@link #backwardData} are the faster way. */
  boolean takesImages() {
    return takesImages;
  }

  /** Whether {@link #backwardWeight} is the faster way. */
  boolean takesWeights() {
    return takesWeights;
  }

  void backwardWeight(
      MemorySegment x, MemorySegment dy, MemorySegment dw, @Nullable MemorySegment dbias) {
    weight.run(1, dy, x, 0, dw, null, null);
    if (dbias != null) {
      bias.run(dy, dbias);
    }
  }
}
