package dev.gridstride.examples.data;

import java.util.Arrays;
import java.util.random.RandomGenerator;

/** In which order samples are taken: arrays of their numbers. */
public final class Orders {
  private Orders() {}

  /** The numbers 0 to {@code n} (excluded) as they come. */
  public static int[] plain(int n) {
    var order = new int[n];
    Arrays.setAll(order, i -> i);
    return order;
  }

  /** The same in a random order (Fisher and Yates). */
  public static int[] shuffled(int n, RandomGenerator random) {
    int[] order = plain(n);
    for (int i = n - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      int swap = order[i];
      order[i] = order[j];
      order[j] = swap;
    }
    return order;
  }
}
