package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static dev.gridstride.cpu.vector.VectorMath.F;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;

/**
 * What {@link dev.gridstride.cpu.ConvLoops} brings into another order by whole vectors: columns of
 * pixels, taps and panels.
 */
final class F32Columns {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final int L = F.length();
  private static final int V = F.vectorByteSize();

  private F32Columns() {}

  static void columns(
      int sources,
      long plane,
      int[] shifts,
      MemorySegment from,
      long first,
      long second,
      int cut,
      int[] picks,
      int pickOff,
      MemorySegment to,
      long toOff,
      long toStep) {
    if (cut == L && picks[pickOff + L - 1] == L - 1) {
      neighbours(sources, plane, shifts, from, first, to, toOff, toStep);
    } else {
      windows(sources, plane, shifts, from, first, second, cut, picks, pickOff, to, toOff, toStep);
    }
  }

  private static void neighbours(
      int sources,
      long plane,
      int[] shifts,
      MemorySegment from,
      long first,
      MemorySegment to,
      long toOff,
      long toStep) {
    from = exact(from);
    to = exact(to);
    for (int s = 0; s < sources; s++) {
      for (int t = 0; t < shifts.length; t++) {
        FloatVector.fromMemorySegment(F, from, first + shifts[t], LE)
            .intoMemorySegment(to, toOff, LE);
        toOff += toStep;
      }
      first += plane;
    }
  }

  private static void windows(
      int sources,
      long plane,
      int[] shifts,
      MemorySegment from,
      long first,
      long second,
      int cut,
      int[] picks,
      int pickOff,
      MemorySegment to,
      long toOff,
      long toStep) {
    from = exact(from);
    to = exact(to);
    VectorShuffle<Float> pick = VectorShuffle.fromArray(F, picks, pickOff);
    VectorMask<Float> late = VectorMask.fromLong(F, cut < L ? -1L << cut : 0);
    for (int s = 0; s < sources; s++) {
      for (int t = 0; t < shifts.length; t++) {
        FloatVector a = FloatVector.fromMemorySegment(F, from, first + shifts[t], LE);
        FloatVector b = FloatVector.fromMemorySegment(F, from, second + shifts[t], LE);
        a.rearrange(pick).blend(b.rearrange(pick), late).intoMemorySegment(to, toOff, LE);
        toOff += toStep;
      }
      first += plane;
      second += plane;
    }
  }

  static void joinTaps(
      MemorySegment from,
      long fromOff,
      long sourceStep,
      int sources,
      int planes,
      int taps,
      MemorySegment to,
      long toLd) {
    for (int i = 0; i < taps; i += L) {
      // only the first vector may hold too much
      long t = 4L * Math.max(0, Math.min(i, taps - L));
      join(from, fromOff + t, sourceStep, sources, planes, 4L * taps, to, t, toLd);
    }
  }

  /** A vector of each plane. */
  private static void join(
      MemorySegment from,
      long fromOff,
      long sourceStep,
      int sources,
      int planes,
      long bytes,
      MemorySegment to,
      long toOff,
      long toLd) {
    from = exact(from);
    to = exact(to);
    for (int s = 0; s < sources; s++) {
      for (int i = 0; i < planes; i++) {
        FloatVector.fromMemorySegment(F, from, fromOff + s * sourceStep + i * bytes, LE)
            .intoMemorySegment(to, toOff + s * bytes + i * toLd, LE);
      }
    }
  }

  /** Pieces of one vector or two. */
  static void copyPieces(
      int rows,
      int columns,
      int bytes,
      MemorySegment from,
      long fromOff,
      long fromRow,
      long fromColumn,
      MemorySegment to,
      long toOff,
      long toRow,
      long toColumn) {
    from = exact(from);
    to = exact(to);
    int last = bytes - V; // of a piece of one vector the same again
    for (int i = 0; i < rows; i++) {
      long f = fromOff + i * fromRow;
      long t = toOff + i * toRow;
      for (int j = 0; j < columns; j++) {
        FloatVector v = FloatVector.fromMemorySegment(F, from, f, LE);
        FloatVector.fromMemorySegment(F, from, f + last, LE).intoMemorySegment(to, t + last, LE);
        v.intoMemorySegment(to, t, LE);
        f += fromColumn;
        t += toColumn;
      }
    }
  }
}
