package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;

/** Random words and what is made of them, in f32. */
public interface PhiloxLoops {
  /** Writes the words of {@code blocks} blocks, from counter {@code first}, to out's start. */
  void words(long seed, long first, int blocks, MemorySegment out);

  /** Turns {@code n} words in place into f32: {@code min(fma(word >>> 8, span, low), last)}. */
  void uniform(MemorySegment words, int n, float low, float span, float last);

  /** Turns {@code n} words (a multiple of 4) in place into f32 {@code fma(z, std, mean)}. */
  void normal(MemorySegment words, int n, float mean, float std);

  /** {@code y = word < threshold ? 0 : x * scale}; places in bytes. */
  void dropout(
      MemorySegment words,
      long wordsAt,
      int threshold,
      float scale,
      MemorySegment x,
      MemorySegment y,
      long at,
      int n);
}
