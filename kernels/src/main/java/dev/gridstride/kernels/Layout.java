package dev.gridstride.kernels;

import dev.gridstride.device.InvalidArgumentException;
import java.util.Arrays;

/**
 * How elements lie in a buffer: sizes and strides, in elements, of each dimension, outermost first.
 *
 * <p>Element {@code (i0, i1, ...)} is at {@code i0 * stride0 + i1 * stride1 + ...} from the
 * buffer's start. Strides are not negative; a stride of 0 repeats the same elements along the
 * dimension (broadcasting). A value object.
 */
public final class Layout {
  private final long[] dims;
  private final long[] strides;
  private final long count;
  private final int hash;

  private Layout(long[] dims, long[] strides) {
    if (dims.length != strides.length) {
      throw InvalidArgumentException.of(
          "layout",
          "strides",
          "must have one entry for each dimension",
          "dims=%s, strides=%s",
          Arrays.toString(dims),
          Arrays.toString(strides));
    }
    this.dims = dims;
    this.strides = strides;
    this.count = product(dims);
    this.hash = 31 * Arrays.hashCode(dims) + Arrays.hashCode(strides);
    for (int i = 0; i < strides.length; i++) {
      if (strides[i] < 0) {
        throw InvalidArgumentException.of(
            "layout", "strides", "must not be negative", "strides=%s", Arrays.toString(strides));
      }
    }
    span(); // overflow shows here, not in a kernel
  }

  /** Row-major without gaps. */
  public static Layout contiguous(long... dims) {
    var strides = new long[dims.length];
    long step = 1;
    for (int i = dims.length - 1; i >= 0; i--) {
      strides[i] = step;
      step = multiply(step, Math.max(1, dims[i]), dims);
    }
    return new Layout(dims.clone(), strides);
  }

  /** Explicit strides, in elements. */
  public static Layout of(long[] dims, long[] strides) {
    return new Layout(dims.clone(), strides.clone());
  }

  private static long product(long[] dims) {
    long n = 1;
    boolean empty = false;
    for (long d : dims) {
      if (d < 0) {
        throw InvalidArgumentException.of(
            "layout", "dims", "must not be negative", "dims=%s", Arrays.toString(dims));
      }
      empty |= d == 0;
      n = multiply(n, Math.max(1, d), dims);
    }
    return empty ? 0 : n;
  }

  private static long multiply(long a, long b, long[] dims) {
    long high = Math.multiplyHigh(a, b);
    long low = a * b;
    if (high != 0 || low < 0) {
      throw InvalidArgumentException.of(
          "layout", "dims", "must have a product below 2^63", "dims=%s", Arrays.toString(dims));
    }
    return low;
  }

  /** Number of dimensions; 0 for a scalar. */
  public int rank() {
    return dims.length;
  }

  /** Size of dimension {@code i}. */
  public long dim(int i) {
    return dims[checkDimension(i)];
  }

  /** Distance in elements between neighbours along dimension {@code i}. */
  public long stride(int i) {
    return strides[checkDimension(i)];
  }

  private int checkDimension(int i) {
    if (i < 0 || i >= dims.length) {
      throw InvalidArgumentException.of(
          "layout", "dimension", "must be in 0..rank-1", "dimension=%d, rank=%d", i, dims.length);
    }
    return i;
  }

  /** A copy of the sizes. */
  public long[] dims() {
    return dims.clone();
  }

  /** A copy of the strides. */
  public long[] strides() {
    return strides.clone();
  }

  /** Number of elements: the product of the sizes, 1 for a scalar. */
  public long count() {
    return count;
  }

  /** Number of elements that a buffer needs to hold this layout: the last element's place + 1. */
  public long span() {
    if (count == 0) {
      return 0;
    }
    long last = 0;
    for (int i = 0; i < dims.length; i++) {
      long high = Math.multiplyHigh(dims[i] - 1, strides[i]);
      long step = (dims[i] - 1) * strides[i];
      last += step;
      if (high != 0 || step < 0 || last < 0) {
        throw InvalidArgumentException.of("layout", "span", "must be below 2^63", "%s", this);
      }
    }
    return last + 1;
  }

  /** Whether the elements lie row-major without gaps; dimensions of size 1 may have any stride. */
  public boolean isContiguous() {
    if (count == 0) {
      return true;
    }
    long step = 1;
    for (int i = dims.length - 1; i >= 0; i--) {
      if (dims[i] != 1 && strides[i] != step) {
        return false;
      }
      step *= dims[i];
    }
    return true;
  }

  /** Whether two different indices may name the same element (a stride is 0 or too small). */
  public boolean overlapsItself() {
    if (count <= 1) {
      return false;
    }
    Integer[] order = new Integer[dims.length];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, (a, b) -> Long.compare(strides[a], strides[b]));
    long reach = 0;
    for (int i : order) {
      if (dims[i] > 1) {
        if (strides[i] <= reach) {
          return true;
        }
        reach += (dims[i] - 1) * strides[i];
      }
    }
    return false;
  }

  /**
   * The same elements seen with {@code target} sizes under NumPy's broadcasting rule: dimensions
   * are matched from the right, missing ones and those of size 1 are repeated.
   *
   * @param op name for the message
   * @throws InvalidArgumentException when a dimension neither matches nor is 1
   */
  public Layout broadcastTo(String op, long... target) {
    int shift = target.length - dims.length;
    boolean fits = shift >= 0;
    var s = new long[target.length];
    for (int i = 0; fits && i < dims.length; i++) {
      fits = dims[i] == target[i + shift] || dims[i] == 1;
      s[i + shift] = dims[i] == target[i + shift] ? strides[i] : 0;
    }
    if (!fits) {
      throw InvalidArgumentException.of(
          op,
          "shape",
          "must be broadcastable (equal or 1 in each dimension, from the right)",
          "shape=%s, target=%s",
          Arrays.toString(dims),
          Arrays.toString(target));
    }
    return new Layout(target.clone(), s);
  }

  /** The sizes that two shapes broadcast to together. */
  public static long[] broadcastDims(String op, long[] a, long[] b) {
    int rank = Math.max(a.length, b.length);
    var out = new long[rank];
    for (int i = 1; i <= rank; i++) {
      long p = i <= a.length ? a[a.length - i] : 1;
      long q = i <= b.length ? b[b.length - i] : 1;
      if (p != q && p != 1 && q != 1) {
        throw InvalidArgumentException.of(
            op,
            "shapes",
            "must be broadcastable (equal or 1 in each dimension, from the right)",
            "a=%s, b=%s",
            Arrays.toString(a),
            Arrays.toString(b));
      }
      out[rank - i] = p == 1 ? q : p;
    }
    return out;
  }

  /** The dimensions in another order: dimension {@code i} of the result is {@code order[i]}. */
  public Layout permute(int... order) {
    var d = new long[dims.length];
    var s = new long[dims.length];
    var seen = new boolean[dims.length];
    boolean valid = order.length == dims.length;
    for (int i = 0; valid && i < order.length; i++) {
      valid = order[i] >= 0 && order[i] < dims.length && !seen[order[i]];
      if (valid) {
        seen[order[i]] = true;
        d[i] = dims[order[i]];
        s[i] = strides[order[i]];
      }
    }
    if (!valid) {
      throw InvalidArgumentException.of(
          "permute",
          "order",
          "must name each dimension once",
          "order=%s, rank=%d",
          Arrays.toString(order),
          dims.length);
    }
    return new Layout(d, s);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Layout l
        && hash == l.hash
        && Arrays.equals(dims, l.dims)
        && Arrays.equals(strides, l.strides);
  }

  @Override
  public int hashCode() {
    return hash;
  }

  /** Sizes, and strides where they are not row-major: {@code [2, 3] strides [1, 2]}. */
  @Override
  public String toString() {
    return Arrays.toString(dims) + (isContiguous() ? "" : " strides " + Arrays.toString(strides));
  }
}
