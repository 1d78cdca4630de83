package dev.gridstride.cpu.scalar;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gridstride.cpu.ConvLoops;
import dev.gridstride.cpu.Tiles;
import java.lang.foreign.MemorySegment;

/** Inner loops of convolutions in plain Java. */
public class ScalarConvLoops implements ConvLoops {
  /**
   * Rows and columns of the squares that {@link #transpose} works on: 16 rows are 16 open lines.
   */
  private static final int SQUARE = 16;

  /** The table of a single run. */
  private static final int[] LINE = {0};

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
    int lanes = Tiles.BEST.lanesF32();
    var sum = new float[lanes];
    for (int i = 0; i < rows; i++) {
      for (int l = 0; l < lanes; l++) {
        sum[l] = init.get(JAVA_FLOAT_UNALIGNED, initOff + i * ldi + 4L * l);
      }
      long bp = bOff;
      for (int r = 0; r < runs; r++) {
        long ap = aOff + tab[tabOff + r] + i * dA;
        for (int s = 0; s < runLength; s++) {
          for (int l = 0; l < lanes; l++) {
            float x = a.get(JAVA_FLOAT_UNALIGNED, ap + 4L * l);
            sum[l] = Math.fma(x, b.get(JAVA_FLOAT_UNALIGNED, bp + 4L * l), sum[l]);
          }
          ap += aStep;
          bp += bStep;
        }
      }
      for (int l = 0; l < lanes; l++) {
        c.set(JAVA_FLOAT_UNALIGNED, cOff + i * ldc + 4L * l, sum[l]);
      }
    }
  }

  @Override
  public void channelsF64(
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
    int lanes = Tiles.BEST.lanesF64();
    var sum = new double[lanes];
    for (int i = 0; i < rows; i++) {
      for (int l = 0; l < lanes; l++) {
        sum[l] = init.get(JAVA_DOUBLE_UNALIGNED, initOff + i * ldi + 8L * l);
      }
      long bp = bOff;
      for (int r = 0; r < runs; r++) {
        long ap = aOff + tab[tabOff + r] + i * dA;
        for (int s = 0; s < runLength; s++) {
          for (int l = 0; l < lanes; l++) {
            double x = a.get(JAVA_DOUBLE_UNALIGNED, ap + 8L * l);
            sum[l] = Math.fma(x, b.get(JAVA_DOUBLE_UNALIGNED, bp + 8L * l), sum[l]);
          }
          ap += aStep;
          bp += bStep;
        }
      }
      for (int l = 0; l < lanes; l++) {
        c.set(JAVA_DOUBLE_UNALIGNED, cOff + i * ldc + 8L * l, sum[l]);
      }
    }
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
    long v = 4L * Tiles.BEST.lanesF32();
    for (int r = 0; r < runs; r++) {
      for (int t = 0; t < 3 * rows; t++) {
        int j = t % 3;
        int skipped = j == 0 && !first ? 1 : 0;
        int length = pixels - skipped - (j == 2 && !last ? 1 : 0);
        if (length > 0) {
          long x = aOff + r * aRun + skipped * aStep + t / 3 * dRow + j * dTap;
          long y = bOff + r * bRun + skipped * bStep;
          long to = cOff + t * v;
          channels(1, 1, length, a, x, LINE, 0, aStep, 0, b, y, bStep, c, to, v, c, to, v);
        }
      }
    }
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
    int lanes = Tiles.BEST.lanesF32();
    long v = 4L * lanes;
    for (int i = 0; i < pixels; i++) {
      for (int e = 0; e < blocks * lanes; e++) {
        int k = e / lanes;
        long lane = 4L * (e % lanes);
        float sum = init.get(JAVA_FLOAT_UNALIGNED, initOff + k * iBlock + lane);
        for (int t = 0; t < from.length; t++) {
          float x = a.get(JAVA_FLOAT_UNALIGNED, aOff + from[t] + i * dA + k * v + lane);
          sum =
              Math.fma(x, b.get(JAVA_FLOAT_UNALIGNED, bOff + k * bBlock + tap[t] * v + lane), sum);
        }
        c.set(JAVA_FLOAT_UNALIGNED, cOff + i * ldc + k * v + lane, sum);
      }
    }
  }

  @Override
  public void channelTapsF64(
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
    int lanes = Tiles.BEST.lanesF64();
    long v = 8L * lanes;
    for (int i = 0; i < pixels; i++) {
      for (int e = 0; e < blocks * lanes; e++) {
        int k = e / lanes;
        long lane = 8L * (e % lanes);
        double sum = init.get(JAVA_DOUBLE_UNALIGNED, initOff + k * iBlock + lane);
        for (int t = 0; t < from.length; t++) {
          double x = a.get(JAVA_DOUBLE_UNALIGNED, aOff + from[t] + i * dA + k * v + lane);
          sum =
              Math.fma(x, b.get(JAVA_DOUBLE_UNALIGNED, bOff + k * bBlock + tap[t] * v + lane), sum);
        }
        c.set(JAVA_DOUBLE_UNALIGNED, cOff + i * ldc + k * v + lane, sum);
      }
    }
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
    for (int i0 = 0; i0 < rows; i0 += SQUARE) {
      int m = Math.min(SQUARE, rows - i0);
      for (int j = 0; j < columns; j++) {
        long f = fromOff + i0 * ld + 4L * j;
        long t = toOff + j * toLd + 4L * i0;
        for (int i = 0; i < m; i++) {
          to.set(JAVA_FLOAT_UNALIGNED, t + 4L * i, from.get(JAVA_FLOAT_UNALIGNED, f + i * ld));
        }
      }
    }
  }

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
    for (int i = 0; i < planes; i++) {
      for (int s = 0; s < sources; s++) {
        long at = fromOff + s * sourceStep + 4L * i * taps;
        MemorySegment.copy(from, at, to, i * toLd + 4L * s * taps, 4L * taps);
      }
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
    int lanes = Tiles.BEST.lanesF32();
    for (int s = 0; s < sources; s++) {
      for (int t = 0; t < shifts.length; t++) {
        long row = toOff + ((long) s * shifts.length + t) * toStep;
        for (int l = 0; l < lanes; l++) {
          long at = (l < cut ? first : second) + s * plane + shifts[t] + 4L * picks[pickOff + l];
          to.set(JAVA_FLOAT_UNALIGNED, row + 4L * l, from.get(JAVA_FLOAT_UNALIGNED, at));
        }
      }
    }
  }

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
    long step = 4L * plane;
    for (int t = 0; t < taps.length; t++) {
      long f = fromOff + 4L * taps[t];
      long o = toOff + t * toLd;
      for (int l = 0; l < lanes; l++) {
        to.set(JAVA_FLOAT_UNALIGNED, o + 4L * l, from.get(JAVA_FLOAT_UNALIGNED, f + l * step));
      }
    }
  }

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
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        long at = fromOff + i * fromRow + j * fromColumn;
        MemorySegment.copy(from, at, to, toOff + i * toRow + j * toColumn, bytes);
      }
    }
  }

  @Override
  public void readAhead(MemorySegment s, long at, long bytes) {
    // plain loops take longer than to fetch what they read
  }

  @Override
  public void relu(MemorySegment a, long off, long count) {
    for (long i = 0; i < count; i++) {
      float v = a.get(JAVA_FLOAT_UNALIGNED, off + 4 * i);
      a.set(JAVA_FLOAT_UNALIGNED, off + 4 * i, v < 0 ? 0 : v);
    }
  }

  @Override
  public void add(MemorySegment a, long aOff, MemorySegment b, long bOff, long count) {
    for (long i = 0; i < count; i++) {
      a.set(
          JAVA_FLOAT_UNALIGNED,
          aOff + 4 * i,
          a.get(JAVA_FLOAT_UNALIGNED, aOff + 4 * i) + b.get(JAVA_FLOAT_UNALIGNED, bOff + 4 * i));
    }
  }
}
