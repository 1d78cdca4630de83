package dev.gridstride.examples.data;

/**
 * The linear function with the least squared error, computed without learning, in double.
 *
 * <p>Solves the normal equations {@code (X^T X) w = X^T y} by Cholesky's factorisation; X has a
 * column of ones for the constant. Features should be standardised: the equations square their
 * condition.
 */
public final class LeastSquares {
  /** Added to the diagonal, relative to it, so that dependent columns do not divide by zero. */
  private static final double RIDGE = 1e-12;

  private final double[] weights;

  private LeastSquares(double[] weights) {
    this.weights = weights;
  }

  /** Fits {@code table}. */
  public static LeastSquares fit(Table table) {
    int k = table.columns() + 1;
    var a = new double[k][k];
    var b = new double[k];
    for (int s = 0; s < table.size(); s++) {
      for (int i = 0; i < k; i++) {
        double xi = feature(table, s, i);
        b[i] += xi * table.targets()[s];
        for (int j = 0; j <= i; j++) {
          a[i][j] += xi * feature(table, s, j);
        }
      }
    }
    for (int i = 0; i < k; i++) {
      a[i][i] += RIDGE * Math.max(a[i][i], 1);
    }
    return new LeastSquares(solve(a, b));
  }

  /** The prediction for each sample. */
  public double[] predict(Table table) {
    var y = new double[table.size()];
    for (int s = 0; s < y.length; s++) {
      for (int i = 0; i < weights.length; i++) {
        y[s] += weights[i] * feature(table, s, i);
      }
    }
    return y;
  }

  private static double feature(Table table, int sample, int i) {
    return i == table.columns() ? 1 : table.features()[sample][i];
  }

  /**
   * Solves {@code a x = b}; a is symmetric, positive definite, given and used up to its diagonal.
   */
  private static double[] solve(double[][] a, double[] b) {
    int k = b.length;
    for (int i = 0; i < k; i++) {
      for (int j = 0; j <= i; j++) {
        double sum = a[i][j];
        for (int l = 0; l < j; l++) {
          sum -= a[i][l] * a[j][l];
        }
        a[i][j] = i == j ? Math.sqrt(sum) : sum / a[j][j];
      }
    }
    var x = b.clone();
    for (int i = 0; i < k; i++) {
      for (int l = 0; l < i; l++) {
        x[i] -= a[i][l] * x[l];
      }
      x[i] /= a[i][i];
    }
    for (int i = k - 1; i >= 0; i--) {
      for (int l = i + 1; l < k; l++) {
        x[i] -= a[l][i] * x[l];
      }
      x[i] /= a[i][i];
    }
    return x;
  }
}
