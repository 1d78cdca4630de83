package dev.gridstride;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.Layout;
import dev.gridstride.kernels.Pad;
import java.util.Arrays;

/**
 * Ops that change how elements are seen (views, which share memory) or how they lie in memory
 * (copies). Negative axes count from the last.
 */
public sealed interface Shaping permits Tensor {
  /** The same elements as another tensor over the same memory. */
  default Tensor view() {
    Tensor x = (Tensor) this;
    return Autograd.record("view", x.alias(0, x.layout()), x, dy -> dy);
  }

  /** This tensor if it is row-major without gaps, else a copy that is. */
  default Tensor contiguous() {
    Tensor x = (Tensor) this;
    return x.isContiguous() ? x : copy();
  }

  /** A row-major copy with memory of its own. */
  default Tensor copy() {
    Tensor x = (Tensor) this;
    Tensor y = Copies.to(x, x.dtype(), Layout.contiguous(x.shape().dims()));
    return Autograd.record("copy", y, x, dy -> dy);
  }

  /**
   * These images {@code [n, c, spatial...]} with the channels of a pixel side by side in memory:
   * the format in which convolutions, pooling and norms are fastest. The shape stays as it is.
   *
   * @return this tensor if it lies so already
   */
  default Tensor channelsLast() {
    Tensor x = (Tensor) this;
    if (x.rank() < 3) {
      throw InvalidArgumentException.of(
          "channelsLast", "tensor", "must have a batch, channels and space", "shape=%s", x.shape());
    }
    if (Formats.isChannelsLast(x)) {
      return x;
    }
    Tensor y = Copies.to(x, x.dtype(), Formats.channelsLast(x.shape().dims()));
    return Autograd.record("channelsLast", y, x, dy -> dy);
  }

  /**
   * The elements in another type; see {@link dev.gridstride.kernels.Copy} for the rules.
   *
   * @return this tensor if it has that type; differentiable between floating types only
   */
  default Tensor to(DType dtype) {
    Tensor x = (Tensor) this;
    if (x.dtype() == dtype) {
      return x;
    }
    Layout layout = x.isDense() ? x.layout() : Layout.contiguous(x.shape().dims());
    Tensor y = Copies.to(x, dtype, layout);
    return dtype.isFloating() ? Autograd.record("to", y, x, dy -> dy.to(x.dtype())) : y;
  }

  /**
   * A row-major copy on another device.
   *
   * @return this tensor if it is there already
   */
  default Tensor to(Device device) {
    Tensor x = (Tensor) this;
    if (x.device().equals(device)) {
      return x;
    }
    Tensor y = Tensor.empty(device, x.dtype(), x.shape().dims());
    y.buffer().copyFrom(Autograd.noGrad(x::contiguous).buffer());
    return Autograd.record("to", y, x, dy -> dy.to(x.device()));
  }

  /**
   * The elements, row-major, in another shape: a view when this tensor is contiguous, else a copy.
   *
   * @param dims sizes with the same product; one may be -1 and is worked out
   */
  default Tensor reshape(long... dims) {
    Tensor x = contiguous();
    long[] target = Shapes.inferred(x, dims);
    Tensor y = x.alias(0, Layout.contiguous(target));
    return Autograd.record("reshape", y, x, dy -> dy.reshape(x.shape().dims()));
  }

  /** All dimensions from {@code axis} on as one: {@code flatten(1)} gives [batch, features]. */
  default Tensor flatten(int axis) {
    Tensor x = (Tensor) this;
    if (x.rank() == 0) {
      return reshape(1);
    }
    int a = x.shape().axis("flatten", axis);
    long[] dims = Arrays.copyOf(x.shape().dims(), a + 1);
    dims[a] = Shape.of(Arrays.copyOfRange(x.shape().dims(), a, x.rank())).count();
    return reshape(dims);
  }

  /** The dimensions in another order: dimension {@code i} of the view is {@code order[i]}. */
  default Tensor permute(int... order) {
    Tensor x = (Tensor) this;
    int[] o = order.length == x.rank() ? x.shape().axesInOrder("permute", order) : order;
    Tensor y = x.alias(0, x.layout().permute(o));
    var back = new int[o.length];
    for (int i = 0; i < o.length; i++) {
      back[o[i]] = i;
    }
    return Autograd.record("permute", y, x, dy -> dy.permute(back));
  }

  /** Two dimensions exchanged, as a view. */
  default Tensor transpose(int a, int b) {
    Tensor x = (Tensor) this;
    var order = new int[x.rank()];
    Arrays.setAll(order, i -> i);
    int p = x.shape().axis("transpose", a);
    int q = x.shape().axis("transpose", b);
    order[p] = q;
    order[q] = p;
    return permute(order);
  }

  /** The matrix transposed: the last two dimensions exchanged, as a view. */
  default Tensor transpose() {
    return transpose(-2, -1);
  }

  /** A new dimension of size 1 at {@code axis}, which may be the rank, as a view. */
  default Tensor unsqueeze(int axis) {
    Tensor x = (Tensor) this;
    int a = axis < 0 ? axis + x.rank() + 1 : axis;
    if (a < 0 || a > x.rank()) {
      throw InvalidArgumentException.of(
          "unsqueeze", "axis", "must be in -rank-1..rank", "axis=%d, shape=%s", axis, x.shape());
    }
    var dims = Shapes.inserted(x.layout().dims(), a, 1);
    var strides = Shapes.inserted(x.layout().strides(), a, 1);
    Tensor y = x.alias(0, Layout.of(dims, strides));
    return Autograd.record("unsqueeze", y, x, dy -> dy.squeeze(a));
  }

  /** Without the named dimensions, which must have size 1; all such when none is named. A view. */
  default Tensor squeeze(int... axes) {
    Tensor x = (Tensor) this;
    boolean[] drop = Shapes.squeezed(x, axes);
    Tensor y =
        x.alias(
            0,
            Layout.of(
                Shapes.without(x.layout().dims(), drop),
                Shapes.without(x.layout().strides(), drop)));
    return Autograd.record("squeeze", y, x, dy -> dy.reshape(x.shape().dims()));
  }

  /**
   * The elements whose places along two dimensions are equal, as a view: both dimensions go away,
   * and the diagonal becomes the last one, of the smaller size of the two.
   */
  default Tensor diagonal(int a, int b) {
    return Shapes.diagonal((Tensor) this, a, b);
  }

  /** A copy of these matrices with zeros above the k-th diagonal (0 the main one, 1 above it). */
  default Tensor tril(long k) {
    return Shapes.triangle((Tensor) this, k, false);
  }

  /** A copy of these matrices with zeros below the k-th diagonal (0 the main one, 1 above it). */
  default Tensor triu(long k) {
    return Shapes.triangle((Tensor) this, k, true);
  }

  /** Elements {@code from} (included) to {@code to} (excluded) along {@code axis}, as a view. */
  default Tensor slice(int axis, long from, long to) {
    return slice(axis, from, to, 1);
  }

  /**
   * Every {@code step}-th element from {@code from} (included) to {@code to} (excluded) along
   * {@code axis}, as a view.
   *
   * @param from 0 to the size; negative counts from the end
   * @param to from to the size; negative counts from the end
   * @param step at least 1
   */
  default Tensor slice(int axis, long from, long to, long step) {
    Tensor x = (Tensor) this;
    int a = x.shape().axis("slice", axis);
    long size = x.size(a);
    long begin = from < 0 ? from + size : from;
    long end = to < 0 ? to + size : to;
    if (begin < 0 || end < begin || end > size || step < 1) {
      throw InvalidArgumentException.of(
          "slice",
          "range",
          "must lie inside the dimension, with a step of at least 1",
          "from=%d, to=%d, step=%d, axis=%d, shape=%s",
          from,
          to,
          step,
          axis,
          x.shape());
    }
    long[] dims = x.layout().dims();
    long[] strides = x.layout().strides();
    long first = begin * strides[a];
    dims[a] = Math.ceilDiv(end - begin, step);
    strides[a] *= step;
    Layout part = Layout.of(dims, strides);
    Tensor y = x.alias(part.count() == 0 ? 0 : first, part);
    return Autograd.record("slice", y, x, dy -> Shapes.unslice(dy, x.shape(), a, begin, step));
  }

  /** Element {@code index} along {@code axis}, which goes away; a view. */
  default Tensor select(int axis, long index) {
    Tensor x = (Tensor) this;
    int a = x.shape().axis("select", axis);
    long i = index < 0 ? index + x.size(a) : index;
    if (i < 0 || i >= x.size(a)) {
      throw InvalidArgumentException.of(
          "select",
          "index",
          "must lie inside the dimension",
          "index=%d, axis=%d, shape=%s",
          index,
          axis,
          x.shape());
    }
    return slice(a, i, i + 1).squeeze(a);
  }

  /** A copy with the elements in the opposite order along the named axes, or all. */
  default Tensor flip(int... axes) {
    Tensor x = (Tensor) this;
    int[] named = x.shape().axes("flip", axes);
    Tensor y = Copies.reversed(x, named);
    return Autograd.record("flip", y, x, dy -> dy.flip(named));
  }

  /**
   * A copy with a border of {@code value}.
   *
   * @param before elements added before each dimension; negative numbers cut elements off
   * @param after elements added after each dimension; negative numbers cut elements off
   */
  default Tensor pad(long[] before, long[] after, double value) {
    return PadFunction.apply((Tensor) this, Pad.Mode.CONSTANT, before, after, value);
  }

  /**
   * A copy with a border made of this tensor's elements, or of zeros; see {@link Pad.Mode} for what
   * it holds and how wide it may be. The result has the memory format of its input.
   *
   * @param before elements added before each dimension; negative numbers cut elements off
   * @param after elements added after each dimension; negative numbers cut elements off
   */
  default Tensor pad(long[] before, long[] after, Pad.Mode mode) {
    return PadFunction.apply((Tensor) this, mode, before, after, 0);
  }

  /**
   * Dimensions of size 1 (and missing ones on the left) repeated to {@code dims}, as a view.
   *
   * @param dims sizes to which this tensor's shape can be broadcast
   */
  default Tensor expand(long... dims) {
    Tensor x = (Tensor) this;
    Tensor y = ReduceFunction.broadcast(x, dims);
    return Autograd.record("expand", y, x, dy -> ReduceFunction.sumTo(dy, x.shape()));
  }

  /** A copy repeated along each dimension: {@code [2, 3].tile(1, 2)} is {@code [2, 6]}. */
  default Tensor tile(long... repeats) {
    Tensor x = (Tensor) this;
    return Shapes.tile(x, repeats);
  }

  /**
   * Parts along {@code axis}, as views.
   *
   * @param sizes lengths of the parts; their sum must be the size of the dimension
   */
  default Tensor[] split(int axis, long... sizes) {
    Tensor x = (Tensor) this;
    int a = x.shape().axis("split", axis);
    if (Arrays.stream(sizes).sum() != x.size(a) || Arrays.stream(sizes).anyMatch(s -> s < 0)) {
      throw InvalidArgumentException.of(
          "split",
          "sizes",
          "must not be negative and must add up to the dimension",
          "sizes=%s, axis=%d, shape=%s",
          Arrays.toString(sizes),
          axis,
          x.shape());
    }
    var parts = new Tensor[sizes.length];
    long from = 0;
    for (int i = 0; i < sizes.length; i++) {
      parts[i] = x.slice(a, from, from + sizes[i]);
      from += sizes[i];
    }
    return parts;
  }
}
