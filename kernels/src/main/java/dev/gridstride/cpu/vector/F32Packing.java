package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gridstride.cpu.Tiles;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/** Copies f32 matrices into the panels that a matrix product's tiles read. */
final class F32Packing {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final int LANES = S.length();
  private static final long VECTOR = S.vectorByteSize();
  private static final int E = 4;

  private F32Packing() {}

  private static FloatVector load(MemorySegment s, long off) {
    return FloatVector.fromMemorySegment(S, s, off, LE);
  }

  private static FloatVector load(MemorySegment s, long off, VectorMask<Float> m) {
    return FloatVector.fromMemorySegment(S, s, off, LE, m);
  }

  /** See {@link dev.gridstride.cpu.GemmLoops#packRows}. */
  static void packRows(
      MemorySegment from,
      long off,
      long ld,
      int k,
      int n,
      MemorySegment to,
      long toOff,
      int width) {
    long panel = (long) E * k * width;
    int whole = n / width;
    packWhole(from, off, ld, k, whole, to, toOff, panel, width);
    if (whole * width < n) {
      packEdge(
          from,
          off + (long) E * whole * width,
          ld,
          k,
          n - whole * width,
          to,
          toOff + whole * panel,
          width);
    }
  }

  /**
   * Four panels at a time: half a kilobyte of each source row in one stretch, as many loads before
   * the first store as hide where a line comes from, and no more lines than a set of the
   * first-level cache holds, though panels may be a power of two apart. Too long to be inlined,
   * which made it a quarter slower.
   */
  private static void packWhole(
      MemorySegment from,
      long off,
      long ld,
      int k,
      int panels,
      MemorySegment to,
      long toOff,
      long panel,
      int width) {
    from = exact(from);
    to = exact(to);
    long step = (long) E * width;
    int g = 0;
    for (; g + 4 <= panels && width == 2 * LANES; g += 4) {
      long f = off + g * step;
      long t = toOff + g * panel;
      for (int p = 0; p < k; p++) {
        FloatVector x0 = load(from, f);
        FloatVector x1 = load(from, f + VECTOR);
        FloatVector x2 = load(from, f + step);
        FloatVector x3 = load(from, f + step + VECTOR);
        FloatVector x4 = load(from, f + 2 * step);
        FloatVector x5 = load(from, f + 2 * step + VECTOR);
        FloatVector x6 = load(from, f + 3 * step);
        FloatVector x7 = load(from, f + 3 * step + VECTOR);
        x0.intoMemorySegment(to, t, LE);
        x1.intoMemorySegment(to, t + VECTOR, LE);
        x2.intoMemorySegment(to, t + panel, LE);
        x3.intoMemorySegment(to, t + panel + VECTOR, LE);
        x4.intoMemorySegment(to, t + 2 * panel, LE);
        x5.intoMemorySegment(to, t + 2 * panel + VECTOR, LE);
        x6.intoMemorySegment(to, t + 3 * panel, LE);
        x7.intoMemorySegment(to, t + 3 * panel + VECTOR, LE);
        f += ld;
        t += step;
      }
    }
    for (; g + 2 <= panels && width == 2 * LANES; g += 2) {
      long f = off + g * step;
      long t = toOff + g * panel;
      for (int p = 0; p < k; p++) {
        FloatVector x0 = load(from, f);
        FloatVector x1 = load(from, f + VECTOR);
        FloatVector x2 = load(from, f + step);
        FloatVector x3 = load(from, f + step + VECTOR);
        x0.intoMemorySegment(to, t, LE);
        x1.intoMemorySegment(to, t + VECTOR, LE);
        x2.intoMemorySegment(to, t + panel, LE);
        x3.intoMemorySegment(to, t + panel + VECTOR, LE);
        f += ld;
        t += step;
      }
    }
    for (; g < panels; g++) {
      for (int p = 0; p < k; p++) {
        long f = off + g * step + p * ld;
        long t = toOff + g * panel + p * step;
        for (long v = 0; v < step; v += VECTOR) {
          load(from, f + v).intoMemorySegment(to, t + v, LE);
        }
      }
    }
  }

  private static void packEdge(
      MemorySegment from,
      long off,
      long ld,
      int k,
      int n,
      MemorySegment to,
      long toOff,
      int width) {
    from = exact(from);
    to = exact(to);
    long step = (long) E * width;
    for (int l = 0; l < n; l += LANES) {
      VectorMask<Float> m = S.indexInRange(l, n);
      for (int p = 0; p < k; p++) {
        load(from, off + p * ld + (long) E * l, m)
            .intoMemorySegment(to, toOff + p * step + (long) E * l, LE);
      }
    }
  }

  /** See {@link dev.gridstride.cpu.GemmLoops#packTransposed}. */
  static void packTransposed(
      MemorySegment from,
      long off,
      long ld,
      int n,
      int k,
      MemorySegment to,
      long toOff,
      int width) {
    long step = (long) E * width;
    for (int j = 0; j < n; j += LANES) {
      long t = toOff + j / width * (k * step) + (long) E * (j % width);
      transpose(from, off + j * ld, ld, Math.min(LANES, n - j), k, to, t, step);
    }
  }

  private static void transpose(
      MemorySegment from,
      long off,
      long ld,
      int n,
      int k,
      MemorySegment to,
      long toOff,
      long step) {
    from = exact(from);
    to = exact(to);
    if (k < LANES) {
      for (int p = 0; p < k; p++) {
        for (int j = 0; j < n; j++) {
          to.set(
              JAVA_FLOAT_UNALIGNED,
              toOff + p * step + (long) E * j,
              from.get(JAVA_FLOAT_UNALIGNED, off + j * ld + (long) E * p));
        }
      }
      return;
    }
    int p = 0;
    for (; p + LANES <= k; p += LANES) {
      F32Transpose.block(from, off + (long) E * p, ld, n, to, toOff + p * step, step);
    }
    if (p < k) { // the last block overlaps the one before it
      p = k - LANES;
      F32Transpose.block(from, off + (long) E * p, ld, n, to, toOff + p * step, step);
    }
  }

  /** See {@link dev.gridstride.cpu.GemmLoops#packPanels}. */
  static void packPanels(
      MemorySegment from,
      long off,
      long ld,
      int n,
      int k,
      boolean trans,
      MemorySegment to,
      long toOff) {
    long panel = (long) E * Tiles.MAX_ROWS * k;
    for (int i = 0; i < n; i += Tiles.MAX_ROWS) {
      int rows = Math.min(Tiles.MAX_ROWS, n - i);
      if (trans) {
        sixColumns(from, off + (long) E * i, ld, rows, k, to, toOff);
      } else {
        sixRows(from, off + i * ld, ld, rows, k, to, toOff);
      }
      toOff += panel;
    }
  }

  private static void sixRows(
      MemorySegment from, long off, long ld, int n, int k, MemorySegment to, long toOff) {
    from = exact(from);
    to = exact(to);
    long step = (long) E * Tiles.MAX_ROWS;
    int p = 0;
    for (; p + LANES <= k; p += LANES) {
      F32Transpose.six(from, off + (long) E * p, ld, n, to, toOff + p * step);
    }
    for (; p < k; p++) {
      long t = toOff + p * step;
      for (int j = 0; j < n; j++) {
        to.set(
            JAVA_FLOAT_UNALIGNED,
            t + (long) E * j,
            from.get(JAVA_FLOAT_UNALIGNED, off + j * ld + (long) E * p));
      }
    }
  }

  /** Whole vectors, each store running over the next row, which overwrites what is too much. */
  private static void sixColumns(
      MemorySegment from, long off, long ld, int n, int k, MemorySegment to, long toOff) {
    from = exact(from);
    to = exact(to);
    long step = (long) E * Tiles.MAX_ROWS;
    long span = (step + VECTOR - 1) / VECTOR * VECTOR;
    int p = 0;
    for (; p < k && off + p * ld + span <= from.byteSize(); p++) {
      long f = off + p * ld;
      long t = toOff + p * step;
      FloatVector.fromMemorySegment(S, from, f, LE).intoMemorySegment(to, t, LE);
      for (long v = VECTOR; v < step; v += VECTOR) { // none where a vector holds a panel's rows
        FloatVector.fromMemorySegment(S, from, f + v, LE).intoMemorySegment(to, t + v, LE);
      }
    }
    for (; p < k; p++) {
      for (int j = 0; j < n; j++) {
        long o = (long) E * j;
        to.set(
            JAVA_FLOAT_UNALIGNED,
            toOff + p * step + o,
            from.get(JAVA_FLOAT_UNALIGNED, off + p * ld + o));
      }
    }
  }
}
