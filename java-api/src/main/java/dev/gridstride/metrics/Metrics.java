package dev.gridstride.metrics;

import dev.gridstride.Tensor;
import dev.gridstride.device.InvalidArgumentException;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;

/** Measures of one batch. Each returns NaN when there are no examples. */
public final class Metrics {
  private Metrics() {}

  /**
   * Part of the rows whose largest score is at the target: ties go to the first, a NaN counts as
   * the largest.
   *
   * @param scores [rows, classes]: logits or probabilities
   * @param targets integer [rows]
   */
  public static double accuracy(Tensor scores, Tensor targets) {
    return topK(scores, targets, 1);
  }

  /**
   * Part of the rows whose target is among the k largest scores; of equal scores the first count.
   *
   * @param scores [rows, classes]
   * @param targets integer [rows]
   * @param k at least 1
   */
  public static double topK(Tensor scores, Tensor targets, int k) {
    checkClasses("topK", scores, targets);
    if (k < 1) {
      throw InvalidArgumentException.of("topK", "k", "must be at least 1", "k=%d", k);
    }
    double[] s = scores.toDoubleArray();
    long[] t = targets.toLongArray();
    int classes = Math.toIntExact(scores.size(1));
    long right = 0;
    for (int r = 0; r < t.length; r++) {
      int target = index("topK", t[r], classes);
      double own = s[r * classes + target];
      int better = 0;
      for (int c = 0; c < classes; c++) {
        int order = Double.compare(s[r * classes + c] + 0.0, own + 0.0); // + 0.0: -0 equals 0
        if (order > 0 || (order == 0 && c < target)) {
          better++;
        }
      }
      if (better < k) {
        right++;
      }
    }
    return (double) right / t.length;
  }

  /**
   * How well two groupings of the same examples agree, whatever the groups' numbers: 1 for the same
   * groups, 0 on average for random ones. Hubert and Arabie, "Comparing partitions", 1985.
   *
   * @param a the group of each example; at least two examples
   * @param b of the same length
   * @throws InvalidArgumentException when a rule above is broken
   */
  public static double adjustedRandIndex(long[] a, long[] b) {
    if (a.length != b.length || a.length < 2) {
      throw InvalidArgumentException.of(
          "adjustedRandIndex",
          "b",
          "must have a's length, at least 2",
          "a.length=%d, b.length=%d",
          a.length,
          b.length);
    }
    var both = new HashMap<List<Long>, Long>();
    var first = new HashMap<Long, Long>();
    var second = new HashMap<Long, Long>();
    for (int i = 0; i < a.length; i++) {
      both.merge(List.of(a[i], b[i]), 1L, Long::sum);
      first.merge(a[i], 1L, Long::sum);
      second.merge(b[i], 1L, Long::sum);
    }
    double together = pairs(both.values());
    double inA = pairs(first.values());
    double inB = pairs(second.values());
    double expected = inA * inB / pairs(List.of((long) a.length));
    double most = (inA + inB) / 2;
    return most == expected ? 1 : (together - expected) / (most - expected);
  }

  private static double pairs(Collection<Long> sizes) {
    return sizes.stream().mapToDouble(n -> n * (n - 1.0) / 2).sum();
  }

  /** Mean of {@code |prediction - target|} over all elements of two tensors of one shape. */
  public static double mae(Tensor prediction, Tensor target) {
    double sum = 0;
    double[] p = values("mae", prediction, target);
    double[] t = target.toDoubleArray();
    for (int i = 0; i < p.length; i++) {
      sum += Math.abs(p[i] - t[i]);
    }
    return sum / p.length;
  }

  /** Root of the mean of {@code (prediction - target)^2} over all elements. */
  public static double rmse(Tensor prediction, Tensor target) {
    double sum = 0;
    double[] p = values("rmse", prediction, target);
    double[] t = target.toDoubleArray();
    for (int i = 0; i < p.length; i++) {
      sum += (p[i] - t[i]) * (p[i] - t[i]);
    }
    return Math.sqrt(sum / p.length);
  }

  private static double[] values(String op, Tensor prediction, Tensor target) {
    if (!prediction.shape().equals(target.shape())) {
      throw InvalidArgumentException.of(
          op,
          "target",
          "must have the prediction's shape",
          "prediction=%s, target=%s",
          prediction,
          target);
    }
    return prediction.toDoubleArray();
  }

  static void checkClasses(String op, Tensor scores, Tensor targets) {
    if (scores.rank() != 2
        || targets.rank() != 1
        || scores.size(0) != targets.size(0)
        || targets.dtype().isFloating()) {
      throw InvalidArgumentException.of(
          op,
          "targets",
          "must be integers, one for each row of scores [rows, classes]",
          "scores=%s, targets=%s",
          scores,
          targets);
    }
  }

  static int index(String op, long target, int classes) {
    if (target < 0 || target >= classes) {
      throw InvalidArgumentException.of(
          op, "target", "must be in 0..classes", "target=%d, classes=%d", target, classes);
    }
    return (int) target;
  }
}
