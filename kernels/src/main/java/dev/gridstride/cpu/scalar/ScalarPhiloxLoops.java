package dev.gridstride.cpu.scalar;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.gridstride.cpu.PhiloxLoops;
import dev.gridstride.kernels.Philox;
import java.lang.foreign.MemorySegment;

/**
 * Random words and what is made of them, in plain Java: the order of operations is the contract.
 */
public final class ScalarPhiloxLoops implements PhiloxLoops {
  @Override
  public void words(long seed, long first, int blocks, MemorySegment out) {
    var block = new int[4];
    for (int b = 0; b < blocks; b++) {
      Philox.block(seed, first + b, 0, block, 0);
      for (int k = 0; k < 4; k++) {
        out.setAtIndex(JAVA_INT, 4 * b + k, block[k]);
      }
    }
  }

  @Override
  public void uniform(MemorySegment words, int n, float low, float span, float last) {
    for (int i = 0; i < n; i++) {
      float v = Math.fma(words.getAtIndex(JAVA_INT, i) >>> 8, span, low);
      words.setAtIndex(JAVA_FLOAT, i, v > last ? last : v);
    }
  }

  @Override
  public void normal(MemorySegment words, int n, float mean, float std) {
    for (int i = 0; i < n; i += 2) {
      float r = radius(words.getAtIndex(JAVA_INT, i) >>> 8);
      int turn = words.getAtIndex(JAVA_INT, i + 1) >>> 8;
      words.setAtIndex(JAVA_FLOAT, i, Math.fma(r * cosine(turn, 0), std, mean));
      words.setAtIndex(JAVA_FLOAT, i + 1, Math.fma(r * cosine(turn, 3), std, mean));
    }
  }

  /**
   * {@code sqrt(-2 log((bits + 1) / 2^24))}: exponent apart, a polynomial (Cephes' logf) on
   * sqrt(1/2)..sqrt(2).
   */
  private static float radius(int bits) {
    int u = Float.floatToRawIntBits((bits + 1) * 0x1p-24f) - 0x3F3504F3;
    float e = u >> 23;
    float f = Float.intBitsToFloat((u & 0x7FFFFF) + 0x3F3504F3) - 1;
    float z = f * f;
    float p = 7.0376836292e-2f;
    p = Math.fma(p, f, -1.1514610310e-1f);
    p = Math.fma(p, f, 1.1676998740e-1f);
    p = Math.fma(p, f, -1.2420140846e-1f);
    p = Math.fma(p, f, 1.4249322787e-1f);
    p = Math.fma(p, f, -1.6668057665e-1f);
    p = Math.fma(p, f, 2.0000714765e-1f);
    p = Math.fma(p, f, -2.4999993993e-1f);
    p = Math.fma(p, f, 3.3333331174e-1f);
    float y = p * f * z;
    y = Math.fma(e, -2.12194440e-4f, y);
    y = Math.fma(z, -0.5f, y);
    float log = Math.fma(e, 0.693359375f, f + y);
    return (float) Math.sqrt(Math.abs(-2 * log));
  }

  /**
   * {@code cos(2 pi bits / 2^24 + quarters pi / 2)}: reduced exactly to an eighth of a turn, then
   * Cephes' polynomials for sine and cosine.
   */
  private static float cosine(int bits, int quarters) {
    int quarter = (bits + (1 << 21)) >> 22;
    float t = (bits - (quarter << 22)) * 3.7450702e-7f; // pi / 2 / 2^22
    int q = quarter + quarters;
    float z = t * t;
    float v;
    if ((q & 1) == 0) {
      float p = Math.fma(2.443315711809948e-5f, z, -1.388731625493765e-3f);
      p = Math.fma(p, z, 4.166664568298827e-2f);
      v = Math.fma(p * z, z, Math.fma(z, -0.5f, 1));
    } else {
      float p = Math.fma(-1.9515295891e-4f, z, 8.3321608736e-3f);
      p = Math.fma(p, z, -1.6666654611e-1f);
      v = Math.fma(p * z, t, t);
    }
    return ((q + 1) & 2) == 0 ? v : -v;
  }

  @Override
  public void dropout(
      MemorySegment words,
      long wordsAt,
      int threshold,
      float scale,
      MemorySegment x,
      MemorySegment y,
      long at,
      int n) {
    for (int i = 0; i < n; i++) {
      boolean drop = Integer.compareUnsigned(words.get(JAVA_INT, wordsAt + 4L * i), threshold) < 0;
      float v = x.get(JAVA_FLOAT_UNALIGNED, at + 4L * i) * scale;
      y.set(JAVA_FLOAT_UNALIGNED, at + 4L * i, drop ? 0 : v);
    }
  }
}
