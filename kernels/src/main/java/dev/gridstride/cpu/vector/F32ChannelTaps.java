package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static dev.gridstride.cpu.vector.VectorMath.F;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/**
 * Channel-wise convolution of a line of pixels, vectors along channels: {@link
 * dev.gridstride.cpu.ConvLoops#channelTaps}.
 *
 * <p>A window of 3 x 3 at stride 1 slides: its weights stay in registers, and a pixel loads three
 * vectors. Others load each tap, for tiles of 6 pixels. Both methods are too long for C2 to inline,
 * so that its limits on their callers don't reach them.
 *
 * <p>Both read a vector of each of some pixels, and the next vector of the same pixels in the next
 * call: an order in which the hardware foresees nothing. So what comes from memory is {@link
 * ReadAhead read ahead}.
 */
final class F32ChannelTaps {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final long BYTES = 4L * F.length();

  /** Pixels of a tile. */
  private static final int TILE = 6;

  /** Bytes of a run of pixels of all blocks: with their taps in the first-level cache. */
  private static final long RUN_BYTES = 8 << 10;

  private F32ChannelTaps() {}

  private static FloatVector load(MemorySegment s, long off) {
    return FloatVector.fromMemorySegment(F, s, off, LE);
  }

  static void line(
      int blocks,
      int pixels,
      int[] from,
      int[] tap,
      MemorySegment a,
      long aOff,
      long dA,
      MemorySegment b,
      long bOff,
      long bBlock,
      MemorySegment c,
      long cOff,
      long ldc,
      MemorySegment init,
      long initOff,
      long iBlock,
      boolean far) {
    boolean slides = pixels > 2 && slides(from, tap, dA);
    int most = slides ? Math.clamp(RUN_BYTES / (blocks * BYTES), TILE, 64) : TILE;
    int runs = (pixels + most - 1) / most;
    // few vectors of a pixel, or few taps, are read in order anyway
    boolean ahead = far && blocks >= 4 && from.length > 4;
    for (int j = 0; j < runs; j++) {
      int i = (int) ((long) pixels * j / runs);
      int m = (int) ((long) pixels * (j + 1) / runs) - i;
      if (ahead) {
        readSources(a, aOff + i * dA, (m - 1) * dA + blocks * BYTES, from, dA);
        ReadAhead.lines(c, cOff + i * ldc, (m - 1) * ldc + blocks * BYTES);
      }
      for (int k = 0; k < blocks; k++) {
        long x = aOff + i * dA + k * BYTES;
        long w = bOff + k * bBlock;
        long y = cOff + i * ldc + k * BYTES;
        long z = initOff + k * iBlock;
        if (slides) {
          window(m, a, x + from[0], x + from[3], x + from[6], dA, b, w, c, y, ldc, init, z);
        } else {
          tile(m, from, tap, a, x, dA, b, w, c, y, ldc, init, z);
        }
      }
    }
  }

  /** Reads the rows of taps of a run of pixels; taps of a row are at most a pixel's step apart. */
  private static void readSources(MemorySegment a, long at, long bytes, int[] from, long dA) {
    for (int t = 0; t < from.length; ) {
      int end = t + 1;
      while (end < from.length && from[end] - from[end - 1] <= dA) {
        end++;
      }
      ReadAhead.lines(a, at + from[t], from[end - 1] - from[t] + bytes);
      t = end;
    }
  }

  /** Whether these are 3 rows of 3 taps, each a pixel from the next, and none is left out. */
  private static boolean slides(int[] from, int[] tap, long dA) {
    if (from.length != 9 || tap[8] != 8) {
      return false;
    }
    for (int r = 0; r < 9; r += 3) {
      if (from[r + 1] - from[r] != dA || from[r + 2] - from[r + 1] != dA) {
        return false;
      }
    }
    return true;
  }

  /** Of one block; the taps of row r begin at {@code qr}. */
  private static void window(
      int pixels,
      MemorySegment a,
      long q0,
      long q1,
      long q2,
      long dA,
      MemorySegment b,
      long bOff,
      MemorySegment c,
      long cOff,
      long ldc,
      MemorySegment init,
      long initOff) {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    FloatVector start = load(init, initOff);
    FloatVector w0 = load(b, bOff + 0 * BYTES);
    FloatVector w1 = load(b, bOff + 1 * BYTES);
    FloatVector w2 = load(b, bOff + 2 * BYTES);
    FloatVector w3 = load(b, bOff + 3 * BYTES);
    FloatVector w4 = load(b, bOff + 4 * BYTES);
    FloatVector w5 = load(b, bOff + 5 * BYTES);
    FloatVector w6 = load(b, bOff + 6 * BYTES);
    FloatVector w7 = load(b, bOff + 7 * BYTES);
    FloatVector w8 = load(b, bOff + 8 * BYTES);
    FloatVector x00 = load(a, q0);
    FloatVector x01 = load(a, q0 + dA);
    FloatVector x10 = load(a, q1);
    FloatVector x11 = load(a, q1 + dA);
    FloatVector x20 = load(a, q2);
    FloatVector x21 = load(a, q2 + dA);
    q0 += 2 * dA;
    q1 += 2 * dA;
    q2 += 2 * dA;
    for (int i = 0; i < pixels; i++) {
      FloatVector x02 = load(a, q0);
      FloatVector x12 = load(a, q1);
      FloatVector x22 = load(a, q2);
      FloatVector s = x00.fma(w0, start);
      s = x01.fma(w1, s);
      s = x02.fma(w2, s);
      s = x10.fma(w3, s);
      s = x11.fma(w4, s);
      s = x12.fma(w5, s);
      s = x20.fma(w6, s);
      s = x21.fma(w7, s);
      s = x22.fma(w8, s);
      s.intoMemorySegment(c, cOff, LE);
      x00 = x01;
      x01 = x02;
      x10 = x11;
      x11 = x12;
      x20 = x21;
      x21 = x22;
      q0 += dA;
      q1 += dA;
      q2 += dA;
      cOff += ldc;
    }
  }

  /**
   * Up to 6 pixels of one block; of fewer the last is computed several times, to the same value.
   */
  private static void tile(
      int pixels,
      int[] from,
      int[] tap,
      MemorySegment a,
      long aOff,
      long dA,
      MemorySegment b,
      long bOff,
      MemorySegment c,
      long cOff,
      long ldc,
      MemorySegment init,
      long initOff) {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    long x1 = Math.min(1, pixels - 1) * dA;
    long x2 = Math.min(2, pixels - 1) * dA;
    long x3 = Math.min(3, pixels - 1) * dA;
    long x4 = Math.min(4, pixels - 1) * dA;
    long x5 = Math.min(5, pixels - 1) * dA;
    FloatVector s0 = load(init, initOff);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    FloatVector s4 = s0;
    FloatVector s5 = s0;
    for (int t = 0; t < from.length; t++) {
      long q = aOff + from[t];
      FloatVector v = load(b, bOff + tap[t] * BYTES);
      s0 = load(a, q).fma(v, s0);
      s1 = load(a, q + x1).fma(v, s1);
      s2 = load(a, q + x2).fma(v, s2);
      s3 = load(a, q + x3).fma(v, s3);
      s4 = load(a, q + x4).fma(v, s4);
      s5 = load(a, q + x5).fma(v, s5);
    }
    s0.intoMemorySegment(c, cOff, LE);
    s1.intoMemorySegment(c, cOff + Math.min(1, pixels - 1) * ldc, LE);
    s2.intoMemorySegment(c, cOff + Math.min(2, pixels - 1) * ldc, LE);
    s3.intoMemorySegment(c, cOff + Math.min(3, pixels - 1) * ldc, LE);
    s4.intoMemorySegment(c, cOff + Math.min(4, pixels - 1) * ldc, LE);
    s5.intoMemorySegment(c, cOff + Math.min(5, pixels - 1) * ldc, LE);
  }
}
