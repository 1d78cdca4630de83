package dev.gridstride.cpu.scalar;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gridstride.cpu.Tiles;
import java.lang.foreign.MemorySegment;

/**
 * Register tiles in plain loops, with "vectors" of 64 bytes; the same bits as the vector tiles.
 *
 * <p>{@link Math#fma} is one instruction on every x86-64 since 2013 and on ARM64.
 */
public final class ScalarTiles implements Tiles {
  private static final int F32_LANES = 16;
  private static final int F64_LANES = 8;

  @Override
  public boolean pairs() {
    return false;
  }

  @Override
  public int lanesF32() {
    return F32_LANES;
  }

  @Override
  public int lanesF64() {
    return F64_LANES;
  }

  @Override
  public void f32(
      int tiles,
      int rows,
      int vectors,
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
      long bVs,
      MemorySegment c,
      long cOff,
      long ldc,
      long cVs,
      MemorySegment init,
      long initOff,
      long ldi,
      long iVs) {
    check(rows, vectors);
    var sum = new float[F32_LANES];
    for (int i = 0; i < tiles * rows; i++) {
      for (int j = 0; j < vectors; j++) {
        for (int l = 0; l < F32_LANES; l++) {
          sum[l] = init.get(JAVA_FLOAT_UNALIGNED, initOff + i * ldi + j * iVs + 4L * l);
        }
        long bp = bOff + j * bVs;
        for (int r = 0; r < runs; r++) {
          long ap = aOff + tab[tabOff + r] + i * dA;
          for (int s = 0; s < runLength; s++) {
            multiplyAdd(a.get(JAVA_FLOAT_UNALIGNED, ap), b, bp, sum);
            ap += aStep;
            bp += bStep;
          }
        }
        for (int l = 0; l < F32_LANES; l++) {
          c.set(JAVA_FLOAT_UNALIGNED, cOff + i * ldc + j * cVs + 4L * l, sum[l]);
        }
      }
    }
  }

  private static void multiplyAdd(float a, MemorySegment b, long bOff, float[] sum) {
    for (int l = 0; l < F32_LANES; l++) {
      sum[l] = Math.fma(a, b.get(JAVA_FLOAT_UNALIGNED, bOff + 4L * l), sum[l]);
    }
  }

  @Override
  public void f64(
      int tiles,
      int rows,
      int vectors,
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
      long bVs,
      MemorySegment c,
      long cOff,
      long ldc,
      long cVs,
      MemorySegment init,
      long initOff,
      long ldi,
      long iVs) {
    check(rows, vectors);
    var sum = new double[F64_LANES];
    for (int i = 0; i < tiles * rows; i++) {
      for (int j = 0; j < vectors; j++) {
        for (int l = 0; l < F64_LANES; l++) {
          sum[l] = init.get(JAVA_DOUBLE_UNALIGNED, initOff + i * ldi + j * iVs + 8L * l);
        }
        long bp = bOff + j * bVs;
        for (int r = 0; r < runs; r++) {
          long ap = aOff + tab[tabOff + r] + i * dA;
          for (int s = 0; s < runLength; s++) {
            multiplyAdd(a.get(JAVA_DOUBLE_UNALIGNED, ap), b, bp, sum);
            ap += aStep;
            bp += bStep;
          }
        }
        for (int l = 0; l < F64_LANES; l++) {
          c.set(JAVA_DOUBLE_UNALIGNED, cOff + i * ldc + j * cVs + 8L * l, sum[l]);
        }
      }
    }
  }

  private static void multiplyAdd(double a, MemorySegment b, long bOff, double[] sum) {
    for (int l = 0; l < F64_LANES; l++) {
      sum[l] = Math.fma(a, b.get(JAVA_DOUBLE_UNALIGNED, bOff + 8L * l), sum[l]);
    }
  }

  private static void check(int rows, int vectors) {
    if (rows < 1 || rows > MAX_ROWS || vectors < 1 || vectors > MAX_VECTORS) {
      throw new IllegalArgumentException(rows + " x " + vectors);
    }
  }
}
