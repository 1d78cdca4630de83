package dev.gridstride.examples.fuzz;

import dev.gridstride.ScatterReduction;
import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.examples.fuzz.Draw.Operand;
import java.util.Map;

/** Elements by index along an axis, out of a tensor and into one. */
final class ScatterFamilies {
  private ScatterFamilies() {}

  static void addTo(Map<String, Trial.Family> families) {
    families.put("gather", ScatterFamilies::gather);
    families.put("scatter", ScatterFamilies::scatter);
    families.put("index-add", ScatterFamilies::indexAdd);
  }

  /** The place in x that element i of the indices, of these sizes, names. */
  private static int place(int i, long[] size, int axis, double index, long[] x) {
    long r = i / size[1];
    long c = i % size[1];
    long named = (long) (index < 0 ? index + x[axis] : index);
    return (int) (axis == 0 ? named * x[1] + c : r * x[1] + named);
  }

  /** Not larger than x, but along the axis. */
  private static long[] indexed(Draw draw, long[] x, int axis) {
    long[] size = {1 + draw.below((int) x[0]), 1 + draw.below((int) x[1])};
    size[axis] = draw.size(1);
    return size;
  }

  private static Trial gather(Draw draw) {
    DType type = draw.choose("type", DType.F32, DType.F64, DType.BF16, DType.F16, DType.I64);
    int axis = draw.choose("axis", 2);
    long[] dims = draw.dims(2, 1);
    long[] size = indexed(draw, dims, axis);
    Operand x = draw.operand(type, dims);
    Operand indices = draw.indices(dims[axis], size);
    var exact = new double[indices.values().length];
    for (int i = 0; i < exact.length; i++) {
      exact[i] = x.values()[place(i, size, axis, indices.values()[i], dims)];
    }
    return Trial.of(() -> x.tensor().gather(axis, indices.tensor()), exact, 0);
  }

  private static Trial scatter(Draw draw) {
    ScatterReduction reduction = draw.choose("reduction", ScatterReduction.values());
    DType type = draw.choose("type", DType.F32, DType.F64);
    int axis = draw.choose("axis", 2);
    long[] dims = draw.dims(2, 1);
    long[] size = indexed(draw, dims, axis);
    Operand x = draw.ordinary(type, dims);
    Operand indices = draw.indices(dims[axis], size);
    Operand source = draw.ordinary(type, size);
    double[] exact = x.values().clone();
    var scale = new double[exact.length];
    var count = new int[exact.length];
    for (int i = 0; i < scale.length; i++) {
      scale[i] = Math.abs(exact[i]);
    }
    // along the axis in order: the rows come first, or within each row the columns
    for (int i = 0; i < indices.values().length; i++) {
      int at = place(i, size, axis, indices.values()[i], dims);
      double v = source.values()[i];
      count[at]++;
      exact[at] =
          switch (reduction) {
            case REPLACE -> v;
            case ADD -> exact[at] + v;
            case MUL -> exact[at] * v;
            case MAX -> Math.max(exact[at], v);
            case MIN -> Math.min(exact[at], v);
          };
      scale[at] =
          switch (reduction) {
            case ADD -> scale[at] + Math.abs(v);
            case MUL -> Math.abs(exact[at]);
            default -> 0;
          };
    }
    int most = 0;
    for (int i = 0; i < count.length; i++) {
      most = Math.max(most, count[i]);
    }
    return new Trial(
        () -> x.tensor().scatter(axis, indices.tensor(), source.tensor(), reduction),
        exact,
        scale,
        most + 1.0);
  }

  private static Trial indexAdd(Draw draw) {
    DType type = draw.choose("type", DType.F32, DType.F64);
    int axis = draw.choose("axis", 2);
    long[] dims = draw.dims(2, 1);
    int n = draw.size(0);
    long[] size = dims.clone();
    size[axis] = n;
    Operand x = draw.ordinary(type, dims);
    Operand indices = draw.indices(dims[axis], n);
    Operand source = draw.ordinary(type, size);
    double[] exact = x.values().clone();
    var scale = new double[exact.length];
    for (int i = 0; i < scale.length; i++) {
      scale[i] = Math.abs(exact[i]);
    }
    for (int i = 0; i < source.values().length; i++) {
      int along = (int) (axis == 0 ? i / size[1] : i % size[1]);
      int at = place(i, size, axis, indices.values()[along], dims);
      exact[at] += source.values()[i];
      scale[at] += Math.abs(source.values()[i]);
    }
    Tensor t = x.tensor();
    return new Trial(
        () -> t.indexAdd(axis, indices.tensor(), source.tensor()), exact, scale, n + 2.0);
  }
}
