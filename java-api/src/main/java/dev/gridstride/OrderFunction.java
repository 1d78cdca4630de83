package dev.gridstride;

import dev.gridstride.device.DType;
import dev.gridstride.kernels.ArgReduce;
import dev.gridstride.kernels.TopK;
import org.jspecify.annotations.Nullable;

/** Searches along an axis as tensor ops; the values of top-k are recorded. */
final class OrderFunction {
  private OrderFunction() {}

  static Tensor arg(ArgReduce.Kind kind, Tensor x, boolean keepDims, int axis) {
    String name = kind == ArgReduce.Kind.MAX ? "argMax" : "argMin";
    x.checkOpen(name);
    int a = x.shape().axis(name, axis);
    var op = ArgReduce.of(kind, x.dtype(), x.layout(), a);
    long[] dims = op.outputDims();
    if (keepDims) {
      dims = x.shape().dims();
      dims[a] = 1;
    }
    Tensor y = Tensor.empty(x.device(), DType.I64, dims);
    Plans.of(x.device(), op).run(x.stream(), x.buffer(), y.buffer());
    return y;
  }

  static TopKResult topK(Tensor x, long k, int axis, boolean largest) {
    x.checkOpen("topK");
    var op = new TopK(x.dtype(), x.layout(), x.shape().axis("topK", axis), k, largest);
    TopK.Plan plan = Plans.of(x.device(), op);
    Tensor values = Tensor.empty(x.device(), x.dtype(), op.outputDims());
    Tensor indices = Tensor.empty(x.device(), DType.I64, op.outputDims());
    plan.forward(x.stream(), x.buffer(), values.buffer(), indices.buffer());
    if (!x.dtype().isFloating()) {
      return new TopKResult(values, indices);
    }
    Tensor recorded =
        Autograd.record(
            "topK",
            values,
            (gradient, needed) -> {
              Tensor dy = gradient.contiguous();
              Tensor dx = Tensor.empty(x.device(), x.dtype(), x.shape().dims());
              plan.backward(x.stream(), dy.buffer(), indices.buffer(), dx.buffer());
              return new @Nullable Tensor[] {dx, null};
            },
            x,
            indices); // an input too, so that one closed or changed before backward is refused
    return new TopKResult(recorded, indices);
  }
}
