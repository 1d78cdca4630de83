package dev.gridstride.examples.fuzz;

import dev.gridstride.ConvOptions;
import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.examples.fuzz.Draw.Operand;
import java.util.Map;

/** Sums of products, and sums along an axis. */
final class SumFamilies {
  private SumFamilies() {}

  static void addTo(Map<String, Trial.Family> families) {
    families.put("matmul", SumFamilies::matmul);
    families.put("conv", SumFamilies::conv);
    families.put("reduce", SumFamilies::reduce);
    families.put("softmax", SumFamilies::softmax);
  }

  /** An exact sum, and the sum of the magnitudes of its finite terms. */
  private static final class Sum {
    private double value;
    private double scale;

    void add(double term) {
      value += term;
      scale += Double.isFinite(term) ? Math.abs(term) : 0;
    }
  }

  private static Trial matmul(Draw draw) {
    DType type = draw.choose("type", Draw.FLOATS);
    int m = draw.size(1);
    int n = draw.size(1);
    int k = draw.size(1);
    Operand a = draw.operand(type, m, k);
    Operand b = draw.operand(type, k, n);
    var exact = new double[m * n];
    var scale = new double[m * n];
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        var sum = new Sum();
        for (int l = 0; l < k; l++) {
          sum.add(a.values()[i * k + l] * b.values()[l * n + j]);
        }
        exact[i * n + j] = sum.value;
        scale[i * n + j] = sum.scale;
      }
    }
    return new Trial(() -> a.tensor().matmul(b.tensor()), exact, scale, k + 2.0);
  }

  private static Trial conv(Draw draw) {
    DType type = draw.choose("type", Draw.FLOATS);
    int groups = 1 + draw.choose("groups - 1", 2);
    int stride = 1 + draw.choose("stride - 1", 2);
    int pad = draw.choose("padding", 3);
    int dilation = 1 + draw.choose("dilation - 1", 2);
    int kernel = 1 + draw.below(3);
    int n = 1 + draw.below(2);
    int c = 1 + draw.below(4);
    int f = 1 + draw.below(5);
    int reach = (kernel - 1) * dilation + 1;
    int size = Math.max(reach, Math.min(draw.size(1), 20));
    int out = (size + 2 * pad - reach) / stride + 1;
    Operand x = draw.operand(type, n, (long) c * groups, size);
    Operand w = draw.operand(type, (long) f * groups, c, kernel);
    var exact = new double[n * f * groups * out];
    var scale = new double[exact.length];
    for (int p = 0; p < exact.length; p++) {
      int o = p % out;
      int filter = p / out % (f * groups);
      int image = p / out / (f * groups);
      var sum = new Sum();
      for (int i = 0; i < c; i++) {
        for (int t = 0; t < kernel; t++) {
          int at = o * stride - pad + t * dilation;
          int channel = filter / f * c + i;
          // products with the padding's zeros are left out, or not: NaN where an Inf meets one
          double weight = w.values()[(filter * c + i) * kernel + t];
          if (at >= 0 && at < size) {
            sum.add(x.values()[(image * c * groups + channel) * size + at] * weight);
          } else if (!Double.isFinite(weight)) {
            sum.scale = Double.NaN;
          }
        }
      }
      exact[p] = sum.value;
      scale[p] = sum.scale;
    }
    ConvOptions options =
        ConvOptions.DEFAULT
            .withStride(stride)
            .withPadding(pad)
            .withDilation(dilation)
            .withGroups(groups);
    return new Trial(
        () -> x.tensor().conv1d(w.tensor(), null, options), exact, scale, c * kernel + 2.0);
  }

  private enum Kind {
    SUM,
    MEAN,
    MAX,
    MIN,
    SUM_SQUARES,
    L1,
    CUM_SUM
  }

  private static Trial reduce(Draw draw) {
    Kind kind = draw.choose("op", Kind.values());
    DType type = draw.choose("type", Draw.FLOATS);
    long[] dims = draw.dims(3, 1);
    int axis = draw.choose("axis", 3);
    // cumSum rounds to narrow types in each of its steps
    DType used = kind == Kind.CUM_SUM && type != DType.F64 ? DType.F32 : type;
    Operand x = draw.operand(used, dims);
    int n = (int) dims[axis];
    int inner = (int) Draw.count(java.util.Arrays.copyOfRange(dims, axis + 1, 3));
    int lines = x.values().length / n;
    var exact = new double[kind == Kind.CUM_SUM ? x.values().length : lines];
    var scale = new double[exact.length];
    for (int line = 0; line < lines; line++) {
      var sum = new Sum();
      double best = kind == Kind.MAX ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
      for (int i = 0; i < n; i++) {
        int at = (line / inner * n + i) * inner + line % inner;
        double v = x.values()[at];
        best = kind == Kind.MAX ? Math.max(best, v) : Math.min(best, v);
        sum.add(kind == Kind.SUM_SQUARES ? v * v : kind == Kind.L1 ? Math.abs(v) : v);
        if (kind == Kind.CUM_SUM) {
          exact[at] = sum.value;
          scale[at] = sum.scale;
        }
      }
      if (kind != Kind.CUM_SUM) {
        boolean extreme = kind == Kind.MAX || kind == Kind.MIN;
        exact[line] = extreme ? best : kind == Kind.MEAN ? sum.value / n : sum.value;
        scale[line] = extreme ? 0 : sum.scale;
      }
    }
    Tensor t = x.tensor();
    return new Trial(
        () ->
            switch (kind) {
              case SUM -> t.sum(axis);
              case MEAN -> t.mean(axis);
              case MAX -> t.max(axis);
              case MIN -> t.min(axis);
              case SUM_SQUARES -> t.sumSquares(axis);
              case L1 -> t.l1Norm(axis);
              case CUM_SUM -> t.cumSum(axis);
            },
        exact,
        scale,
        n + 2.0);
  }

  private static Trial softmax(Draw draw) {
    boolean log = draw.choose("log", 2) == 1;
    DType type = draw.choose("type", Draw.FLOATS);
    int rows = 1 + draw.below(9);
    int n = draw.size(1);
    Operand x = draw.ordinary(type, rows, n);
    var exact = new double[rows * n];
    var scale = new double[rows * n];
    for (int r = 0; r < rows; r++) {
      double max = Double.NEGATIVE_INFINITY;
      for (int i = 0; i < n; i++) {
        max = Math.max(max, x.values()[r * n + i]);
      }
      double sum = 0;
      for (int i = 0; i < n; i++) {
        sum += Math.exp(x.values()[r * n + i] - max);
      }
      for (int i = 0; i < n; i++) {
        double d = x.values()[r * n + i] - max;
        exact[r * n + i] = log ? d - Math.log(sum) : Math.exp(d) / sum;
        // an error of the exponent, which is rounded, and of the sum
        scale[r * n + i] =
            log ? Math.abs(d) + Math.log(sum) + 1 : exact[r * n + i] * (1 + Math.abs(d));
      }
    }
    return new Trial(
        () -> log ? x.tensor().logSoftmax(1) : x.tensor().softmax(1), exact, scale, 16);
  }
}
