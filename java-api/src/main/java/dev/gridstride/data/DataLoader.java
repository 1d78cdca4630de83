package dev.gridstride.data;

import dev.gridstride.device.InvalidArgumentException;

/**
 * Cuts a data set into batches, one epoch at a time.
 *
 * <pre>{@code
 * var loader = DataLoader.of(train, 64).shuffled(seed).prefetching(2);
 * for (int epoch = 0; epoch < epochs; epoch++) {
 *   try (var batches = loader.epoch(epoch)) {
 *     while (batches.hasNext()) {
 *       try (var step = Scope.open()) {
 *         Batch batch = batches.next(); // belongs to the scope
 *         ...
 *       }
 *     }
 *   }
 * }
 * }</pre>
 *
 * <p>The order of the examples depends on the seed and the number of the epoch only. Immutable.
 *
 * @param dataset where the examples are
 * @param batchSize examples in a batch, at least 1
 * @param shuffle whether the examples come in an order by chance
 * @param seed of that order
 * @param dropLast whether a last batch of fewer examples is left out
 * @param prefetch batches that are made ahead by another thread; 0 for none
 */
public record DataLoader(
    Dataset dataset, int batchSize, boolean shuffle, long seed, boolean dropLast, int prefetch) {
  /** Checks the sizes. */
  public DataLoader {
    if (batchSize < 1 || prefetch < 0) {
      throw InvalidArgumentException.of(
          "dataLoader",
          "batchSize",
          "must be at least 1, and prefetch not negative",
          "batchSize=%d, prefetch=%d",
          batchSize,
          prefetch);
    }
  }

  /** In the data set's order, the last batch as it comes, nothing ahead. */
  public static DataLoader of(Dataset dataset, int batchSize) {
    return new DataLoader(dataset, batchSize, false, 0, false, 0);
  }

  /** In an order by chance. */
  public DataLoader shuffled(long seed) {
    return new DataLoader(dataset, batchSize, true, seed, dropLast, prefetch);
  }

  /** Without a last batch of fewer examples. */
  public DataLoader droppingLast() {
    return new DataLoader(dataset, batchSize, shuffle, seed, true, prefetch);
  }

  /** With batches made ahead on a virtual thread. */
  public DataLoader prefetching(int batches) {
    return new DataLoader(dataset, batchSize, shuffle, seed, dropLast, batches);
  }

  /** Number of batches in an epoch. */
  public long batches() {
    long n = dataset.size();
    return dropLast ? n / batchSize : Math.ceilDiv(n, (long) batchSize);
  }

  /** The batches of one epoch; close it to stop the thread that makes them ahead. */
  public Epoch epoch(long epoch) {
    long n = dataset.size();
    return new Epoch(this, shuffle ? Order.shuffled(n, seed, epoch) : Order.plain(n));
  }
}
