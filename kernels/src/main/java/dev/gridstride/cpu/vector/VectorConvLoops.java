package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static dev.gridstride.cpu.vector.Carried.FLOATS;
import static dev.gridstride.cpu.vector.Carried.mixed;
import static dev.gridstride.cpu.vector.VectorMath.F;

import dev.gridstride.cpu.Scratch;
import dev.gridstride.cpu.scalar.ScalarConvLoops;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** Inner loops of convolutions by the Vector API; f64 by the plain loops. */
public final class VectorConvLoops extends ScalarConvLoops {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final int LANES = F.length();
  private static final int V = F.vectorByteSize();

  /** For blocks of filters that are transposed. */
  private static final Scratch BLOCK = new Scratch();

  private static FloatVector load(MemorySegment s, long off) {
    return FloatVector.fromMemorySegment(F, s, off, LE);
  }

  @Override
  public void channels(
      int rows,
      int runs,
      int runLength,
      MemorySegment a,
      long aOff,
      int[] tab,
      int tabOff,
      long aStep,
      long dA,
      MemorySegment b,
      long bOff,
      long bStep,
      MemorySegment c,
      long cOff,
      long ldc,
      MemorySegment init,
      long initOff,
      long ldi) {
    int i = 0;
    while (i < rows) {
      long x = aOff + i * dA;
      long y = cOff + i * ldc;
      long z = initOff + i * ldi;
      int m = rows - i;
      if (m >= 4) {
        m = 4;
        rows4(
            runs, runLength, a, x, tab, tabOff, aStep, dA, b, bOff, bStep, c, y, ldc, init, z, ldi);
      } else if (m == 3) {
        rows3(
            runs, runLength, a, x, tab, tabOff, aStep, dA, b, bOff, bStep, c, y, ldc, init, z, ldi);
      } else {
        m = 1;
        rows1(runs, runLength, a, x, tab, tabOff, aStep, b, bOff, bStep, c, y, init, z);
      }
      i += m;
    }
  }

  private static void rows4(
      int runs,
      int runLength,
      MemorySegment a,
      long aOff,
      int[] tab,
      int tabOff,
      long aStep,
      long dA,
      MemorySegment b,
      long bOff,
      long bStep,
      MemorySegment c,
      long cOff,
      long ldc,
      MemorySegment init,
      long initOff,
      long ldi) {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    FloatVector s0 = load(init, initOff);
    FloatVector s1 = load(init, initOff + ldi);
    FloatVector s2 = load(init, initOff + 2 * ldi);
    FloatVector s3 = load(init, initOff + 3 * ldi);
    for (int r = 0; r < runs; r++) {
      long q = aOff + tab[tabOff + r];
      for (int s = 0; s < runLength; s++) {
        if (s0.getClass() != FLOATS
            || s1.getClass() != FLOATS
            || s2.getClass() != FLOATS
            || s3.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector v = load(b, bOff);
        s0 = load(a, q).fma(v, s0);
        s1 = load(a, q + dA).fma(v, s1);
        s2 = load(a, q + 2 * dA).fma(v, s2);
        s3 = load(a, q + 3 * dA).fma(v, s3);
        q += aStep;
        bOff += bStep;
      }
    }
    s0.intoMemorySegment(c, cOff, LE);
    s1.intoMemorySegment(c, cOff + ldc, LE);
    s2.intoMemorySegment(c, cOff + 2 * ldc, LE);
    s3.intoMemorySegment(c, cOff + 3 * ldc, LE);
  }

  private static void rows3(
      int runs,
      int runLength,
      MemorySegment a,
      long aOff,
      int[] tab,
      int tabOff,
      long aStep,
      long dA,
      MemorySegment b,
      long bOff,
      long bStep,
      MemorySegment c,
      long cOff,
      long ldc,
      MemorySegment init,
      long initOff,
      long ldi) {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    FloatVector s0 = load(init, initOff);
    FloatVector s1 = load(init, initOff + ldi);
    FloatVector s2 = load(init, initOff + 2 * ldi);
    for (int r = 0; r < runs; r++) {
      long q = aOff + tab[tabOff + r];
      for (int s = 0; s < runLength; s++) {
        if (s0.getClass() != FLOATS || s1.getClass() != FLOATS || s2.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector v = load(b, bOff);
        s0 = load(a, q).fma(v, s0);
        s1 = load(a, q + dA).fma(v, s1);
        s2 = load(a, q + 2 * dA).fma(v, s2);
        q += aStep;
        bOff += bStep;
      }
    }
    s0.intoMemorySegment(c, cOff, LE);
    s1.intoMemorySegment(c, cOff + ldc, LE);
    s2.intoMemorySegment(c, cOff + 2 * ldc, LE);
  }

  private static void rows1(
      int runs,
      int runLength,
      MemorySegment a,
      long aOff,
      int[] tab,
      int tabOff,
      long aStep,
      MemorySegment b,
      long bOff,
      long bStep,
      MemorySegment c,
      long cOff,
      MemorySegment init,
      long initOff) {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    FloatVector s0 = load(init, initOff);
    for (int r = 0; r < runs; r++) {
      long q = aOff + tab[tabOff + r];
      for (int s = 0; s < runLength; s++) {
        if (s0.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector v = load(b, bOff);
        s0 = load(a, q).fma(v, s0);
        q += aStep;
        bOff += bStep;
      }
    }
    s0.intoMemorySegment(c, cOff, LE);
  }

  @Override
  public void channelWindow(
      int rows,
      int runs,
      int pixels,
      MemorySegment a,
      long aOff,
      long aRun,
      long aStep,
      long dTap,
      long dRow,
      MemorySegment b,
      long bOff,
      long bRun,
      long bStep,
      MemorySegment c,
      long cOff,
      boolean first,
      boolean last) {
    F32WindowGradient.sums(
        rows, runs, pixels, a, aOff, aRun, aStep, dTap, dRow, b, bOff, bRun, bStep, c, cOff, first,
        last);
  }

  @Override
  public void channelTaps(
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
    F32ChannelTaps.line(
        blocks, pixels, from, tap, a, aOff, dA, b, bOff, bBlock, c, cOff, ldc, init, initOff,
        iBlock, far);
  }

  @Override
  public void transpose(
      MemorySegment from,
      long fromOff,
      long ld,
      int rows,
      int columns,
      MemorySegment to,
      long toOff,
      long toLd) {
    int m = rows / LANES * LANES;
    int n = columns / LANES * LANES;
    // along the rows, which the hardware foresees: half the time of going down the columns
    for (int i = 0; i < m; i += LANES) {
      for (int j = 0; j < n; j += LANES) {
        F32Transpose.block(
            from, fromOff + i * ld + 4L * j, ld, LANES, to, toOff + j * toLd + 4L * i, toLd);
      }
    }
    if (m < rows) {
      super.transpose(from, fromOff + m * ld, ld, rows - m, columns, to, toOff + 4L * m, toLd);
    }
    if (n < columns) {
      super.transpose(from, fromOff + 4L * n, ld, m, columns - n, to, toOff + n * toLd, toLd);
    }
  }

  /**
   * Blocks of as many rows and columns as a vector has lanes are transposed into scratch, and the
   * wanted rows of the result stored.
   */
  @Override
  public void gatherTaps(
      MemorySegment from,
      long fromOff,
      int plane,
      int lanes,
      int[] taps,
      MemorySegment to,
      long toOff,
      long toLd) {
    long ld = 4L * plane;
    int wide = (plane + LANES - 1) / LANES * LANES;
    long end = fromOff + (lanes - 1) * ld + 4L * wide;
    if (lanes % LANES != 0 || end > from.byteSize()) {
      super.gatherTaps(from, fromOff, plane, lanes, taps, to, toOff, toLd);
      return;
    }
    MemorySegment block = BLOCK.get((long) wide * V);
    for (int l = 0; l < lanes; l += LANES) {
      for (int c = 0; c < wide; c += LANES) {
        long at = fromOff + l * ld + 4L * c;
        F32Transpose.block(from, at, ld, LANES, block, (long) c * V, V);
      }
      rows(block, taps, to, toOff + 4L * l, toLd);
    }
  }

  /** Stores the vectors of {@code block} that {@code places} names, one below the other. */
  private static void rows(
      MemorySegment block, int[] places, MemorySegment to, long toOff, long toLd) {
    block = exact(block);
    to = exact(to);
    for (int t = 0; t < places.length; t++) {
      FloatVector.fromMemorySegment(F, block, (long) V * places[t], LE)
          .intoMemorySegment(to, toOff + t * toLd, LE);
    }
  }

  /** Whole vectors, what they hold too much being overwritten by those of the next source. */
  @Override
  public void joinTaps(
      MemorySegment from,
      long fromOff,
      long sourceStep,
      int sources,
      int planes,
      int taps,
      MemorySegment to,
      long toLd) {
    // a vector of the last source may reach beyond the last filter
    F32Columns.joinTaps(from, fromOff, sourceStep, sources - 1, planes, taps, to, toLd);
    for (int i = 0; i < planes; i++) {
      long at = fromOff + (sources - 1) * sourceStep + 4L * i * taps;
      long row = i * toLd + 4L * (sources - 1) * taps;
      MemorySegment.copy(from, at, to, row, 4L * taps);
    }
  }

  @Override
  public void columns(
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
    F32Columns.columns(
        sources, plane, shifts, from, first, second, cut, picks, pickOff, to, toOff, toStep);
  }

  /** A copy of so few bytes costs less than its call. */
  @Override
  public void copyPieces(
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
    if (bytes != V && bytes != 2 * V) {
      super.copyPieces(
          rows, columns, bytes, from, fromOff, fromRow, fromColumn, to, toOff, toRow, toColumn);
      return;
    }
    F32Columns.copyPieces(
        rows, columns, bytes, from, fromOff, fromRow, fromColumn, to, toOff, toRow, toColumn);
  }

  @Override
  public void readAhead(MemorySegment s, long at, long bytes) {
    ReadAhead.lines(s, at, bytes);
  }

  @Override
  public void relu(MemorySegment a, long off, long count) {
    a = exact(a);
    FloatVector zero = FloatVector.zero(F);
    int step = VectorStep.lanes();
    long i = 0;
    for (; i + LANES <= count; i += step) {
      FloatVector v = load(a, off + 4 * i);
      v.blend(zero, v.compare(VectorOperators.LT, zero)).intoMemorySegment(a, off + 4 * i, LE);
    }
    if (i < count) {
      VectorMask<Float> m = F.indexInRange(i, count);
      FloatVector v = FloatVector.fromMemorySegment(F, a, off + 4 * i, LE, m);
      v.blend(zero, v.compare(VectorOperators.LT, zero)).intoMemorySegment(a, off + 4 * i, LE, m);
    }
  }

  @Override
  public void add(MemorySegment a, long aOff, MemorySegment b, long bOff, long count) {
    a = exact(a);
    b = exact(b);
    int step = VectorStep.lanes();
    long i = 0;
    for (; i + LANES <= count; i += step) {
      load(a, aOff + 4 * i).add(load(b, bOff + 4 * i)).intoMemorySegment(a, aOff + 4 * i, LE);
    }
    if (i < count) {
      VectorMask<Float> m = F.indexInRange(i, count);
      FloatVector v = FloatVector.fromMemorySegment(F, b, bOff + 4 * i, LE, m);
      FloatVector.fromMemorySegment(F, a, aOff + 4 * i, LE, m)
          .add(v)
          .intoMemorySegment(a, aOff + 4 * i, LE, m);
    }
  }
}
