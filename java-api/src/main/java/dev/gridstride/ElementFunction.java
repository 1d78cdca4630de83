package dev.gridstride;

import dev.gridstride.device.DType;
import dev.gridstride.device.IndexOutOfRangeException;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.GatherElements;
import dev.gridstride.kernels.Layout;
import org.jspecify.annotations.Nullable;

/** Elements by index along one dimension as recorded tensor ops. */
final class ElementFunction {
  private ElementFunction() {}

  /** Indices must fit the tensor; returns the axis in 0..rank. */
  static int check(String op, Tensor x, int axis, Tensor indices) {
    IndexFunction.checkIndices(op, indices);
    int a = x.shape().axis(op, axis);
    boolean fits = indices.rank() == x.rank() && indices.device().equals(x.device());
    for (int i = 0; fits && i < x.rank(); i++) {
      fits = i == a || indices.size(i) <= x.size(i);
    }
    if (!fits) {
      throw InvalidArgumentException.of(
          op,
          "indices",
          "must live with the tensor, have its rank, and not be larger but along the axis",
          "indices=%s, tensor=%s, axis=%d",
          indices,
          x,
          axis);
    }
    return a;
  }

  private static GatherElements.Plan plan(String op, Tensor x, int axis, Tensor indices) {
    int a = check(op, x, axis, indices);
    return Plans.of(
        x.device(),
        new GatherElements(
            x.dtype(),
            Layout.contiguous(x.shape().dims()),
            Layout.contiguous(indices.shape().dims()),
            a,
            indices.dtype(),
            true));
  }

  static void checkSource(String op, Tensor x, Tensor indices, Tensor source) {
    if (source.dtype() != x.dtype()
        || !source.device().equals(x.device())
        || !source.shape().equals(indices.shape())) {
      throw InvalidArgumentException.of(
          op,
          "source",
          "must have the tensor's dtype and device and the shape of indices",
          "source=%s, indices=%s, tensor=%s",
          source,
          indices,
          x);
    }
  }

  /** Runs {@code body}; an index out of range is told with the op's name and its place. */
  static void naming(String op, Tensor indices, Runnable body) {
    try {
      body.run();
    } catch (IndexOutOfRangeException e) {
      throw e.named(op, indices.shape().dims());
    }
  }

  static Tensor gather(Tensor input, int axis, Tensor index) {
    GatherElements.Plan plan = plan("gather", input, axis, index);
    Tensor x = input.contiguous();
    Tensor indices = index.contiguous();
    Tensor y = Tensor.empty(x.device(), x.dtype(), indices.shape().dims());
    naming(
        "gather", indices, () -> plan.gather(x.stream(), x.buffer(), indices.buffer(), y.buffer()));
    return Autograd.record(
        "gather",
        y,
        (gradient, needed) -> {
          Tensor dy = gradient.contiguous();
          Tensor dx = Tensors.zeros(x.device(), x.dtype(), x.shape().dims());
          plan.scatterAdd(x.stream(), dy.buffer(), indices.buffer(), dx.buffer());
          return new Tensor[] {dx, null};
        },
        x,
        indices);
  }

  static Tensor scatterAdd(Tensor x, int axis, Tensor index, Tensor source) {
    GatherElements.Plan plan = plan("scatterAdd", x, axis, index);
    checkSource("scatterAdd", x, index, source);
    Tensor indices = index.contiguous();
    Tensor y = put("scatterAdd", plan, x, indices, source, true);
    return Autograd.record(
        "scatterAdd",
        y,
        (dy, needed) ->
            new @Nullable Tensor[] {
              needed[0] ? dy : null, needed[1] ? dy.gather(axis, indices) : null, null
            },
        x,
        source,
        indices);
  }

  static Tensor scatter(Tensor x, int axis, Tensor index, Tensor source) {
    GatherElements.Plan plan = plan("scatter", x, axis, index);
    checkSource("scatter", x, index, source);
    Tensor indices = index.contiguous();
    Tensor y = put("scatter", plan, x, indices, source, false);
    return Autograd.record(
        "scatter",
        y,
        (dy, needed) ->
            new @Nullable Tensor[] {
              needed[0] ? dy.scatter(axis, indices, 0) : null,
              needed[1] ? sourceGradient(dy, axis, indices) : null,
              null
            },
        x,
        source,
        indices);
  }

  /** Of the sources for one place, only the one that stayed has a gradient. */
  private static Tensor sourceGradient(Tensor dy, int axis, Tensor indices) {
    Tensor number =
        Tensors.arange(dy.device(), DType.I64, indices.count()).reshape(indices.shape().dims());
    Tensor stayed =
        Tensors.zeros(dy.device(), DType.I64, dy.shape().dims())
            .scatter(axis, indices, number)
            .gather(axis, indices)
            .eq(number);
    return stayed.where(dy.gather(axis, indices), BinaryFunction.scalar(dy, 0));
  }

  private static Tensor put(
      String op, GatherElements.Plan plan, Tensor x, Tensor indices, Tensor source, boolean add) {
    return Autograd.noGrad(() -> {
      Tensor y = x.copy();
      Tensor from = source.contiguous();
      naming(
          op,
          indices,
          () -> {
            if (add) {
              plan.scatterAdd(x.stream(), from.buffer(), indices.buffer(), y.buffer());
            } else {
              plan.scatter(x.stream(), from.buffer(), indices.buffer(), y.buffer());
            }
          });
      return y;
    });
  }
}
