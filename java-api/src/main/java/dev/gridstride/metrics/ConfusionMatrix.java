package dev.gridstride.metrics;

import dev.gridstride.Tensor;
import dev.gridstride.device.InvalidArgumentException;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** Counts how often each class was taken for each class. Not thread-safe. */
public final class ConfusionMatrix {
  private final List<String> names;
  private final long[][] counts;

  /** Classes with names. */
  public ConfusionMatrix(List<String> names) {
    this.names = List.copyOf(names);
    this.counts = new long[names.size()][names.size()];
  }

  /** Classes named 0, 1, ... */
  public ConfusionMatrix(int classes) {
    this(IntStream.range(0, classes).mapToObj(Integer::toString).toList());
  }

  /**
   * Counts a batch: the largest score of a row is its prediction; ties go to the first, a NaN
   * counts as the largest.
   *
   * @param scores [rows, classes]
   * @param targets integer [rows]
   */
  public void add(Tensor scores, Tensor targets) {
    Metrics.checkClasses("confusionMatrix.add", scores, targets);
    int classes = names.size();
    if (scores.size(1) != classes) {
      throw InvalidArgumentException.of(
          "confusionMatrix.add",
          "scores",
          "must have a column for each class",
          "scores=%s, classes=%d",
          scores,
          classes);
    }
    double[] s = scores.toDoubleArray();
    long[] t = targets.toLongArray();
    for (int r = 0; r < t.length; r++) {
      int best = 0;
      for (int c = 1; c < classes; c++) {
        if (Double.compare(s[r * classes + c] + 0.0, s[r * classes + best] + 0.0) > 0) {
          best = c;
        }
      }
      add(Metrics.index("confusionMatrix.add", t[r], classes), best);
    }
  }

  /** Counts one example. */
  public void add(int target, int prediction) {
    Metrics.index("confusionMatrix.add", target, names.size());
    Metrics.index("confusionMatrix.add", prediction, names.size());
    counts[target][prediction]++;
  }

  /** The names of the classes. */
  public List<String> names() {
    return names;
  }

  /** How many examples of class {@code target} were taken for {@code prediction}. */
  public long count(int target, int prediction) {
    return counts[target][prediction];
  }

  /** Number of examples. */
  public long total() {
    long n = 0;
    for (int c = 0; c < names.size(); c++) {
      n += row(c);
    }
    return n;
  }

  private long row(int target) {
    long n = 0;
    for (long count : counts[target]) {
      n += count;
    }
    return n;
  }

  private long column(int prediction) {
    long n = 0;
    for (long[] row : counts) {
      n += row[prediction];
    }
    return n;
  }

  /** Part of the examples that were recognised; NaN without examples. */
  public double accuracy() {
    long right = 0;
    for (int c = 0; c < names.size(); c++) {
      right += counts[c][c];
    }
    return (double) right / total();
  }

  /** Part of those taken for the class that are of it; NaN when none was. */
  public double precision(int c) {
    return (double) counts[c][c] / column(c);
  }

  /** Part of those of the class that were recognised; NaN when there is none. */
  public double recall(int c) {
    return (double) counts[c][c] / row(c);
  }

  /** Harmonic mean of precision and recall; NaN when the class occurs nowhere. */
  public double f1(int c) {
    return 2.0 * counts[c][c] / (row(c) + column(c));
  }

  /**
   * A table for people: a row for each class, a column for each prediction, then the rates; a dash
   * where there is none.
   */
  @Override
  public String toString() {
    int width = 6;
    for (int c = 0; c < names.size(); c++) {
      width = Math.max(width, names.get(c).length());
      for (long n : counts[c]) {
        width = Math.max(width, Long.toString(n).length());
      }
    }
    String cell = " %" + width + "s";
    var out = new StringBuilder(String.format(Locale.ROOT, cell, ""));
    names.forEach(name -> out.append(String.format(Locale.ROOT, cell, name)));
    out.append("  recall  precision\n");
    for (int c = 0; c < names.size(); c++) {
      out.append(String.format(Locale.ROOT, cell, names.get(c)));
      for (long n : counts[c]) {
        out.append(String.format(Locale.ROOT, cell, n));
      }
      out.append(String.format(Locale.ROOT, " %7s %10s\n", rate(recall(c)), rate(precision(c))));
    }
    return out.append(String.format(Locale.ROOT, "accuracy %s of %d\n", rate(accuracy()), total()))
        .toString();
  }

  private static String rate(double part) {
    return Double.isNaN(part) ? "-" : String.format(Locale.ROOT, "%.4f", part);
  }
}
