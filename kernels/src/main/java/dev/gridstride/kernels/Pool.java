package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuPool;
import dev.gridstride.cuda.CudaPool;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Op;
import dev.gridstride.device.Pins;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Maximum or average over windows of images in one to three spatial dimensions, with its gradient.
 *
 * <p>x is {@code [n, c, sizes]} and y {@code [n, c, outs]} in the order that {@link ImageLayout}
 * says, without gaps; f32, f64, bf16 or f16, computed in at least f32.
 *
 * <p>Maximum: padding counts as -Inf; a NaN in a window wins; the gradient goes to the first
 * element, in row-major order of the window, that equals the maximum (or to the first NaN). A
 * window that lies in the padding as a whole gives -Inf and takes no gradient. Average: padding
 * counts as zeros; the divisor is the number of elements inside the input, or with {@code
 * countIncludePad} of those inside the padded input; a window of none gives 0. The same bits from
 * run to run and for any number of threads.
 *
 * @param kind maximum or average
 * @param type element type of all operands
 * @param layout order of the dimensions
 * @param n number of images
 * @param c channels
 * @param axes the one to three spatial dimensions, outermost first
 * @param countIncludePad whether an average's divisor counts the padding; ignored by the maximum
 */
public record Pool(
    Kind kind,
    DType type,
    ImageLayout layout,
    long n,
    long c,
    List<PoolAxis> axes,
    boolean countIncludePad)
    implements Op<Pool.Plan> {
  /** What is computed of a window. */
  public enum Kind {
    /** The largest element. */
    MAX,
    /** The mean of the elements. */
    AVERAGE
  }

  private static final Implementations<Pool, Kernel> IMPLEMENTATIONS =
      Implementations.of(
          Implementation.cpu("windows", CpuPool::new), Implementation.cuda("cuda", CudaPool::new));

  /** Checks sizes and type. */
  public Pool {
    axes = List.copyOf(axes);
    if (!type.isFloating()) {
      throw InvalidArgumentException.of(
          "pool", "type", "must be f64, f32, bf16 or f16", "type=%s", type);
    }
    if (n < 0 || c < 0) {
      throw InvalidArgumentException.of(
          "pool", "sizes", "must not be negative", "n=%d, c=%d", n, c);
    }
    if (axes.isEmpty() || axes.size() > 3) {
      throw InvalidArgumentException.of(
          "pool", "axes", "must be 1 to 3 spatial dimensions", "axes=%d", axes.size());
    }
    Layout.contiguous(dims(n, c, axes, false)); // overflow
    Layout.contiguous(dims(n, c, axes, true));
  }

  /** A pooling of NCHW f32 images. */
  public static Pool of(Kind kind, long n, long c, PoolAxis... axes) {
    return new Pool(kind, DType.F32, ImageLayout.NCHW, n, c, List.of(axes), false);
  }

  /** The same in another type and layout. */
  public Pool with(DType newType, ImageLayout newLayout) {
    return new Pool(kind, newType, newLayout, n, c, axes, countIncludePad);
  }

  /** The same with averages that count the padding. */
  public Pool withCountIncludePad() {
    return new Pool(kind, type, layout, n, c, axes, true);
  }

  private static long[] dims(long n, long c, List<PoolAxis> axes, boolean out) {
    var d = new long[2 + axes.size()];
    d[0] = n;
    d[1] = c;
    for (int i = 0; i < axes.size(); i++) {
      d[2 + i] = out ? axes.get(i).out() : axes.get(i).size();
    }
    return d;
  }

  /** Sizes of x as {@code [n, c, spatial...]}, whatever the layout. */
  public long[] inputDims() {
    return dims(n, c, axes, false);
  }

  /** Sizes of y as {@code [n, c, spatial...]}, whatever the layout. */
  public long[] outputDims() {
    return dims(n, c, axes, true);
  }

  private long inputCount() {
    return Layout.contiguous(inputDims()).count();
  }

  private long outputCount() {
    return Layout.contiguous(outputDims()).count();
  }

  @Override
  public String name() {
    return kind == Kind.MAX ? "maxPool" : "averagePool";
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
    /** See {@link Plan#forward}. */
    void forward(Stream stream, Buffer x, Buffer y, @Nullable Buffer indices);

    /** See {@link Plan#backward}. */
    void backward(Stream stream, @Nullable Buffer x, @Nullable Buffer y, Buffer dy, Buffer dx);
  }

  /** A pooling that can be run. */
  public static final class Plan extends OpPlan<Pool, Kernel> {
    private final long outputs;

    private Plan(Pool op, Device device) {
      super(op, device, IMPLEMENTATIONS);
      this.outputs = op.outputCount();
    }

    /** {@code y = pool(x)}. */
    public void forward(Stream stream, Buffer x, Buffer y) {
      forward(stream, x, y, null);
    }

    /**
     * {@code y = pool(x)}, and where each maximum was found.
     *
     * @param x {@code [n, c, sizes]}
     * @param y {@code [n, c, outs]}; must not overlap x
     * @param indices i64, of y's shape and layout: the row-major place of the maximum in its image
     *     and channel's plane, -1 for a window in the padding; maximum only, may be null
     */
    public void forward(Stream stream, Buffer x, Buffer y, @Nullable Buffer indices) {
      checkStream(stream);
      check("x", x, op.type(), op.inputCount());
      check("y", y, op.type(), outputs);
      checkOptional("indices", indices, DType.I64, outputs);
      if (indices != null && op.kind() != Kind.MAX) {
        throw InvalidArgumentException.of(
            op.name(), "indices", "must be null for averages", "indices=%s", indices);
      }
      checkDisjoint("y", y, "x", x);
      checkDisjoint("indices", indices, "x", x);
      checkDisjoint("indices", indices, "y", y);
      Pins.pinAll(op.name(), x, y, indices);
      try {
        kernel.forward(stream, x, y, indices);
      } finally {
        Pins.unpinAll(x, y, indices);
      }
    }

    /**
     * The gradient with respect to x.
     *
     * @param x the forward's input; may be null for averages
     * @param y the forward's result; may be null for averages
     * @param dy gradient with respect to y
     * @param dx gradient with respect to x, overwritten; must not overlap the others
     */
    public void backward(
        Stream stream, @Nullable Buffer x, @Nullable Buffer y, Buffer dy, Buffer dx) {
      checkStream(stream);
      if (op.kind() == Kind.MAX && (x == null || y == null)) {
        throw InvalidArgumentException.of(
            op.name(), "x and y", "must be given", "x=%s, y=%s", "" + x, "" + y);
      }
      checkOptional("x", x, op.type(), op.inputCount());
      checkOptional("y", y, op.type(), outputs);
      check("dy", dy, op.type(), outputs);
      check("dx", dx, op.type(), op.inputCount());
      checkDisjoint("dx", dx, "x", x);
      checkDisjoint("dx", dx, "y", y);
      checkDisjoint("dx", dx, "dy", dy);
      Pins.pinAll(op.name(), x, y, dy, dx);
      try {
        kernel.backward(stream, x, y, dy, dx);
      } finally {
        Pins.unpinAll(x, y, dy, dx);
      }
    }
  }
}
