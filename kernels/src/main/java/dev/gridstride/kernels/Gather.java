package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuGather;
import dev.gridstride.cuda.CudaGather;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Op;
import dev.gridstride.device.Pins;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import java.util.Arrays;

/**
 * Picks entries of one dimension by index, and its adjoint, which adds entries back: {@code y[o, k,
 * i] = x[o, index[k], i]} for row-major x {@code [outer, size, inner]} and y {@code [outer, count,
 * inner]}. With {@code outer = 1} this is an embedding's lookup of rows.
 *
 * <p>Picking moves bits, any type. Adding takes any type but bool: to each target the entries are
 * added in the order of k, whatever the number of threads, each sum rounded to the type (integers
 * wrap); the same bits from run to run.
 *
 * <p>All indices are checked before anything is written.
 *
 * @param type element type of x and y
 * @param outer product of the dimensions before
 * @param size length of the dimension that is indexed
 * @param inner product of the dimensions after
 * @param count number of indices
 * @param indexType i64 or i32
 * @param fromEnd whether negative indices count from the end; otherwise they are refused
 */
public record Gather(
    DType type, long outer, long size, long inner, long count, DType indexType, boolean fromEnd)
    implements Op<Gather.Plan> {
  private static final Implementations<Gather, Kernel> IMPLEMENTATIONS =
      Implementations.of(
          Implementation.cpu("rows", CpuGather::new), Implementation.cuda("cuda", CudaGather::new));

  /** Checks sizes and types. */
  public Gather {
    if (outer < 0 || size < 0 || inner < 0 || count < 0) {
      throw InvalidArgumentException.of(
          "gather",
          "sizes",
          "must not be negative",
          "outer=%d, size=%d, inner=%d, count=%d",
          outer,
          size,
          inner,
          count);
    }
    if (indexType != DType.I64 && indexType != DType.I32) {
      throw InvalidArgumentException.of(
          "gather", "indexType", "must be i64 or i32", "indexType=%s", indexType);
    }
    Layout.contiguous(outer, size, inner); // overflow
    Layout.contiguous(outer, count, inner);
  }

  /** Along dimension {@code axis} of a row-major array. */
  public static Gather of(DType type, DType indexType, long count, int axis, long... dims) {
    if (axis < 0 || axis >= dims.length) {
      throw InvalidArgumentException.of(
          "gather",
          "axis",
          "must name a dimension",
          "axis=%d, dims=%s",
          axis,
          Arrays.toString(dims));
    }
    long outer = Layout.contiguous(Arrays.copyOfRange(dims, 0, axis)).count();
    long inner = Layout.contiguous(Arrays.copyOfRange(dims, axis + 1, dims.length)).count();
    return new Gather(type, outer, dims[axis], inner, count, indexType, false);
  }

  /** The same with negative indices counted from the end. */
  public Gather countingFromEnd() {
    return new Gather(type, outer, size, inner, count, indexType, true);
  }

  @Override
  public String name() {
    return "gather";
  }

  @Override
  public Support supports(Device device) {
    return IMPLEMENTATIONS.supports(this, device);
  }

  @Override
  public Plan plan(Device device) {
    return new Plan(this, device);
  }

  /** What a backend implements; operands are checked and pinned, indices are not. */
  public interface Kernel extends DeviceKernel {
    /** {@code y[o, k, i] = x[o, index[k], i]}. */
    void gather(Stream stream, Buffer x, Buffer indices, Buffer y);

    /** {@code x[o, index[k], i] += y[o, k, i]}; with {@code clear}, to zeros instead of to x. */
    void scatterAdd(Stream stream, Buffer y, Buffer indices, Buffer x, boolean clear);
  }

  /** A gather that can be run. */
  public static final class Plan extends OpPlan<Gather, Kernel> {
    private Plan(Gather op, Device device) {
      super(op, device, IMPLEMENTATIONS);
    }

    /**
     * {@code y[o, k, i] = x[o, index[k], i]}.
     *
     * @param x {@code [outer, size, inner]}
     * @param indices {@code [count]} of the index type
     * @param y {@code [outer, count, inner]}; must not overlap x or indices
     * @throws InvalidArgumentException naming the first index that is out of range
     */
    public void forward(Stream stream, Buffer x, Buffer indices, Buffer y) {
      checkAll(stream, "x", x, indices, "y", y);
      checkDisjoint("y", y, "x", x);
      checkDisjoint("y", y, "indices", indices);
      Pins.pinAll(op.name(), x, indices, y);
      try {
        kernel.gather(stream, x, indices, y);
      } finally {
        Pins.unpinAll(x, indices, y);
      }
    }

    /**
     * {@code dx = 0}, then {@code dx[o, index[k], i] += dy[o, k, i]}.
     *
     * @param dy {@code [outer, count, inner]}
     * @param dx {@code [outer, size, inner]}; must not overlap dy or indices
     */
    public void backward(Stream stream, Buffer dy, Buffer indices, Buffer dx) {
      add(stream, "dx", dx, indices, "dy", dy, true);
    }

    /** {@code target[o, index[k], i] += source[o, k, i]}; as {@link #backward} without zeroing. */
    public void scatterAdd(Stream stream, Buffer source, Buffer indices, Buffer target) {
      add(stream, "target", target, indices, "source", source, false);
    }

    private void add(
        Stream stream, String xName, Buffer x, Buffer indices, String yName, Buffer y, boolean c) {
      if (op.type() == DType.BOOL) {
        throw InvalidArgumentException.of(
            "scatterAdd", "type", "must be a type with addition", "type=%s", op.type());
      }
      checkAll(stream, xName, x, indices, yName, y);
      checkDisjoint(xName, x, yName, y);
      checkDisjoint(xName, x, "indices", indices);
      Pins.pinAll(op.name(), x, indices, y);
      try {
        kernel.scatterAdd(stream, y, indices, x, c);
      } finally {
        Pins.unpinAll(x, indices, y);
      }
    }

    private void checkAll(
        Stream stream, String xName, Buffer x, Buffer indices, String yName, Buffer y) {
      checkStream(stream);
      check(xName, x, op.type(), op.outer() * op.size() * op.inner());
      check("indices", indices, op.indexType(), op.count());
      check(yName, y, op.type(), op.outer() * op.count() * op.inner());
    }
  }
}
