package dev.gridstride.examples.onnx;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import java.util.Arrays;
import java.util.function.UnaryOperator;

/**
 * Reductions. Without axes they go over all dimensions, or with noop_with_empty_axes over none,
 * which leaves what is done to each element.
 */
final class ReduceOps {
  private ReduceOps() {}

  /** A reduction of a tensor over axes, which stay with size 1. */
  private interface Reduction {
    Tensor apply(Tensor x, int[] axes);
  }

  static void addTo(Operators ops) {
    add(ops, "ReduceSum", (x, axes) -> x.sum(true, axes), x -> x);
    add(ops, "ReduceMean", (x, axes) -> floating(x).mean(true, axes), x -> x);
    add(ops, "ReduceMax", (x, axes) -> x.max(true, axes), x -> x);
    add(ops, "ReduceMin", (x, axes) -> x.min(true, axes), x -> x);
    add(ops, "ReduceProd", (x, axes) -> x.prod(true, axes), x -> x);
    add(ops, "ReduceSumSquare", (x, axes) -> x.square().sum(true, axes), Tensor::square);
    add(ops, "ReduceL1", (x, axes) -> x.abs().sum(true, axes), Tensor::abs);
    add(ops, "ReduceL2", (x, axes) -> floating(x).l2Norm(true, axes), x -> floating(x).abs());
    add(
        ops,
        "ReduceLogSum",
        (x, axes) -> floating(x).sum(true, axes).log(),
        x -> floating(x).log());
    add(ops, "ReduceLogSumExp", (x, axes) -> floating(x).logSumExp(true, axes), x -> x);
  }

  /** Integers as f64, for what is defined by functions of reals. */
  private static Tensor floating(Tensor x) {
    return x.dtype().isFloating() ? x : x.to(DType.F64);
  }

  private static void add(
      Operators ops, String name, Reduction reduction, UnaryOperator<Tensor> element) {
    ops.one(name, n -> run(n, reduction, element));
  }

  private static Tensor run(Node n, Reduction reduction, UnaryOperator<Tensor> element) {
    Tensor input = n.in(0);
    if (input.dtype() == DType.BOOL) {
      // as numbers, of which the largest of none, -Inf, is false and the smallest, Inf, true
      Tensor y = run(n, input.to(DType.F32), reduction, element);
      return y.gt(Values.scalar(y, 0));
    }
    return run(n, input, reduction, element).to(input.dtype());
  }

  private static Tensor run(Node n, Tensor x, Reduction reduction, UnaryOperator<Tensor> element) {
    long[] given = n.integers("axes", 1);
    if (given == null || given.length == 0) {
      if (n.flag("noop_with_empty_axes", false)) {
        return element.apply(x);
      }
      given = new long[0];
    }
    if (x.rank() == 0) {
      // one element: reduced over a dimension of size 1
      return reduction.apply(x.reshape(1), new int[] {0}).reshape();
    }
    int[] axes = x.shape().axes(n.op(), Values.axes(given));
    Tensor y = reduction.apply(x, axes);
    if (!n.flag("keepdims", true)) {
      y = y.reshape(kept(y, axes));
    }
    return y;
  }

  private static long[] kept(Tensor y, int[] axes) {
    var kept = new long[y.rank() - axes.length];
    int n = 0;
    for (int i = 0; i < y.rank(); i++) {
      if (Arrays.binarySearch(axes, i) < 0) {
        kept[n++] = y.size(i);
      }
    }
    return kept;
  }
}
