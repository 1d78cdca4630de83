package dev.gridstride.metrics;

import dev.gridstride.Tensor;
import dev.gridstride.device.InvalidArgumentException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * The receiver operating characteristic of a classifier of two classes: for every threshold of its
 * score, the part of the negatives that it takes for positives, and the part of the positives that
 * it finds.
 *
 * <p>Points go from (0, 0), where nothing is taken for positive, to (1, 1); equal scores make one
 * point. The area under the curve is the probability that a positive scores higher than a negative,
 * where a tie counts half. Fawcett, "An introduction to ROC analysis", 2006.
 */
public final class Roc {
  private final double[] falsePositives;
  private final double[] truePositives;
  private final double area;

  private Roc(double[] falsePositives, double[] truePositives, double area) {
    this.falsePositives = falsePositives;
    this.truePositives = truePositives;
    this.area = area;
  }

  /**
   * The curve of scored examples.
   *
   * @param scores floating [n], higher for a likelier positive; no NaN
   * @param targets integer [n]: 1 for a positive, 0 for a negative; both must occur
   * @throws InvalidArgumentException when a rule above is broken
   */
  public static Roc of(Tensor scores, Tensor targets) {
    if (scores.rank() != 1
        || !scores.shape().equals(targets.shape())
        || !scores.dtype().isFloating()
        || targets.dtype().isFloating()) {
      throw InvalidArgumentException.of(
          "roc",
          "targets",
          "must be integers, one for each of scores [n]",
          "scores=%s, targets=%s",
          scores,
          targets);
    }
    return of(scores.toDoubleArray(), targets.toLongArray());
  }

  private static Roc of(double[] scores, long[] targets) {
    long positives = 0;
    for (int i = 0; i < scores.length; i++) {
      if (Double.isNaN(scores[i])) {
        throw InvalidArgumentException.of("roc", "scores", "must not be NaN", "index=%d", i);
      }
      positives += Metrics.index("roc", targets[i], 2);
    }
    long negatives = scores.length - positives;
    if (positives == 0 || negatives == 0) {
      throw InvalidArgumentException.of(
          "roc",
          "targets",
          "must hold both classes",
          "positives=%d, negatives=%d",
          positives,
          negatives);
    }
    int[] order =
        IntStream.range(0, scores.length)
            .boxed()
            // + 0.0: -0 equals 0
            .sorted(Comparator.comparingDouble((Integer i) -> scores[i] + 0.0).reversed())
            .mapToInt(Integer::intValue)
            .toArray();
    var x = new double[order.length + 1];
    var y = new double[order.length + 1];
    int points = 1;
    double area = 0;
    long found = 0;
    for (int i = 0; i < order.length; i++) {
      found += targets[order[i]];
      boolean tied = i + 1 < order.length && scores[order[i]] == scores[order[i + 1]];
      if (!tied) {
        x[points] = (double) (i + 1 - found) / negatives;
        y[points] = (double) found / positives;
        area += (x[points] - x[points - 1]) * (y[points] + y[points - 1]) / 2;
        points++;
      }
    }
    return new Roc(Arrays.copyOf(x, points), Arrays.copyOf(y, points), area);
  }

  /** The part of the negatives that is taken for positive, at each point, rising from 0 to 1. */
  public double[] falsePositiveRates() {
    return falsePositives.clone();
  }

  /** The part of the positives that is found, at each point, rising from 0 to 1. */
  public double[] truePositiveRates() {
    return truePositives.clone();
  }

  /** The area under the curve: 1 is perfect, 0.5 as good as chance. */
  public double area() {
    return area;
  }

  /**
   * The equal error rate: both kinds of error at the threshold where they are equally frequent, on
   * the straight line between the two points beside it. The usual figure of systems that recognise
   * people: 0 is perfect, 0.5 as good as chance.
   */
  public double equalErrorRate() {
    int i = 1; // the first point is (0, 0), where all positives are missed
    while (falsePositives[i] < 1 - truePositives[i]) {
      i++; // ends: the last point is (1, 1)
    }
    double before = 1 - truePositives[i - 1] - falsePositives[i - 1];
    double after = falsePositives[i] - (1 - truePositives[i]);
    double share = before / (before + after);
    return falsePositives[i - 1] + share * (falsePositives[i] - falsePositives[i - 1]);
  }
}
