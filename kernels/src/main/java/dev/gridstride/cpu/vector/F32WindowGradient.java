package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static dev.gridstride.cpu.vector.Carried.FLOATS;
import static dev.gridstride.cpu.vector.Carried.mixed;
import static dev.gridstride.cpu.vector.VectorMath.F;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * The sums of a window of taps at stride 1 or 2: {@link
 * dev.gridstride.cpu.ConvLoops#channelWindow}. The window slides along a row of pixels: what the
 * next one reads too stays in registers. Taps outside of the image are zeros in a register; the
 * last pixel of a row is by itself, behind the loop.
 *
 * <p>Memory is read without a method around it: those of the last loads would not be inlined any
 * more.
 */
final class F32WindowGradient {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final long V = 4L * F.length();

  private F32WindowGradient() {}

  /** See {@link dev.gridstride.cpu.ConvLoops#channelWindow}. */
  static void sums(
      int rows,
      int runs,
      int pixels,
      MemorySegment a,
      long aOff,
      long aRun,
      long aStep,
      long tap,
      long dRow,
      MemorySegment b,
      long bOff,
      long bRun,
      long bStep,
      MemorySegment c,
      long cOff,
      boolean first,
      boolean last) {
    boolean odd = aStep == tap;
    if (rows == 3 && odd) {
      nine(runs, pixels, a, aOff, aRun, tap, dRow, b, bOff, bRun, bStep, c, cOff, first, last);
    } else if (rows == 3) {
      evenNine(runs, pixels, a, aOff, aRun, tap, dRow, b, bOff, bRun, bStep, c, cOff, first, last);
    } else {
      for (int i = 0; i < rows; i++) {
        long x = aOff + i * dRow;
        long to = cOff + 3 * i * V;
        if (odd) {
          three(runs, pixels, a, x, aRun, tap, b, bOff, bRun, bStep, c, to, first, last);
        } else {
          evenThree(runs, pixels, a, x, aRun, tap, b, bOff, bRun, bStep, c, to, first, last);
        }
      }
    }
  }

  /** Three rows of taps at stride 1. */
  private static void nine(
      int runs,
      int pixels,
      MemorySegment a,
      long aOff,
      long aRun,
      long tap,
      long dRow,
      MemorySegment b,
      long bOff,
      long bRun,
      long bStep,
      MemorySegment c,
      long cOff,
      boolean first,
      boolean last) {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    FloatVector s0 = FloatVector.fromMemorySegment(F, c, cOff, LE);
    FloatVector s1 = FloatVector.fromMemorySegment(F, c, cOff + V, LE);
    FloatVector s2 = FloatVector.fromMemorySegment(F, c, cOff + 2 * V, LE);
    FloatVector s3 = FloatVector.fromMemorySegment(F, c, cOff + 3 * V, LE);
    FloatVector s4 = FloatVector.fromMemorySegment(F, c, cOff + 4 * V, LE);
    FloatVector s5 = FloatVector.fromMemorySegment(F, c, cOff + 5 * V, LE);
    FloatVector s6 = FloatVector.fromMemorySegment(F, c, cOff + 6 * V, LE);
    FloatVector s7 = FloatVector.fromMemorySegment(F, c, cOff + 7 * V, LE);
    FloatVector s8 = FloatVector.fromMemorySegment(F, c, cOff + 8 * V, LE);
    VectorMask<Float> firstMask = F.maskAll(first);
    VectorMask<Float> lastMask = F.maskAll(last);
    long left = first ? 0 : tap; // a place inside, whose elements are not used
    long right = last ? 0 : -tap;
    for (int r = 0; r < runs; r++) {
      if (s0.getClass() != FLOATS
          || s1.getClass() != FLOATS
          || s2.getClass() != FLOATS
          || s3.getClass() != FLOATS
          || s4.getClass() != FLOATS
          || s5.getClass() != FLOATS
          || s6.getClass() != FLOATS
          || s7.getClass() != FLOATS
          || s8.getClass() != FLOATS) {
        throw mixed();
      }
      long q = aOff + r * aRun;
      long y = bOff + r * bRun;
      FloatVector x00 =
          FloatVector.zero(F).blend(FloatVector.fromMemorySegment(F, a, q + left, LE), firstMask);
      FloatVector x01 = FloatVector.fromMemorySegment(F, a, q + tap, LE);
      FloatVector x10 =
          FloatVector.zero(F)
              .blend(FloatVector.fromMemorySegment(F, a, q + left + dRow, LE), firstMask);
      FloatVector x11 = FloatVector.fromMemorySegment(F, a, q + tap + dRow, LE);
      FloatVector x20 =
          FloatVector.zero(F)
              .blend(FloatVector.fromMemorySegment(F, a, q + left + 2 * dRow, LE), firstMask);
      FloatVector x21 = FloatVector.fromMemorySegment(F, a, q + tap + 2 * dRow, LE);
      q += 2 * tap;
      for (int s = 1; s < pixels; s++) {
        if (s0.getClass() != FLOATS
            || s1.getClass() != FLOATS
            || s2.getClass() != FLOATS
            || s3.getClass() != FLOATS
            || s4.getClass() != FLOATS
            || s5.getClass() != FLOATS
            || s6.getClass() != FLOATS
            || s7.getClass() != FLOATS
            || s8.getClass() != FLOATS
            || x00.getClass() != FLOATS
            || x01.getClass() != FLOATS
            || x10.getClass() != FLOATS
            || x11.getClass() != FLOATS
            || x20.getClass() != FLOATS
            || x21.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector v = FloatVector.fromMemorySegment(F, b, y, LE);
        FloatVector x02 = FloatVector.fromMemorySegment(F, a, q, LE);
        FloatVector x12 = FloatVector.fromMemorySegment(F, a, q + dRow, LE);
        FloatVector x22 = FloatVector.fromMemorySegment(F, a, q + 2 * dRow, LE);
        s0 = x00.fma(v, s0);
        s1 = x01.fma(v, s1);
        s2 = x02.fma(v, s2);
        s3 = x10.fma(v, s3);
        s4 = x11.fma(v, s4);
        s5 = x12.fma(v, s5);
        s6 = x20.fma(v, s6);
        s7 = x21.fma(v, s7);
        s8 = x22.fma(v, s8);
        x00 = x01;
        x01 = x02;
        x10 = x11;
        x11 = x12;
        x20 = x21;
        x21 = x22;
        q += tap;
        y += bStep;
      }
      FloatVector v = FloatVector.fromMemorySegment(F, b, y, LE);
      FloatVector x02 =
          FloatVector.zero(F).blend(FloatVector.fromMemorySegment(F, a, q + right, LE), lastMask);
      FloatVector x12 =
          FloatVector.zero(F)
              .blend(FloatVector.fromMemorySegment(F, a, q + right + dRow, LE), lastMask);
      FloatVector x22 =
          FloatVector.zero(F)
              .blend(FloatVector.fromMemorySegment(F, a, q + right + 2 * dRow, LE), lastMask);
      s0 = x00.fma(v, s0);
      s1 = x01.fma(v, s1);
      s2 = x02.fma(v, s2);
      s3 = x10.fma(v, s3);
      s4 = x11.fma(v, s4);
      s5 = x12.fma(v, s5);
      s6 = x20.fma(v, s6);
      s7 = x21.fma(v, s7);
      s8 = x22.fma(v, s8);
    }
    s0.intoMemorySegment(c, cOff, LE);
    s1.intoMemorySegment(c, cOff + V, LE);
    s2.intoMemorySegment(c, cOff + 2 * V, LE);
    s3.intoMemorySegment(c, cOff + 3 * V, LE);
    s4.intoMemorySegment(c, cOff + 4 * V, LE);
    s5.intoMemorySegment(c, cOff + 5 * V, LE);
    s6.intoMemorySegment(c, cOff + 6 * V, LE);
    s7.intoMemorySegment(c, cOff + 7 * V, LE);
    s8.intoMemorySegment(c, cOff + 8 * V, LE);
  }

  /** Three rows of taps at stride 2. */
  private static void evenNine(
      int runs,
      int pixels,
      MemorySegment a,
      long aOff,
      long aRun,
      long tap,
      long dRow,
      MemorySegment b,
      long bOff,
      long bRun,
      long bStep,
      MemorySegment c,
      long cOff,
      boolean first,
      boolean last) {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    FloatVector s0 = FloatVector.fromMemorySegment(F, c, cOff, LE);
    FloatVector s1 = FloatVector.fromMemorySegment(F, c, cOff + V, LE);
    FloatVector s2 = FloatVector.fromMemorySegment(F, c, cOff + 2 * V, LE);
    FloatVector s3 = FloatVector.fromMemorySegment(F, c, cOff + 3 * V, LE);
    FloatVector s4 = FloatVector.fromMemorySegment(F, c, cOff + 4 * V, LE);
    FloatVector s5 = FloatVector.fromMemorySegment(F, c, cOff + 5 * V, LE);
    FloatVector s6 = FloatVector.fromMemorySegment(F, c, cOff + 6 * V, LE);
    FloatVector s7 = FloatVector.fromMemorySegment(F, c, cOff + 7 * V, LE);
    FloatVector s8 = FloatVector.fromMemorySegment(F, c, cOff + 8 * V, LE);
    VectorMask<Float> firstMask = F.maskAll(first);
    VectorMask<Float> lastMask = F.maskAll(last);
    long left = first ? 0 : tap; // a place inside, whose elements are not used
    long right = last ? 0 : -tap;
    for (int r = 0; r < runs; r++) {
      if (s0.getClass() != FLOATS
          || s1.getClass() != FLOATS
          || s2.getClass() != FLOATS
          || s3.getClass() != FLOATS
          || s4.getClass() != FLOATS
          || s5.getClass() != FLOATS
          || s6.getClass() != FLOATS
          || s7.getClass() != FLOATS
          || s8.getClass() != FLOATS) {
        throw mixed();
      }
      long q = aOff + r * aRun;
      long y = bOff + r * bRun;
      FloatVector x00 =
          FloatVector.zero(F).blend(FloatVector.fromMemorySegment(F, a, q + left, LE), firstMask);
      FloatVector x10 =
          FloatVector.zero(F)
              .blend(FloatVector.fromMemorySegment(F, a, q + left + dRow, LE), firstMask);
      FloatVector x20 =
          FloatVector.zero(F)
              .blend(FloatVector.fromMemorySegment(F, a, q + left + 2 * dRow, LE), firstMask);
      q += tap;
      for (int s = 1; s < pixels; s++) {
        if (s0.getClass() != FLOATS
            || s1.getClass() != FLOATS
            || s2.getClass() != FLOATS
            || s3.getClass() != FLOATS
            || s4.getClass() != FLOATS
            || s5.getClass() != FLOATS
            || s6.getClass() != FLOATS
            || s7.getClass() != FLOATS
            || s8.getClass() != FLOATS
            || x00.getClass() != FLOATS
            || x10.getClass() != FLOATS
            || x20.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector v = FloatVector.fromMemorySegment(F, b, y, LE);
        FloatVector x01 = FloatVector.fromMemorySegment(F, a, q, LE);
        FloatVector x02 = FloatVector.fromMemorySegment(F, a, q + tap, LE);
        FloatVector x11 = FloatVector.fromMemorySegment(F, a, q + dRow, LE);
        FloatVector x12 = FloatVector.fromMemorySegment(F, a, q + tap + dRow, LE);
        FloatVector x21 = FloatVector.fromMemorySegment(F, a, q + 2 * dRow, LE);
        FloatVector x22 = FloatVector.fromMemorySegment(F, a, q + tap + 2 * dRow, LE);
        s0 = x00.fma(v, s0);
        s1 = x01.fma(v, s1);
        s2 = x02.fma(v, s2);
        s3 = x10.fma(v, s3);
        s4 = x11.fma(v, s4);
        s5 = x12.fma(v, s5);
        s6 = x20.fma(v, s6);
        s7 = x21.fma(v, s7);
        s8 = x22.fma(v, s8);
        x00 = x02;
        x10 = x12;
        x20 = x22;
        q += 2 * tap;
        y += bStep;
      }
      FloatVector v = FloatVector.fromMemorySegment(F, b, y, LE);
      FloatVector x01 = FloatVector.fromMemorySegment(F, a, q, LE);
      FloatVector x02 =
          FloatVector.zero(F)
              .blend(FloatVector.fromMemorySegment(F, a, q + tap + right, LE), lastMask);
      FloatVector x11 = FloatVector.fromMemorySegment(F, a, q + dRow, LE);
      FloatVector x12 =
          FloatVector.zero(F)
              .blend(FloatVector.fromMemorySegment(F, a, q + tap + right + dRow, LE), lastMask);
      FloatVector x21 = FloatVector.fromMemorySegment(F, a, q + 2 * dRow, LE);
      FloatVector x22 =
          FloatVector.zero(F)
              .blend(FloatVector.fromMemorySegment(F, a, q + tap + right + 2 * dRow, LE), lastMask);
      s0 = x00.fma(v, s0);
      s1 = x01.fma(v, s1);
      s2 = x02.fma(v, s2);
      s3 = x10.fma(v, s3);
      s4 = x11.fma(v, s4);
      s5 = x12.fma(v, s5);
      s6 = x20.fma(v, s6);
      s7 = x21.fma(v, s7);
      s8 = x22.fma(v, s8);
    }
    s0.intoMemorySegment(c, cOff, LE);
    s1.intoMemorySegment(c, cOff + V, LE);
    s2.intoMemorySegment(c, cOff + 2 * V, LE);
    s3.intoMemorySegment(c, cOff + 3 * V, LE);
    s4.intoMemorySegment(c, cOff + 4 * V, LE);
    s5.intoMemorySegment(c, cOff + 5 * V, LE);
    s6.intoMemorySegment(c, cOff + 6 * V, LE);
    s7.intoMemorySegment(c, cOff + 7 * V, LE);
    s8.intoMemorySegment(c, cOff + 8 * V, LE);
  }

  /** One row of taps at stride 1. */
  private static void three(
      int runs,
      int pixels,
      MemorySegment a,
      long aOff,
      long aRun,
      long tap,
      MemorySegment b,
      long bOff,
      long bRun,
      long bStep,
      MemorySegment c,
      long cOff,
      boolean first,
      boolean last) {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    FloatVector s0 = FloatVector.fromMemorySegment(F, c, cOff, LE);
    FloatVector s1 = FloatVector.fromMemorySegment(F, c, cOff + V, LE);
    FloatVector s2 = FloatVector.fromMemorySegment(F, c, cOff + 2 * V, LE);
    VectorMask<Float> firstMask = F.maskAll(first);
    VectorMask<Float> lastMask = F.maskAll(last);
    long left = first ? 0 : tap; // a place inside, whose elements are not used
    long right = last ? 0 : -tap;
    for (int r = 0; r < runs; r++) {
      if (s0.getClass() != FLOATS || s1.getClass() != FLOATS || s2.getClass() != FLOATS) {
        throw mixed();
      }
      long q = aOff + r * aRun;
      long y = bOff + r * bRun;
      FloatVector x00 =
          FloatVector.zero(F).blend(FloatVector.fromMemorySegment(F, a, q + left, LE), firstMask);
      FloatVector x01 = FloatVector.fromMemorySegment(F, a, q + tap, LE);
      q += 2 * tap;
      for (int s = 1; s < pixels; s++) {
        if (s0.getClass() != FLOATS
            || s1.getClass() != FLOATS
            || s2.getClass() != FLOATS
            || x00.getClass() != FLOATS
            || x01.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector v = FloatVector.fromMemorySegment(F, b, y, LE);
        FloatVector x02 = FloatVector.fromMemorySegment(F, a, q, LE);
        s0 = x00.fma(v, s0);
        s1 = x01.fma(v, s1);
        s2 = x02.fma(v, s2);
        x00 = x01;
        x01 = x02;
        q += tap;
        y += bStep;
      }
      FloatVector v = FloatVector.fromMemorySegment(F, b, y, LE);
      FloatVector x02 =
          FloatVector.zero(F).blend(FloatVector.fromMemorySegment(F, a, q + right, LE), lastMask);
      s0 = x00.fma(v, s0);
      s1 = x01.fma(v, s1);
      s2 = x02.fma(v, s2);
    }
    s0.intoMemorySegment(c, cOff, LE);
    s1.intoMemorySegment(c, cOff + V, LE);
    s2.intoMemorySegment(c, cOff + 2 * V, LE);
  }

  /** One row of taps at stride 2. */
  private static void evenThree(
      int runs,
      int pixels,
      MemorySegment a,
      long aOff,
      long aRun,
      long tap,
      MemorySegment b,
      long bOff,
      long bRun,
      long bStep,
      MemorySegment c,
      long cOff,
      boolean first,
      boolean last) {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    FloatVector s0 = FloatVector.fromMemorySegment(F, c, cOff, LE);
    FloatVector s1 = FloatVector.fromMemorySegment(F, c, cOff + V, LE);
    FloatVector s2 = FloatVector.fromMemorySegment(F, c, cOff + 2 * V, LE);
    VectorMask<Float> firstMask = F.maskAll(first);
    VectorMask<Float> lastMask = F.maskAll(last);
    long left = first ? 0 : tap; // a place inside, whose elements are not used
    long right = last ? 0 : -tap;
    for (int r = 0; r < runs; r++) {
      if (s0.getClass() != FLOATS || s1.getClass() != FLOATS || s2.getClass() != FLOATS) {
        throw mixed();
      }
      long q = aOff + r * aRun;
      long y = bOff + r * bRun;
      FloatVector x00 =
          FloatVector.zero(F).blend(FloatVector.fromMemorySegment(F, a, q + left, LE), firstMask);
      q += tap;
      for (int s = 1; s < pixels; s++) {
        if (s0.getClass() != FLOATS
            || s1.getClass() != FLOATS
            || s2.getClass() != FLOATS
            || x00.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector v = FloatVector.fromMemorySegment(F, b, y, LE);
        FloatVector x01 = FloatVector.fromMemorySegment(F, a, q, LE);
        FloatVector x02 = FloatVector.fromMemorySegment(F, a, q + tap, LE);
        s0 = x00.fma(v, s0);
        s1 = x01.fma(v, s1);
        s2 = x02.fma(v, s2);
        x00 = x02;
        q += 2 * tap;
        y += bStep;
      }
      FloatVector v = FloatVector.fromMemorySegment(F, b, y, LE);
      FloatVector x01 = FloatVector.fromMemorySegment(F, a, q, LE);
      FloatVector x02 =
          FloatVector.zero(F)
              .blend(FloatVector.fromMemorySegment(F, a, q + tap + right, LE), lastMask);
      s0 = x00.fma(v, s0);
      s1 = x01.fma(v, s1);
      s2 = x02.fma(v, s2);
    }
    s0.intoMemorySegment(c, cOff, LE);
    s1.intoMemorySegment(c, cOff + V, LE);
    s2.intoMemorySegment(c, cOff + 2 * V, LE);
  }
}
