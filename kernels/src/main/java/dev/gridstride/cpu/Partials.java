package dev.gridstride.cpu;

/**
 * Sums over long ranges: chunks of a fixed size on several threads, combined in index order, so
 * that the bits do not depend on the number of threads.
 */
final class Partials {
  private Partials() {}

  /** The contribution of a stretch. */
  @FunctionalInterface
  interface Part {
    double of(long from, long to);
  }

  /** The sum of the contributions of the chunks of {@code 0..total}. */
  static double sum(long total, long grain, Part part) {
    if (total <= 0) {
      return 0;
    }
    var parts = new double[Math.toIntExact((total + grain - 1) / grain)];
    Parallel.forRange(
        total, grain, (from, to) -> parts[Math.toIntExact(from / grain)] = part.of(from, to));
    double sum = 0;
    for (double p : parts) {
      sum += p;
    }
    return sum;
  }
}
