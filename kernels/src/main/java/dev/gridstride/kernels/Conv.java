package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuConv;
import dev.gridstride.cuda.CudaConv;
import dev.gridstride.cuda.CudnnConv;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Op;
import dev.gridstride.device.Pins;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import dev.gridstride.jcuda.JCudaVendors;
import java.util.List;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Convolution of a batch of images (in the sense of neural networks: a correlation) in one to three
 * spatial dimensions, with its gradients. In two dimensions:
 *
 * <pre>
 * y[i][o][p][q] = bias[o] + sum over c, r, s of
 *                 w[o][c][r][s] * x[i][g*C/groups + c][p*strideH - padH + r*dilationH][q*strideW - ...]
 * </pre>
 *
 * <p>where g is the group of output channel o, and inputs outside the image are zeros. Shapes: x
 * {@code [n, c, sizes]} and y {@code [n, k, outs]} in the order that {@link ImageLayout} says; w
 * {@code [k, c/groups, kernels]} row-major in both layouts, as in PyTorch; bias {@code [k]}. All
 * operands have the same type. No gaps, no alignment needed.
 *
 * <p>f32, f64, and bf16 or f16 as storage with f32 arithmetic. An element of y or dx is one chain
 * of fused multiply-adds in f32 (f64), or the sum of chains of up to 512 of them where single taps
 * of few pixels are computed as a matrix product; an element of dw sums chains over parts of the
 * pixels in a fixed order. The same bits from run to run and for any number of threads. A tap that
 * lies in the padding may be left out or be multiplied as a zero: which one matters only to a
 * weight (or gradient) that is not finite. Batches, channels and images may be empty.
 *
 * <p>Method: direct convolution on a register tile, as in Georganas et al., "Anatomy of
 * High-Performance Deep Learning Convolutions on SIMD Architectures", SC 2018.
 *
 * @param type element type of all operands
 * @param layout order of the dimensions of x, y and their gradients
 * @param n number of images
 * @param c input channels
 * @param k output channels (filters)
 * @param groups number of groups that the channels are cut into; divides c and k; equal to both for
 *     a depthwise convolution
 * @param axes the one to three spatial dimensions, outermost first
 * @param relu whether the forward pass ends with {@code y = max(y, 0)}; the backward passes take
 *     the gradient before it
 */
public record Conv(
    DType type,
    ImageLayout layout,
    long n,
    long c,
    long k,
    long groups,
    List<ConvAxis> axes,
    boolean relu)
    implements Op<Conv.Plan> {
  private static final Implementations<Conv, Kernel> IMPLEMENTATIONS =
      Implementations.of(
              Implementation.cpu("direct", CpuConv::accepts, CpuConv::new),
              Implementation.cuda("cuda", CudaConv::accepts, CudaConv::new))
          .withVendors(
              Implementation.cuda("cudnn", CudnnConv::accepts, CudnnConv::new),
              Implementation.cuda("jcudnn", JCudaVendors::acceptsConv, JCudaVendors::conv));

  /** Checks sizes, groups and type. */
  public Conv {
    axes = List.copyOf(axes);
    checkCommon("conv", type, n, c, k, groups, axes.size());
    product("conv", "x", n, c, axes, ConvAxis::size);
    product("conv", "y", n, k, axes, ConvAxis::out);
    product("conv", "w", k, c / groups, axes, ConvAxis::kernel);
  }

  static void checkCommon(String op, DType type, long n, long c, long k, long groups, int rank) {
    if (!type.isFloating()) {
      throw InvalidArgumentException.of(
          op, "type", "must be f64, f32, bf16 or f16", "type=%s", type);
    }
    if (n < 0 || c < 0 || k < 0) {
      throw InvalidArgumentException.of(
          op, "sizes", "must not be negative", "n=%d, c=%d, k=%d", n, c, k);
    }
    if (groups < 1 || c % groups != 0 || k % groups != 0) {
      throw InvalidArgumentException.of(
          op,
          "groups",
          "must be positive and divide the channels",
          "groups=%d, input channels=%d, output channels=%d",
          groups,
          c,
          k);
    }
    if (rank < 1 || rank > 3) {
      throw InvalidArgumentException.of(
          op, "axes", "must be 1 to 3 spatial dimensions", "axes=%d", rank);
    }
  }

  static <A> long product(
      String op, String operand, long a, long b, List<A> axes, ToLongFunction<A> size) {
    try {
      long p = Math.multiplyExact(Math.max(1, a), Math.max(1, b));
      boolean empty = a == 0 || b == 0;
      for (A axis : axes) {
        long s = size.applyAsLong(axis);
        empty |= s == 0;
        p = Math.multiplyExact(p, Math.max(1, s));
      }
      Math.multiplyExact(p, 8L);
      return empty ? 0 : p;
    } catch (ArithmeticException overflow) {
      throw new InvalidArgumentException(
          op
              + ": "
              + operand
              + " must have fewer than 2^60 elements; sizes="
              + a
              + ", "
              + b
              + ", axes="
              + axes,
          overflow);
    }
  }

  /** One dimension: x {@code [n, c, length]} in f32, NCW, k filters of {@code kernel} taps. */
  public static Conv of1d(long n, long c, long length, long k, long kernel) {
    return of(n, c, k, ConvAxis.of(length, kernel));
  }

  /**
   * Two dimensions: x {@code [n, c, h, w]} in f32, NCHW, k filters of {@code kernelH x kernelW}.
   */
  public static Conv of2d(long n, long c, long h, long w, long k, long kernelH, long kernelW) {
    return of(n, c, k, ConvAxis.of(h, kernelH), ConvAxis.of(w, kernelW));
  }

  /** Any axes, in f32, NCHW, one group, without ReLU. */
  public static Conv of(long n, long c, long k, ConvAxis... axes) {
    return new Conv(DType.F32, ImageLayout.NCHW, n, c, k, 1, List.of(axes), false);
  }

  /** The same with another element type. */
  public Conv withType(DType value) {
    return new Conv(value, layout, n, c, k, groups, axes, relu);
  }

  /** The same with another order of dimensions. */
  public Conv withLayout(ImageLayout value) {
    return new Conv(type, value, n, c, k, groups, axes, relu);
  }

  /** The same with another number of groups. */
  public Conv withGroups(long value) {
    return new Conv(type, layout, n, c, k, value, axes, relu);
  }

  /** The same with a ReLU at the end of the forward pass. */
  public Conv withRelu() {
    return new Conv(type, layout, n, c, k, groups, axes, true);
  }

  /** The same with these strides, one for each axis. */
  public Conv withStride(long... values) {
    checkPerAxis("stride", values.length, axes.size());
    var next = axes.toArray(ConvAxis[]::new);
    for (int i = 0; i < next.length; i++) {
      next[i] = next[i].withStride(values[i]);
    }
    return withAxes(next);
  }

  /** The same with this padding on both sides, one number for each axis. */
  public Conv withPadding(long... values) {
    checkPerAxis("padding", values.length, axes.size());
    var next = axes.toArray(ConvAxis[]::new);
    for (int i = 0; i < next.length; i++) {
      next[i] = next[i].withPadding(values[i], values[i]);
    }
    return withAxes(next);
  }

  /** The same with these dilations, one for each axis. */
  public Conv withDilation(long... values) {
    checkPerAxis("dilation", values.length, axes.size());
    var next = axes.toArray(ConvAxis[]::new);
    for (int i = 0; i < next.length; i++) {
      next[i] = next[i].withDilation(values[i]);
    }
    return withAxes(next);
  }

  /** The same with other axes. */
  public Conv withAxes(ConvAxis... values) {
    return new Conv(type, layout, n, c, k, groups, List.of(values), relu);
  }

  private static void checkPerAxis(String argument, int given, int rank) {
    if (given != rank) {
      throw InvalidArgumentException.of(
          "conv",
          argument,
          "must have one entry for each axis",
          "entries=%d, axes=%d",
          given,
          rank);
    }
  }

  @Override
  public String name() {
    return "conv";
  }

  /** Number of elements of x. */
  public long xCount() {
    return product("conv", "x", n, c, axes, ConvAxis::size);
  }

  /** Number of elements of w. */
  public long wCount() {
    return product("conv", "w", k, c / groups, axes, ConvAxis::kernel);
  }

  /** Number of elements of y. */
  public long yCount() {
    return product("conv", "y", n, k, axes, ConvAxis::out);
  }

  /** Multiplications and additions of one pass, counting taps in the padding too. */
  public double flops() {
    double taps = 1;
    for (ConvAxis a : axes) {
      taps *= a.kernel();
    }
    return 2.0 * yCount() * (c / groups) * taps;
  }

  @Override
  public Support supports(Device device) {
    return IMPLEMENTATIONS.supports(this, device);
  }

  @Override
  public Plan plan(Device device) {
    return new Plan(this, device);
  }

  /** What a backend implements; operands are checked and pinned. */
  public interface Kernel extends DeviceKernel {
    /** {@code y = conv(x, w) + bias}, with ReLU if the op says so. */
    void forward(
        Stream stream,
        Buffer x,
        Buffer w,
        @Nullable Buffer bias,
        Buffer y,
        @Nullable Buffer workspace);

    /** dx from dy and w. */
    void backwardData(Stream stream, Buffer dy, Buffer w, Buffer dx, @Nullable Buffer workspace);

    /** dw, and dbias if given, from x and dy. */
    void backwardWeight(
        Stream stream,
        Buffer x,
        Buffer dy,
        Buffer dw,
        @Nullable Buffer dbias,
        @Nullable Buffer workspace);
  }

  /** A convolution that can be run. */
  public static final class Plan extends OpPlan<Conv, Kernel> {
    private Plan(Conv op, Device device) {
      super(op, device, IMPLEMENTATIONS);
    }

    /**
     * {@code y = conv(x, w) + bias}, then ReLU if the op says so.
     *
     * @param x {@code [n, c, sizes]}
     * @param w {@code [k, c/groups, kernels]}
     * @param bias {@code [k]}, or null for none
     * @param y {@code [n, k, outs]}; overwritten, never read; must not overlap an input
     * @param workspace {@link #workspaceBytes} bytes that this call may overwrite; null when 0
     */
    public void forward(
        Stream stream,
        Buffer x,
        Buffer w,
        @Nullable Buffer bias,
        Buffer y,
        @Nullable Buffer workspace) {
      checkStream(stream);
      check("x", x, op.type(), op.xCount());
      check("w", w, op.type(), op.wCount());
      checkOptional("bias", bias, op.type(), op.k());
      check("y", y, op.type(), op.yCount());
      checkWorkspace(workspace);
      checkOutput("y", y, "x", x, "w", w, "bias", bias, workspace);
      Pins.pinAll(op.name(), x, w, bias, y, workspace);
      try {
        kernel.forward(stream, x, w, bias, y, workspace);
      } finally {
        Pins.unpinAll(x, w, bias, y, workspace);
      }
    }

    /**
     * The gradient with respect to x, which is also the transposed convolution of dy.
     *
     * @param dy gradient of the loss with respect to y (before the ReLU)
     * @param w as in forward
     * @param dx gradient with respect to x; overwritten, never read; must not overlap an input
     * @param workspace as in forward
     */
    public void backwardData(
        Stream stream, Buffer dy, Buffer w, Buffer dx, @Nullable Buffer workspace) {
      checkStream(stream);
      check("dy", dy, op.type(), op.yCount());
      check("w", w, op.type(), op.wCount());
      check("dx", dx, op.type(), op.xCount());
      checkWorkspace(workspace);
      checkOutput("dx", dx, "dy", dy, "w", w, "w", null, workspace);
      Pins.pinAll(op.name(), dy, w, dx, workspace);
      try {
        kernel.backwardData(stream, dy, w, dx, workspace);
      } finally {
        Pins.unpinAll(dy, w, dx, workspace);
      }
    }

    /**
     * The gradients with respect to w and bias.
     *
     * @param x as in forward
     * @param dy gradient of the loss with respect to y (before the ReLU)
     * @param dw gradient with respect to w; overwritten, never read; must not overlap an input
     * @param dbias {@code [k]}, the sum of dy over images and pixels; null when not wanted
     * @param workspace as in forward
     */
    public void backwardWeight(
        Stream stream,
        Buffer x,
        Buffer dy,
        Buffer dw,
        @Nullable Buffer dbias,
        @Nullable Buffer workspace) {
      checkStream(stream);
      check("x", x, op.type(), op.xCount());
      check("dy", dy, op.type(), op.yCount());
      check("dw", dw, op.type(), op.wCount());
      checkOptional("dbias", dbias, op.type(), op.k());
      checkWorkspace(workspace);
      checkOutput("dw", dw, "x", x, "dy", dy, "dbias", dbias, workspace);
      checkDisjoint("dbias", dbias, "x", x);
      checkDisjoint("dbias", dbias, "dy", dy);
      checkDisjoint("workspace", workspace, "dbias", dbias);
      Pins.pinAll(op.name(), x, dy, dw, dbias, workspace);
      try {
        kernel.backwardWeight(stream, x, dy, dw, dbias, workspace);
      } finally {
        Pins.unpinAll(x, dy, dw, dbias, workspace);
      }
    }

    private void checkOutput(
        String output,
        Buffer out,
        String nameA,
        Buffer a,
        String nameB,
        Buffer b,
        String nameC,
        @Nullable Buffer c,
        @Nullable Buffer workspace) {
      checkDisjoint(output, out, nameA, a);
      checkDisjoint(output, out, nameB, b);
      checkDisjoint(output, out, nameC, c);
      checkDisjoint("workspace", workspace, output, out);
      checkDisjoint("workspace", workspace, nameA, a);
      checkDisjoint("workspace", workspace, nameB, b);
      checkDisjoint("workspace", workspace, nameC, c);
    }
  }
}
