package dev.gridstride.analysis;

import dev.gridstride.Autograd;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.device.InvalidArgumentException;
import java.util.Arrays;
import java.util.random.RandomGenerator;

/**
 * Clusters of rows around centres: each row belongs to its nearest centre, each centre is the mean
 * of its rows.
 *
 * <p>Lloyd's iteration from the seeding of k-means++ (Arthur and Vassilvitskii, 2007), which draws
 * each next centre with a probability proportional to the squared distance from those before. The
 * squared distances are one matrix product, {@code |c|^2 - 2 x c^T} (the rows' own squares decide
 * nothing), and the sums of the clusters another, with one-hot rows; both run on x's device. A
 * centre that loses all its rows moves to the row that is farthest from its own.
 */
public final class KMeans implements AutoCloseable {
  private static final int MOST_ITERATIONS = 300;

  private final Tensor centres;
  private final long[] labels;
  private final double inertia;
  private final int iterations;

  private KMeans(Tensor centres, long[] labels, double inertia, int iterations) {
    this.centres = centres;
    this.labels = labels;
    this.inertia = inertia;
    this.iterations = iterations;
  }

  /**
   * The best of several clusterings.
   *
   * @param x f32 or f64 [n, d], finite; columns should be of like scale, and centred: the distances
   *     lose the digits that all rows share
   * @param k number of clusters, at most n
   * @param restarts how often to seed anew; the clustering of the least inertia is kept
   * @param random draws the seeds
   * @throws InvalidArgumentException when a rule above is broken
   */
  public static KMeans fit(Tensor x, int k, int restarts, RandomGenerator random) {
    if (x.rank() != 2 || (x.dtype() != DType.F32 && x.dtype() != DType.F64)) {
      throw InvalidArgumentException.of("kMeans", "x", "must be f32 or f64 [n, d]", "x=%s", x);
    }
    if (k < 1 || k > x.size(0) || restarts < 1) {
      throw InvalidArgumentException.of(
          "kMeans",
          "k and restarts",
          "must be in 1..n and at least 1",
          "k=%d, restarts=%d, x=%s",
          k,
          restarts,
          x);
    }
    KMeans best = once(x, k, random);
    for (int i = 1; i < restarts; i++) {
      KMeans next = once(x, k, random);
      KMeans worse = next.inertia < best.inertia ? best : next;
      best = worse == best ? next : best;
      worse.close();
    }
    return best;
  }

  private static KMeans once(Tensor x, int k, RandomGenerator random) {
    try (Scope scope = Scope.open()) {
      return Autograd.noGrad(() -> {
        double[] squares = x.sumSquares(1).toDoubleArray();
        Tensor centres = seed(x, squares, k, random);
        long[] labels = {};
        for (int iteration = 1; ; iteration++) {
          Tensor d = partialDistances(x, centres);
          Tensor nearest = d.argMin(1);
          double[] distances = d.min(1).toDoubleArray();
          Arrays.setAll(distances, i -> Math.max(0, distances[i] + squares[i]));
          long[] now = nearest.toLongArray();
          if (Arrays.equals(now, labels) || iteration == MOST_ITERATIONS) {
            double inertia = Arrays.stream(distances).sum();
            return new KMeans(scope.keep(centres.contiguous()), now, inertia, iteration);
          }
          labels = now;
          centres = means(x, nearest, centres, distances);
        }
      });
    }
  }

  /** {@code |x - c|^2 - |x|^2} of each row and centre: [n, k]. */
  private static Tensor partialDistances(Tensor x, Tensor centres) {
    return x.linear(centres).mul(-2).add(centres.sumSquares(1));
  }

  private static Tensor seed(Tensor x, double[] squares, int k, RandomGenerator random) {
    var chosen = new Tensor[k];
    var nearest = new double[squares.length];
    Arrays.fill(nearest, 1); // the first centre: all rows alike
    for (int c = 0; c < k; c++) {
      long row = draw(nearest, random);
      chosen[c] = x.slice(0, row, row + 1);
      double[] d = partialDistances(x, chosen[c]).toDoubleArray();
      boolean first = c == 0;
      Arrays.setAll(
          nearest,
          i -> {
            double distance = Math.max(0, d[i] + squares[i]);
            return first ? distance : Math.min(nearest[i], distance);
          });
    }
    return Tensors.concat(0, chosen);
  }

  /** An index, with a probability proportional to its weight; any one when all are 0. */
  private static int draw(double[] weights, RandomGenerator random) {
    double left = random.nextDouble() * Arrays.stream(weights).sum();
    for (int i = 0; i < weights.length; i++) {
      left -= weights[i];
      if (left < 0) {
        return i;
      }
    }
    return random.nextInt(weights.length);
  }

  private static Tensor means(Tensor x, Tensor labels, Tensor old, double[] distances) {
    int k = Math.toIntExact(old.size(0));
    Tensor members = labels.oneHot(k, x.dtype());
    double[] counts = members.sum(0).toDoubleArray();
    Tensor sums = members.transpose().matmul(x);
    var rows = new Tensor[k];
    for (int c = 0; c < k; c++) {
      if (counts[c] > 0) {
        rows[c] = sums.slice(0, c, c + 1).mul(1 / counts[c]);
      } else {
        int farthest = 0;
        for (int i = 1; i < distances.length; i++) {
          farthest = distances[i] > distances[farthest] ? i : farthest;
        }
        distances[farthest] = 0; // another empty cluster takes another row
        rows[c] = x.slice(0, farthest, farthest + 1);
      }
    }
    return Tensors.concat(0, rows);
  }

  /** The centres [k, d]. */
  public Tensor centres() {
    return centres;
  }

  /** The cluster of each row. */
  public long[] labels() {
    return labels.clone();
  }

  /** Sum of the squared distances of the rows from their centres. */
  public double inertia() {
    return inertia;
  }

  /** Number of iterations until no row moved, or 300. */
  public int iterations() {
    return iterations;
  }

  /** Frees the centres. */
  @Override
  public void close() {
    centres.close();
  }
}
