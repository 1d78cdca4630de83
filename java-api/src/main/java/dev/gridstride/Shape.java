package dev.gridstride;

import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.Layout;
import java.util.Arrays;

/** The sizes of a tensor's dimensions, outermost first. Immutable; a scalar has rank 0. */
public final class Shape {
  private final long[] dims;
  private final long count;

  private Shape(long[] dims) {
    this.dims = dims;
    this.count = Layout.contiguous(dims).count(); // checks sizes and overflow
  }

  /**
   * A shape of these sizes.
   *
   * @throws InvalidArgumentException when a size is negative or the product exceeds 2^63 - 1
   */
  public static Shape of(long... dims) {
    return new Shape(dims.clone());
  }

  /** Number of dimensions. */
  public int rank() {
    return dims.length;
  }

  /** Size of dimension {@code axis}; negative axes count from the last. */
  public long dim(int axis) {
    return dims[axis("shape.dim", axis)];
  }

  /** A copy of the sizes. */
  public long[] dims() {
    return dims.clone();
  }

  /** Number of elements. */
  public long count() {
    return count;
  }

  /**
   * An axis in 0..rank, from one that may be negative.
   *
   * @param op name for the message
   */
  public int axis(String op, int axis) {
    int a = axis < 0 ? axis + dims.length : axis;
    if (a < 0 || a >= dims.length) {
      throw InvalidArgumentException.of(
          op, "axis", "must name a dimension", "axis=%d, shape=%s", axis, this);
    }
    return a;
  }

  /** The axes in 0..rank, sorted, from ones that may be negative; all axes when none is given. */
  public int[] axes(String op, int... axes) {
    if (axes.length == 0) {
      var all = new int[dims.length];
      Arrays.setAll(all, i -> i);
      return all;
    }
    int[] sorted = Arrays.stream(axes).map(a -> axis(op, a)).sorted().toArray();
    for (int i = 1; i < sorted.length; i++) {
      if (sorted[i] == sorted[i - 1]) {
        throw InvalidArgumentException.of(
            op,
            "axes",
            "must name each dimension at most once",
            "axes=%s, shape=%s",
            Arrays.toString(axes),
            this);
      }
    }
    return sorted;
  }

  /** A permutation of the axes, from one whose entries may be negative. */
  int[] axesInOrder(String op, int... order) {
    return Arrays.stream(order).map(a -> axis(op, a)).toArray();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Shape s && Arrays.equals(dims, s.dims);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(dims);
  }

  /** The sizes in brackets: {@code [64, 1, 28, 28]}. */
  @Override
  public String toString() {
    return Arrays.toString(dims);
  }
}
