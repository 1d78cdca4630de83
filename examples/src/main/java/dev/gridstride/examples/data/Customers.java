package dev.gridstride.examples.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Made customers of a shop: what each bought when, over two years, and the kind of customer that
 * the maker had in mind. Not data of real people.
 *
 * @param days days on which customer i bought, 0 to 729, in order
 * @param amounts what was paid on each
 * @param kinds the kind of each customer, an index into {@link #KINDS}
 */
public record Customers(int[][] days, double[][] amounts, long[] kinds) {
  /** The last day, on which the shop looks back. */
  public static final int TODAY = 730;

  /** The kinds, in the order of their numbers. */
  public static final List<String> KINDS = List.of("loyal", "bargain", "lapsed", "big order");

  /** Of each kind: share, first day, last day, mean days between purchases, typical amount. */
  private static final double[][] HABITS = {
    {0.25, 0, 730, 12, 60}, {0.35, 0, 730, 35, 12}, {0.25, 0, 380, 35, 30}, {0.15, 0, 730, 90, 400}
  };

  /** Makes {@code n} customers. */
  public static Customers make(int n, RandomGenerator random) {
    var days = new int[n][];
    var amounts = new double[n][];
    var kinds = new long[n];
    for (int i = 0; i < n; i++) {
      kinds[i] = kind(random.nextDouble());
      double[] habit = HABITS[(int) kinds[i]];
      double gap = habit[3] * Math.exp(0.2 * random.nextGaussian());
      double typical = habit[4] * Math.exp(0.25 * random.nextGaussian());
      double end = habit[2] - 60 * random.nextDouble() * (habit[2] < TODAY ? 1 : 0);
      var when = new ArrayList<Integer>();
      // purchases as in a Poisson process, at most one a day; the first is certain
      for (double day = gap * random.nextDouble();
          day < end;
          day += 1 + random.nextExponential() * gap) {
        when.add((int) day);
      }
      days[i] = when.stream().mapToInt(Integer::intValue).toArray();
      amounts[i] = new double[days[i].length];
      for (int t = 0; t < amounts[i].length; t++) {
        amounts[i][t] = typical * Math.exp(0.5 * random.nextGaussian());
      }
    }
    return new Customers(days, amounts, kinds);
  }

  private static int kind(double u) {
    int kind = 0;
    for (double left = u - HABITS[0][0]; left >= 0 && kind < HABITS.length - 1; kind++) {
      left -= HABITS[kind + 1][0];
    }
    return kind;
  }

  /** Number of customers. */
  public int size() {
    return kinds.length;
  }

  /**
   * Recency, frequency and money of customer {@code i}: days since the last purchase, number of
   * purchases, mean amount.
   */
  public double[] rfm(int i) {
    int last = days[i].length - 1;
    double mean = Arrays.stream(amounts[i]).average().orElse(0);
    return new double[] {TODAY - days[i][last], days[i].length, mean};
  }
}
