package dev.gridstride.analysis;

import dev.gridstride.Autograd;
import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.device.InvalidArgumentException;
import java.util.Arrays;

/**
 * The largest singular values of a matrix and their right singular vectors, by a randomised method
 * whose work is matrix products on the matrix's device.
 *
 * <p>Random directions, more than asked for, are sent through the matrix and back several times
 * (subspace iteration), orthonormalised each time, until they span the leading singular vectors;
 * the small problem that remains is solved in double on the host. The error of a singular value
 * falls as {@code (s[l] / s[k])^(4 rounds)}, with {@code l} the number of directions. Halko,
 * Martinsson and Tropp, "Finding structure with randomness", 2011, algorithms 4.4 and 5.1.
 */
public final class RandomizedSvd implements AutoCloseable {
  /** Directions beyond those asked for, and rounds: errors of f32's rounding on images. */
  private static final int OVERSAMPLING = 10;

  private static final int ROUNDS = 8;

  private final double[] values;
  private final Tensor vectors;

  private RandomizedSvd(double[] values, Tensor vectors) {
    this.values = values;
    this.vectors = vectors;
  }

  /**
   * Factorises {@code x}; not recorded for gradients.
   *
   * @param x f32 or f64 [m, n], finite
   * @param k number of singular values, at most {@code min(m, n)}
   * @param g draws the directions: the same position of the same seed gives the same result
   * @throws InvalidArgumentException when a rule above is broken
   */
  public static RandomizedSvd of(Tensor x, int k, Generator g) {
    if (x.rank() != 2 || (x.dtype() != DType.F32 && x.dtype() != DType.F64)) {
      throw InvalidArgumentException.of(
          "randomizedSvd", "x", "must be f32 or f64 [m, n]", "x=%s", x);
    }
    long least = Math.min(x.size(0), x.size(1));
    if (k < 1 || k > least) {
      throw InvalidArgumentException.of(
          "randomizedSvd", "k", "must be in 1..min(m, n)", "k=%d, x=%s", k, x);
    }
    long directions = Math.min(k + OVERSAMPLING, least);
    try (Scope scope = Scope.open()) {
      return Autograd.noGrad(() -> {
        Tensor xt = x.transpose();
        Tensor basis = g.normal(x.device(), x.dtype(), 0, 1, x.size(1), directions);
        for (int round = 0; round < ROUNDS; round++) {
          basis = orthonormal(xt.matmul(orthonormal(x.matmul(basis))));
        }
        // x = (x basis) basis^T on the leading vectors, so the small factor has x's values
        Tensor y = x.matmul(basis);
        var eigen = new SymmetricEigen(gram(y));
        int found = (int) Math.min(k, basis.size(1));
        var values = new double[k];
        for (int i = 0; i < found; i++) {
          values[i] = Math.sqrt(Math.max(0, eigen.values()[i]));
        }
        Tensor turn = columns(basis, eigen.vectors(), ones(found));
        Tensor vectors = basis.matmul(turn);
        if (found < k) {
          vectors = vectors.pad(new long[] {0, 0}, new long[] {0, k - found}, 0);
        }
        return new RandomizedSvd(values, scope.keep(vectors.contiguous()));
      });
    }
  }

  /** The singular values, largest first; 0 beyond the matrix's numerical rank. */
  public double[] values() {
    return values.clone();
  }

  /** The right singular vectors as columns [n, k]; zeros beyond the matrix's numerical rank. */
  public Tensor vectors() {
    return vectors;
  }

  /** Frees the vectors. */
  @Override
  public void close() {
    vectors.close();
  }

  /**
   * An orthonormal basis of the columns' span: {@code y V / sqrt(lambda)} with the eigenvectors of
   * {@code y^T y}, twice because the first pass squares y's condition. Directions that are rounding
   * errors of the largest are dropped.
   */
  private static Tensor orthonormal(Tensor y) {
    Tensor q = y;
    for (int pass = 0; pass < 2; pass++) {
      var eigen = new SymmetricEigen(gram(q));
      double eps = y.dtype() == DType.F32 ? 0x1p-23 : 0x1p-52;
      double least = eigen.values()[0] * eps * q.size(1);
      int rank = 0;
      while (rank < eigen.values().length && eigen.values()[rank] > least) {
        rank++;
      }
      var scale = ones(Math.max(1, rank)); // of a zero matrix one zero column remains
      for (int i = 0; i < rank; i++) {
        scale[i] = 1 / Math.sqrt(eigen.values()[i]);
      }
      q = q.matmul(columns(q, eigen.vectors(), scale));
    }
    return q;
  }

  private static double[][] gram(Tensor y) {
    double[] flat = y.transpose().matmul(y).toDoubleArray();
    int n = Math.toIntExact(y.size(1));
    var g = new double[n][n];
    for (int i = 0; i < n; i++) {
      System.arraycopy(flat, i * n, g[i], 0, n);
    }
    return g;
  }

  private static double[] ones(int n) {
    var ones = new double[n];
    Arrays.fill(ones, 1);
    return ones;
  }

  /** The first columns of a host matrix, each times its scale, as a tensor like {@code like}. */
  private static Tensor columns(Tensor like, double[][] matrix, double[] scale) {
    var flat = new double[matrix.length * scale.length];
    for (int i = 0; i < matrix.length; i++) {
      for (int j = 0; j < scale.length; j++) {
        flat[i * scale.length + j] = matrix[i][j] * scale[j];
      }
    }
    return Tensors.of(like.device(), flat, matrix.length, scale.length).to(like.dtype());
  }
}
