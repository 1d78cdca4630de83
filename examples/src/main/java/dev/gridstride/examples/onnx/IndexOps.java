package dev.gridstride.examples.onnx;

import dev.gridstride.ScatterReduction;
import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import java.util.Arrays;
import java.util.Locale;

/** Elements and entries by index. */
final class IndexOps {
  private IndexOps() {}

  static void addTo(Operators ops) {
    ops.one("Gather", n -> n.in(0).indexSelect(n.small("axis", 0), n.in(1)));
    ops.one("GatherElements", n -> n.in(0).gather(n.small("axis", 0), n.in(1)));
    ops.one("GatherND", n -> n.in(0).gatherNd(n.in(1), n.small("batch_dims", 0)));
    ops.one("Scatter", IndexOps::scatter);
    ops.one("ScatterElements", IndexOps::scatter);
    ops.one("ScatterND", n -> n.in(0).scatterNd(n.in(1), n.in(2), reduction(n)));
    ops.one("OneHot", IndexOps::oneHot);
    ops.one("Trilu", IndexOps::trilu);
  }

  private static Tensor scatter(Node n) {
    return n.in(0).scatter(n.small("axis", 0), n.in(1), n.in(2), reduction(n));
  }

  private static ScatterReduction reduction(Node n) {
    String name = n.text("reduction", "none");
    return switch (name) {
      case "none" -> ScatterReduction.REPLACE;
      case "add", "mul", "max", "min" -> ScatterReduction.valueOf(name.toUpperCase(Locale.ROOT));
      default -> throw n.unsupported("reduction must be none, add, mul, max or min");
    };
  }

  /** Indices may be of any number type; those outside -depth..depth-1 give a row of "off". */
  private static Tensor oneHot(Node n) {
    Tensor indices = n.in(0).to(DType.I64);
    long depth = n.in(1).toLongArray()[0];
    Tensor values = n.in(2);
    int axis = n.small("axis", -1);
    int at = axis < 0 ? axis + indices.rank() + 1 : axis;
    Tensor wrapped =
        indices.lt(Values.scalar(indices, 0)).where(indices.add(depth), indices).unsqueeze(at);
    var dims = new long[indices.rank() + 1];
    Arrays.fill(dims, 1);
    dims[at] = depth;
    Tensor hot = Values.sequence(indices, 0, depth).reshape(dims).eq(wrapped);
    return hot.where(values.select(0, 1), values.select(0, 0));
  }

  private static Tensor trilu(Node n) {
    Tensor k = n.optional(1);
    long diagonal = k == null ? 0 : k.toLongArray()[0];
    return n.flag("upper", true) ? n.in(0).triu(diagonal) : n.in(0).tril(diagonal);
  }
}
