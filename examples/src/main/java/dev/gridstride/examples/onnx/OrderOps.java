package dev.gridstride.examples.onnx;

import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.TopKResult;
import dev.gridstride.device.DType;
import java.util.List;

/** What depends on the order of the elements: searches and running totals. */
final class OrderOps {
  private OrderOps() {}

  static void addTo(Operators ops) {
    ops.one("ArgMax", n -> arg(n, true));
    ops.one("ArgMin", n -> arg(n, false));
    ops.many("TopK", OrderOps::topK);
    ops.one("CumSum", n -> running(n, 0));
    ops.one("CumProd", n -> running(n, 1));
  }

  private static Tensor arg(Node n, boolean largest) {
    Tensor x = comparable(n.in(0));
    int axis = Values.axis(x, n.integer("axis", 0));
    boolean keep = n.flag("keepdims", true);
    boolean last = n.flag("select_last_index", false);
    Tensor searched = last ? x.flip(axis) : x;
    Tensor place = largest ? searched.argMax(keep, axis) : searched.argMin(keep, axis);
    return last ? place.neg().add(x.size(axis) - 1) : place;
  }

  private static Tensor comparable(Tensor x) {
    return x.dtype() == DType.U8 || x.dtype() == DType.BOOL ? x.to(DType.I32) : x;
  }

  /** Sorted, also where the order is left open. */
  private static List<Tensor> topK(Node n) {
    Tensor x = n.in(0);
    long k = n.integer("k", 1, 0);
    TopKResult best = comparable(x).topK(k, n.small("axis", -1), n.flag("largest", true));
    return List.of(best.values().to(x.dtype()), best.indices());
  }

  /**
   * Running sums or products; exclusive ones begin with {@code first} and leave out the element.
   */
  private static Tensor running(Node n, double first) {
    Tensor x = n.in(0);
    int axis = Values.axis(x, n.in(1).toLongArray()[0]);
    boolean reverse = n.flag("reverse", false);
    Tensor from = reverse ? x.flip(axis) : x;
    Tensor y = first == 0 ? from.cumSum(axis) : from.cumProd(axis);
    if (n.flag("exclusive", false) && x.size(axis) > 0) {
      long[] one = x.shape().dims();
      one[axis] = 1;
      Tensor begin = Tensors.full(x.device(), x.dtype(), first, one);
      y = Tensors.concat(axis, begin, y.slice(axis, 0, x.size(axis) - 1));
    }
    return reverse ? y.flip(axis) : y;
  }
}
