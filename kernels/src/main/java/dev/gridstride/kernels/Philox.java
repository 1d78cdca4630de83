package dev.gridstride.kernels;

import dev.gridstride.device.InvalidArgumentException;

/**
 * The counter-based generator Philox4x32-10, and how its words are numbered: the definition that
 * every device follows.
 *
 * <p>A block of four 32-bit words is a function of a 64-bit key (the seed) and a 128-bit counter,
 * with no state: word {@code w} of a seed is word {@code w % 4} of the block with counter {@code w
 * / 4}. This is the sequence that cuRAND's {@code curandStatePhilox4_32_10_t} with subsequence 0
 * gives. Any thread can compute any word, so results do not depend on how work is divided.
 *
 * <p>Method: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 */
public final class Philox {
  private static final long M0 = 0xD2511F53L;
  private static final long M1 = 0xCD9E8D57L;
  private static final int W0 = 0x9E3779B9;
  private static final int W1 = 0xBB67AE85;
  private static final long LOW = 0xFFFFFFFFL;

  private Philox() {}

  /**
   * One block of words.
   *
   * @param seed the key, low word first
   * @param low the counter's low 64 bits
   * @param high the counter's high 64 bits
   * @param out receives four words from {@code at}
   */
  public static void block(long seed, long low, long high, int[] out, int at) {
    if (at < 0 || at > out.length - 4) {
      throw InvalidArgumentException.of(
          "philox.block",
          "out",
          "must have four words from at",
          "out.length=%d, at=%d",
          out.length,
          at);
    }
    int k0 = (int) seed;
    int k1 = (int) (seed >>> 32);
    int c0 = (int) low;
    int c1 = (int) (low >>> 32);
    int c2 = (int) high;
    int c3 = (int) (high >>> 32);
    for (int round = 0; round < 10; round++) {
      long p0 = M0 * (c0 & LOW);
      long p1 = M1 * (c2 & LOW);
      c0 = (int) (p1 >>> 32) ^ c1 ^ k0;
      c1 = (int) p1;
      c2 = (int) (p0 >>> 32) ^ c3 ^ k1;
      c3 = (int) p0;
      k0 += W0;
      k1 += W1;
    }
    out[at] = c0;
    out[at + 1] = c1;
    out[at + 2] = c2;
    out[at + 3] = c3;
  }

  /** Word {@code index} of a seed's sequence. */
  public static int word(long seed, long index) {
    var words = new int[4];
    block(seed, index >>> 2, 0, words, 0);
    return words[(int) (index & 3)];
  }
}
