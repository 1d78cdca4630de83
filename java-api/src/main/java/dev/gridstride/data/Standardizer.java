package dev.gridstride.data;

import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.device.InvalidArgumentException;

/**
 * Gives columns mean 0 and standard deviation 1: {@code (x - mean) / std}, fitted on one table and
 * applied to others, so that nothing of the test data leaks into training.
 *
 * <p>The deviation is that of the population (divided by n). A constant column is only shifted. In
 * f64 whatever the dtype; two passes, so that a large mean costs no precision.
 */
public final class Standardizer {
  private final double[] mean;
  private final double[] std;

  private Standardizer(double[] mean, double[] std) {
    this.mean = mean;
    this.std = std;
  }

  /**
   * Measures the columns of a table.
   *
   * @param x floating [rows, cols] with at least one row
   */
  public static Standardizer fit(Tensor x) {
    if (x.rank() != 2 || x.size(0) < 1 || !x.dtype().isFloating()) {
      throw InvalidArgumentException.of(
          "standardizer.fit", "x", "must be floating [rows, cols] with rows >= 1", "x=%s", x);
    }
    int cols = Math.toIntExact(x.size(1));
    double n = x.size(0);
    double[] v = x.toDoubleArray();
    var mean = new double[cols];
    for (int i = 0; i < v.length; i++) {
      mean[i % cols] += v[i] / n;
    }
    var std = new double[cols];
    for (int i = 0; i < v.length; i++) {
      double d = v[i] - mean[i % cols];
      std[i % cols] += d * d / n;
    }
    for (int c = 0; c < cols; c++) {
      std[c] = std[c] == 0 ? 1 : Math.sqrt(std[c]);
    }
    return new Standardizer(mean, std);
  }

  /** The means of the columns. */
  public double[] mean() {
    return mean.clone();
  }

  /** The standard deviations of the columns; 1 for a constant column. */
  public double[] std() {
    return std.clone();
  }

  /** A new tensor {@code (x - mean) / std}; not recorded for gradients. */
  public Tensor apply(Tensor x) {
    return map("standardizer.apply", x, true);
  }

  /** A new tensor {@code x std + mean}; not recorded for gradients. */
  public Tensor invert(Tensor x) {
    return map("standardizer.invert", x, false);
  }

  private Tensor map(String op, Tensor x, boolean forward) {
    if (x.rank() != 2 || x.size(1) != mean.length || !x.dtype().isFloating()) {
      throw InvalidArgumentException.of(
          op,
          "x",
          "must be floating [rows, cols] with the fitted columns",
          "x=%s, cols=%d",
          x,
          mean.length);
    }
    double[] v = x.toDoubleArray();
    for (int i = 0; i < v.length; i++) {
      int c = i % mean.length;
      v[i] = forward ? (v[i] - mean[c]) / std[c] : v[i] * std[c] + mean[c];
    }
    Tensor wide = Tensors.of(x.device(), v, x.shape().dims());
    if (x.dtype() == DType.F64) {
      return wide;
    }
    try {
      return wide.to(x.dtype());
    } finally {
      wide.close();
    }
  }
}
