package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuConvTranspose;
import dev.gridstride.cuda.CudaConvTranspose;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.Op;
import dev.gridstride.device.Pins;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Transposed convolution ("deconvolution"): the adjoint of a {@link Conv}, in one to three spatial
 * dimensions. Every input element adds its multiple of the kernel to the output:
 *
 * <pre>
 * y[i][o][p*strideH - padH + r*dilationH][...] += x[i][c][p][q] * w[c][o - first of group][r][s]
 * </pre>
 *
 * <p>beginning with bias[o]. Shapes: x {@code [n, c, sizes]}, y {@code [n, k, outs]}, w {@code [c,
 * k/groups, kernels]} row-major as in PyTorch, bias {@code [k]}. Types, accumulation, determinism
 * and the treatment of padding are those of {@link Conv}.
 *
 * @param type element type of all operands
 * @param layout order of the dimensions of x, y and their gradients
 * @param n number of images
 * @param c input channels
 * @param k output channels
 * @param groups number of groups that the channels are cut into; divides c and k
 * @param axes the one to three spatial dimensions, outermost first
 */
public record ConvTranspose(
    DType type,
    ImageLayout layout,
    long n,
    long c,
    long k,
    long groups,
    List<ConvTransposeAxis> axes)
    implements Op<ConvTranspose.Plan> {
  private static final String NAME = "convTranspose";
  private static final Implementations<ConvTranspose, Kernel> IMPLEMENTATIONS =
      Implementations.of(
          Implementation.cpu("direct", CpuConvTranspose::accepts, CpuConvTranspose::new),
          Implementation.cuda("cuda", CudaConvTranspose::accepts, CudaConvTranspose::new));

  /** Checks sizes, groups and type. */
  public ConvTranspose {
    axes = List.copyOf(axes);
    Conv.checkCommon(NAME, type, n, c, k, groups, axes.size());
    Conv.product(NAME, "x", n, c, axes, ConvTransposeAxis::size);
    Conv.product(NAME, "y", n, k, axes, ConvTransposeAxis::out);
    Conv.product(NAME, "w", c, k / groups, axes, ConvTransposeAxis::kernel);
  }

  /** Any axes, in f32, NCHW, one group. */
  public static ConvTranspose of(long n, long c, long k, ConvTransposeAxis... axes) {
    return new ConvTranspose(DType.F32, ImageLayout.NCHW, n, c, k, 1, List.of(axes));
  }

  /** The same with another element type. */
  public ConvTranspose withType(DType value) {
    return new ConvTranspose(value, layout, n, c, k, groups, axes);
  }

  /** The same with another order of dimensions. */
  public ConvTranspose withLayout(ImageLayout value) {
    return new ConvTranspose(type, value, n, c, k, groups, axes);
  }

  /** The same with another number of groups. */
  public ConvTranspose withGroups(long value) {
    return new ConvTranspose(type, layout, n, c, k, value, axes);
  }

  /** The convolution from y to x whose adjoint this is; its w has the same memory. */
  public Conv adjoint() {
    return new Conv(
        type,
        layout,
        n,
        k,
        c,
        groups,
        axes.stream().map(ConvTransposeAxis::adjoint).toList(),
        false);
  }

  @Override
  public String name() {
    return NAME;
  }

  /** Number of elements of x. */
  public long xCount() {
    return Conv.product(NAME, "x", n, c, axes, ConvTransposeAxis::size);
  }

  /** Number of elements of w. */
  public long wCount() {
    return Conv.product(NAME, "w", c, k / groups, axes, ConvTransposeAxis::kernel);
  }

  /** Number of elements of y. */
  public long yCount() {
    return Conv.product(NAME, "y", n, k, axes, ConvTransposeAxis::out);
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
    /** {@code y = convTranspose(x, w) + bias}. */
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

  /** A transposed convolution that can be run. */
  public static final class Plan extends OpPlan<ConvTranspose, Kernel> {
    private Plan(ConvTranspose op, Device device) {
      super(op, device, IMPLEMENTATIONS);
    }

    /**
     * {@code y = convTranspose(x, w) + bias}.
     *
     * @param x {@code [n, c, sizes]}
     * @param w {@code [c, k/groups, kernels]}
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
      checkDisjoint("y", y, "bias", bias);
      checkRest("y", y, "x", x, "w", w, workspace);
      checkDisjoint("workspace", workspace, "bias", bias);
      Pins.pinAll(op.name(), x, w, bias, y, workspace);
      try {
        kernel.forward(stream, x, w, bias, y, workspace);
      } finally {
        Pins.unpinAll(x, w, bias, y, workspace);
      }
    }

    /**
     * The gradient with respect to x: a plain convolution of dy.
     *
     * @param dy gradient of the loss with respect to y
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
      checkRest("dx", dx, "dy", dy, "w", w, workspace);
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
     * @param dy gradient of the loss with respect to y
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
      checkRest("dw", dw, "x", x, "dy", dy, workspace);
      checkDisjoint("dbias", dbias, "x", x);
      checkDisjoint("dbias", dbias, "dy", dy);
      checkDisjoint("dbias", dbias, "dw", dw);
      checkDisjoint("workspace", workspace, "dbias", dbias);
      Pins.pinAll(op.name(), x, dy, dw, dbias, workspace);
      try {
        kernel.backwardWeight(stream, x, dy, dw, dbias, workspace);
      } finally {
        Pins.unpinAll(x, dy, dw, dbias, workspace);
      }
    }

    private void checkRest(
        String output,
        Buffer out,
        String nameA,
        Buffer a,
        String nameB,
        Buffer b,
        @Nullable Buffer workspace) {
      checkWorkspace(workspace);
      checkDisjoint(output, out, nameA, a);
      checkDisjoint(output, out, nameB, b);
      checkDisjoint("workspace", workspace, output, out);
      checkDisjoint("workspace", workspace, nameA, a);
      checkDisjoint("workspace", workspace, nameB, b);
    }
  }
}
