package dev.gridstride.data;

import dev.gridstride.device.InvalidArgumentException;
import java.util.SplittableRandom;

/** Permutations that depend on a seed and an epoch only. */
final class Order {
  private Order() {}

  /** The numbers 0..n in order. */
  static long[] plain(long n) {
    if (n > Integer.MAX_VALUE - 8) {
      throw InvalidArgumentException.of(
          "data", "dataset", "must have fewer than 2^31 - 8 examples", "size=%d", n);
    }
    var order = new long[(int) n];
    for (int i = 0; i < order.length; i++) {
      order[i] = i;
    }
    return order;
  }

  /** The numbers 0..n shuffled (Fisher and Yates, as in Knuth, vol. 2, algorithm P). */
  static long[] shuffled(long n, long seed, long epoch) {
    long[] order = plain(n);
    // two different odd constants keep (seed, epoch) and (epoch, seed) apart
    var random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + epoch * 0xD1B54A32D192ED03L);
    for (int i = order.length - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      long t = order[i];
      order[i] = order[j];
      order[j] = t;
    }
    return order;
  }
}
