package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static dev.gridstride.cpu.vector.Carried.FLOATS;
import static dev.gridstride.cpu.vector.Carried.mixed;
import static dev.gridstride.cpu.vector.VectorMath.F;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gridstride.cpu.Apart;
import dev.gridstride.cpu.RowLoops;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Softmax of many short f32 rows in one call; its gradient, of longer ones too.
 *
 * <p>Forward, each pass is done for a few rows before the next: what a row waits for, its largest
 * element and its sum, is there when it is needed. Backward, longer rows and those that are runs of
 * four vectors go one after the other: both loops are so short that the processor begins the next
 * row while it waits for the sum of one. Of others, whose ends it can't foresee as well, the sums
 * of a few rows come before their results: from a row's sum to its result everything waits for
 * additions one after the other, while the sums of several rows overlap.
 */
final class VectorSoftmaxRows {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final int L = F.length();
  private static final int V = F.vectorByteSize();

  /** The longest row for which a call of its own costs too much. */
  private static final int SHORT = 512;

  /** Rows whose sums come before their results. */
  private static final int ROWS = 16;

  /** The largest elements of a few rows, then sums of their exponentials; backward sums alone. */
  private static final ThreadLocal<float[]> NUMBERS =
      ThreadLocal.withInitial(() -> new float[2 * ROWS]);

  // Never inlined: with other exponentials around them, or a call, the JIT loads the ten constants
  // again for each vector, which takes as long as the arithmetic.
  private static final Apart.Rows EXPONENTIALS = VectorSoftmaxRows::exponentials;
  private static final Apart.Rows SUM_EXPONENTIALS = VectorSoftmaxRows::sumExponentials;
  private static final Apart.Rows LOGARITHMS = VectorSoftmaxRows::logarithms;

  private VectorSoftmaxRows() {}

  /** Rows of whole vectors. */
  static boolean hasForward(long n) {
    return n > 0 && n <= SHORT && n % L == 0;
  }

  /** See {@link RowLoops#softmaxRows}. */
  static void forward(MemorySegment x, MemorySegment y, long at, int rows, int n, boolean log) {
    float[] numbers = NUMBERS.get();
    int most = Math.clamp(RowLoops.RUN / n, 1, ROWS);
    for (int r = 0; r < rows; r += most) {
      int count = Math.min(most, rows - r);
      long first = at + (long) r * n;
      maxima(x, first, count, n, numbers);
      Apart.run(log ? SUM_EXPONENTIALS : EXPONENTIALS, x, y, first, count, n, numbers);
      if (log) {
        Apart.run(LOGARITHMS, x, y, first, count, n, numbers);
        subtract(y, first, count, n, numbers);
      } else {
        scale(y, first, count, n, numbers);
      }
    }
  }

  /** Of each row; a NaN is never greater. */
  private static void maxima(MemorySegment x, long at, int rows, int n, float[] maxima) {
    x = exact(x);
    int step = VectorStep.bytes();
    long p = 4 * at;
    for (int r = 0; r < rows; r++) {
      FloatVector a = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
      for (long end = p + 4L * n; p < end; p += step) {
        if (a.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector v = FloatVector.fromMemorySegment(F, x, p, LE);
        a = a.blend(v, v.compare(VectorOperators.GT, a));
      }
      FloatVector b;
      if (L >= 16) {
        b = a.rearrange(LaneSums.SWAP_8);
        a = a.blend(b, b.compare(VectorOperators.GT, a));
      }
      if (L >= 8) {
        b = a.rearrange(LaneSums.SWAP_4);
        a = a.blend(b, b.compare(VectorOperators.GT, a));
      }
      b = a.rearrange(LaneSums.SWAP_2);
      a = a.blend(b, b.compare(VectorOperators.GT, a));
      b = a.rearrange(LaneSums.SWAP_1);
      maxima[r] = Math.max(a.lane(0), b.lane(0));
    }
  }

  /** {@code y = exp(x - max)}, flushed to 0 below e^-87, and the sums. */
  private static void exponentials(
      MemorySegment x, MemorySegment y, long at, int rows, int n, float[] numbers) {
    x = exact(x);
    y = exact(y);
    int step = VectorStep.bytes();
    long p = 4 * at;
    for (int r = 0; r < rows; r++) {
      FloatVector m = FloatVector.broadcast(F, numbers[r]);
      FloatVector s = FloatVector.zero(F);
      for (long end = p + 4L * n; p < end; p += step) {
        if (s.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector e = VectorMath.expFlushed(FloatVector.fromMemorySegment(F, x, p, LE).sub(m));
        e.intoMemorySegment(y, p, LE);
        s = s.add(e);
      }
      if (L >= 16) {
        s = s.add(s.rearrange(LaneSums.SWAP_8));
      }
      if (L >= 8) {
        s = s.add(s.rearrange(LaneSums.SWAP_4));
      }
      s = s.add(s.rearrange(LaneSums.SWAP_2));
      s = s.add(s.rearrange(LaneSums.SWAP_1));
      numbers[ROWS + r] = s.lane(0);
    }
  }

  /** {@code y = x - max} and the sums of its exponentials. */
  private static void sumExponentials(
      MemorySegment x, MemorySegment y, long at, int rows, int n, float[] numbers) {
    x = exact(x);
    y = exact(y);
    int step = VectorStep.bytes();
    long p = 4 * at;
    for (int r = 0; r < rows; r++) {
      FloatVector m = FloatVector.broadcast(F, numbers[r]);
      FloatVector s = FloatVector.zero(F);
      for (long end = p + 4L * n; p < end; p += step) {
        if (s.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector d = FloatVector.fromMemorySegment(F, x, p, LE).sub(m);
        d.intoMemorySegment(y, p, LE);
        s = s.add(VectorMath.expFlushed(d));
      }
      if (L >= 16) {
        s = s.add(s.rearrange(LaneSums.SWAP_8));
      }
      if (L >= 8) {
        s = s.add(s.rearrange(LaneSums.SWAP_4));
      }
      s = s.add(s.rearrange(LaneSums.SWAP_2));
      s = s.add(s.rearrange(LaneSums.SWAP_1));
      numbers[ROWS + r] = s.lane(0);
    }
  }

  /** Of the sums. */
  private static void logarithms(
      MemorySegment x, MemorySegment y, long at, int rows, int n, float[] numbers) {
    for (int i = ROWS; i < ROWS + rows; i += L) {
      VectorMath.log(FloatVector.fromArray(F, numbers, i)).intoArray(numbers, i);
    }
  }

  private static void scale(MemorySegment y, long at, int rows, int n, float[] numbers) {
    y = exact(y);
    int step = VectorStep.bytes();
    long p = 4 * at;
    for (int r = 0; r < rows; r++) {
      FloatVector f = FloatVector.broadcast(F, 1 / numbers[ROWS + r]);
      for (long end = p + 4L * n; p < end; p += step) {
        FloatVector.fromMemorySegment(F, y, p, LE).mul(f).intoMemorySegment(y, p, LE);
      }
    }
  }

  private static void subtract(MemorySegment y, long at, int rows, int n, float[] numbers) {
    y = exact(y);
    int step = VectorStep.bytes();
    long p = 4 * at;
    for (int r = 0; r < rows; r++) {
      FloatVector s = FloatVector.broadcast(F, numbers[ROWS + r]);
      for (long end = p + 4L * n; p < end; p += step) {
        FloatVector.fromMemorySegment(F, y, p, LE).sub(s).intoMemorySegment(y, p, LE);
      }
    }
  }

  /** Rows that stay in a first-level cache from their sum to their result. */
  static boolean hasGradients(long n) {
    return n <= RowLoops.RUN;
  }

  /** See {@link RowLoops#softmaxGradients}. */
  static void gradients(
      MemorySegment y, MemorySegment dy, MemorySegment dx, long at, int rows, int n) {
    if (n > SHORT) {
      longer(y, dy, dx, at, rows, n);
    } else if (n % (4 * L) == 0) {
      whole(y, dy, dx, at, rows, n);
    } else {
      sumsFirst(y, dy, dx, at, rows, n);
    }
  }

  /** Rows of {@code 4 * L * k} elements. */
  private static void whole(
      MemorySegment y, MemorySegment dy, MemorySegment dx, long at, int rows, int n) {
    y = exact(y);
    dy = exact(dy);
    dx = exact(dx);
    int step = 4 * VectorStep.bytes();
    for (int r = 0; r < rows; r++) {
      long p = 4 * (at + (long) r * n);
      long end = p + 4L * n;
      FloatVector s = FloatVector.zero(F);
      FloatVector t = s;
      for (long q = p; q < end; q += step) {
        if (s.getClass() != FLOATS || t.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector g = FloatVector.fromMemorySegment(F, dy, q, LE);
        s = FloatVector.fromMemorySegment(F, y, q, LE).fma(g, s);
        g = FloatVector.fromMemorySegment(F, dy, q + V, LE);
        t = FloatVector.fromMemorySegment(F, y, q + V, LE).fma(g, t);
        g = FloatVector.fromMemorySegment(F, dy, q + 2 * V, LE);
        s = FloatVector.fromMemorySegment(F, y, q + 2 * V, LE).fma(g, s);
        g = FloatVector.fromMemorySegment(F, dy, q + 3 * V, LE);
        t = FloatVector.fromMemorySegment(F, y, q + 3 * V, LE).fma(g, t);
      }
      s = s.add(t);
      if (L >= 16) {
        s = s.add(s.rearrange(LaneSums.SWAP_8));
      }
      if (L >= 8) {
        s = s.add(s.rearrange(LaneSums.SWAP_4));
      }
      s = s.add(s.rearrange(LaneSums.SWAP_2));
      s = s.add(s.rearrange(LaneSums.SWAP_1)); // every lane has the sum now
      for (long q = p; q < end; q += step) {
        FloatVector.fromMemorySegment(F, dy, q, LE)
            .sub(s)
            .mul(FloatVector.fromMemorySegment(F, y, q, LE))
            .intoMemorySegment(dx, q, LE);
        FloatVector.fromMemorySegment(F, dy, q + V, LE)
            .sub(s)
            .mul(FloatVector.fromMemorySegment(F, y, q + V, LE))
            .intoMemorySegment(dx, q + V, LE);
        FloatVector.fromMemorySegment(F, dy, q + 2 * V, LE)
            .sub(s)
            .mul(FloatVector.fromMemorySegment(F, y, q + 2 * V, LE))
            .intoMemorySegment(dx, q + 2 * V, LE);
        FloatVector.fromMemorySegment(F, dy, q + 3 * V, LE)
            .sub(s)
            .mul(FloatVector.fromMemorySegment(F, y, q + 3 * V, LE))
            .intoMemorySegment(dx, q + 3 * V, LE);
      }
    }
  }

  /**
   * Longer rows: one vector at a time, whose loads from memory the hardware foresees earlier than
   * those of four.
   */
  private static void longer(
      MemorySegment y, MemorySegment dy, MemorySegment dx, long at, int rows, int n) {
    y = exact(y);
    dy = exact(dy);
    dx = exact(dx);
    int step = VectorStep.bytes();
    VectorMask<Float> rest = F.indexInRange(0, n % L);
    for (int r = 0; r < rows; r++) {
      long p = 4 * (at + (long) r * n);
      long end = p + 4L * (n - n % L);
      FloatVector s = FloatVector.zero(F);
      for (long q = p; q < end; q += step) {
        if (s.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector g = FloatVector.fromMemorySegment(F, dy, q, LE);
        s = FloatVector.fromMemorySegment(F, y, q, LE).fma(g, s);
      }
      if (n % L != 0) {
        FloatVector g = FloatVector.fromMemorySegment(F, dy, end, LE, rest);
        s = FloatVector.fromMemorySegment(F, y, end, LE, rest).fma(g, s);
      }
      if (L >= 16) {
        s = s.add(s.rearrange(LaneSums.SWAP_8));
      }
      if (L >= 8) {
        s = s.add(s.rearrange(LaneSums.SWAP_4));
      }
      s = s.add(s.rearrange(LaneSums.SWAP_2));
      s = s.add(s.rearrange(LaneSums.SWAP_1));
      for (long q = p; q < end; q += step) {
        FloatVector.fromMemorySegment(F, dy, q, LE)
            .sub(s)
            .mul(FloatVector.fromMemorySegment(F, y, q, LE))
            .intoMemorySegment(dx, q, LE);
      }
      if (n % L != 0) {
        FloatVector.fromMemorySegment(F, dy, end, LE, rest)
            .sub(s)
            .mul(FloatVector.fromMemorySegment(F, y, end, LE, rest))
            .intoMemorySegment(dx, end, LE, rest);
      }
    }
  }

  private static void sumsFirst(
      MemorySegment y, MemorySegment dy, MemorySegment dx, long at, int rows, int n) {
    float[] sums = NUMBERS.get();
    for (int r = 0; r < rows; r += ROWS) {
      int count = Math.min(ROWS, rows - r);
      long first = at + (long) r * n;
      dots(y, dy, first, count, n, sums);
      results(y, dy, dx, first, count, n, sums);
    }
  }

  private static void dots(
      MemorySegment y, MemorySegment dy, long at, int rows, int n, float[] sums) {
    y = exact(y);
    dy = exact(dy);
    for (int r = 0; r < rows; r++) {
      long p = 4 * (at + (long) r * n);
      FloatVector s = FloatVector.zero(F);
      FloatVector t = s;
      int i = 0;
      for (; i + 2 * L <= n; i += 2 * L) {
        if (s.getClass() != FLOATS || t.getClass() != FLOATS) {
          throw mixed();
        }
        long q = p + 4L * i;
        FloatVector g = FloatVector.fromMemorySegment(F, dy, q, LE);
        s = FloatVector.fromMemorySegment(F, y, q, LE).fma(g, s);
        g = FloatVector.fromMemorySegment(F, dy, q + V, LE);
        t = FloatVector.fromMemorySegment(F, y, q + V, LE).fma(g, t);
      }
      if (i + L <= n) {
        FloatVector g = FloatVector.fromMemorySegment(F, dy, p + 4L * i, LE);
        s = FloatVector.fromMemorySegment(F, y, p + 4L * i, LE).fma(g, s);
        i += L;
      }
      s = s.add(t);
      if (L >= 16) {
        s = s.add(s.rearrange(LaneSums.SWAP_8));
      }
      if (L >= 8) {
        s = s.add(s.rearrange(LaneSums.SWAP_4));
      }
      s = s.add(s.rearrange(LaneSums.SWAP_2));
      s = s.add(s.rearrange(LaneSums.SWAP_1));
      float rest = 0;
      for (; i < n; i++) {
        long q = p + 4L * i;
        rest = Math.fma(y.get(JAVA_FLOAT_UNALIGNED, q), dy.get(JAVA_FLOAT_UNALIGNED, q), rest);
      }
      sums[r] = s.lane(0) + rest;
    }
  }

  private static void results(
      MemorySegment y, MemorySegment dy, MemorySegment dx, long at, int rows, int n, float[] sums) {
    y = exact(y);
    dy = exact(dy);
    dx = exact(dx);
    int step = VectorStep.lanes();
    for (int r = 0; r < rows; r++) {
      long p = 4 * (at + (long) r * n);
      float sum = sums[r];
      FloatVector m = FloatVector.broadcast(F, sum);
      int i = 0;
      for (; i + L <= n; i += step) {
        FloatVector.fromMemorySegment(F, dy, p + 4L * i, LE)
            .sub(m)
            .mul(FloatVector.fromMemorySegment(F, y, p + 4L * i, LE))
            .intoMemorySegment(dx, p + 4L * i, LE);
      }
      for (; i < n; i++) {
        long q = p + 4L * i;
        float d = (dy.get(JAVA_FLOAT_UNALIGNED, q) - sum) * y.get(JAVA_FLOAT_UNALIGNED, q);
        dx.set(JAVA_FLOAT_UNALIGNED, q, d);
      }
    }
  }
}
