package dev.gridstride.examples.data;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.examples.Options;
import dev.gridstride.io.Csv;
import java.util.Arrays;
import java.util.random.RandomGenerator;

/**
 * Who gave what how many stars.
 *
 * @param users the user of each rating, from 0
 * @param items the item of each
 * @param stars how many
 * @param userCount number of users
 * @param itemCount number of items
 */
public record Ratings(long[] users, long[] items, float[] stars, int userCount, int itemCount) {
  /** Standard deviation of what is random in made ratings: no model can err less. */
  public static final double NOISE = 0.5;

  private static final int HIDDEN_TASTES = 4;

  /**
   * Reads a table of the form of MovieLens: {@code ratings.csv} of the user's folder, with the
   * columns {@code userId}, {@code movieId} and {@code rating}.
   */
  public static Ratings read(Options options) {
    Csv csv = Csv.read(options.dataFile("", "ratings.csv"));
    var user = csv.classes(Device.cpu(), "userId");
    var item = csv.classes(Device.cpu(), "movieId");
    try (Tensor users = user.labels();
        Tensor items = item.labels();
        Tensor stars = csv.numeric(Device.cpu(), DType.F32, "rating")) {
      int n = options.limit(csv.rows());
      return new Ratings(
          Arrays.copyOf(users.toLongArray(), n),
          Arrays.copyOf(items.toLongArray(), n),
          Arrays.copyOf(stars.toFloatArray(), n),
          user.names().size(),
          item.names().size());
    }
  }

  /**
   * Makes ratings: {@code 3.5 + how kind the user is + how good the item is + how far the item
   * meets the user's tastes + noise}; not rounded to whole stars, so that the noise is known.
   *
   * @param perUser items that each user rates, chosen at random; at most {@code items}
   */
  public static Ratings make(int users, int items, int perUser, RandomGenerator random) {
    double[] kind = normal(users, 0.4, random);
    double[] good = normal(items, 0.4, random);
    double[] wants = normal(users * HIDDEN_TASTES, 0.55, random);
    double[] offers = normal(items * HIDDEN_TASTES, 0.55, random);
    int n = users * perUser;
    var u = new long[n];
    var v = new long[n];
    var stars = new float[n];
    int[] order = Orders.plain(items);
    for (int i = 0; i < n; i++) {
      int user = i / perUser;
      int k = i % perUser;
      // the first perUser of a shuffle: no item twice
      int pick = k + random.nextInt(items - k);
      int item = order[pick];
      order[pick] = order[k];
      order[k] = item;
      double met = 0;
      for (int t = 0; t < HIDDEN_TASTES; t++) {
        met += wants[user * HIDDEN_TASTES + t] * offers[item * HIDDEN_TASTES + t];
      }
      u[i] = user;
      v[i] = item;
      stars[i] = (float) (3.5 + kind[user] + good[item] + met + NOISE * random.nextGaussian());
    }
    return new Ratings(u, v, stars, users, items);
  }

  private static double[] normal(int n, double std, RandomGenerator random) {
    var x = new double[n];
    Arrays.setAll(x, i -> std * random.nextGaussian());
    return x;
  }

  /** Number of ratings. */
  public int size() {
    return stars.length;
  }

  /** The ratings with these numbers. */
  public Ratings pick(int[] numbers, int from, int to) {
    int n = to - from;
    var u = new long[n];
    var v = new long[n];
    var s = new float[n];
    for (int i = 0; i < n; i++) {
      u[i] = users[numbers[from + i]];
      v[i] = items[numbers[from + i]];
      s[i] = stars[numbers[from + i]];
    }
    return new Ratings(u, v, s, userCount, itemCount);
  }

  /** The numbers of the ratings in a random order. */
  public int[] shuffled(RandomGenerator random) {
    return Orders.shuffled(size(), random);
  }
}
