package dev.gridstride.examples.fuzz;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.examples.fuzz.Draw.Operand;
import java.util.Arrays;
import java.util.Map;

/** Ops that move elements without changing them. */
final class PlaceFamilies {
  private PlaceFamilies() {}

  static void addTo(Map<String, Trial.Family> families) {
    families.put("permute", PlaceFamilies::permute);
    families.put("pad", PlaceFamilies::pad);
    families.put("select", PlaceFamilies::select);
    families.put("order", PlaceFamilies::order);
  }

  private static DType any(Draw draw) {
    return draw.choose(
        "type", DType.F32, DType.F64, DType.BF16, DType.F16, DType.I32, DType.I64, DType.U8);
  }

  private static Operand positive(Draw draw, DType type, long... dims) {
    Operand x = draw.ordinary(type == DType.U8 ? DType.I32 : type, dims);
    if (type != DType.U8) {
      return x;
    }
    double[] clamped = Arrays.stream(x.values()).map(v -> Math.clamp(v, 0.0, 200.0)).toArray();
    return new Operand(x.tensor().clamp(0, 200).to(DType.U8), clamped);
  }

  private static Trial permute(Draw draw) {
    DType type = any(draw);
    long[] dims = draw.dims(3, 1);
    int[][] orders = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    int[] order = orders[draw.choose("order", orders.length)];
    boolean flip = draw.choose("flip", 2) == 1;
    Operand x = positive(draw, type, dims);
    var exact = new double[x.values().length];
    long[] to = {dims[order[0]], dims[order[1]], dims[order[2]]};
    for (int i = 0; i < exact.length; i++) {
      long[] at = {i / (to[1] * to[2]), i / to[2] % to[1], i % to[2]};
      if (flip) {
        at[1] = to[1] - 1 - at[1];
      }
      var from = new long[3];
      for (int d = 0; d < 3; d++) {
        from[order[d]] = at[d];
      }
      exact[i] = x.values()[(int) ((from[0] * dims[1] + from[1]) * dims[2] + from[2])];
    }
    return Trial.of(
        () -> {
          Tensor y = x.tensor().permute(order);
          return flip ? y.flip(1) : y.contiguous();
        },
        exact,
        0);
  }

  private static Trial pad(Draw draw) {
    DType type = any(draw);
    long[] dims = draw.dims(2, 1);
    Operand x = positive(draw, type, dims);
    long[] before = {draw.below(3), draw.below(3)};
    long[] after = {draw.below(3), draw.below(3)};
    int h = (int) (dims[0] + before[0] + after[0]);
    int w = (int) (dims[1] + before[1] + after[1]);
    var exact = new double[h * w];
    for (int i = 0; i < exact.length; i++) {
      long r = i / w - before[0];
      long c = i % w - before[1];
      boolean inside = r >= 0 && r < dims[0] && c >= 0 && c < dims[1];
      exact[i] = inside ? x.values()[(int) (r * dims[1] + c)] : 2;
    }
    return Trial.of(() -> x.tensor().pad(before, after, 2), exact, 0);
  }

  private static Trial select(Draw draw) {
    DType type = any(draw);
    long[] dims = draw.dims(2, 1);
    Operand x = positive(draw, type, dims);
    int n = draw.size(0);
    int axis = draw.choose("axis", 2);
    Operand indices = draw.indices(dims[axis], n);
    long[] out = dims.clone();
    out[axis] = n;
    var exact = new double[(int) Draw.count(out)];
    for (int i = 0; i < exact.length; i++) {
      long[] at = {i / out[1], i % out[1]};
      long k = (long) indices.values()[(int) at[axis]];
      at[axis] = k < 0 ? k + dims[axis] : k;
      exact[i] = x.values()[(int) (at[0] * dims[1] + at[1])];
    }
    return Trial.of(() -> x.tensor().indexSelect(axis, indices.tensor()), exact, 0);
  }

  /** Arg-max and the largest k. */
  private static Trial order(Draw draw) {
    DType type = draw.choose("type", DType.F32, DType.F64, DType.BF16, DType.F16, DType.I32);
    int rows = 1 + draw.below(9);
    int n = draw.size(1);
    int k = 1 + draw.below(n);
    boolean arg = draw.choose("arg", 2) == 1;
    Operand x = draw.ordinary(type, rows, n);
    var exact = new double[arg ? rows : rows * k];
    for (int r = 0; r < rows; r++) {
      double[] row = Arrays.copyOfRange(x.values(), r * n, (r + 1) * n);
      double[] sorted = row.clone();
      Arrays.sort(sorted);
      if (arg) {
        int at = 0;
        while (row[at] != sorted[n - 1]) {
          at++;
        }
        exact[r] = at;
      } else {
        for (int i = 0; i < k; i++) {
          exact[r * k + i] = sorted[n - 1 - i];
        }
      }
    }
    return Trial.of(() -> arg ? x.tensor().argMax(1) : x.tensor().topK(k, 1).values(), exact, 0);
  }
}
