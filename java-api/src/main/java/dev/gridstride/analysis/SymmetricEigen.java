package dev.gridstride.analysis;

import java.util.Arrays;

/**
 * Eigenvalues and eigenvectors of a small symmetric matrix, in double on the host.
 *
 * <p>Jacobi's method by rows: rotations make one pair of off-diagonal elements zero after the
 * other, until all are below rounding; {@code O(n^3)} a sweep, and about ten sweeps. It is slower
 * than a tridiagonal method and as accurate as any, which suits matrices of tens of rows. Golub and
 * Van Loan, "Matrix Computations", section 8.5.
 */
final class SymmetricEigen {
  private static final int MOST_SWEEPS = 60;

  private final double[] values;
  private final double[][] vectors;

  /**
   * Decomposes {@code matrix}, of which only the mean with its transpose counts.
   *
   * @param matrix square; not changed
   */
  SymmetricEigen(double[][] matrix) {
    int n = matrix.length;
    var a = new double[n][n];
    var v = new double[n][n];
    for (int i = 0; i < n; i++) {
      v[i][i] = 1;
      for (int j = 0; j < n; j++) {
        a[i][j] = (matrix[i][j] + matrix[j][i]) / 2;
      }
    }
    boolean rotated = true;
    for (int sweep = 0; rotated && sweep < MOST_SWEEPS; sweep++) {
      rotated = false;
      for (int p = 0; p < n; p++) {
        for (int q = p + 1; q < n; q++) {
          // below the rounding of the diagonal: a rotation would change nothing
          double scale = Math.sqrt(Math.abs(a[p][p] * a[q][q]));
          if (Math.abs(a[p][q]) > Math.max(Math.ulp(1.0) * scale, Double.MIN_NORMAL)) {
            rotate(a, v, p, q);
            rotated = true;
          }
        }
      }
    }
    Integer[] order = new Integer[n];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, (i, j) -> Double.compare(a[j][j], a[i][i]));
    values = new double[n];
    vectors = new double[n][n];
    for (int k = 0; k < n; k++) {
      values[k] = a[order[k]][order[k]];
      for (int i = 0; i < n; i++) {
        vectors[i][k] = v[i][order[k]];
      }
    }
  }

  private static void rotate(double[][] a, double[][] v, int p, int q) {
    double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
    // of the two rotations that do it, the one by the smaller angle converges
    double t = Math.copySign(1 / (Math.abs(theta) + Math.hypot(theta, 1)), theta);
    double c = 1 / Math.hypot(t, 1);
    double s = t * c;
    for (double[] row : a) {
      double x = row[p];
      row[p] = c * x - s * row[q];
      row[q] = s * x + c * row[q];
    }
    for (int j = 0; j < a.length; j++) {
      double x = a[p][j];
      a[p][j] = c * x - s * a[q][j];
      a[q][j] = s * x + c * a[q][j];
    }
    a[p][q] = 0;
    a[q][p] = 0;
    for (double[] row : v) {
      double x = row[p];
      row[p] = c * x - s * row[q];
      row[q] = s * x + c * row[q];
    }
  }

  /** The eigenvalues, largest first. */
  double[] values() {
    return values;
  }

  /** Element {@code [i][k]} is the i-th of the k-th eigenvector, which has length 1. */
  double[][] vectors() {
    return vectors;
  }
}
