package dev.gridstride;

import dev.gridstride.kernels.Layout;
import dev.gridstride.kernels.Reduce;

/** Reductions as recorded tensor ops, and the view that undoes the shape of one. */
final class ReduceFunction {
  private ReduceFunction() {}

  static Tensor apply(Reduce.Kind kind, Tensor x, boolean keepDims, int... axes) {
    int[] reduced = x.shape().axes("reduce", axes);
    long[] kept = x.shape().dims();
    for (int a : reduced) {
      kept[a] = 1;
    }
    var op = Reduce.of(kind, x.dtype(), x.layout(), reduced);
    Reduce.Plan plan = Plans.of(x.device(), op);
    Tensor y = Tensor.empty(x.device(), x.dtype(), keepDims ? kept : op.outputDims());
    plan.run(x.stream(), x.buffer(), y.buffer());
    if (kind == Reduce.Kind.SUM) {
      return Autograd.record("sum", y, x, dy -> broadcast(dy.reshape(kept), x.shape().dims()));
    }
    return y.dtype().isFloating()
        ? Autograd.record(
            "reduce",
            y,
            x,
            gradient -> {
              Tensor dy = gradient.contiguous();
              Tensor dx = Tensor.empty(x.device(), x.dtype(), x.shape().dims());
              plan.backward(x.stream(), x.buffer(), y.buffer(), dy.buffer(), dx.buffer());
              return dx;
            })
        : y;
  }

  /** A view with dimensions of size 1 repeated; not recorded. */
  static Tensor broadcast(Tensor x, long... dims) {
    Layout layout = x.layout().broadcastTo("expand", dims);
    return x.alias(0, layout);
  }

  /** x summed over what broadcasting repeated, so that it has the smaller shape again. */
  static Tensor sumTo(Tensor x, Shape shape) {
    if (x.shape().equals(shape)) {
      return x;
    }
    int extra = x.rank() - shape.rank();
    var axes = new int[x.rank()];
    int n = 0;
    for (int i = 0; i < x.rank(); i++) {
      if (i < extra || (shape.dim(i - extra) == 1 && x.size(i) != 1)) {
        axes[n++] = i;
      }
    }
    Tensor sum = n == 0 ? x : x.sum(true, java.util.Arrays.copyOf(axes, n));
    return sum.reshape(shape.dims());
  }
}
