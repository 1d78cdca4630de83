package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static dev.gridstride.cpu.vector.Carried.FLOATS;
import static dev.gridstride.cpu.vector.Carried.mixed;
import static dev.gridstride.cpu.vector.VectorMath.F;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/**
 * Channel-wise convolution of a line of pixels, vectors along channels: {@link
 * dev.gridstride.cpu.ConvLoops#channelTaps}.
 *
 * <p>A window of 3 x 3 at stride 1 slides: its weights stay in registers, and a pixel loads three
 * vectors. At stride 2 three pixels share what they load, all blocks in one call, in which each of
 * the 21 loads goes along a pixel's channels: the hardware foresees them. Others load each tap, for
 * tiles of 6 pixels. All but the one for a pixel alone are too long for C2 to inline, so that its
 * limits on their callers don't reach them.
 *
 * <p>The first and the tiles read a vector of each of some pixels, and the next vector of the same
 * pixels in the next call: an order in which the hardware foresees nothing. So what comes from
 * memory is {@link ReadAhead read ahead}.
 */
final class F32ChannelTaps {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final long BYTES = 4L * F.length();

  /** Pixels of windows at stride 2. */
  private static final int EVEN = 3;

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
    if (pixels == 1) {
      pixel(blocks, from, tap, a, aOff, b, bOff, bBlock, c, cOff, init, initOff, iBlock);
      return;
    }
    boolean windows = pixels >= EVEN && isWindow(from, tap);
    // of few blocks in a cache a call has too little to do
    if (windows && blocks >= (far ? 4 : 8) && dA == 2L * (from[1] - from[0])) {
      for (int i = 0; i < pixels; i += EVEN) {
        int j = Math.min(i, pixels - EVEN); // the last computes some again
        long x = aOff + j * dA;
        long y = cOff + j * ldc;
        evenWindows(blocks, from, a, x, b, bOff, bBlock, c, y, ldc, init, initOff, iBlock);
      }
      return;
    }
    boolean slides = windows && dA == from[1] - from[0];
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
      long x = aOff + i * dA;
      long y = cOff + i * ldc;
      if (slides) {
        window(blocks, m, from, a, x, dA, b, bOff, bBlock, c, y, ldc, init, initOff, iBlock);
      } else {
        tile(blocks, m, from, tap, a, x, dA, b, bOff, bBlock, c, y, ldc, init, initOff, iBlock);
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

  /** Whether these are 3 rows of 3 taps, all at one distance, and none is left out. */
  private static boolean isWindow(int[] from, int[] tap) {
    if (from.length != 9 || tap[8] != 8) {
      return false;
    }
    int pixel = from[1] - from[0];
    for (int r = 0; r < 9; r += 3) {
      if (from[r + 1] - from[r] != pixel || from[r + 2] - from[r + 1] != pixel) {
        return false;
      }
    }
    return true;
  }

  /** A run of pixels of each block by a window at stride 1. */
  private static void window(
      int blocks,
      int pixels,
      int[] from,
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
      long iBlock) {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    for (int k = 0; k < blocks; k++) {
      long q0 = aOff + from[0];
      long q1 = aOff + from[3];
      long q2 = aOff + from[6];
      long y = cOff;
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
        if (x00.getClass() != FLOATS
            || x01.getClass() != FLOATS
            || x10.getClass() != FLOATS
            || x11.getClass() != FLOATS
            || x20.getClass() != FLOATS
            || x21.getClass() != FLOATS) {
          throw mixed();
        }
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
        s.intoMemorySegment(c, y, LE);
        x00 = x01;
        x01 = x02;
        x10 = x11;
        x11 = x12;
        x20 = x21;
        x21 = x22;
        q0 += dA;
        q1 += dA;
        q2 += dA;
        y += ldc;
      }
      aOff += BYTES;
      bOff += bBlock;
      cOff += BYTES;
      initOff += iBlock;
    }
  }

  /**
   * Three pixels of each block by a window at stride 2. Memory is read without a method around it:
   * those of the last loads would not be inlined any more.
   */
  private static void evenWindows(
      int blocks,
      int[] from,
      MemorySegment a,
      long aOff,
      MemorySegment b,
      long bOff,
      long bBlock,
      MemorySegment c,
      long cOff,
      long ldc,
      MemorySegment init,
      long initOff,
      long iBlock) {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    long pixel = (long) from[1] - from[0];
    long q0 = aOff + from[0];
    long q1 = aOff + from[3];
    long q2 = aOff + from[6];
    for (int k = 0; k < blocks; k++) {
      FloatVector s0 = FloatVector.fromMemorySegment(F, init, initOff, LE);
      FloatVector s1 = s0;
      FloatVector s2 = s0;
      FloatVector x0 = FloatVector.fromMemorySegment(F, a, q0, LE);
      FloatVector x1 = FloatVector.fromMemorySegment(F, a, q0 + pixel, LE);
      FloatVector x2 = FloatVector.fromMemorySegment(F, a, q0 + 2 * pixel, LE);
      FloatVector x3 = FloatVector.fromMemorySegment(F, a, q0 + 3 * pixel, LE);
      FloatVector x4 = FloatVector.fromMemorySegment(F, a, q0 + 4 * pixel, LE);
      FloatVector x5 = FloatVector.fromMemorySegment(F, a, q0 + 5 * pixel, LE);
      FloatVector x6 = FloatVector.fromMemorySegment(F, a, q0 + 6 * pixel, LE);
      FloatVector w = FloatVector.fromMemorySegment(F, b, bOff, LE);
      s0 = x0.fma(w, s0);
      s1 = x2.fma(w, s1);
      s2 = x4.fma(w, s2);
      w = FloatVector.fromMemorySegment(F, b, bOff + 1 * BYTES, LE);
      s0 = x1.fma(w, s0);
      s1 = x3.fma(w, s1);
      s2 = x5.fma(w, s2);
      w = FloatVector.fromMemorySegment(F, b, bOff + 2 * BYTES, LE);
      s0 = x2.fma(w, s0);
      s1 = x4.fma(w, s1);
      s2 = x6.fma(w, s2);
      x0 = FloatVector.fromMemorySegment(F, a, q1, LE);
      x1 = FloatVector.fromMemorySegment(F, a, q1 + pixel, LE);
      x2 = FloatVector.fromMemorySegment(F, a, q1 + 2 * pixel, LE);
      x3 = FloatVector.fromMemorySegment(F, a, q1 + 3 * pixel, LE);
      x4 = FloatVector.fromMemorySegment(F, a, q1 + 4 * pixel, LE);
      x5 = FloatVector.fromMemorySegment(F, a, q1 + 5 * pixel, LE);
      x6 = FloatVector.fromMemorySegment(F, a, q1 + 6 * pixel, LE);
      w = FloatVector.fromMemorySegment(F, b, bOff + 3 * BYTES, LE);
      s0 = x0.fma(w, s0);
      s1 = x2.fma(w, s1);
      s2 = x4.fma(w, s2);
      w = FloatVector.fromMemorySegment(F, b, bOff + 4 * BYTES, LE);
      s0 = x1.fma(w, s0);
      s1 = x3.fma(w, s1);
      s2 = x5.fma(w, s2);
      w = FloatVector.fromMemorySegment(F, b, bOff + 5 * BYTES, LE);
      s0 = x2.fma(w, s0);
      s1 = x4.fma(w, s1);
      s2 = x6.fma(w, s2);
      x0 = FloatVector.fromMemorySegment(F, a, q2, LE);
      x1 = FloatVector.fromMemorySegment(F, a, q2 + pixel, LE);
      x2 = FloatVector.fromMemorySegment(F, a, q2 + 2 * pixel, LE);
      x3 = FloatVector.fromMemorySegment(F, a, q2 + 3 * pixel, LE);
      x4 = FloatVector.fromMemorySegment(F, a, q2 + 4 * pixel, LE);
      x5 = FloatVector.fromMemorySegment(F, a, q2 + 5 * pixel, LE);
      x6 = FloatVector.fromMemorySegment(F, a, q2 + 6 * pixel, LE);
      w = FloatVector.fromMemorySegment(F, b, bOff + 6 * BYTES, LE);
      s0 = x0.fma(w, s0);
      s1 = x2.fma(w, s1);
      s2 = x4.fma(w, s2);
      w = FloatVector.fromMemorySegment(F, b, bOff + 7 * BYTES, LE);
      s0 = x1.fma(w, s0);
      s1 = x3.fma(w, s1);
      s2 = x5.fma(w, s2);
      w = FloatVector.fromMemorySegment(F, b, bOff + 8 * BYTES, LE);
      s0 = x2.fma(w, s0);
      s1 = x4.fma(w, s1);
      s2 = x6.fma(w, s2);
      s0.intoMemorySegment(c, cOff, LE);
      s1.intoMemorySegment(c, cOff + ldc, LE);
      s2.intoMemorySegment(c, cOff + 2 * ldc, LE);
      q0 += BYTES;
      q1 += BYTES;
      q2 += BYTES;
      bOff += bBlock;
      cOff += BYTES;
      initOff += iBlock;
    }
  }

  /** One pixel of each block. */
  private static void pixel(
      int blocks,
      int[] from,
      int[] tap,
      MemorySegment a,
      long aOff,
      MemorySegment b,
      long bOff,
      long bBlock,
      MemorySegment c,
      long cOff,
      MemorySegment init,
      long initOff,
      long iBlock) {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    for (int k = 0; k < blocks; k++) {
      FloatVector s = load(init, initOff);
      for (int t = 0; t < from.length; t++) {
        if (s.getClass() != FLOATS) {
          throw mixed();
        }
        s = load(a, aOff + from[t]).fma(load(b, bOff + tap[t] * BYTES), s);
      }
      s.intoMemorySegment(c, cOff, LE);
      aOff += BYTES;
      bOff += bBlock;
      cOff += BYTES;
      initOff += iBlock;
    }
  }

  /**
   * Up to 6 pixels of each block; of fewer the last is computed several times, to the same value.
   */
  private static void tile(
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
      long iBlock) {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    long x1 = Math.min(1, pixels - 1) * dA;
    long x2 = Math.min(2, pixels - 1) * dA;
    long x3 = Math.min(3, pixels - 1) * dA;
    long x4 = Math.min(4, pixels - 1) * dA;
    long x5 = Math.min(5, pixels - 1) * dA;
    long y1 = Math.min(1, pixels - 1) * ldc;
    long y2 = Math.min(2, pixels - 1) * ldc;
    long y3 = Math.min(3, pixels - 1) * ldc;
    long y4 = Math.min(4, pixels - 1) * ldc;
    long y5 = Math.min(5, pixels - 1) * ldc;
    for (int k = 0; k < blocks; k++) {
      FloatVector s0 = load(init, initOff);
      FloatVector s1 = s0;
      FloatVector s2 = s0;
      FloatVector s3 = s0;
      FloatVector s4 = s0;
      FloatVector s5 = s0;
      for (int t = 0; t < from.length; t++) {
        if (s0.getClass() != FLOATS
            || s1.getClass() != FLOATS
            || s2.getClass() != FLOATS
            || s3.getClass() != FLOATS
            || s4.getClass() != FLOATS
            || s5.getClass() != FLOATS) {
          throw mixed();
        }
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
      s1.intoMemorySegment(c, cOff + y1, LE);
      s2.intoMemorySegment(c, cOff + y2, LE);
      s3.intoMemorySegment(c, cOff + y3, LE);
      s4.intoMemorySegment(c, cOff + y4, LE);
      s5.intoMemorySegment(c, cOff + y5, LE);
      aOff += BYTES;
      bOff += bBlock;
      cOff += BYTES;
      initOff += iBlock;
    }
  }
}
