package dev.gridstride.examples.report;

import java.util.Locale;

/** Counts which class was taken for which. */
public final class Confusion {
  private final long[][] counts;

  /** An empty table of {@code classes} classes. */
  public Confusion(int classes) {
    counts = new long[classes][classes];
  }

  /** Counts a sample of class {@code truth} that was taken for {@code guess}. */
  public void add(int truth, int guess) {
    counts[truth][guess]++;
  }

  /** Share of the samples that were right; NaN without samples. */
  public double accuracy() {
    long right = 0;
    long all = 0;
    for (int t = 0; t < counts.length; t++) {
      right += counts[t][t];
      for (long c : counts[t]) {
        all += c;
      }
    }
    return all == 0 ? Double.NaN : (double) right / all;
  }

  /** A row for each true class, a column for each guess, and each class's share of right ones. */
  @Override
  public String toString() {
    var text = new StringBuilder("true \\ guess");
    for (int c = 0; c < counts.length; c++) {
      text.append(String.format(Locale.ROOT, "%6d", c));
    }
    text.append("   right");
    for (int t = 0; t < counts.length; t++) {
      text.append(String.format(Locale.ROOT, "%n%12d", t));
      long all = 0;
      for (long c : counts[t]) {
        text.append(String.format(Locale.ROOT, "%6s", c == 0 ? "." : Long.toString(c)));
        all += c;
      }
      text.append(
          all == 0
              ? "       -"
              : String.format(Locale.ROOT, "  %5.1f%%", 100.0 * counts[t][t] / all));
    }
    return text.toString();
  }
}
