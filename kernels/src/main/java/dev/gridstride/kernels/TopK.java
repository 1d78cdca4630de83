package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuTopK;
import dev.gridstride.cuda.CudaTopK;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Op;
import dev.gridstride.device.Pins;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;

/**
 * The k largest or smallest elements along one dimension, sorted, and their places.
 *
 * <p>x lies as its {@link Layout} says; values (of x's type) and indices (i64, counted from 0) are
 * row-major without gaps, with size k at the axis: the largest (smallest) first, equal ones by
 * lower index. Comparisons are exact in every type, values are copied bit by bit; -0 equals 0, and
 * NaN counts as larger than every number: first among the largest, last among the smallest. The
 * same result from run to run and for any number of threads.
 *
 * @param type element type of x and values: f64, f32, bf16, f16, i64 or i32
 * @param x sizes and strides of the input
 * @param axis the dimension searched
 * @param k how many are taken, in 0..size of the axis
 * @param largest whether the largest are taken rather than the smallest
 */
public record TopK(DType type, Layout x, int axis, long k, boolean largest)
    implements Op<TopK.Plan> {
  private static final Implementations<TopK, Kernel> IMPLEMENTATIONS =
      Implementations.of(
          Implementation.cpu("heap", CpuTopK::accepts, CpuTopK::new),
          Implementation.cuda("cuda", CudaTopK::accepts, CudaTopK::new));

  /** Checks axis, type and k. */
  public TopK {
    Ordered.check("topK", type, x, axis);
    if (k < 0 || k > x.dim(axis)) {
      throw InvalidArgumentException.of(
          "topK", "k", "must be in 0..size of the axis", "k=%d, size=%d", k, x.dim(axis));
    }
  }

  /** Sizes of values and indices: those of x with k at the axis. */
  public long[] outputDims() {
    long[] dims = x.dims();
    dims[axis] = k;
    return dims;
  }

  private long outputCount() {
    return Layout.contiguous(outputDims()).count();
  }

  @Override
  public String name() {
    return "topK";
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
    void forward(Stream stream, Buffer x, Buffer values, Buffer indices);

    /** See {@link Plan#backward}. */
    void backward(Stream stream, Buffer dy, Buffer indices, Buffer dx);
  }

  /** A selection that can be run. */
  public static final class Plan extends OpPlan<TopK, Kernel> {
    private final long outputs;

    private Plan(TopK op, Device device) {
      super(op, device, IMPLEMENTATIONS);
      this.outputs = op.outputCount();
    }

    /**
     * Finds the k elements of each line along the axis.
     *
     * @param x laid out as {@link TopK#x}
     * @param values of {@link TopK#outputDims}, row-major
     * @param indices i64 of {@link TopK#outputDims}, row-major; the three must not overlap
     */
    public void forward(Stream stream, Buffer x, Buffer values, Buffer indices) {
      checkStream(stream);
      check("x", x, op.type(), op.x().span());
      check("values", values, op.type(), outputs);
      check("indices", indices, DType.I64, outputs);
      checkDisjoint("values", values, "x", x);
      checkDisjoint("indices", indices, "x", x);
      checkDisjoint("indices", indices, "values", values);
      Pins.pinAll(op.name(), x, values, indices);
      try {
        kernel.forward(stream, x, values, indices);
      } finally {
        Pins.unpinAll(x, values, indices);
      }
    }

    /**
     * The gradient with respect to x: dy at the chosen places, 0 elsewhere.
     *
     * @param dy gradient with respect to values, of {@link TopK#outputDims}
     * @param indices as {@link #forward} wrote them: distinct along the axis
     * @param dx gradient with respect to x, row-major without gaps; must not overlap the others
     * @throws InvalidArgumentException when the type is an integer's, or an index is outside
     *     0..size; dx is then partly written
     */
    public void backward(Stream stream, Buffer dy, Buffer indices, Buffer dx) {
      if (!op.type().isFloating()) {
        throw InvalidArgumentException.of(
            op.name(), "type", "must be floating to have a gradient", "type=%s", op.type());
      }
      checkStream(stream);
      check("dy", dy, op.type(), outputs);
      check("indices", indices, DType.I64, outputs);
      check("dx", dx, op.type(), op.x().count());
      checkDisjoint("dx", dx, "dy", dy);
      checkDisjoint("dx", dx, "indices", indices);
      Pins.pinAll(op.name(), dy, indices, dx);
      try {
        kernel.backward(stream, dy, indices, dx);
      } finally {
        Pins.unpinAll(dy, indices, dx);
      }
    }
  }
}
