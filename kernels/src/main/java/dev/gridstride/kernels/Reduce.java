package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuReduce;
import dev.gridstride.cuda.CudaReduce;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Op;
import dev.gridstride.device.Pins;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;

/**
 * Reduces an array over some of its dimensions to one number for each place in the others.
 *
 * <p>x lies as its {@link Layout} says; y is row-major without gaps over the kept dimensions, in
 * their order. Floating types: stretches of up to 4,096 elements are summed in f32 lanes (f32
 * input) or in double, and the stretches in double, in a fixed order: the same bits from run to run
 * and for any number of threads, and an error that hardly grows with the length. Integers (sum,
 * product, maximum, minimum): 64-bit two's complement that wraps around, kept to the low bits of
 * the type.
 *
 * <p>A NaN spreads, through the maximum and minimum too. Over no elements: sum, L1, L2 and sum of
 * squares 0, product 1, maximum and log-sum-exp -Inf, minimum +Inf, mean NaN; the maximum or
 * minimum of no integers is refused.
 *
 * @param kind what is computed
 * @param type element type of x and y
 * @param x sizes and strides of the input
 * @param axes bit i set: dimension i is reduced
 */
public record Reduce(Kind kind, DType type, Layout x, long axes) implements Op<Reduce.Plan> {
  /** What is computed of the elements that are reduced together. */
  public enum Kind {
    /** {@code sum(x)}. */
    SUM,
    /** {@code sum(x) / n}. */
    MEAN,
    /** {@code max(x)}. */
    MAX,
    /** {@code min(x)}. */
    MIN,
    /** {@code product(x)}. */
    PROD,
    /** {@code sum(x^2)}. */
    SUM_SQUARES,
    /** {@code sum(|x|)}. */
    L1,
    /** {@code sqrt(sum(x^2))}. */
    L2,
    /** {@code log(sum(exp(x)))}, computed without overflow. */
    LOG_SUM_EXP;

    /** Whether it is defined for integers. */
    boolean integers() {
      return this == SUM || this == PROD || this == MAX || this == MIN;
    }
  }

  private static final Implementations<Reduce, Kernel> IMPLEMENTATIONS =
      Implementations.of(
          Implementation.cpu("rows or columns", CpuReduce::new),
          Implementation.cuda("cuda", CudaReduce::accepts, CudaReduce::new));

  /** Checks axes, type and sizes. */
  public Reduce {
    if (x.rank() < 64 && axes >>> x.rank() != 0) {
      throw InvalidArgumentException.of(
          "reduce",
          "axes",
          "must name dimensions",
          "axes bits=%s, rank=%d",
          Long.toBinaryString(axes),
          x.rank());
    }
    if (!type.isFloating()
        && !(kind.integers() && (type == DType.I32 || type == DType.I64 || type == DType.U8))) {
      throw InvalidArgumentException.of(
          "reduce",
          "type",
          "must be f64, f32, bf16, f16, or for sum, prod, max and min i64, i32, u8",
          "type=%s, kind=%s",
          type,
          kind);
    }
    boolean extreme = kind == Kind.MAX || kind == Kind.MIN;
    if (extreme && !type.isFloating() && x.count() == 0) {
      throw InvalidArgumentException.of(
          "reduce", "x", "must not be empty for the " + kind + " of integers", "x=%s", x);
    }
  }

  /** Over the named dimensions, which must not be negative. */
  public static Reduce of(Kind kind, DType type, Layout x, int... axes) {
    long bits = 0;
    for (int a : axes) {
      if (a < 0 || a >= x.rank() || a > 62) {
        throw InvalidArgumentException.of(
            "reduce", "axes", "must name dimensions", "axis=%d, rank=%d", a, x.rank());
      }
      bits |= 1L << a;
    }
    return new Reduce(kind, type, x, bits);
  }

  /** Whether dimension {@code axis} is reduced. */
  public boolean reduces(int axis) {
    return (axes >>> axis & 1) != 0;
  }

  /** Sizes of the kept dimensions: the shape of y. */
  public long[] outputDims() {
    int n = 0;
    var dims = new long[x.rank()];
    for (int i = 0; i < x.rank(); i++) {
      if (!reduces(i)) {
        dims[n++] = x.dim(i);
      }
    }
    return java.util.Arrays.copyOf(dims, n);
  }

  private long outputCount() {
    return Layout.contiguous(outputDims()).count();
  }

  @Override
  public String name() {
    return "reduce";
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
    /** See {@link Plan#run}. */
    void run(Stream stream, Buffer x, Buffer y);

    /** See {@link Plan#backward}. */
    void backward(Stream stream, Buffer x, Buffer y, Buffer dy, Buffer dx);
  }

  /** A reduction that can be run. */
  public static final class Plan extends OpPlan<Reduce, Kernel> {
    private final long outputs;

    private Plan(Reduce op, Device device) {
      super(op, device, IMPLEMENTATIONS);
      this.outputs = op.outputCount();
    }

    /**
     * {@code y = reduce(x)}.
     *
     * @param x laid out as {@link Reduce#x}
     * @param y of {@link Reduce#outputDims}, row-major; must not overlap x
     */
    public void run(Stream stream, Buffer x, Buffer y) {
      checkStream(stream);
      check("x", x, op.type(), op.x().span());
      check("y", y, op.type(), outputs);
      checkDisjoint("y", y, "x", x);
      Pins.pinAll(op.name(), x, y);
      try {
        kernel.run(stream, x, y);
      } finally {
        Pins.unpinAll(x, y);
      }
    }

    /**
     * The gradient with respect to x. Where several elements equal the maximum (minimum), they
     * share its gradient evenly, as in PyTorch's {@code amax}; that of L1 and L2 at 0 is 0.
     *
     * @param x the input, laid out as {@link Reduce#x}
     * @param y the result of {@link #run}
     * @param dy gradient with respect to y, of y's shape
     * @param dx gradient with respect to x, row-major without gaps; must not overlap the others
     */
    public void backward(Stream stream, Buffer x, Buffer y, Buffer dy, Buffer dx) {
      if (!op.type().isFloating()) {
        throw InvalidArgumentException.of(
            op.name(), "type", "must be floating to have a gradient", "type=%s", op.type());
      }
      checkStream(stream);
      check("x", x, op.type(), op.x().span());
      check("y", y, op.type(), outputs);
      check("dy", dy, op.type(), outputs);
      check("dx", dx, op.type(), op.x().count());
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
