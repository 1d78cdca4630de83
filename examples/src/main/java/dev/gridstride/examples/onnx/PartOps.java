package dev.gridstride.examples.onnx;

import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.kernels.Pad;
import java.util.Arrays;
import java.util.List;

/** Parts of tensors, tensors of parts, and borders. */
final class PartOps {
  private PartOps() {}

  static void addTo(Operators ops) {
    ops.one("Concat", n -> Tensors.concat(n.small("axis", 1), n.all()));
    ops.many("Split", PartOps::split);
    ops.one("Slice", PartOps::slice);
    ops.one("Pad", PartOps::pad);
  }

  /** Into given lengths, or into equal ones of which the last may be shorter. */
  private static List<Tensor> split(Node n) {
    Tensor x = n.in(0);
    int axis = Values.axis(x, n.integer("axis", 0));
    long[] sizes = n.integers("split", 1);
    if (sizes == null) {
      int parts = n.small("num_outputs", n.outputs().size());
      long size = Math.ceilDiv(x.size(axis), parts);
      sizes = new long[parts];
      for (int i = 0; i < parts; i++) {
        sizes[i] = Math.clamp(x.size(axis) - i * size, 0, size);
      }
    }
    return List.of(x.split(axis, sizes));
  }

  /** Bounds beyond the ends are moved to them; a negative step goes backwards. */
  private static Tensor slice(Node n) {
    Tensor x = n.in(0);
    long[] starts = n.integers("starts", 1);
    long[] ends = n.integers("ends", 2);
    if (starts == null || ends == null) {
      throw n.unsupported("starts and ends must be given");
    }
    long[] axes = n.integers("axes", 3);
    long[] steps = n.integers("steps", 4);
    for (int i = 0; i < starts.length; i++) {
      int axis = axes == null ? i : Values.axis(x, axes[i]);
      x = along(x, axis, starts[i], ends[i], steps == null ? 1 : steps[i]);
    }
    return x;
  }

  private static Tensor along(Tensor x, int axis, long start, long end, long step) {
    long size = x.size(axis);
    long from = start < 0 ? start + size : start;
    long to = end < 0 ? end + size : end;
    if (step > 0) {
      from = Math.clamp(from, 0, size);
      return x.slice(axis, from, Math.clamp(to, from, size), Math.min(step, Math.max(1, size)));
    }
    from = Math.clamp(from, -1, size - 1);
    to = Math.clamp(to, -1, from);
    long stride = Math.min(-Math.max(step, -Long.MAX_VALUE), Math.max(1, size));
    long count = Math.ceilDiv(from - to, stride);
    if (count == 0) {
      return x.slice(axis, 0, 0);
    }
    long lowest = from - (count - 1) * stride;
    return x.slice(axis, lowest, from + 1, stride).flip(axis);
  }

  private static Tensor pad(Node n) {
    Tensor x = n.in(0);
    long[] pads = n.opset() < 2 ? n.integers("paddings") : n.integers("pads", 1);
    if (pads == null) {
      throw n.unsupported("pads must be given");
    }
    Tensor value = n.optional(2);
    double constant =
        value != null && value.count() > 0 ? value.reshape().item() : n.real("value", 0);
    long[] axes = n.integers("axes", 3);
    int count = pads.length / 2;
    var before = new long[x.rank()];
    var after = new long[x.rank()];
    for (int i = 0; i < count; i++) {
      int axis = axes == null ? i : Values.axis(x, axes[i]);
      before[axis] = pads[i];
      after[axis] = pads[count + i];
    }
    return switch (n.text("mode", "constant")) {
      case "constant" -> x.pad(before, after, constant);
      case "reflect" -> bordered(x, Pad.Mode.REFLECT, before, after);
      case "edge" -> bordered(x, Pad.Mode.REPLICATE, before, after);
      case "wrap" -> bordered(x, Pad.Mode.CIRCULAR, before, after);
      default -> throw n.unsupported("mode must be constant, reflect, edge or wrap");
    };
  }

  /** A border wider than the tensor goes on as it began: back and forth, or around again. */
  private static Tensor bordered(Tensor x, Pad.Mode mode, long[] before, long[] after) {
    boolean fits = true;
    for (int i = 0; i < x.rank(); i++) {
      long limit =
          switch (mode) {
            case REFLECT -> x.size(i) - 1;
            case CIRCULAR -> x.size(i);
            default -> Long.MAX_VALUE;
          };
      fits &= Math.max(before[i], after[i]) <= limit;
    }
    if (fits) {
      return x.pad(before, after, mode);
    }
    Tensor y = x;
    for (int i = 0; i < x.rank(); i++) {
      long size = x.size(i);
      long first = -before[i];
      var places = new long[Math.toIntExact(size + before[i] + after[i])];
      Arrays.setAll(places, k -> source(mode, first + k, size));
      y = y.indexSelect(i, Tensors.of(x.device(), places, places.length));
    }
    return y;
  }

  private static long source(Pad.Mode mode, long at, long size) {
    if (mode == Pad.Mode.CIRCULAR || size == 1) {
      return Math.floorMod(at, size);
    }
    long place = Math.floorMod(at, 2 * (size - 1));
    return place < size ? place : 2 * (size - 1) - place;
  }
}
