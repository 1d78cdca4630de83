package dev.gridstride;

import dev.gridstride.device.DType;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.Layout;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the ops of {@link Shaping} share. */
final class Shapes {
  private Shapes() {}

  /** The sizes with the one that is -1 worked out. */
  static long[] inferred(Tensor x, long[] dims) {
    long[] target = dims.clone();
    int unknown = -1;
    long known = 1;
    boolean valid = true;
    for (int i = 0; i < dims.length; i++) {
      if (dims[i] == -1 && unknown < 0) {
        unknown = i;
      } else {
        valid &= dims[i] >= 0;
        known = valid ? Math.multiplyExact(known, dims[i]) : known;
      }
    }
    if (valid && unknown >= 0 && known > 0 && x.count() % known == 0) {
      target[unknown] = x.count() / known;
      known *= target[unknown];
    } else {
      valid &= unknown < 0;
    }
    if (!valid || known != x.count()) {
      throw InvalidArgumentException.of(
          "reshape",
          "dims",
          "must have as many elements as the tensor (one size may be -1)",
          "dims=%s, shape=%s",
          Arrays.toString(dims),
          x.shape());
    }
    return target;
  }

  static long[] inserted(long[] values, int at, long value) {
    var out = new long[values.length + 1];
    System.arraycopy(values, 0, out, 0, at);
    out[at] = value;
    System.arraycopy(values, at, out, at + 1, values.length - at);
    return out;
  }

  static long[] without(long[] values, boolean[] drop) {
    var out = new long[values.length];
    int n = 0;
    for (int i = 0; i < values.length; i++) {
      if (!drop[i]) {
        out[n++] = values[i];
      }
    }
    return Arrays.copyOf(out, n);
  }

  /** Which dimensions squeeze drops. */
  static boolean[] squeezed(Tensor x, int[] axes) {
    var drop = new boolean[x.rank()];
    if (axes.length == 0) {
      for (int i = 0; i < drop.length; i++) {
        drop[i] = x.size(i) == 1;
      }
      return drop;
    }
    for (int a : x.shape().axes("squeeze", axes)) {
      if (x.size(a) != 1) {
        throw InvalidArgumentException.of(
            "squeeze",
            "axes",
            "must name dimensions of size 1",
            "axes=%s, shape=%s",
            Arrays.toString(axes),
            x.shape());
      }
      drop[a] = true;
    }
    return drop;
  }

  /** Zeros of {@code shape} with dy in the place that a slice was taken from. */
  static Tensor unslice(Tensor dy, Shape shape, int axis, long from, long step) {
    Tensor dx = Tensors.zeros(dy.device(), dy.dtype(), shape.dims());
    long n = dy.size(axis);
    if (dy.count() > 0) {
      Copies.into(dy, dx.slice(axis, from, from + (n - 1) * step + 1, step));
    }
    return dx;
  }

  static Tensor diagonal(Tensor x, int first, int second) {
    int a = x.shape().axis("diagonal", first);
    int b = x.shape().axis("diagonal", second);
    if (a == b) {
      throw InvalidArgumentException.of(
          "diagonal", "axes", "must be two", "axes=%d, %d, shape=%s", first, second, x.shape());
    }
    Tensor y = x.alias(0, diagonal(x.layout(), a, b));
    return Autograd.record(
        "diagonal",
        y,
        x,
        dy -> {
          Tensor dx = Tensors.zeros(dy.device(), dy.dtype(), x.shape().dims());
          Copies.into(dy, dx.alias(0, diagonal(dx.layout(), a, b)));
          return dx;
        });
  }

  private static Layout diagonal(Layout layout, int a, int b) {
    var drop = new boolean[layout.rank()];
    drop[a] = true;
    drop[b] = true;
    long[] dims = without(layout.dims(), drop);
    long[] strides = without(layout.strides(), drop);
    return Layout.of(
        inserted(dims, dims.length, Math.min(layout.dim(a), layout.dim(b))),
        inserted(strides, dims.length, Math.addExact(layout.stride(a), layout.stride(b))));
  }

  /** Matrices with zeros on one side of a diagonal. */
  static Tensor triangle(Tensor x, long k, boolean upper) {
    String op = upper ? "triu" : "tril";
    if (x.rank() < 2) {
      throw InvalidArgumentException.of(
          op, "tensor", "must have two dimensions or more", "shape=%s", x.shape());
    }
    Tensor row = Tensors.arange(x.device(), DType.I64, x.size(-2)).unsqueeze(1);
    Tensor column = Tensors.arange(x.device(), DType.I64, x.size(-1));
    // beyond the matrix every k means the same
    long at = Math.clamp(k, -x.size(-2) - 1, x.size(-1) + 1);
    Tensor diagonal = row.add(Tensors.full(x.device(), DType.I64, at));
    Tensor keep = upper ? column.ge(diagonal) : column.le(diagonal);
    return keep.where(x, BinaryFunction.scalar(x, 0));
  }

  static Tensor tile(Tensor x, long[] repeats) {
    if (repeats.length != x.rank() || Arrays.stream(repeats).anyMatch(r -> r < 0)) {
      throw InvalidArgumentException.of(
          "tile",
          "repeats",
          "must have one number, not negative, for each dimension",
          "repeats=%s, shape=%s",
          Arrays.toString(repeats),
          x.shape());
    }
    Tensor y = x;
    for (int i = 0; i < repeats.length; i++) {
      if (repeats[i] == 0) {
        y = y.slice(i, 0, 0);
      } else if (repeats[i] > 1) {
        var copies = new Tensor[Math.toIntExact(repeats[i])];
        Arrays.fill(copies, y);
        y = concat(i, copies);
      }
    }
    return y == x ? x.copy() : y;
  }

  /** Tensors one after another along an axis. */
  static Tensor concat(int axis, Tensor... parts) {
    if (parts.length == 0) {
      throw InvalidArgumentException.of(
          "concat", "tensors", "must be at least one", "tensors=%d", 0);
    }
    Tensor first = parts[0];
    int a = first.shape().axis("concat", axis);
    long[] dims = first.shape().dims();
    dims[a] = 0;
    for (Tensor p : parts) {
      if (!fits(first, p, a)) {
        throw InvalidArgumentException.of(
            "concat",
            "tensors",
            "must agree in dtype, device and all sizes but the axis",
            "axis=%d, tensors=%s",
            axis,
            List.of(parts));
      }
      dims[a] = Math.addExact(dims[a], p.size(a));
    }
    Tensor y = Tensor.empty(first.device(), first.dtype(), dims);
    var starts = new long[parts.length + 1];
    for (int i = 0; i < parts.length; i++) {
      starts[i + 1] = starts[i] + parts[i].size(a);
      if (parts[i].count() > 0) {
        Tensor part = parts[i];
        long from = starts[i];
        long to = starts[i + 1];
        Autograd.noGrad(() -> Copies.into(part, y.slice(a, from, to)));
      }
    }
    return Autograd.record(
        "concat",
        y,
        (dy, needed) -> {
          var gradients = new @Nullable Tensor[parts.length];
          for (int i = 0; i < gradients.length; i++) {
            gradients[i] = needed[i] ? dy.slice(a, starts[i], starts[i + 1]) : null;
          }
          return gradients;
        },
        parts);
  }

  private static boolean fits(Tensor first, Tensor p, int axis) {
    boolean fits =
        p.rank() == first.rank() && p.dtype() == first.dtype() && p.device().equals(first.device());
    for (int i = 0; fits && i < p.rank(); i++) {
      fits = i == axis || p.size(i) == first.size(i);
    }
    return fits;
  }
}
