package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuArgReduce;
import dev.gridstride.cuda.CudaArgReduce;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Op;
import dev.gridstride.device.Pins;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;

/**
 * The place of the largest or smallest element along one dimension, counted from 0.
 *
 * <p>x lies as its {@link Layout} says; y is i64, row-major without gaps over the other dimensions,
 * in their order. Comparisons are exact in every type; -0 equals 0. A NaN wins over every number,
 * for the smallest too, as in NumPy. Of equal ones, or of several NaN, the first is taken, or the
 * last where so asked. The same result from run to run and for any number of threads. There is no
 * gradient.
 *
 * @param kind largest or smallest
 * @param type element type of x: f64, f32, bf16, f16, i64 or i32
 * @param x sizes and strides of the input
 * @param axis the dimension searched; must not be empty
 * @param last whether the last of equal elements is taken rather than the first
 */
public record ArgReduce(Kind kind, DType type, Layout x, int axis, boolean last)
    implements Op<ArgReduce.Plan> {
  /** Which element is looked for. */
  public enum Kind {
    /** The largest. */
    MAX,
    /** The smallest. */
    MIN
  }

  private static final Implementations<ArgReduce, Kernel> IMPLEMENTATIONS =
      Implementations.of(
          Implementation.cpu("rows or columns", CpuArgReduce::new),
          Implementation.cuda("cuda", CudaArgReduce::accepts, CudaArgReduce::new));

  /** Checks axis, type and sizes. */
  public ArgReduce {
    Ordered.check("argReduce", type, x, axis);
    if (x.dim(axis) == 0) {
      throw InvalidArgumentException.of(
          "argReduce", "axis", "must not be empty", "axis=%d, x=%s", axis, x);
    }
  }

  /** The first of the largest or smallest elements. */
  public static ArgReduce of(Kind kind, DType type, Layout x, int axis) {
    return new ArgReduce(kind, type, x, axis, false);
  }

  /** Sizes of the other dimensions: the shape of y. */
  public long[] outputDims() {
    var dims = new long[x.rank() - 1];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = x.dim(i < axis ? i : i + 1);
    }
    return dims;
  }

  @Override
  public String name() {
    return "argReduce";
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
  }

  /** A search that can be run. */
  public static final class Plan extends OpPlan<ArgReduce, Kernel> {
    private Plan(ArgReduce op, Device device) {
      super(op, device, IMPLEMENTATIONS);
    }

    /**
     * {@code y = argmax(x)} or {@code argmin(x)}.
     *
     * @param x laid out as {@link ArgReduce#x}
     * @param y i64 of {@link ArgReduce#outputDims}, row-major; must not overlap x
     */
    public void run(Stream stream, Buffer x, Buffer y) {
      checkStream(stream);
      check("x", x, op.type(), op.x().span());
      check("y", y, DType.I64, op.x().count() / op.x().dim(op.axis()));
      checkDisjoint("y", y, "x", x);
      Pins.pinAll(op.name(), x, y);
      try {
        kernel.run(stream, x, y);
      } finally {
        Pins.unpinAll(x, y);
      }
    }
  }
}
