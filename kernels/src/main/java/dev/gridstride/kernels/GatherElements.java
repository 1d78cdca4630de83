package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuGatherElements;
import dev.gridstride.cuda.CudaGatherElements;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Op;
import dev.gridstride.device.Pins;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;

/**
 * Picks one element for each index along one dimension, and puts or adds elements back: {@code y[p]
 * = x[p with p[axis] replaced by index[p]]}, for p over all places of index. Known as gather and
 * scatter in PyTorch, GatherElements and ScatterElements in ONNX.
 *
 * <p>All operands are row-major without gaps. Picking and putting move bits, any type; of several
 * elements that are put in one place, the last along the axis stays. Adding takes any type but
 * bool: to each target the elements are added in their order along the axis, each sum rounded to
 * the type (integers wrap). The same bits from run to run and for any number of threads. All
 * indices are checked before anything is written.
 *
 * @param type element type of x and y
 * @param x sizes of the array that is indexed, row-major
 * @param index sizes of the indices and of y, row-major: of x's rank, and not larger than x but
 *     along the axis
 * @param axis the dimension that is indexed
 * @param indexType i64 or i32
 * @param fromEnd whether negative indices count from the end; otherwise they are refused
 */
public record GatherElements(
    DType type, Layout x, Layout index, int axis, DType indexType, boolean fromEnd)
    implements Op<GatherElements.Plan> {
  private static final Implementations<GatherElements, Kernel> IMPLEMENTATIONS =
      Implementations.of(
          Implementation.cpu("lines", CpuGatherElements::new),
          Implementation.cuda("cuda", CudaGatherElements::accepts, CudaGatherElements::new));

  /** Checks sizes and types. */
  public GatherElements {
    if (indexType != DType.I64 && indexType != DType.I32) {
      throw InvalidArgumentException.of(
          "gatherElements", "indexType", "must be i64 or i32", "indexType=%s", indexType);
    }
    if (axis < 0 || axis >= x.rank()) {
      throw InvalidArgumentException.of(
          "gatherElements", "axis", "must name a dimension", "axis=%d, x=%s", axis, x);
    }
    boolean fits = x.isContiguous() && index.isContiguous() && index.rank() == x.rank();
    for (int i = 0; fits && i < x.rank(); i++) {
      fits = i == axis || index.dim(i) <= x.dim(i);
    }
    if (!fits) {
      throw InvalidArgumentException.of(
          "gatherElements",
          "index",
          "must be row-major, as x, of its rank, and not larger but along the axis",
          "index=%s, x=%s, axis=%d",
          index,
          x,
          axis);
    }
  }

  @Override
  public String name() {
    return "gatherElements";
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
    /** See {@link Plan#gather}. */
    void gather(Stream stream, Buffer x, Buffer indices, Buffer y);

    /** See {@link Plan#scatter} and {@link Plan#scatterAdd}. */
    void scatter(Stream stream, Buffer source, Buffer indices, Buffer target, boolean add);
  }

  /** A gather that can be run. */
  public static final class Plan extends OpPlan<GatherElements, Kernel> {
    private Plan(GatherElements op, Device device) {
      super(op, device, IMPLEMENTATIONS);
    }

    /**
     * {@code y[p] = x[p with index[p] along the axis]}.
     *
     * @param x of the sizes of x
     * @param indices of the sizes of index
     * @param y of the sizes of index; must not overlap the others
     * @throws dev.gridstride.device.IndexOutOfRangeException naming the first bad index
     */
    public void gather(Stream stream, Buffer x, Buffer indices, Buffer y) {
      checkStream(stream);
      check("x", x, op.type(), op.x().count());
      check("indices", indices, op.indexType(), op.index().count());
      check("y", y, op.type(), op.index().count());
      checkDisjoint("y", y, "x", x);
      checkDisjoint("y", y, "indices", indices);
      Pins.pinAll(op.name(), x, indices, y);
      try {
        kernel.gather(stream, x, indices, y);
      } finally {
        Pins.unpinAll(x, indices, y);
      }
    }

    /** {@code target[p with index[p] along the axis] = source[p]}; the others stay. */
    public void scatter(Stream stream, Buffer source, Buffer indices, Buffer target) {
      put(stream, source, indices, target, false);
    }

    /** {@code target[p with index[p] along the axis] += source[p]}. */
    public void scatterAdd(Stream stream, Buffer source, Buffer indices, Buffer target) {
      if (op.type() == DType.BOOL) {
        throw InvalidArgumentException.of(
            "scatterAdd", "type", "must be a type with addition", "type=%s", op.type());
      }
      put(stream, source, indices, target, true);
    }

    private void put(Stream stream, Buffer source, Buffer indices, Buffer target, boolean add) {
      checkStream(stream);
      check("source", source, op.type(), op.index().count());
      check("indices", indices, op.indexType(), op.index().count());
      check("target", target, op.type(), op.x().count());
      checkDisjoint("target", target, "source", source);
      checkDisjoint("target", target, "indices", indices);
      Pins.pinAll(op.name(), source, indices, target);
      try {
        kernel.scatter(stream, source, indices, target, add);
      } finally {
        Pins.unpinAll(source, indices, target);
      }
    }
  }
}
