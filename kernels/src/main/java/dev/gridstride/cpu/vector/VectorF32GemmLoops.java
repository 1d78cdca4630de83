package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static dev.gridstride.cpu.vector.Carried.FLOATS;
import static dev.gridstride.cpu.vector.Carried.mixed;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gridstride.cpu.GemmLoops;
import dev.gridstride.cpu.Tiles;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/** The matrix product's inner loops for f32, by the Vector API. */
public final class VectorF32GemmLoops implements GemmLoops {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final int LANES = S.length();
  private static final long VECTOR = S.vectorByteSize();

  /**
   * Terms from which on tiles are done in pairs. With fewer, 6 rows are as fast: a tile's beginning
   * and end, which a processor overlaps with its neighbours' terms, are then a larger part.
   */
  private static final int LEAST_TALL = 65;

  private static final int E = 4;

  @Override
  public int lanes() {
    return LANES;
  }

  @Override
  public int bytes() {
    return E;
  }

  @Override
  public void tile(
      int rows,
      int vectors,
      int k,
      MemorySegment a,
      long aOff,
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
      long ldi,
      long iVs) {
    F32Tiles.tile(
        1,
        rows,
        vectors,
        1,
        k,
        a,
        aOff,
        Tiles.ONE_RUN,
        0,
        aStep,
        dA,
        b,
        bOff,
        bStep,
        VECTOR,
        c,
        cOff,
        ldc,
        VECTOR,
        init,
        initOff,
        ldi,
        iVs);
  }

  @Override
  public void column(
      int vectors,
      int tiles,
      int k,
      MemorySegment a,
      long aOff,
      long dA,
      MemorySegment b,
      long bOff,
      long bStep,
      MemorySegment c,
      long cOff,
      long ldc) {
    if (F32TallTiles.FIT && vectors == 2 && tiles > 1 && k >= LEAST_TALL) {
      int pairs = tiles / 2;
      F32TallTiles.tile(
          pairs,
          Tiles.MAX_ROWS,
          1,
          k,
          a,
          aOff,
          Tiles.ONE_RUN,
          0,
          E,
          dA,
          b,
          bOff,
          bStep,
          VECTOR,
          c,
          cOff,
          ldc,
          VECTOR,
          Tiles.ZEROS,
          0,
          0,
          0);
      tiles -= 2 * pairs;
      aOff += 2L * pairs * Tiles.MAX_ROWS * dA;
      cOff += 2L * pairs * Tiles.MAX_ROWS * ldc;
    }
    if (vectors == 1) {
      F32Tiles.column1(tiles, k, a, aOff, dA, b, bOff, bStep, c, cOff, ldc);
    } else {
      F32Tiles.column2(tiles, k, a, aOff, dA, b, bOff, bStep, c, cOff, ldc);
    }
  }

  @Override
  public void row(
      int high,
      int tiles,
      int k,
      MemorySegment a,
      long aOff,
      MemorySegment b,
      long bOff,
      MemorySegment c,
      long cOff,
      long ldc) {
    if (high == 2) {
      F32TallTiles.row(tiles, k, a, aOff, b, bOff, c, cOff, ldc);
    } else {
      F32Tiles.row(tiles, k, a, aOff, b, bOff, c, cOff, ldc);
    }
  }

  @Override
  public void packRows(
      MemorySegment from,
      long off,
      long ld,
      int k,
      int n,
      MemorySegment to,
      long toOff,
      int width) {
    F32Packing.packRows(from, off, ld, k, n, to, toOff, width);
  }

  @Override
  public void packTransposed(
      MemorySegment from,
      long off,
      long ld,
      int n,
      int k,
      MemorySegment to,
      long toOff,
      int width) {
    F32Packing.packTransposed(from, off, ld, n, k, to, toOff, width);
  }

  @Override
  public void packPanels(
      MemorySegment from,
      long off,
      long ld,
      int n,
      int k,
      boolean trans,
      MemorySegment to,
      long toOff) {
    F32Packing.packPanels(from, off, ld, n, k, trans, to, toOff);
  }

  @Override
  public void scale(MemorySegment x, long off, long n, double factor) {
    x = exact(x);
    float f = (float) factor;
    long end = off + n * E;
    for (; off + VECTOR <= end; off += VECTOR) {
      FloatVector.fromMemorySegment(S, x, off, LE).mul(f).intoMemorySegment(x, off, LE);
    }
    for (; off < end; off += E) {
      x.set(JAVA_FLOAT_UNALIGNED, off, x.get(JAVA_FLOAT_UNALIGNED, off) * f);
    }
  }

  @Override
  public void add(MemorySegment x, long xOff, MemorySegment y, long yOff, long n) {
    x = exact(x);
    y = exact(y);
    long d = yOff - xOff;
    long end = xOff + n * E;
    for (; xOff + VECTOR <= end; xOff += VECTOR) {
      FloatVector.fromMemorySegment(S, x, xOff, LE)
          .add(FloatVector.fromMemorySegment(S, y, xOff + d, LE))
          .intoMemorySegment(x, xOff, LE);
    }
    for (; xOff < end; xOff += E) {
      float s = x.get(JAVA_FLOAT_UNALIGNED, xOff) + y.get(JAVA_FLOAT_UNALIGNED, xOff + d);
      x.set(JAVA_FLOAT_UNALIGNED, xOff, s);
    }
  }

  @Override
  public void copyBlock(
      int rows,
      int columns,
      MemorySegment from,
      long off,
      long ld,
      MemorySegment to,
      long toOff,
      long ldTo) {
    from = exact(from);
    to = exact(to);
    if (columns < LANES && ldTo == (long) E * columns) {
      // each store runs over the rows after it, which overwrite what is too much
      long end = toOff + rows * ldTo;
      for (; rows > 0 && toOff + VECTOR <= end; rows--) {
        FloatVector.fromMemorySegment(S, from, off, LE).intoMemorySegment(to, toOff, LE);
        off += ld;
        toOff += ldTo;
      }
    }
    int l = 0;
    for (; l + LANES <= columns; l += LANES) {
      for (int i = 0; i < rows; i++) {
        FloatVector.fromMemorySegment(S, from, off + i * ld + (long) E * l, LE)
            .intoMemorySegment(to, toOff + i * ldTo + (long) E * l, LE);
      }
    }
    if (l < columns) {
      VectorMask<Float> m = S.indexInRange(l, columns);
      for (int i = 0; i < rows; i++) {
        FloatVector.fromMemorySegment(S, from, off + i * ld + (long) E * l, LE, m)
            .intoMemorySegment(to, toOff + i * ldTo + (long) E * l, LE, m);
      }
    }
  }

  @Override
  public void addBlock(
      int rows,
      int columns,
      MemorySegment from,
      long off,
      long ld,
      MemorySegment to,
      long toOff,
      long ldTo) {
    from = exact(from);
    to = exact(to);
    int l = 0;
    for (; l + LANES <= columns; l += LANES) {
      for (int i = 0; i < rows; i++) {
        FloatVector.fromMemorySegment(S, from, off + i * ld + (long) E * l, LE)
            .add(FloatVector.fromMemorySegment(S, to, toOff + i * ldTo + (long) E * l, LE))
            .intoMemorySegment(to, toOff + i * ldTo + (long) E * l, LE);
      }
    }
    if (l < columns) {
      VectorMask<Float> m = S.indexInRange(l, columns);
      for (int i = 0; i < rows; i++) {
        FloatVector.fromMemorySegment(S, from, off + i * ld + (long) E * l, LE, m)
            .add(FloatVector.fromMemorySegment(S, to, toOff + i * ldTo + (long) E * l, LE, m))
            .intoMemorySegment(to, toOff + i * ldTo + (long) E * l, LE, m);
      }
    }
  }

  @Override
  public void addRows(
      MemorySegment x,
      long xOff,
      long xStep,
      int k,
      MemorySegment b,
      long bOff,
      long ldb,
      MemorySegment y,
      long yOff,
      int n) {
    x = exact(x);
    b = exact(b);
    y = exact(y);
    int p = 0;
    for (; p + 4 <= k; p += 4) {
      addFour(x, xOff + p * xStep, xStep, b, bOff + p * ldb, ldb, y, yOff, n);
    }
    for (; p < k; p++) {
      addOne(x.get(JAVA_FLOAT_UNALIGNED, xOff + p * xStep), b, bOff + p * ldb, y, yOff, n);
    }
  }

  private static void addFour(
      MemorySegment x,
      long xOff,
      long xStep,
      MemorySegment b,
      long bOff,
      long ldb,
      MemorySegment y,
      long yOff,
      int n) {
    x = exact(x);
    b = exact(b);
    y = exact(y);
    float x0 = x.get(JAVA_FLOAT_UNALIGNED, xOff);
    float x1 = x.get(JAVA_FLOAT_UNALIGNED, xOff + xStep);
    float x2 = x.get(JAVA_FLOAT_UNALIGNED, xOff + 2 * xStep);
    float x3 = x.get(JAVA_FLOAT_UNALIGNED, xOff + 3 * xStep);
    long b1 = bOff + ldb;
    long b2 = b1 + ldb;
    long b3 = b2 + ldb;
    int j = 0;
    for (; j + LANES <= n; j += LANES) {
      long o = (long) E * j;
      FloatVector s = FloatVector.fromMemorySegment(S, y, yOff + o, LE);
      s = FloatVector.broadcast(S, x0).fma(FloatVector.fromMemorySegment(S, b, bOff + o, LE), s);
      s = FloatVector.broadcast(S, x1).fma(FloatVector.fromMemorySegment(S, b, b1 + o, LE), s);
      s = FloatVector.broadcast(S, x2).fma(FloatVector.fromMemorySegment(S, b, b2 + o, LE), s);
      s = FloatVector.broadcast(S, x3).fma(FloatVector.fromMemorySegment(S, b, b3 + o, LE), s);
      s.intoMemorySegment(y, yOff + o, LE);
    }
    for (; j < n; j++) {
      long o = (long) E * j;
      float s = y.get(JAVA_FLOAT_UNALIGNED, yOff + o);
      s = Math.fma(x0, b.get(JAVA_FLOAT_UNALIGNED, bOff + o), s);
      s = Math.fma(x1, b.get(JAVA_FLOAT_UNALIGNED, b1 + o), s);
      s = Math.fma(x2, b.get(JAVA_FLOAT_UNALIGNED, b2 + o), s);
      s = Math.fma(x3, b.get(JAVA_FLOAT_UNALIGNED, b3 + o), s);
      y.set(JAVA_FLOAT_UNALIGNED, yOff + o, s);
    }
  }

  private static void addOne(
      float x, MemorySegment b, long bOff, MemorySegment y, long yOff, int n) {
    b = exact(b);
    y = exact(y);
    int j = 0;
    for (; j + LANES <= n; j += LANES) {
      long o = (long) E * j;
      FloatVector.broadcast(S, x)
          .fma(
              FloatVector.fromMemorySegment(S, b, bOff + o, LE),
              FloatVector.fromMemorySegment(S, y, yOff + o, LE))
          .intoMemorySegment(y, yOff + o, LE);
    }
    for (; j < n; j++) {
      long o = (long) E * j;
      float s =
          Math.fma(x, b.get(JAVA_FLOAT_UNALIGNED, bOff + o), y.get(JAVA_FLOAT_UNALIGNED, yOff + o));
      y.set(JAVA_FLOAT_UNALIGNED, yOff + o, s);
    }
  }

  @Override
  public void dotRows(
      MemorySegment x,
      long xOff,
      int k,
      MemorySegment b,
      long bOff,
      long ldb,
      MemorySegment y,
      long yOff,
      int n) {
    x = exact(x);
    b = exact(b);
    y = exact(y);
    for (int j = 0; j < n; j++) {
      long o = yOff + (long) E * j;
      float s = y.get(JAVA_FLOAT_UNALIGNED, o) + dot(x, xOff, b, bOff + j * ldb, k);
      y.set(JAVA_FLOAT_UNALIGNED, o, s);
    }
  }

  /** Four vectors of partial sums, added at the end; then the rest, one by one. */
  private static float dot(MemorySegment x, long xOff, MemorySegment b, long bOff, int k) {
    x = exact(x);
    b = exact(b);
    float[] lanes = LaneSums.floats();
    FloatVector s0 = FloatVector.zero(S);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    int p = 0;
    for (; p + 4 * LANES <= k; p += 4 * LANES) {
      if (s0.getClass() != FLOATS
          || s1.getClass() != FLOATS
          || s2.getClass() != FLOATS
          || s3.getClass() != FLOATS) {
        throw mixed();
      }
      long u = xOff + (long) E * p;
      long v = bOff + (long) E * p;
      s0 =
          FloatVector.fromMemorySegment(S, x, u, LE)
              .fma(FloatVector.fromMemorySegment(S, b, v, LE), s0);
      s1 =
          FloatVector.fromMemorySegment(S, x, u + VECTOR, LE)
              .fma(FloatVector.fromMemorySegment(S, b, v + VECTOR, LE), s1);
      s2 =
          FloatVector.fromMemorySegment(S, x, u + 2 * VECTOR, LE)
              .fma(FloatVector.fromMemorySegment(S, b, v + 2 * VECTOR, LE), s2);
      s3 =
          FloatVector.fromMemorySegment(S, x, u + 3 * VECTOR, LE)
              .fma(FloatVector.fromMemorySegment(S, b, v + 3 * VECTOR, LE), s3);
    }
    for (; p + LANES <= k; p += LANES) {
      if (s0.getClass() != FLOATS) {
        throw mixed();
      }
      s0 =
          FloatVector.fromMemorySegment(S, x, xOff + (long) E * p, LE)
              .fma(FloatVector.fromMemorySegment(S, b, bOff + (long) E * p, LE), s0);
    }
    s0.add(s1).add(s2.add(s3)).intoArray(lanes, 0);
    float s = LaneSums.sum(lanes);
    for (; p < k; p++) {
      long o = (long) E * p;
      s = Math.fma(x.get(JAVA_FLOAT_UNALIGNED, xOff + o), b.get(JAVA_FLOAT_UNALIGNED, bOff + o), s);
    }
    return s;
  }
}
