package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static dev.gridstride.cpu.vector.Carried.FLOATS;
import static dev.gridstride.cpu.vector.Carried.mixed;
import static dev.gridstride.cpu.vector.TallOperands.F32_LOAD;
import static dev.gridstride.cpu.vector.TallOperands.F32_SPLAT;
import static dev.gridstride.cpu.vector.TallOperands.F32_STORE;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The f32 tiles for 32 vector registers: two tiles below each other as one, so that each vector of
 * B is read for twice as many multiply-adds, and a term takes fewer other instructions than a core
 * starts beside them. {@link TallOperands} says how they read. Written by TileGenerator (test
 * tree), not by hand.
 */
final class F32TallTiles {
  /** Whether this machine's vectors are those of which there are 32. */
  static final boolean FIT = F32Tiles.S.vectorBitSize() == 512;

  private static final VectorSpecies<Float> S = F32Tiles.S;
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;

  private F32TallTiles() {}

  /** Pairs of tiles of {@code rows} rows and two vectors, as {@code Tiles} has them. */
  static void tile(
      int pairs,
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
      long bVs,
      MemorySegment c,
      long cOff,
      long ldc,
      long cVs,
      MemorySegment init,
      long initOff,
      long ldi,
      long iVs) {
    try {
      switch (2 * rows + (runLength == 1 ? 0 : 1)) {
        case 8 ->
            table8x2(
                pairs, runs, a, aOff, tab, tabOff, dA, b, bOff, bStep, bVs, c, cOff, ldc, cVs, init,
                initOff, ldi, iVs);
        case 9 ->
            runs8x2(
                pairs, runs, runLength, a, aOff, tab, tabOff, aStep, dA, b, bOff, bStep, bVs, c,
                cOff, ldc, cVs, init, initOff, ldi, iVs);
        case 10 ->
            table10x2(
                pairs, runs, a, aOff, tab, tabOff, dA, b, bOff, bStep, bVs, c, cOff, ldc, cVs, init,
                initOff, ldi, iVs);
        case 11 ->
            runs10x2(
                pairs, runs, runLength, a, aOff, tab, tabOff, aStep, dA, b, bOff, bStep, bVs, c,
                cOff, ldc, cVs, init, initOff, ldi, iVs);
        case 12 ->
            table12x2(
                pairs, runs, a, aOff, tab, tabOff, dA, b, bOff, bStep, bVs, c, cOff, ldc, cVs, init,
                initOff, ldi, iVs);
        case 13 ->
            runs12x2(
                pairs, runs, runLength, a, aOff, tab, tabOff, aStep, dA, b, bOff, bStep, bVs, c,
                cOff, ldc, cVs, init, initOff, ldi, iVs);
        default -> throw new IllegalArgumentException(String.valueOf(rows));
      }
    } catch (Throwable e) {
      throw TallOperands.unchecked(e);
    }
  }

  private static void table8x2(
      int tiles,
      int runs,
      MemorySegment a,
      long aOff,
      int[] tab,
      int tabOff,
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
      long iVs)
      throws Throwable {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 0, ldi, 0, iVs);
      FloatVector c01 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 0, ldi, 1, iVs);
      FloatVector c10 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 1, ldi, 0, iVs);
      FloatVector c11 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 1, ldi, 1, iVs);
      FloatVector c20 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 2, ldi, 0, iVs);
      FloatVector c21 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 2, ldi, 1, iVs);
      FloatVector c30 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 3, ldi, 0, iVs);
      FloatVector c31 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 3, ldi, 1, iVs);
      FloatVector c40 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 4, ldi, 0, iVs);
      FloatVector c41 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 4, ldi, 1, iVs);
      FloatVector c50 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 5, ldi, 0, iVs);
      FloatVector c51 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 5, ldi, 1, iVs);
      FloatVector c60 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 6, ldi, 0, iVs);
      FloatVector c61 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 6, ldi, 1, iVs);
      FloatVector c70 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 7, ldi, 0, iVs);
      FloatVector c71 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 7, ldi, 1, iVs);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        if (c00.getClass() != FLOATS
            || c01.getClass() != FLOATS
            || c10.getClass() != FLOATS
            || c11.getClass() != FLOATS
            || c20.getClass() != FLOATS
            || c21.getClass() != FLOATS
            || c30.getClass() != FLOATS
            || c31.getClass() != FLOATS
            || c40.getClass() != FLOATS
            || c41.getClass() != FLOATS
            || c50.getClass() != FLOATS
            || c51.getClass() != FLOATS
            || c60.getClass() != FLOATS
            || c61.getClass() != FLOATS
            || c70.getClass() != FLOATS
            || c71.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
        FloatVector b1 = FloatVector.fromMemorySegment(S, b, u + bVs, LE);
        FloatVector a0 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 0, dA);
        c00 = a0.fma(b0, c00);
        c01 = a0.fma(b1, c01);
        FloatVector a1 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 1, dA);
        c10 = a1.fma(b0, c10);
        c11 = a1.fma(b1, c11);
        FloatVector a2 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 2, dA);
        c20 = a2.fma(b0, c20);
        c21 = a2.fma(b1, c21);
        FloatVector a3 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 3, dA);
        c30 = a3.fma(b0, c30);
        c31 = a3.fma(b1, c31);
        FloatVector a4 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 4, dA);
        c40 = a4.fma(b0, c40);
        c41 = a4.fma(b1, c41);
        FloatVector a5 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 5, dA);
        c50 = a5.fma(b0, c50);
        c51 = a5.fma(b1, c51);
        FloatVector a6 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 6, dA);
        c60 = a6.fma(b0, c60);
        c61 = a6.fma(b1, c61);
        FloatVector a7 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 7, dA);
        c70 = a7.fma(b0, c70);
        c71 = a7.fma(b1, c71);
        u += bStep;
      }
      F32_STORE.invokeExact(c00, c, cOff, 0, ldc, 0, cVs);
      F32_STORE.invokeExact(c01, c, cOff, 0, ldc, 1, cVs);
      F32_STORE.invokeExact(c10, c, cOff, 1, ldc, 0, cVs);
      F32_STORE.invokeExact(c11, c, cOff, 1, ldc, 1, cVs);
      F32_STORE.invokeExact(c20, c, cOff, 2, ldc, 0, cVs);
      F32_STORE.invokeExact(c21, c, cOff, 2, ldc, 1, cVs);
      F32_STORE.invokeExact(c30, c, cOff, 3, ldc, 0, cVs);
      F32_STORE.invokeExact(c31, c, cOff, 3, ldc, 1, cVs);
      F32_STORE.invokeExact(c40, c, cOff, 4, ldc, 0, cVs);
      F32_STORE.invokeExact(c41, c, cOff, 4, ldc, 1, cVs);
      F32_STORE.invokeExact(c50, c, cOff, 5, ldc, 0, cVs);
      F32_STORE.invokeExact(c51, c, cOff, 5, ldc, 1, cVs);
      F32_STORE.invokeExact(c60, c, cOff, 6, ldc, 0, cVs);
      F32_STORE.invokeExact(c61, c, cOff, 6, ldc, 1, cVs);
      F32_STORE.invokeExact(c70, c, cOff, 7, ldc, 0, cVs);
      F32_STORE.invokeExact(c71, c, cOff, 7, ldc, 1, cVs);
      aOff += 8 * dA;
      cOff += 8 * ldc;
      initOff += 8 * ldi;
    }
  }

  private static void runs8x2(
      int tiles,
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
      long iVs)
      throws Throwable {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 0, ldi, 0, iVs);
      FloatVector c01 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 0, ldi, 1, iVs);
      FloatVector c10 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 1, ldi, 0, iVs);
      FloatVector c11 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 1, ldi, 1, iVs);
      FloatVector c20 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 2, ldi, 0, iVs);
      FloatVector c21 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 2, ldi, 1, iVs);
      FloatVector c30 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 3, ldi, 0, iVs);
      FloatVector c31 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 3, ldi, 1, iVs);
      FloatVector c40 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 4, ldi, 0, iVs);
      FloatVector c41 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 4, ldi, 1, iVs);
      FloatVector c50 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 5, ldi, 0, iVs);
      FloatVector c51 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 5, ldi, 1, iVs);
      FloatVector c60 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 6, ldi, 0, iVs);
      FloatVector c61 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 6, ldi, 1, iVs);
      FloatVector c70 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 7, ldi, 0, iVs);
      FloatVector c71 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 7, ldi, 1, iVs);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        for (int s = 0; s < runLength; s++) {
          if (c00.getClass() != FLOATS
              || c01.getClass() != FLOATS
              || c10.getClass() != FLOATS
              || c11.getClass() != FLOATS
              || c20.getClass() != FLOATS
              || c21.getClass() != FLOATS
              || c30.getClass() != FLOATS
              || c31.getClass() != FLOATS
              || c40.getClass() != FLOATS
              || c41.getClass() != FLOATS
              || c50.getClass() != FLOATS
              || c51.getClass() != FLOATS
              || c60.getClass() != FLOATS
              || c61.getClass() != FLOATS
              || c70.getClass() != FLOATS
              || c71.getClass() != FLOATS) {
            throw mixed();
          }
          FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
          FloatVector b1 = FloatVector.fromMemorySegment(S, b, u + bVs, LE);
          FloatVector a0 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 0, dA);
          c00 = a0.fma(b0, c00);
          c01 = a0.fma(b1, c01);
          FloatVector a1 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 1, dA);
          c10 = a1.fma(b0, c10);
          c11 = a1.fma(b1, c11);
          FloatVector a2 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 2, dA);
          c20 = a2.fma(b0, c20);
          c21 = a2.fma(b1, c21);
          FloatVector a3 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 3, dA);
          c30 = a3.fma(b0, c30);
          c31 = a3.fma(b1, c31);
          FloatVector a4 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 4, dA);
          c40 = a4.fma(b0, c40);
          c41 = a4.fma(b1, c41);
          FloatVector a5 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 5, dA);
          c50 = a5.fma(b0, c50);
          c51 = a5.fma(b1, c51);
          FloatVector a6 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 6, dA);
          c60 = a6.fma(b0, c60);
          c61 = a6.fma(b1, c61);
          FloatVector a7 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 7, dA);
          c70 = a7.fma(b0, c70);
          c71 = a7.fma(b1, c71);
          q += aStep;
          u += bStep;
        }
      }
      F32_STORE.invokeExact(c00, c, cOff, 0, ldc, 0, cVs);
      F32_STORE.invokeExact(c01, c, cOff, 0, ldc, 1, cVs);
      F32_STORE.invokeExact(c10, c, cOff, 1, ldc, 0, cVs);
      F32_STORE.invokeExact(c11, c, cOff, 1, ldc, 1, cVs);
      F32_STORE.invokeExact(c20, c, cOff, 2, ldc, 0, cVs);
      F32_STORE.invokeExact(c21, c, cOff, 2, ldc, 1, cVs);
      F32_STORE.invokeExact(c30, c, cOff, 3, ldc, 0, cVs);
      F32_STORE.invokeExact(c31, c, cOff, 3, ldc, 1, cVs);
      F32_STORE.invokeExact(c40, c, cOff, 4, ldc, 0, cVs);
      F32_STORE.invokeExact(c41, c, cOff, 4, ldc, 1, cVs);
      F32_STORE.invokeExact(c50, c, cOff, 5, ldc, 0, cVs);
      F32_STORE.invokeExact(c51, c, cOff, 5, ldc, 1, cVs);
      F32_STORE.invokeExact(c60, c, cOff, 6, ldc, 0, cVs);
      F32_STORE.invokeExact(c61, c, cOff, 6, ldc, 1, cVs);
      F32_STORE.invokeExact(c70, c, cOff, 7, ldc, 0, cVs);
      F32_STORE.invokeExact(c71, c, cOff, 7, ldc, 1, cVs);
      aOff += 8 * dA;
      cOff += 8 * ldc;
      initOff += 8 * ldi;
    }
  }

  private static void table10x2(
      int tiles,
      int runs,
      MemorySegment a,
      long aOff,
      int[] tab,
      int tabOff,
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
      long iVs)
      throws Throwable {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 0, ldi, 0, iVs);
      FloatVector c01 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 0, ldi, 1, iVs);
      FloatVector c10 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 1, ldi, 0, iVs);
      FloatVector c11 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 1, ldi, 1, iVs);
      FloatVector c20 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 2, ldi, 0, iVs);
      FloatVector c21 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 2, ldi, 1, iVs);
      FloatVector c30 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 3, ldi, 0, iVs);
      FloatVector c31 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 3, ldi, 1, iVs);
      FloatVector c40 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 4, ldi, 0, iVs);
      FloatVector c41 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 4, ldi, 1, iVs);
      FloatVector c50 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 5, ldi, 0, iVs);
      FloatVector c51 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 5, ldi, 1, iVs);
      FloatVector c60 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 6, ldi, 0, iVs);
      FloatVector c61 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 6, ldi, 1, iVs);
      FloatVector c70 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 7, ldi, 0, iVs);
      FloatVector c71 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 7, ldi, 1, iVs);
      FloatVector c80 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 8, ldi, 0, iVs);
      FloatVector c81 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 8, ldi, 1, iVs);
      FloatVector c90 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 9, ldi, 0, iVs);
      FloatVector c91 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 9, ldi, 1, iVs);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        if (c00.getClass() != FLOATS
            || c01.getClass() != FLOATS
            || c10.getClass() != FLOATS
            || c11.getClass() != FLOATS
            || c20.getClass() != FLOATS
            || c21.getClass() != FLOATS
            || c30.getClass() != FLOATS
            || c31.getClass() != FLOATS
            || c40.getClass() != FLOATS
            || c41.getClass() != FLOATS
            || c50.getClass() != FLOATS
            || c51.getClass() != FLOATS
            || c60.getClass() != FLOATS
            || c61.getClass() != FLOATS
            || c70.getClass() != FLOATS
            || c71.getClass() != FLOATS
            || c80.getClass() != FLOATS
            || c81.getClass() != FLOATS
            || c90.getClass() != FLOATS
            || c91.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
        FloatVector b1 = FloatVector.fromMemorySegment(S, b, u + bVs, LE);
        FloatVector a0 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 0, dA);
        c00 = a0.fma(b0, c00);
        c01 = a0.fma(b1, c01);
        FloatVector a1 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 1, dA);
        c10 = a1.fma(b0, c10);
        c11 = a1.fma(b1, c11);
        FloatVector a2 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 2, dA);
        c20 = a2.fma(b0, c20);
        c21 = a2.fma(b1, c21);
        FloatVector a3 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 3, dA);
        c30 = a3.fma(b0, c30);
        c31 = a3.fma(b1, c31);
        FloatVector a4 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 4, dA);
        c40 = a4.fma(b0, c40);
        c41 = a4.fma(b1, c41);
        FloatVector a5 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 5, dA);
        c50 = a5.fma(b0, c50);
        c51 = a5.fma(b1, c51);
        FloatVector a6 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 6, dA);
        c60 = a6.fma(b0, c60);
        c61 = a6.fma(b1, c61);
        FloatVector a7 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 7, dA);
        c70 = a7.fma(b0, c70);
        c71 = a7.fma(b1, c71);
        FloatVector a8 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 8, dA);
        c80 = a8.fma(b0, c80);
        c81 = a8.fma(b1, c81);
        FloatVector a9 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 9, dA);
        c90 = a9.fma(b0, c90);
        c91 = a9.fma(b1, c91);
        u += bStep;
      }
      F32_STORE.invokeExact(c00, c, cOff, 0, ldc, 0, cVs);
      F32_STORE.invokeExact(c01, c, cOff, 0, ldc, 1, cVs);
      F32_STORE.invokeExact(c10, c, cOff, 1, ldc, 0, cVs);
      F32_STORE.invokeExact(c11, c, cOff, 1, ldc, 1, cVs);
      F32_STORE.invokeExact(c20, c, cOff, 2, ldc, 0, cVs);
      F32_STORE.invokeExact(c21, c, cOff, 2, ldc, 1, cVs);
      F32_STORE.invokeExact(c30, c, cOff, 3, ldc, 0, cVs);
      F32_STORE.invokeExact(c31, c, cOff, 3, ldc, 1, cVs);
      F32_STORE.invokeExact(c40, c, cOff, 4, ldc, 0, cVs);
      F32_STORE.invokeExact(c41, c, cOff, 4, ldc, 1, cVs);
      F32_STORE.invokeExact(c50, c, cOff, 5, ldc, 0, cVs);
      F32_STORE.invokeExact(c51, c, cOff, 5, ldc, 1, cVs);
      F32_STORE.invokeExact(c60, c, cOff, 6, ldc, 0, cVs);
      F32_STORE.invokeExact(c61, c, cOff, 6, ldc, 1, cVs);
      F32_STORE.invokeExact(c70, c, cOff, 7, ldc, 0, cVs);
      F32_STORE.invokeExact(c71, c, cOff, 7, ldc, 1, cVs);
      F32_STORE.invokeExact(c80, c, cOff, 8, ldc, 0, cVs);
      F32_STORE.invokeExact(c81, c, cOff, 8, ldc, 1, cVs);
      F32_STORE.invokeExact(c90, c, cOff, 9, ldc, 0, cVs);
      F32_STORE.invokeExact(c91, c, cOff, 9, ldc, 1, cVs);
      aOff += 10 * dA;
      cOff += 10 * ldc;
      initOff += 10 * ldi;
    }
  }

  private static void runs10x2(
      int tiles,
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
      long iVs)
      throws Throwable {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 0, ldi, 0, iVs);
      FloatVector c01 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 0, ldi, 1, iVs);
      FloatVector c10 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 1, ldi, 0, iVs);
      FloatVector c11 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 1, ldi, 1, iVs);
      FloatVector c20 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 2, ldi, 0, iVs);
      FloatVector c21 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 2, ldi, 1, iVs);
      FloatVector c30 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 3, ldi, 0, iVs);
      FloatVector c31 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 3, ldi, 1, iVs);
      FloatVector c40 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 4, ldi, 0, iVs);
      FloatVector c41 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 4, ldi, 1, iVs);
      FloatVector c50 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 5, ldi, 0, iVs);
      FloatVector c51 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 5, ldi, 1, iVs);
      FloatVector c60 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 6, ldi, 0, iVs);
      FloatVector c61 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 6, ldi, 1, iVs);
      FloatVector c70 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 7, ldi, 0, iVs);
      FloatVector c71 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 7, ldi, 1, iVs);
      FloatVector c80 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 8, ldi, 0, iVs);
      FloatVector c81 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 8, ldi, 1, iVs);
      FloatVector c90 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 9, ldi, 0, iVs);
      FloatVector c91 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 9, ldi, 1, iVs);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        for (int s = 0; s < runLength; s++) {
          if (c00.getClass() != FLOATS
              || c01.getClass() != FLOATS
              || c10.getClass() != FLOATS
              || c11.getClass() != FLOATS
              || c20.getClass() != FLOATS
              || c21.getClass() != FLOATS
              || c30.getClass() != FLOATS
              || c31.getClass() != FLOATS
              || c40.getClass() != FLOATS
              || c41.getClass() != FLOATS
              || c50.getClass() != FLOATS
              || c51.getClass() != FLOATS
              || c60.getClass() != FLOATS
              || c61.getClass() != FLOATS
              || c70.getClass() != FLOATS
              || c71.getClass() != FLOATS
              || c80.getClass() != FLOATS
              || c81.getClass() != FLOATS
              || c90.getClass() != FLOATS
              || c91.getClass() != FLOATS) {
            throw mixed();
          }
          FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
          FloatVector b1 = FloatVector.fromMemorySegment(S, b, u + bVs, LE);
          FloatVector a0 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 0, dA);
          c00 = a0.fma(b0, c00);
          c01 = a0.fma(b1, c01);
          FloatVector a1 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 1, dA);
          c10 = a1.fma(b0, c10);
          c11 = a1.fma(b1, c11);
          FloatVector a2 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 2, dA);
          c20 = a2.fma(b0, c20);
          c21 = a2.fma(b1, c21);
          FloatVector a3 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 3, dA);
          c30 = a3.fma(b0, c30);
          c31 = a3.fma(b1, c31);
          FloatVector a4 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 4, dA);
          c40 = a4.fma(b0, c40);
          c41 = a4.fma(b1, c41);
          FloatVector a5 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 5, dA);
          c50 = a5.fma(b0, c50);
          c51 = a5.fma(b1, c51);
          FloatVector a6 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 6, dA);
          c60 = a6.fma(b0, c60);
          c61 = a6.fma(b1, c61);
          FloatVector a7 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 7, dA);
          c70 = a7.fma(b0, c70);
          c71 = a7.fma(b1, c71);
          FloatVector a8 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 8, dA);
          c80 = a8.fma(b0, c80);
          c81 = a8.fma(b1, c81);
          FloatVector a9 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 9, dA);
          c90 = a9.fma(b0, c90);
          c91 = a9.fma(b1, c91);
          q += aStep;
          u += bStep;
        }
      }
      F32_STORE.invokeExact(c00, c, cOff, 0, ldc, 0, cVs);
      F32_STORE.invokeExact(c01, c, cOff, 0, ldc, 1, cVs);
      F32_STORE.invokeExact(c10, c, cOff, 1, ldc, 0, cVs);
      F32_STORE.invokeExact(c11, c, cOff, 1, ldc, 1, cVs);
      F32_STORE.invokeExact(c20, c, cOff, 2, ldc, 0, cVs);
      F32_STORE.invokeExact(c21, c, cOff, 2, ldc, 1, cVs);
      F32_STORE.invokeExact(c30, c, cOff, 3, ldc, 0, cVs);
      F32_STORE.invokeExact(c31, c, cOff, 3, ldc, 1, cVs);
      F32_STORE.invokeExact(c40, c, cOff, 4, ldc, 0, cVs);
      F32_STORE.invokeExact(c41, c, cOff, 4, ldc, 1, cVs);
      F32_STORE.invokeExact(c50, c, cOff, 5, ldc, 0, cVs);
      F32_STORE.invokeExact(c51, c, cOff, 5, ldc, 1, cVs);
      F32_STORE.invokeExact(c60, c, cOff, 6, ldc, 0, cVs);
      F32_STORE.invokeExact(c61, c, cOff, 6, ldc, 1, cVs);
      F32_STORE.invokeExact(c70, c, cOff, 7, ldc, 0, cVs);
      F32_STORE.invokeExact(c71, c, cOff, 7, ldc, 1, cVs);
      F32_STORE.invokeExact(c80, c, cOff, 8, ldc, 0, cVs);
      F32_STORE.invokeExact(c81, c, cOff, 8, ldc, 1, cVs);
      F32_STORE.invokeExact(c90, c, cOff, 9, ldc, 0, cVs);
      F32_STORE.invokeExact(c91, c, cOff, 9, ldc, 1, cVs);
      aOff += 10 * dA;
      cOff += 10 * ldc;
      initOff += 10 * ldi;
    }
  }

  private static void table12x2(
      int tiles,
      int runs,
      MemorySegment a,
      long aOff,
      int[] tab,
      int tabOff,
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
      long iVs)
      throws Throwable {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 0, ldi, 0, iVs);
      FloatVector c01 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 0, ldi, 1, iVs);
      FloatVector c10 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 1, ldi, 0, iVs);
      FloatVector c11 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 1, ldi, 1, iVs);
      FloatVector c20 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 2, ldi, 0, iVs);
      FloatVector c21 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 2, ldi, 1, iVs);
      FloatVector c30 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 3, ldi, 0, iVs);
      FloatVector c31 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 3, ldi, 1, iVs);
      FloatVector c40 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 4, ldi, 0, iVs);
      FloatVector c41 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 4, ldi, 1, iVs);
      FloatVector c50 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 5, ldi, 0, iVs);
      FloatVector c51 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 5, ldi, 1, iVs);
      FloatVector c60 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 6, ldi, 0, iVs);
      FloatVector c61 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 6, ldi, 1, iVs);
      FloatVector c70 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 7, ldi, 0, iVs);
      FloatVector c71 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 7, ldi, 1, iVs);
      FloatVector c80 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 8, ldi, 0, iVs);
      FloatVector c81 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 8, ldi, 1, iVs);
      FloatVector c90 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 9, ldi, 0, iVs);
      FloatVector c91 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 9, ldi, 1, iVs);
      FloatVector c100 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 10, ldi, 0, iVs);
      FloatVector c101 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 10, ldi, 1, iVs);
      FloatVector c110 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 11, ldi, 0, iVs);
      FloatVector c111 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 11, ldi, 1, iVs);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        if (c00.getClass() != FLOATS
            || c01.getClass() != FLOATS
            || c10.getClass() != FLOATS
            || c11.getClass() != FLOATS
            || c20.getClass() != FLOATS
            || c21.getClass() != FLOATS
            || c30.getClass() != FLOATS
            || c31.getClass() != FLOATS
            || c40.getClass() != FLOATS
            || c41.getClass() != FLOATS
            || c50.getClass() != FLOATS
            || c51.getClass() != FLOATS
            || c60.getClass() != FLOATS
            || c61.getClass() != FLOATS
            || c70.getClass() != FLOATS
            || c71.getClass() != FLOATS
            || c80.getClass() != FLOATS
            || c81.getClass() != FLOATS
            || c90.getClass() != FLOATS
            || c91.getClass() != FLOATS
            || c100.getClass() != FLOATS
            || c101.getClass() != FLOATS
            || c110.getClass() != FLOATS
            || c111.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
        FloatVector b1 = FloatVector.fromMemorySegment(S, b, u + bVs, LE);
        FloatVector a0 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 0, dA);
        c00 = a0.fma(b0, c00);
        c01 = a0.fma(b1, c01);
        FloatVector a1 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 1, dA);
        c10 = a1.fma(b0, c10);
        c11 = a1.fma(b1, c11);
        FloatVector a2 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 2, dA);
        c20 = a2.fma(b0, c20);
        c21 = a2.fma(b1, c21);
        FloatVector a3 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 3, dA);
        c30 = a3.fma(b0, c30);
        c31 = a3.fma(b1, c31);
        FloatVector a4 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 4, dA);
        c40 = a4.fma(b0, c40);
        c41 = a4.fma(b1, c41);
        FloatVector a5 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 5, dA);
        c50 = a5.fma(b0, c50);
        c51 = a5.fma(b1, c51);
        FloatVector a6 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 6, dA);
        c60 = a6.fma(b0, c60);
        c61 = a6.fma(b1, c61);
        FloatVector a7 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 7, dA);
        c70 = a7.fma(b0, c70);
        c71 = a7.fma(b1, c71);
        FloatVector a8 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 8, dA);
        c80 = a8.fma(b0, c80);
        c81 = a8.fma(b1, c81);
        FloatVector a9 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 9, dA);
        c90 = a9.fma(b0, c90);
        c91 = a9.fma(b1, c91);
        FloatVector a10 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 10, dA);
        c100 = a10.fma(b0, c100);
        c101 = a10.fma(b1, c101);
        FloatVector a11 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 11, dA);
        c110 = a11.fma(b0, c110);
        c111 = a11.fma(b1, c111);
        u += bStep;
      }
      F32_STORE.invokeExact(c00, c, cOff, 0, ldc, 0, cVs);
      F32_STORE.invokeExact(c01, c, cOff, 0, ldc, 1, cVs);
      F32_STORE.invokeExact(c10, c, cOff, 1, ldc, 0, cVs);
      F32_STORE.invokeExact(c11, c, cOff, 1, ldc, 1, cVs);
      F32_STORE.invokeExact(c20, c, cOff, 2, ldc, 0, cVs);
      F32_STORE.invokeExact(c21, c, cOff, 2, ldc, 1, cVs);
      F32_STORE.invokeExact(c30, c, cOff, 3, ldc, 0, cVs);
      F32_STORE.invokeExact(c31, c, cOff, 3, ldc, 1, cVs);
      F32_STORE.invokeExact(c40, c, cOff, 4, ldc, 0, cVs);
      F32_STORE.invokeExact(c41, c, cOff, 4, ldc, 1, cVs);
      F32_STORE.invokeExact(c50, c, cOff, 5, ldc, 0, cVs);
      F32_STORE.invokeExact(c51, c, cOff, 5, ldc, 1, cVs);
      F32_STORE.invokeExact(c60, c, cOff, 6, ldc, 0, cVs);
      F32_STORE.invokeExact(c61, c, cOff, 6, ldc, 1, cVs);
      F32_STORE.invokeExact(c70, c, cOff, 7, ldc, 0, cVs);
      F32_STORE.invokeExact(c71, c, cOff, 7, ldc, 1, cVs);
      F32_STORE.invokeExact(c80, c, cOff, 8, ldc, 0, cVs);
      F32_STORE.invokeExact(c81, c, cOff, 8, ldc, 1, cVs);
      F32_STORE.invokeExact(c90, c, cOff, 9, ldc, 0, cVs);
      F32_STORE.invokeExact(c91, c, cOff, 9, ldc, 1, cVs);
      F32_STORE.invokeExact(c100, c, cOff, 10, ldc, 0, cVs);
      F32_STORE.invokeExact(c101, c, cOff, 10, ldc, 1, cVs);
      F32_STORE.invokeExact(c110, c, cOff, 11, ldc, 0, cVs);
      F32_STORE.invokeExact(c111, c, cOff, 11, ldc, 1, cVs);
      aOff += 12 * dA;
      cOff += 12 * ldc;
      initOff += 12 * ldi;
    }
  }

  private static void runs12x2(
      int tiles,
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
      long iVs)
      throws Throwable {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 0, ldi, 0, iVs);
      FloatVector c01 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 0, ldi, 1, iVs);
      FloatVector c10 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 1, ldi, 0, iVs);
      FloatVector c11 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 1, ldi, 1, iVs);
      FloatVector c20 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 2, ldi, 0, iVs);
      FloatVector c21 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 2, ldi, 1, iVs);
      FloatVector c30 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 3, ldi, 0, iVs);
      FloatVector c31 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 3, ldi, 1, iVs);
      FloatVector c40 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 4, ldi, 0, iVs);
      FloatVector c41 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 4, ldi, 1, iVs);
      FloatVector c50 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 5, ldi, 0, iVs);
      FloatVector c51 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 5, ldi, 1, iVs);
      FloatVector c60 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 6, ldi, 0, iVs);
      FloatVector c61 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 6, ldi, 1, iVs);
      FloatVector c70 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 7, ldi, 0, iVs);
      FloatVector c71 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 7, ldi, 1, iVs);
      FloatVector c80 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 8, ldi, 0, iVs);
      FloatVector c81 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 8, ldi, 1, iVs);
      FloatVector c90 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 9, ldi, 0, iVs);
      FloatVector c91 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 9, ldi, 1, iVs);
      FloatVector c100 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 10, ldi, 0, iVs);
      FloatVector c101 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 10, ldi, 1, iVs);
      FloatVector c110 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 11, ldi, 0, iVs);
      FloatVector c111 = (FloatVector) F32_LOAD.invokeExact(init, initOff, 11, ldi, 1, iVs);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        for (int s = 0; s < runLength; s++) {
          if (c00.getClass() != FLOATS
              || c01.getClass() != FLOATS
              || c10.getClass() != FLOATS
              || c11.getClass() != FLOATS
              || c20.getClass() != FLOATS
              || c21.getClass() != FLOATS
              || c30.getClass() != FLOATS
              || c31.getClass() != FLOATS
              || c40.getClass() != FLOATS
              || c41.getClass() != FLOATS
              || c50.getClass() != FLOATS
              || c51.getClass() != FLOATS
              || c60.getClass() != FLOATS
              || c61.getClass() != FLOATS
              || c70.getClass() != FLOATS
              || c71.getClass() != FLOATS
              || c80.getClass() != FLOATS
              || c81.getClass() != FLOATS
              || c90.getClass() != FLOATS
              || c91.getClass() != FLOATS
              || c100.getClass() != FLOATS
              || c101.getClass() != FLOATS
              || c110.getClass() != FLOATS
              || c111.getClass() != FLOATS) {
            throw mixed();
          }
          FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
          FloatVector b1 = FloatVector.fromMemorySegment(S, b, u + bVs, LE);
          FloatVector a0 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 0, dA);
          c00 = a0.fma(b0, c00);
          c01 = a0.fma(b1, c01);
          FloatVector a1 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 1, dA);
          c10 = a1.fma(b0, c10);
          c11 = a1.fma(b1, c11);
          FloatVector a2 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 2, dA);
          c20 = a2.fma(b0, c20);
          c21 = a2.fma(b1, c21);
          FloatVector a3 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 3, dA);
          c30 = a3.fma(b0, c30);
          c31 = a3.fma(b1, c31);
          FloatVector a4 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 4, dA);
          c40 = a4.fma(b0, c40);
          c41 = a4.fma(b1, c41);
          FloatVector a5 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 5, dA);
          c50 = a5.fma(b0, c50);
          c51 = a5.fma(b1, c51);
          FloatVector a6 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 6, dA);
          c60 = a6.fma(b0, c60);
          c61 = a6.fma(b1, c61);
          FloatVector a7 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 7, dA);
          c70 = a7.fma(b0, c70);
          c71 = a7.fma(b1, c71);
          FloatVector a8 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 8, dA);
          c80 = a8.fma(b0, c80);
          c81 = a8.fma(b1, c81);
          FloatVector a9 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 9, dA);
          c90 = a9.fma(b0, c90);
          c91 = a9.fma(b1, c91);
          FloatVector a10 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 10, dA);
          c100 = a10.fma(b0, c100);
          c101 = a10.fma(b1, c101);
          FloatVector a11 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, 0L, 11, dA);
          c110 = a11.fma(b0, c110);
          c111 = a11.fma(b1, c111);
          q += aStep;
          u += bStep;
        }
      }
      F32_STORE.invokeExact(c00, c, cOff, 0, ldc, 0, cVs);
      F32_STORE.invokeExact(c01, c, cOff, 0, ldc, 1, cVs);
      F32_STORE.invokeExact(c10, c, cOff, 1, ldc, 0, cVs);
      F32_STORE.invokeExact(c11, c, cOff, 1, ldc, 1, cVs);
      F32_STORE.invokeExact(c20, c, cOff, 2, ldc, 0, cVs);
      F32_STORE.invokeExact(c21, c, cOff, 2, ldc, 1, cVs);
      F32_STORE.invokeExact(c30, c, cOff, 3, ldc, 0, cVs);
      F32_STORE.invokeExact(c31, c, cOff, 3, ldc, 1, cVs);
      F32_STORE.invokeExact(c40, c, cOff, 4, ldc, 0, cVs);
      F32_STORE.invokeExact(c41, c, cOff, 4, ldc, 1, cVs);
      F32_STORE.invokeExact(c50, c, cOff, 5, ldc, 0, cVs);
      F32_STORE.invokeExact(c51, c, cOff, 5, ldc, 1, cVs);
      F32_STORE.invokeExact(c60, c, cOff, 6, ldc, 0, cVs);
      F32_STORE.invokeExact(c61, c, cOff, 6, ldc, 1, cVs);
      F32_STORE.invokeExact(c70, c, cOff, 7, ldc, 0, cVs);
      F32_STORE.invokeExact(c71, c, cOff, 7, ldc, 1, cVs);
      F32_STORE.invokeExact(c80, c, cOff, 8, ldc, 0, cVs);
      F32_STORE.invokeExact(c81, c, cOff, 8, ldc, 1, cVs);
      F32_STORE.invokeExact(c90, c, cOff, 9, ldc, 0, cVs);
      F32_STORE.invokeExact(c91, c, cOff, 9, ldc, 1, cVs);
      F32_STORE.invokeExact(c100, c, cOff, 10, ldc, 0, cVs);
      F32_STORE.invokeExact(c101, c, cOff, 10, ldc, 1, cVs);
      F32_STORE.invokeExact(c110, c, cOff, 11, ldc, 0, cVs);
      F32_STORE.invokeExact(c111, c, cOff, 11, ldc, 1, cVs);
      aOff += 12 * dA;
      cOff += 12 * ldc;
      initOff += 12 * ldi;
    }
  }

  static void row(
      int tiles,
      int k,
      MemorySegment a,
      long aOff,
      MemorySegment b,
      long bOff,
      MemorySegment c,
      long cOff,
      long ldc) {
    try {
      row12(tiles, k, a, aOff, b, bOff, c, cOff, ldc);
    } catch (Throwable e) {
      throw TallOperands.unchecked(e);
    }
  }

  private static void row12(
      int tiles,
      int k,
      MemorySegment a,
      long aOff,
      MemorySegment b,
      long bOff,
      MemorySegment c,
      long cOff,
      long ldc)
      throws Throwable {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    long vs = S.vectorByteSize();
    long next = 24L * k;
    FloatVector zero = FloatVector.zero(S);
    for (int t = 0; t < tiles; t++) {
      FloatVector c00 = zero;
      FloatVector c01 = zero;
      FloatVector c10 = zero;
      FloatVector c11 = zero;
      FloatVector c20 = zero;
      FloatVector c21 = zero;
      FloatVector c30 = zero;
      FloatVector c31 = zero;
      FloatVector c40 = zero;
      FloatVector c41 = zero;
      FloatVector c50 = zero;
      FloatVector c51 = zero;
      FloatVector c60 = zero;
      FloatVector c61 = zero;
      FloatVector c70 = zero;
      FloatVector c71 = zero;
      FloatVector c80 = zero;
      FloatVector c81 = zero;
      FloatVector c90 = zero;
      FloatVector c91 = zero;
      FloatVector c100 = zero;
      FloatVector c101 = zero;
      FloatVector c110 = zero;
      FloatVector c111 = zero;
      long q = aOff;
      for (int p = 0; p < k; p++) {
        if (c00.getClass() != FLOATS
            || c01.getClass() != FLOATS
            || c10.getClass() != FLOATS
            || c11.getClass() != FLOATS
            || c20.getClass() != FLOATS
            || c21.getClass() != FLOATS
            || c30.getClass() != FLOATS
            || c31.getClass() != FLOATS
            || c40.getClass() != FLOATS
            || c41.getClass() != FLOATS
            || c50.getClass() != FLOATS
            || c51.getClass() != FLOATS
            || c60.getClass() != FLOATS
            || c61.getClass() != FLOATS
            || c70.getClass() != FLOATS
            || c71.getClass() != FLOATS
            || c80.getClass() != FLOATS
            || c81.getClass() != FLOATS
            || c90.getClass() != FLOATS
            || c91.getClass() != FLOATS
            || c100.getClass() != FLOATS
            || c101.getClass() != FLOATS
            || c110.getClass() != FLOATS
            || c111.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector b0 = FloatVector.fromMemorySegment(S, b, bOff, LE);
        FloatVector b1 = FloatVector.fromMemorySegment(S, b, bOff + vs, LE);
        FloatVector a0 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, next, 0, 4L);
        c00 = a0.fma(b0, c00);
        c01 = a0.fma(b1, c01);
        FloatVector a1 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, next, 1, 4L);
        c10 = a1.fma(b0, c10);
        c11 = a1.fma(b1, c11);
        FloatVector a2 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, next, 2, 4L);
        c20 = a2.fma(b0, c20);
        c21 = a2.fma(b1, c21);
        FloatVector a3 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, next, 3, 4L);
        c30 = a3.fma(b0, c30);
        c31 = a3.fma(b1, c31);
        FloatVector a4 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, next, 4, 4L);
        c40 = a4.fma(b0, c40);
        c41 = a4.fma(b1, c41);
        FloatVector a5 = (FloatVector) F32_SPLAT.invokeExact(a, q, 0, next, 5, 4L);
        c50 = a5.fma(b0, c50);
        c51 = a5.fma(b1, c51);
        FloatVector a6 = (FloatVector) F32_SPLAT.invokeExact(a, q, 1, next, 0, 4L);
        c60 = a6.fma(b0, c60);
        c61 = a6.fma(b1, c61);
        FloatVector a7 = (FloatVector) F32_SPLAT.invokeExact(a, q, 1, next, 1, 4L);
        c70 = a7.fma(b0, c70);
        c71 = a7.fma(b1, c71);
        FloatVector a8 = (FloatVector) F32_SPLAT.invokeExact(a, q, 1, next, 2, 4L);
        c80 = a8.fma(b0, c80);
        c81 = a8.fma(b1, c81);
        FloatVector a9 = (FloatVector) F32_SPLAT.invokeExact(a, q, 1, next, 3, 4L);
        c90 = a9.fma(b0, c90);
        c91 = a9.fma(b1, c91);
        FloatVector a10 = (FloatVector) F32_SPLAT.invokeExact(a, q, 1, next, 4, 4L);
        c100 = a10.fma(b0, c100);
        c101 = a10.fma(b1, c101);
        FloatVector a11 = (FloatVector) F32_SPLAT.invokeExact(a, q, 1, next, 5, 4L);
        c110 = a11.fma(b0, c110);
        c111 = a11.fma(b1, c111);
        q += 24;
        bOff += 2 * vs;
      }
      F32_STORE.invokeExact(c00, c, cOff, 0, ldc, 0, vs);
      F32_STORE.invokeExact(c01, c, cOff, 0, ldc, 1, vs);
      F32_STORE.invokeExact(c10, c, cOff, 1, ldc, 0, vs);
      F32_STORE.invokeExact(c11, c, cOff, 1, ldc, 1, vs);
      F32_STORE.invokeExact(c20, c, cOff, 2, ldc, 0, vs);
      F32_STORE.invokeExact(c21, c, cOff, 2, ldc, 1, vs);
      F32_STORE.invokeExact(c30, c, cOff, 3, ldc, 0, vs);
      F32_STORE.invokeExact(c31, c, cOff, 3, ldc, 1, vs);
      F32_STORE.invokeExact(c40, c, cOff, 4, ldc, 0, vs);
      F32_STORE.invokeExact(c41, c, cOff, 4, ldc, 1, vs);
      F32_STORE.invokeExact(c50, c, cOff, 5, ldc, 0, vs);
      F32_STORE.invokeExact(c51, c, cOff, 5, ldc, 1, vs);
      F32_STORE.invokeExact(c60, c, cOff, 6, ldc, 0, vs);
      F32_STORE.invokeExact(c61, c, cOff, 6, ldc, 1, vs);
      F32_STORE.invokeExact(c70, c, cOff, 7, ldc, 0, vs);
      F32_STORE.invokeExact(c71, c, cOff, 7, ldc, 1, vs);
      F32_STORE.invokeExact(c80, c, cOff, 8, ldc, 0, vs);
      F32_STORE.invokeExact(c81, c, cOff, 8, ldc, 1, vs);
      F32_STORE.invokeExact(c90, c, cOff, 9, ldc, 0, vs);
      F32_STORE.invokeExact(c91, c, cOff, 9, ldc, 1, vs);
      F32_STORE.invokeExact(c100, c, cOff, 10, ldc, 0, vs);
      F32_STORE.invokeExact(c101, c, cOff, 10, ldc, 1, vs);
      F32_STORE.invokeExact(c110, c, cOff, 11, ldc, 0, vs);
      F32_STORE.invokeExact(c111, c, cOff, 11, ldc, 1, vs);
      cOff += 2 * vs;
    }
  }
}
