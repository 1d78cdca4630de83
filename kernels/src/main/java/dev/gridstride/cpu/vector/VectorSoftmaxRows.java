package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static dev.gridstride.cpu.vector.VectorMath.F;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/**
 * The gradient of softmax of many short f32 rows in one call. Rows that are runs of four vectors go
 * one after the other: both loops are so short that the processor begins the next row while it
 * waits for the sum of one. Of others, whose ends it can't foresee as well, the sums of a few rows
 * come before their results: from a row's sum to its result everything waits for additions one
 * after the other, while the sums of several rows overlap.
 */
final class VectorSoftmaxRows {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final int L = F.length();
  private static final int V = F.vectorByteSize();

  /** Rows whose sums come before their results. */
  private static final int ROWS = 16;

  private static final ThreadLocal<float[]> SUMS = ThreadLocal.withInitial(() -> new float[ROWS]);

  private VectorSoftmaxRows() {}

  /** See {@link dev.gridstride.cpu.RowLoops#softmaxGradients}. */
  static void gradients(
      MemorySegment y, MemorySegment dy, MemorySegment dx, long at, int rows, int n) {
    if (n % (4 * L) == 0) {
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

  private static void sumsFirst(
      MemorySegment y, MemorySegment dy, MemorySegment dx, long at, int rows, int n) {
    float[] sums = SUMS.get();
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
