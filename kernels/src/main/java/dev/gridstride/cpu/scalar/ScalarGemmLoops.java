package dev.gridstride.cpu.scalar;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gridstride.cpu.GemmLoops;
import dev.gridstride.cpu.Tiles;
import java.lang.foreign.MemorySegment;

/** The matrix product's inner loops in plain Java, for f32 or f64. */
public final class ScalarGemmLoops implements GemmLoops {
  private static final Tiles TILES = new ScalarTiles();

  private final boolean wide;
  private final int e;

  /** Loops for f64 when {@code wide}, or else f32. */
  public ScalarGemmLoops(boolean wide) {
    this.wide = wide;
    this.e = wide ? 8 : 4;
  }

  @Override
  public int lanes() {
    return wide ? TILES.lanesF64() : TILES.lanesF32();
  }

  @Override
  public int bytes() {
    return e;
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
    if (wide) {
      TILES.f64(
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
          64,
          c,
          cOff,
          ldc,
          64,
          init,
          initOff,
          ldi,
          iVs);
    } else {
      TILES.f32(
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
          64,
          c,
          cOff,
          ldc,
          64,
          init,
          initOff,
          ldi,
          iVs);
    }
  }

  private double get(MemorySegment s, long off) {
    return wide ? s.get(JAVA_DOUBLE_UNALIGNED, off) : s.get(JAVA_FLOAT_UNALIGNED, off);
  }

  private void set(MemorySegment s, long off, double v) {
    if (wide) {
      s.set(JAVA_DOUBLE_UNALIGNED, off, v);
    } else {
      s.set(JAVA_FLOAT_UNALIGNED, off, (float) v);
    }
  }

  /** A fused multiply-add rounded once in the type. */
  private double fma(double a, double b, double c) {
    return wide ? Math.fma(a, b, c) : Math.fma((float) a, (float) b, (float) c);
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
    int rows = Tiles.MAX_ROWS;
    for (int t = 0; t < tiles; t++) {
      long from = aOff + t * rows * dA;
      long to = cOff + t * rows * ldc;
      tile(
          rows, vectors, k, a, from, bytes(), dA, b, bOff, bStep, c, to, ldc, Tiles.ZEROS, 0, 0, 0);
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
    int rows = Tiles.MAX_ROWS;
    long wide = (long) e * 2 * lanes();
    long panel = (long) e * rows;
    for (int t = 0; t < high * tiles; t++) {
      int down = t % high;
      int across = t / high;
      long to = cOff + down * rows * ldc + across * wide;
      long left = aOff + down * panel * k;
      long from = bOff + across * k * wide;
      tile(rows, 2, k, a, left, panel, e, b, from, wide, c, to, ldc, Tiles.ZEROS, 0, 0, 0);
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
    for (int j = 0; j < n; j += width) {
      copyBlock(
          k,
          Math.min(width, n - j),
          from,
          off + (long) e * j,
          ld,
          to,
          toOff + (long) e * j * k,
          (long) e * width);
    }
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
    long step = (long) e * width;
    for (int j = 0; j < n; j++) {
      long t = toOff + j / width * (k * step) + (long) e * (j % width);
      for (int p = 0; p < k; p++) {
        set(to, t + p * step, get(from, off + j * ld + (long) e * p));
      }
    }
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
    long rowStep = trans ? e : ld;
    long step = trans ? ld : e;
    for (int i = 0; i < n; i++) {
      long t = toOff + (long) e * (i / Tiles.MAX_ROWS * Tiles.MAX_ROWS * k + i % Tiles.MAX_ROWS);
      for (int p = 0; p < k; p++) {
        set(to, t + (long) e * Tiles.MAX_ROWS * p, get(from, off + i * rowStep + p * step));
      }
    }
  }

  @Override
  public void scale(MemorySegment x, long off, long n, double factor) {
    for (long i = off; i < off + n * e; i += e) {
      // a product of two f32 is exact in double, so this rounds once as f32 arithmetic does
      set(x, i, get(x, i) * (wide ? factor : (float) factor));
    }
  }

  @Override
  public void add(MemorySegment x, long xOff, MemorySegment y, long yOff, long n) {
    for (long i = 0; i < n * e; i += e) {
      set(x, xOff + i, get(x, xOff + i) + get(y, yOff + i));
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
    for (int i = 0; i < rows; i++) {
      MemorySegment.copy(from, off + i * ld, to, toOff + i * ldTo, (long) e * columns);
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
    for (int i = 0; i < rows; i++) {
      add(to, toOff + i * ldTo, from, off + i * ld, columns);
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
    for (int p = 0; p < k; p++) {
      double v = get(x, xOff + p * xStep);
      for (long o = 0; o < (long) e * n; o += e) {
        set(y, yOff + o, fma(v, get(b, bOff + p * ldb + o), get(y, yOff + o)));
      }
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
    for (int j = 0; j < n; j++) {
      double s = 0; // for f32 too: better than the vector loops' partial sums
      for (long o = 0; o < (long) e * k; o += e) {
        s += get(x, xOff + o) * get(b, bOff + j * ldb + o);
      }
      set(y, yOff + (long) e * j, get(y, yOff + (long) e * j) + s);
    }
  }
}
