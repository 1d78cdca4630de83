package dev.gridstride.cpu;

import java.util.Arrays;

/** The chunks of several arrays of different sizes, as one parallel loop. */
final class Chunks {
  /** Does one chunk. */
  @FunctionalInterface
  interface Body {
    void run(int chunk, int array, long from, long to);
  }

  private final long size;
  private final long[] counts;
  private final int[] first;
  private int arrays;

  Chunks(long size, int capacity) {
    this.size = size;
    this.counts = new long[capacity];
    this.first = new int[capacity + 1];
  }

  /** Adds an array of {@code count} elements. */
  void add(long count) {
    counts[arrays] = count;
    first[arrays + 1] = Math.toIntExact(first[arrays] + (count + size - 1) / size);
    arrays++;
  }

  /** Number of chunks. */
  int count() {
    return first[arrays];
  }

  /** Runs all chunks, on several threads. */
  void forEach(Body body) {
    Parallel.forEach(
        count(),
        c -> {
          int found = Arrays.binarySearch(first, 0, arrays + 1, c);
          int i = found >= 0 ? found : -found - 2;
          while (first[i + 1] == c) {
            i++; // arrays without elements begin where the next one does
          }
          long from = (c - first[i]) * size;
          body.run(c, i, from, Math.min(counts[i], from + size));
        });
  }
}
