package dev.gridstride.cpu;

import dev.gridstride.cpu.scalar.ScalarPhiloxLoops;
import dev.gridstride.cpu.vector.VectorPhiloxLoops;
import java.lang.foreign.MemorySegment;

/** Runs over elements with the random words that belong to them, on several threads. */
final class RandomWords {
  static final PhiloxLoops LOOPS = Simd.ENABLED ? new VectorPhiloxLoops() : new ScalarPhiloxLoops();

  /** Words made at a time: 16 KiB. */
  private static final int WORDS = 4096;

  private static final Scratch SCRATCH = new Scratch();

  /** Uses the words of some elements. */
  @FunctionalInterface
  interface Body {
    /**
     * Does elements {@code i} to {@code i + n}.
     *
     * @param words whole blocks; may be overwritten
     * @param skip number of words before those of element i
     */
    void run(MemorySegment words, int skip, long i, int n);
  }

  private RandomWords() {}

  /** Runs {@code body} over elements 0 to {@code count}, whose words begin at {@code offset}. */
  static void forEach(long seed, long offset, long count, int wordsPerElement, Body body) {
    int step = WORDS / wordsPerElement - 4; // so that skipped words and whole blocks fit too
    Parallel.forRange(
        count,
        4L * step,
        (from, to) -> {
          MemorySegment words = SCRATCH.get(4L * WORDS);
          for (long i = from; i < to; i += step) {
            int n = (int) Math.min(step, to - i);
            long first = (offset + i) * wordsPerElement;
            int skip = (int) (first & 3);
            int blocks = (skip + n * wordsPerElement + 3) / 4;
            LOOPS.words(seed, first >>> 2, blocks, words);
            body.run(words, skip, i, n);
          }
        });
  }
}
