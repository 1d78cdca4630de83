package dev.gridstride;

import dev.gridstride.device.DType;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.Gather;
import java.util.Arrays;

/** Selection by index and its adjoint as recorded tensor ops. */
final class IndexFunction {
  private IndexFunction() {}

  static void checkIndices(String op, Tensor indices) {
    if (indices.dtype() != DType.I64 && indices.dtype() != DType.I32) {
      throw InvalidArgumentException.of(op, "indices", "must be i64 or i32", "indices=%s", indices);
    }
  }

  private static Gather.Plan plan(Tensor x, int axis, Tensor indices) {
    Gather op = Gather.of(x.dtype(), indices.dtype(), indices.count(), axis, x.shape().dims());
    return Plans.of(x.device(), op.countingFromEnd());
  }

  static Tensor select(String name, Tensor input, int axis, Tensor index) {
    checkIndices(name, index);
    int a = input.shape().axis(name, axis);
    Tensor x = input.contiguous();
    Tensor indices = index.contiguous();
    Gather.Plan plan = plan(x, a, indices);
    long[] before = Arrays.copyOf(x.shape().dims(), a);
    long[] after = Arrays.copyOfRange(x.shape().dims(), a + 1, x.rank());
    long[] dims = join(join(before, indices.shape().dims()), after);
    Tensor y = Tensor.empty(x.device(), x.dtype(), dims);
    ElementFunction.naming(
        name, indices, () -> plan.forward(x.stream(), x.buffer(), indices.buffer(), y.buffer()));
    return Autograd.record(
        name,
        y,
        (gradient, needed) -> {
          Tensor dy = gradient.contiguous();
          Tensor dx = Tensor.empty(x.device(), x.dtype(), x.shape().dims());
          plan.backward(x.stream(), dy.buffer(), indices.buffer(), dx.buffer());
          return new Tensor[] {dx, null};
        },
        x,
        indices);
  }

  private static long[] join(long[] a, long[] b) {
    long[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  static Tensor add(Tensor x, int axis, Tensor index, Tensor source) {
    checkIndices("indexAdd", index);
    int a = x.shape().axis("indexAdd", axis);
    long[] dims = x.shape().dims();
    dims[a] = index.count();
    if (index.rank() != 1
        || source.dtype() != x.dtype()
        || !source.shape().equals(Shape.of(dims))) {
      throw InvalidArgumentException.of(
          "indexAdd",
          "source",
          "must have the tensor's dtype and shape, with one entry for each index along the axis",
          "source=%s, indices=%s, tensor=%s, axis=%d",
          source,
          index,
          x,
          axis);
    }
    Tensor indices = index.contiguous();
    Gather.Plan plan = plan(x, a, indices);
    Tensor y = Autograd.noGrad(x::copy);
    Tensor added = Autograd.noGrad(source::contiguous);
    ElementFunction.naming(
        "indexAdd",
        indices,
        () -> plan.scatterAdd(x.stream(), added.buffer(), indices.buffer(), y.buffer()));
    return Autograd.record(
        "indexAdd",
        y,
        (gradient, needed) -> {
          if (!needed[1]) {
            return new Tensor[] {gradient, null, null};
          }
          Tensor dy = gradient.contiguous();
          Tensor ds = Tensor.empty(x.device(), x.dtype(), dims);
          plan.forward(x.stream(), dy.buffer(), indices.buffer(), ds.buffer());
          return new Tensor[] {gradient, ds, null};
        },
        x,
        source,
        indices);
  }

  static Tensor oneHot(Tensor indices, long classes, DType dtype) {
    checkIndices("oneHot", indices);
    long[] at = indices.toLongArray();
    for (int i = 0; i < at.length; i++) {
      if (at[i] < 0 || at[i] >= classes) {
        throw InvalidArgumentException.of(
            "oneHot",
            "indices",
            "must be in 0..classes - 1",
            "position=%d, index=%d, classes=%d",
            i,
            at[i],
            classes);
      }
      at[i] += i * classes;
    }
    long[] dims = join(indices.shape().dims(), new long[] {classes});
    Tensor y = Tensors.zeros(indices.device(), dtype, dims);
    try (Scope scope = Scope.open()) {
      Tensor places = Tensors.of(indices.device(), at, at.length);
      Tensor ones = Tensors.ones(indices.device(), dtype, at.length);
      Gather op = Gather.of(dtype, DType.I64, at.length, 0, y.count());
      Plans.of(y.device(), op).scatterAdd(y.stream(), ones.buffer(), places.buffer(), y.buffer());
    }
    return y;
  }
}
