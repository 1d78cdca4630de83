package dev.gridstride.cpu;

/**
 * Sums over long ranges: chunks of a fixed size on several threads, combined in index order, so
 * that the bits do not depend on the number of threads. For one run at a time.
 */
final class Partials implements Parallel.Range {
  /** The contribution of a stretch. */
  @FunctionalInterface
  interface Part {
    double of(long from, long to);
  }

  private static final ScratchDoubles PARTS = new ScratchDoubles();
  private static final double[] NONE = {};

  private final Part part;
  private long grain;
  private double[] parts = NONE;

  Partials(Part part) {
    this.part = part;
  }

  /** The sum of the contributions of the chunks of {@code 0..total}. */
  double sum(long total, long grain) {
    if (total <= 0) {
      return 0;
    }
    int chunks = Math.toIntExact((total + grain - 1) / grain);
    this.grain = grain;
    parts = PARTS.get(chunks);
    Parallel.forRange(total, grain, this);
    double sum = 0;
    for (int i = 0; i < chunks; i++) {
      sum += parts[i];
    }
    parts = NONE;
    return sum;
  }

  @Override
  public void run(long from, long to) {
    parts[(int) (from / grain)] = part.of(from, to);
  }
}
