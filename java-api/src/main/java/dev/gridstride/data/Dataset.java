package dev.gridstride.data;

import dev.gridstride.device.InvalidArgumentException;
import java.util.Arrays;

/**
 * Examples that can be read in any order.
 *
 * <p>With a {@link DataLoader} that prefetches, {@link #batch} runs on another thread, one call at
 * a time.
 */
public interface Dataset {
  /** Number of examples. */
  long size();

  /**
   * The examples with these numbers, in this order.
   *
   * @return new tensors, which belong to the current scope or the caller
   */
  Batch batch(long[] indices);

  /**
   * Some of the examples as a data set of its own.
   *
   * @throws InvalidArgumentException when an index is not in 0..size
   */
  default Dataset subset(long[] indices) {
    long[] chosen = indices.clone();
    for (long i : chosen) {
      checkIndex("dataset.subset", i, size());
    }
    Dataset all = this;
    return new Dataset() {
      @Override
      public long size() {
        return chosen.length;
      }

      @Override
      public Batch batch(long[] at) {
        return all.batch(
            Arrays.stream(at)
                .map(i -> {
                  checkIndex("dataset.batch", i, chosen.length);
                  return chosen[(int) i];
                })
                .toArray());
      }
    };
  }

  /**
   * Cuts the examples in two by chance, the same for the same seed.
   *
   * @param trainFraction part of the examples that goes to the first, 0 to 1; rounded to nearest
   */
  default Split split(double trainFraction, long seed) {
    if (!(trainFraction >= 0 && trainFraction <= 1)) {
      throw InvalidArgumentException.of(
          "dataset.split", "trainFraction", "must be in 0..1", "trainFraction=%s", trainFraction);
    }
    long[] order = Order.shuffled(size(), seed, 0);
    int cut = (int) Math.round(order.length * trainFraction);
    return new Split(
        subset(Arrays.copyOf(order, cut)), subset(Arrays.copyOfRange(order, cut, order.length)));
  }

  /**
   * Two parts of a data set that share no example.
   *
   * @param train to learn from
   * @param test to be judged by
   */
  record Split(Dataset train, Dataset test) {}

  private static void checkIndex(String op, long index, long size) {
    if (index < 0 || index >= size) {
      throw InvalidArgumentException.of(
          op, "index", "must be in 0..size", "index=%d, size=%d", index, size);
    }
  }
}
