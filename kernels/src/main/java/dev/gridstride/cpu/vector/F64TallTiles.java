package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static dev.gridstride.cpu.vector.Carried.DOUBLES;
import static dev.gridstride.cpu.vector.Carried.mixed;
import static dev.gridstride.cpu.vector.TallOperands.F64_LOAD;
import static dev.gridstride.cpu.vector.TallOperands.F64_SPLAT;
import static dev.gridstride.cpu.vector.TallOperands.F64_STORE;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The f64 tiles for 32 vector registers: two tiles below each other as one, so that each vector of
 * B is read for twice as many multiply-adds, and a term takes fewer other instructions than a core
 * starts beside them. {@link TallOperands} says how they read. Written by TileGenerator (test
 * tree), not by hand.
 */
final class F64TallTiles {
  /** Whether this machine's vectors are those of which there are 32. */
  static final boolean FIT = F64Tiles.S.vectorBitSize() == 512;

  private static final VectorSpecies<Double> S = F64Tiles.S;
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;

  private F64TallTiles() {}

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
      DoubleVector c00 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 0, ldi, 0, iVs);
      DoubleVector c01 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 0, ldi, 1, iVs);
      DoubleVector c10 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 1, ldi, 0, iVs);
      DoubleVector c11 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 1, ldi, 1, iVs);
      DoubleVector c20 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 2, ldi, 0, iVs);
      DoubleVector c21 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 2, ldi, 1, iVs);
      DoubleVector c30 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 3, ldi, 0, iVs);
      DoubleVector c31 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 3, ldi, 1, iVs);
      DoubleVector c40 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 4, ldi, 0, iVs);
      DoubleVector c41 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 4, ldi, 1, iVs);
      DoubleVector c50 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 5, ldi, 0, iVs);
      DoubleVector c51 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 5, ldi, 1, iVs);
      DoubleVector c60 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 6, ldi, 0, iVs);
      DoubleVector c61 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 6, ldi, 1, iVs);
      DoubleVector c70 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 7, ldi, 0, iVs);
      DoubleVector c71 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 7, ldi, 1, iVs);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        if (c00.getClass() != DOUBLES
            || c01.getClass() != DOUBLES
            || c10.getClass() != DOUBLES
            || c11.getClass() != DOUBLES
            || c20.getClass() != DOUBLES
            || c21.getClass() != DOUBLES
            || c30.getClass() != DOUBLES
            || c31.getClass() != DOUBLES
            || c40.getClass() != DOUBLES
            || c41.getClass() != DOUBLES
            || c50.getClass() != DOUBLES
            || c51.getClass() != DOUBLES
            || c60.getClass() != DOUBLES
            || c61.getClass() != DOUBLES
            || c70.getClass() != DOUBLES
            || c71.getClass() != DOUBLES) {
          throw mixed();
        }
        DoubleVector b0 = DoubleVector.fromMemorySegment(S, b, u, LE);
        DoubleVector b1 = DoubleVector.fromMemorySegment(S, b, u + bVs, LE);
        DoubleVector a0 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 0, dA);
        c00 = a0.fma(b0, c00);
        c01 = a0.fma(b1, c01);
        DoubleVector a1 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 1, dA);
        c10 = a1.fma(b0, c10);
        c11 = a1.fma(b1, c11);
        DoubleVector a2 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 2, dA);
        c20 = a2.fma(b0, c20);
        c21 = a2.fma(b1, c21);
        DoubleVector a3 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 3, dA);
        c30 = a3.fma(b0, c30);
        c31 = a3.fma(b1, c31);
        DoubleVector a4 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 4, dA);
        c40 = a4.fma(b0, c40);
        c41 = a4.fma(b1, c41);
        DoubleVector a5 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 5, dA);
        c50 = a5.fma(b0, c50);
        c51 = a5.fma(b1, c51);
        DoubleVector a6 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 6, dA);
        c60 = a6.fma(b0, c60);
        c61 = a6.fma(b1, c61);
        DoubleVector a7 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 7, dA);
        c70 = a7.fma(b0, c70);
        c71 = a7.fma(b1, c71);
        u += bStep;
      }
      F64_STORE.invokeExact(c00, c, cOff, 0, ldc, 0, cVs);
      F64_STORE.invokeExact(c01, c, cOff, 0, ldc, 1, cVs);
      F64_STORE.invokeExact(c10, c, cOff, 1, ldc, 0, cVs);
      F64_STORE.invokeExact(c11, c, cOff, 1, ldc, 1, cVs);
      F64_STORE.invokeExact(c20, c, cOff, 2, ldc, 0, cVs);
      F64_STORE.invokeExact(c21, c, cOff, 2, ldc, 1, cVs);
      F64_STORE.invokeExact(c30, c, cOff, 3, ldc, 0, cVs);
      F64_STORE.invokeExact(c31, c, cOff, 3, ldc, 1, cVs);
      F64_STORE.invokeExact(c40, c, cOff, 4, ldc, 0, cVs);
      F64_STORE.invokeExact(c41, c, cOff, 4, ldc, 1, cVs);
      F64_STORE.invokeExact(c50, c, cOff, 5, ldc, 0, cVs);
      F64_STORE.invokeExact(c51, c, cOff, 5, ldc, 1, cVs);
      F64_STORE.invokeExact(c60, c, cOff, 6, ldc, 0, cVs);
      F64_STORE.invokeExact(c61, c, cOff, 6, ldc, 1, cVs);
      F64_STORE.invokeExact(c70, c, cOff, 7, ldc, 0, cVs);
      F64_STORE.invokeExact(c71, c, cOff, 7, ldc, 1, cVs);
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
      DoubleVector c00 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 0, ldi, 0, iVs);
      DoubleVector c01 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 0, ldi, 1, iVs);
      DoubleVector c10 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 1, ldi, 0, iVs);
      DoubleVector c11 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 1, ldi, 1, iVs);
      DoubleVector c20 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 2, ldi, 0, iVs);
      DoubleVector c21 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 2, ldi, 1, iVs);
      DoubleVector c30 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 3, ldi, 0, iVs);
      DoubleVector c31 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 3, ldi, 1, iVs);
      DoubleVector c40 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 4, ldi, 0, iVs);
      DoubleVector c41 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 4, ldi, 1, iVs);
      DoubleVector c50 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 5, ldi, 0, iVs);
      DoubleVector c51 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 5, ldi, 1, iVs);
      DoubleVector c60 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 6, ldi, 0, iVs);
      DoubleVector c61 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 6, ldi, 1, iVs);
      DoubleVector c70 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 7, ldi, 0, iVs);
      DoubleVector c71 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 7, ldi, 1, iVs);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        for (int s = 0; s < runLength; s++) {
          if (c00.getClass() != DOUBLES
              || c01.getClass() != DOUBLES
              || c10.getClass() != DOUBLES
              || c11.getClass() != DOUBLES
              || c20.getClass() != DOUBLES
              || c21.getClass() != DOUBLES
              || c30.getClass() != DOUBLES
              || c31.getClass() != DOUBLES
              || c40.getClass() != DOUBLES
              || c41.getClass() != DOUBLES
              || c50.getClass() != DOUBLES
              || c51.getClass() != DOUBLES
              || c60.getClass() != DOUBLES
              || c61.getClass() != DOUBLES
              || c70.getClass() != DOUBLES
              || c71.getClass() != DOUBLES) {
            throw mixed();
          }
          DoubleVector b0 = DoubleVector.fromMemorySegment(S, b, u, LE);
          DoubleVector b1 = DoubleVector.fromMemorySegment(S, b, u + bVs, LE);
          DoubleVector a0 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 0, dA);
          c00 = a0.fma(b0, c00);
          c01 = a0.fma(b1, c01);
          DoubleVector a1 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 1, dA);
          c10 = a1.fma(b0, c10);
          c11 = a1.fma(b1, c11);
          DoubleVector a2 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 2, dA);
          c20 = a2.fma(b0, c20);
          c21 = a2.fma(b1, c21);
          DoubleVector a3 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 3, dA);
          c30 = a3.fma(b0, c30);
          c31 = a3.fma(b1, c31);
          DoubleVector a4 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 4, dA);
          c40 = a4.fma(b0, c40);
          c41 = a4.fma(b1, c41);
          DoubleVector a5 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 5, dA);
          c50 = a5.fma(b0, c50);
          c51 = a5.fma(b1, c51);
          DoubleVector a6 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 6, dA);
          c60 = a6.fma(b0, c60);
          c61 = a6.fma(b1, c61);
          DoubleVector a7 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 7, dA);
          c70 = a7.fma(b0, c70);
          c71 = a7.fma(b1, c71);
          q += aStep;
          u += bStep;
        }
      }
      F64_STORE.invokeExact(c00, c, cOff, 0, ldc, 0, cVs);
      F64_STORE.invokeExact(c01, c, cOff, 0, ldc, 1, cVs);
      F64_STORE.invokeExact(c10, c, cOff, 1, ldc, 0, cVs);
      F64_STORE.invokeExact(c11, c, cOff, 1, ldc, 1, cVs);
      F64_STORE.invokeExact(c20, c, cOff, 2, ldc, 0, cVs);
      F64_STORE.invokeExact(c21, c, cOff, 2, ldc, 1, cVs);
      F64_STORE.invokeExact(c30, c, cOff, 3, ldc, 0, cVs);
      F64_STORE.invokeExact(c31, c, cOff, 3, ldc, 1, cVs);
      F64_STORE.invokeExact(c40, c, cOff, 4, ldc, 0, cVs);
      F64_STORE.invokeExact(c41, c, cOff, 4, ldc, 1, cVs);
      F64_STORE.invokeExact(c50, c, cOff, 5, ldc, 0, cVs);
      F64_STORE.invokeExact(c51, c, cOff, 5, ldc, 1, cVs);
      F64_STORE.invokeExact(c60, c, cOff, 6, ldc, 0, cVs);
      F64_STORE.invokeExact(c61, c, cOff, 6, ldc, 1, cVs);
      F64_STORE.invokeExact(c70, c, cOff, 7, ldc, 0, cVs);
      F64_STORE.invokeExact(c71, c, cOff, 7, ldc, 1, cVs);
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
      DoubleVector c00 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 0, ldi, 0, iVs);
      DoubleVector c01 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 0, ldi, 1, iVs);
      DoubleVector c10 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 1, ldi, 0, iVs);
      DoubleVector c11 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 1, ldi, 1, iVs);
      DoubleVector c20 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 2, ldi, 0, iVs);
      DoubleVector c21 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 2, ldi, 1, iVs);
      DoubleVector c30 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 3, ldi, 0, iVs);
      DoubleVector c31 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 3, ldi, 1, iVs);
      DoubleVector c40 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 4, ldi, 0, iVs);
      DoubleVector c41 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 4, ldi, 1, iVs);
      DoubleVector c50 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 5, ldi, 0, iVs);
      DoubleVector c51 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 5, ldi, 1, iVs);
      DoubleVector c60 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 6, ldi, 0, iVs);
      DoubleVector c61 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 6, ldi, 1, iVs);
      DoubleVector c70 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 7, ldi, 0, iVs);
      DoubleVector c71 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 7, ldi, 1, iVs);
      DoubleVector c80 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 8, ldi, 0, iVs);
      DoubleVector c81 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 8, ldi, 1, iVs);
      DoubleVector c90 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 9, ldi, 0, iVs);
      DoubleVector c91 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 9, ldi, 1, iVs);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        if (c00.getClass() != DOUBLES
            || c01.getClass() != DOUBLES
            || c10.getClass() != DOUBLES
            || c11.getClass() != DOUBLES
            || c20.getClass() != DOUBLES
            || c21.getClass() != DOUBLES
            || c30.getClass() != DOUBLES
            || c31.getClass() != DOUBLES
            || c40.getClass() != DOUBLES
            || c41.getClass() != DOUBLES
            || c50.getClass() != DOUBLES
            || c51.getClass() != DOUBLES
            || c60.getClass() != DOUBLES
            || c61.getClass() != DOUBLES
            || c70.getClass() != DOUBLES
            || c71.getClass() != DOUBLES
            || c80.getClass() != DOUBLES
            || c81.getClass() != DOUBLES
            || c90.getClass() != DOUBLES
            || c91.getClass() != DOUBLES) {
          throw mixed();
        }
        DoubleVector b0 = DoubleVector.fromMemorySegment(S, b, u, LE);
        DoubleVector b1 = DoubleVector.fromMemorySegment(S, b, u + bVs, LE);
        DoubleVector a0 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 0, dA);
        c00 = a0.fma(b0, c00);
        c01 = a0.fma(b1, c01);
        DoubleVector a1 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 1, dA);
        c10 = a1.fma(b0, c10);
        c11 = a1.fma(b1, c11);
        DoubleVector a2 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 2, dA);
        c20 = a2.fma(b0, c20);
        c21 = a2.fma(b1, c21);
        DoubleVector a3 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 3, dA);
        c30 = a3.fma(b0, c30);
        c31 = a3.fma(b1, c31);
        DoubleVector a4 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 4, dA);
        c40 = a4.fma(b0, c40);
        c41 = a4.fma(b1, c41);
        DoubleVector a5 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 5, dA);
        c50 = a5.fma(b0, c50);
        c51 = a5.fma(b1, c51);
        DoubleVector a6 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 6, dA);
        c60 = a6.fma(b0, c60);
        c61 = a6.fma(b1, c61);
        DoubleVector a7 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 7, dA);
        c70 = a7.fma(b0, c70);
        c71 = a7.fma(b1, c71);
        DoubleVector a8 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 8, dA);
        c80 = a8.fma(b0, c80);
        c81 = a8.fma(b1, c81);
        DoubleVector a9 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 9, dA);
        c90 = a9.fma(b0, c90);
        c91 = a9.fma(b1, c91);
        u += bStep;
      }
      F64_STORE.invokeExact(c00, c, cOff, 0, ldc, 0, cVs);
      F64_STORE.invokeExact(c01, c, cOff, 0, ldc, 1, cVs);
      F64_STORE.invokeExact(c10, c, cOff, 1, ldc, 0, cVs);
      F64_STORE.invokeExact(c11, c, cOff, 1, ldc, 1, cVs);
      F64_STORE.invokeExact(c20, c, cOff, 2, ldc, 0, cVs);
      F64_STORE.invokeExact(c21, c, cOff, 2, ldc, 1, cVs);
      F64_STORE.invokeExact(c30, c, cOff, 3, ldc, 0, cVs);
      F64_STORE.invokeExact(c31, c, cOff, 3, ldc, 1, cVs);
      F64_STORE.invokeExact(c40, c, cOff, 4, ldc, 0, cVs);
      F64_STORE.invokeExact(c41, c, cOff, 4, ldc, 1, cVs);
      F64_STORE.invokeExact(c50, c, cOff, 5, ldc, 0, cVs);
      F64_STORE.invokeExact(c51, c, cOff, 5, ldc, 1, cVs);
      F64_STORE.invokeExact(c60, c, cOff, 6, ldc, 0, cVs);
      F64_STORE.invokeExact(c61, c, cOff, 6, ldc, 1, cVs);
      F64_STORE.invokeExact(c70, c, cOff, 7, ldc, 0, cVs);
      F64_STORE.invokeExact(c71, c, cOff, 7, ldc, 1, cVs);
      F64_STORE.invokeExact(c80, c, cOff, 8, ldc, 0, cVs);
      F64_STORE.invokeExact(c81, c, cOff, 8, ldc, 1, cVs);
      F64_STORE.invokeExact(c90, c, cOff, 9, ldc, 0, cVs);
      F64_STORE.invokeExact(c91, c, cOff, 9, ldc, 1, cVs);
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
      DoubleVector c00 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 0, ldi, 0, iVs);
      DoubleVector c01 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 0, ldi, 1, iVs);
      DoubleVector c10 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 1, ldi, 0, iVs);
      DoubleVector c11 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 1, ldi, 1, iVs);
      DoubleVector c20 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 2, ldi, 0, iVs);
      DoubleVector c21 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 2, ldi, 1, iVs);
      DoubleVector c30 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 3, ldi, 0, iVs);
      DoubleVector c31 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 3, ldi, 1, iVs);
      DoubleVector c40 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 4, ldi, 0, iVs);
      DoubleVector c41 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 4, ldi, 1, iVs);
      DoubleVector c50 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 5, ldi, 0, iVs);
      DoubleVector c51 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 5, ldi, 1, iVs);
      DoubleVector c60 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 6, ldi, 0, iVs);
      DoubleVector c61 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 6, ldi, 1, iVs);
      DoubleVector c70 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 7, ldi, 0, iVs);
      DoubleVector c71 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 7, ldi, 1, iVs);
      DoubleVector c80 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 8, ldi, 0, iVs);
      DoubleVector c81 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 8, ldi, 1, iVs);
      DoubleVector c90 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 9, ldi, 0, iVs);
      DoubleVector c91 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 9, ldi, 1, iVs);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        for (int s = 0; s < runLength; s++) {
          if (c00.getClass() != DOUBLES
              || c01.getClass() != DOUBLES
              || c10.getClass() != DOUBLES
              || c11.getClass() != DOUBLES
              || c20.getClass() != DOUBLES
              || c21.getClass() != DOUBLES
              || c30.getClass() != DOUBLES
              || c31.getClass() != DOUBLES
              || c40.getClass() != DOUBLES
              || c41.getClass() != DOUBLES
              || c50.getClass() != DOUBLES
              || c51.getClass() != DOUBLES
              || c60.getClass() != DOUBLES
              || c61.getClass() != DOUBLES
              || c70.getClass() != DOUBLES
              || c71.getClass() != DOUBLES
              || c80.getClass() != DOUBLES
              || c81.getClass() != DOUBLES
              || c90.getClass() != DOUBLES
              || c91.getClass() != DOUBLES) {
            throw mixed();
          }
          DoubleVector b0 = DoubleVector.fromMemorySegment(S, b, u, LE);
          DoubleVector b1 = DoubleVector.fromMemorySegment(S, b, u + bVs, LE);
          DoubleVector a0 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 0, dA);
          c00 = a0.fma(b0, c00);
          c01 = a0.fma(b1, c01);
          DoubleVector a1 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 1, dA);
          c10 = a1.fma(b0, c10);
          c11 = a1.fma(b1, c11);
          DoubleVector a2 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 2, dA);
          c20 = a2.fma(b0, c20);
          c21 = a2.fma(b1, c21);
          DoubleVector a3 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 3, dA);
          c30 = a3.fma(b0, c30);
          c31 = a3.fma(b1, c31);
          DoubleVector a4 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 4, dA);
          c40 = a4.fma(b0, c40);
          c41 = a4.fma(b1, c41);
          DoubleVector a5 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 5, dA);
          c50 = a5.fma(b0, c50);
          c51 = a5.fma(b1, c51);
          DoubleVector a6 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 6, dA);
          c60 = a6.fma(b0, c60);
          c61 = a6.fma(b1, c61);
          DoubleVector a7 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 7, dA);
          c70 = a7.fma(b0, c70);
          c71 = a7.fma(b1, c71);
          DoubleVector a8 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 8, dA);
          c80 = a8.fma(b0, c80);
          c81 = a8.fma(b1, c81);
          DoubleVector a9 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 9, dA);
          c90 = a9.fma(b0, c90);
          c91 = a9.fma(b1, c91);
          q += aStep;
          u += bStep;
        }
      }
      F64_STORE.invokeExact(c00, c, cOff, 0, ldc, 0, cVs);
      F64_STORE.invokeExact(c01, c, cOff, 0, ldc, 1, cVs);
      F64_STORE.invokeExact(c10, c, cOff, 1, ldc, 0, cVs);
      F64_STORE.invokeExact(c11, c, cOff, 1, ldc, 1, cVs);
      F64_STORE.invokeExact(c20, c, cOff, 2, ldc, 0, cVs);
      F64_STORE.invokeExact(c21, c, cOff, 2, ldc, 1, cVs);
      F64_STORE.invokeExact(c30, c, cOff, 3, ldc, 0, cVs);
      F64_STORE.invokeExact(c31, c, cOff, 3, ldc, 1, cVs);
      F64_STORE.invokeExact(c40, c, cOff, 4, ldc, 0, cVs);
      F64_STORE.invokeExact(c41, c, cOff, 4, ldc, 1, cVs);
      F64_STORE.invokeExact(c50, c, cOff, 5, ldc, 0, cVs);
      F64_STORE.invokeExact(c51, c, cOff, 5, ldc, 1, cVs);
      F64_STORE.invokeExact(c60, c, cOff, 6, ldc, 0, cVs);
      F64_STORE.invokeExact(c61, c, cOff, 6, ldc, 1, cVs);
      F64_STORE.invokeExact(c70, c, cOff, 7, ldc, 0, cVs);
      F64_STORE.invokeExact(c71, c, cOff, 7, ldc, 1, cVs);
      F64_STORE.invokeExact(c80, c, cOff, 8, ldc, 0, cVs);
      F64_STORE.invokeExact(c81, c, cOff, 8, ldc, 1, cVs);
      F64_STORE.invokeExact(c90, c, cOff, 9, ldc, 0, cVs);
      F64_STORE.invokeExact(c91, c, cOff, 9, ldc, 1, cVs);
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
      DoubleVector c00 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 0, ldi, 0, iVs);
      DoubleVector c01 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 0, ldi, 1, iVs);
      DoubleVector c10 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 1, ldi, 0, iVs);
      DoubleVector c11 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 1, ldi, 1, iVs);
      DoubleVector c20 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 2, ldi, 0, iVs);
      DoubleVector c21 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 2, ldi, 1, iVs);
      DoubleVector c30 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 3, ldi, 0, iVs);
      DoubleVector c31 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 3, ldi, 1, iVs);
      DoubleVector c40 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 4, ldi, 0, iVs);
      DoubleVector c41 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 4, ldi, 1, iVs);
      DoubleVector c50 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 5, ldi, 0, iVs);
      DoubleVector c51 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 5, ldi, 1, iVs);
      DoubleVector c60 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 6, ldi, 0, iVs);
      DoubleVector c61 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 6, ldi, 1, iVs);
      DoubleVector c70 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 7, ldi, 0, iVs);
      DoubleVector c71 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 7, ldi, 1, iVs);
      DoubleVector c80 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 8, ldi, 0, iVs);
      DoubleVector c81 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 8, ldi, 1, iVs);
      DoubleVector c90 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 9, ldi, 0, iVs);
      DoubleVector c91 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 9, ldi, 1, iVs);
      DoubleVector c100 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 10, ldi, 0, iVs);
      DoubleVector c101 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 10, ldi, 1, iVs);
      DoubleVector c110 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 11, ldi, 0, iVs);
      DoubleVector c111 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 11, ldi, 1, iVs);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        if (c00.getClass() != DOUBLES
            || c01.getClass() != DOUBLES
            || c10.getClass() != DOUBLES
            || c11.getClass() != DOUBLES
            || c20.getClass() != DOUBLES
            || c21.getClass() != DOUBLES
            || c30.getClass() != DOUBLES
            || c31.getClass() != DOUBLES
            || c40.getClass() != DOUBLES
            || c41.getClass() != DOUBLES
            || c50.getClass() != DOUBLES
            || c51.getClass() != DOUBLES
            || c60.getClass() != DOUBLES
            || c61.getClass() != DOUBLES
            || c70.getClass() != DOUBLES
            || c71.getClass() != DOUBLES
            || c80.getClass() != DOUBLES
            || c81.getClass() != DOUBLES
            || c90.getClass() != DOUBLES
            || c91.getClass() != DOUBLES
            || c100.getClass() != DOUBLES
            || c101.getClass() != DOUBLES
            || c110.getClass() != DOUBLES
            || c111.getClass() != DOUBLES) {
          throw mixed();
        }
        DoubleVector b0 = DoubleVector.fromMemorySegment(S, b, u, LE);
        DoubleVector b1 = DoubleVector.fromMemorySegment(S, b, u + bVs, LE);
        DoubleVector a0 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 0, dA);
        c00 = a0.fma(b0, c00);
        c01 = a0.fma(b1, c01);
        DoubleVector a1 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 1, dA);
        c10 = a1.fma(b0, c10);
        c11 = a1.fma(b1, c11);
        DoubleVector a2 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 2, dA);
        c20 = a2.fma(b0, c20);
        c21 = a2.fma(b1, c21);
        DoubleVector a3 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 3, dA);
        c30 = a3.fma(b0, c30);
        c31 = a3.fma(b1, c31);
        DoubleVector a4 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 4, dA);
        c40 = a4.fma(b0, c40);
        c41 = a4.fma(b1, c41);
        DoubleVector a5 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 5, dA);
        c50 = a5.fma(b0, c50);
        c51 = a5.fma(b1, c51);
        DoubleVector a6 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 6, dA);
        c60 = a6.fma(b0, c60);
        c61 = a6.fma(b1, c61);
        DoubleVector a7 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 7, dA);
        c70 = a7.fma(b0, c70);
        c71 = a7.fma(b1, c71);
        DoubleVector a8 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 8, dA);
        c80 = a8.fma(b0, c80);
        c81 = a8.fma(b1, c81);
        DoubleVector a9 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 9, dA);
        c90 = a9.fma(b0, c90);
        c91 = a9.fma(b1, c91);
        DoubleVector a10 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 10, dA);
        c100 = a10.fma(b0, c100);
        c101 = a10.fma(b1, c101);
        DoubleVector a11 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 11, dA);
        c110 = a11.fma(b0, c110);
        c111 = a11.fma(b1, c111);
        u += bStep;
      }
      F64_STORE.invokeExact(c00, c, cOff, 0, ldc, 0, cVs);
      F64_STORE.invokeExact(c01, c, cOff, 0, ldc, 1, cVs);
      F64_STORE.invokeExact(c10, c, cOff, 1, ldc, 0, cVs);
      F64_STORE.invokeExact(c11, c, cOff, 1, ldc, 1, cVs);
      F64_STORE.invokeExact(c20, c, cOff, 2, ldc, 0, cVs);
      F64_STORE.invokeExact(c21, c, cOff, 2, ldc, 1, cVs);
      F64_STORE.invokeExact(c30, c, cOff, 3, ldc, 0, cVs);
      F64_STORE.invokeExact(c31, c, cOff, 3, ldc, 1, cVs);
      F64_STORE.invokeExact(c40, c, cOff, 4, ldc, 0, cVs);
      F64_STORE.invokeExact(c41, c, cOff, 4, ldc, 1, cVs);
      F64_STORE.invokeExact(c50, c, cOff, 5, ldc, 0, cVs);
      F64_STORE.invokeExact(c51, c, cOff, 5, ldc, 1, cVs);
      F64_STORE.invokeExact(c60, c, cOff, 6, ldc, 0, cVs);
      F64_STORE.invokeExact(c61, c, cOff, 6, ldc, 1, cVs);
      F64_STORE.invokeExact(c70, c, cOff, 7, ldc, 0, cVs);
      F64_STORE.invokeExact(c71, c, cOff, 7, ldc, 1, cVs);
      F64_STORE.invokeExact(c80, c, cOff, 8, ldc, 0, cVs);
      F64_STORE.invokeExact(c81, c, cOff, 8, ldc, 1, cVs);
      F64_STORE.invokeExact(c90, c, cOff, 9, ldc, 0, cVs);
      F64_STORE.invokeExact(c91, c, cOff, 9, ldc, 1, cVs);
      F64_STORE.invokeExact(c100, c, cOff, 10, ldc, 0, cVs);
      F64_STORE.invokeExact(c101, c, cOff, 10, ldc, 1, cVs);
      F64_STORE.invokeExact(c110, c, cOff, 11, ldc, 0, cVs);
      F64_STORE.invokeExact(c111, c, cOff, 11, ldc, 1, cVs);
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
      DoubleVector c00 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 0, ldi, 0, iVs);
      DoubleVector c01 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 0, ldi, 1, iVs);
      DoubleVector c10 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 1, ldi, 0, iVs);
      DoubleVector c11 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 1, ldi, 1, iVs);
      DoubleVector c20 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 2, ldi, 0, iVs);
      DoubleVector c21 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 2, ldi, 1, iVs);
      DoubleVector c30 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 3, ldi, 0, iVs);
      DoubleVector c31 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 3, ldi, 1, iVs);
      DoubleVector c40 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 4, ldi, 0, iVs);
      DoubleVector c41 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 4, ldi, 1, iVs);
      DoubleVector c50 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 5, ldi, 0, iVs);
      DoubleVector c51 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 5, ldi, 1, iVs);
      DoubleVector c60 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 6, ldi, 0, iVs);
      DoubleVector c61 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 6, ldi, 1, iVs);
      DoubleVector c70 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 7, ldi, 0, iVs);
      DoubleVector c71 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 7, ldi, 1, iVs);
      DoubleVector c80 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 8, ldi, 0, iVs);
      DoubleVector c81 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 8, ldi, 1, iVs);
      DoubleVector c90 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 9, ldi, 0, iVs);
      DoubleVector c91 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 9, ldi, 1, iVs);
      DoubleVector c100 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 10, ldi, 0, iVs);
      DoubleVector c101 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 10, ldi, 1, iVs);
      DoubleVector c110 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 11, ldi, 0, iVs);
      DoubleVector c111 = (DoubleVector) F64_LOAD.invokeExact(init, initOff, 11, ldi, 1, iVs);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        for (int s = 0; s < runLength; s++) {
          if (c00.getClass() != DOUBLES
              || c01.getClass() != DOUBLES
              || c10.getClass() != DOUBLES
              || c11.getClass() != DOUBLES
              || c20.getClass() != DOUBLES
              || c21.getClass() != DOUBLES
              || c30.getClass() != DOUBLES
              || c31.getClass() != DOUBLES
              || c40.getClass() != DOUBLES
              || c41.getClass() != DOUBLES
              || c50.getClass() != DOUBLES
              || c51.getClass() != DOUBLES
              || c60.getClass() != DOUBLES
              || c61.getClass() != DOUBLES
              || c70.getClass() != DOUBLES
              || c71.getClass() != DOUBLES
              || c80.getClass() != DOUBLES
              || c81.getClass() != DOUBLES
              || c90.getClass() != DOUBLES
              || c91.getClass() != DOUBLES
              || c100.getClass() != DOUBLES
              || c101.getClass() != DOUBLES
              || c110.getClass() != DOUBLES
              || c111.getClass() != DOUBLES) {
            throw mixed();
          }
          DoubleVector b0 = DoubleVector.fromMemorySegment(S, b, u, LE);
          DoubleVector b1 = DoubleVector.fromMemorySegment(S, b, u + bVs, LE);
          DoubleVector a0 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 0, dA);
          c00 = a0.fma(b0, c00);
          c01 = a0.fma(b1, c01);
          DoubleVector a1 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 1, dA);
          c10 = a1.fma(b0, c10);
          c11 = a1.fma(b1, c11);
          DoubleVector a2 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 2, dA);
          c20 = a2.fma(b0, c20);
          c21 = a2.fma(b1, c21);
          DoubleVector a3 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 3, dA);
          c30 = a3.fma(b0, c30);
          c31 = a3.fma(b1, c31);
          DoubleVector a4 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 4, dA);
          c40 = a4.fma(b0, c40);
          c41 = a4.fma(b1, c41);
          DoubleVector a5 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 5, dA);
          c50 = a5.fma(b0, c50);
          c51 = a5.fma(b1, c51);
          DoubleVector a6 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 6, dA);
          c60 = a6.fma(b0, c60);
          c61 = a6.fma(b1, c61);
          DoubleVector a7 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 7, dA);
          c70 = a7.fma(b0, c70);
          c71 = a7.fma(b1, c71);
          DoubleVector a8 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 8, dA);
          c80 = a8.fma(b0, c80);
          c81 = a8.fma(b1, c81);
          DoubleVector a9 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 9, dA);
          c90 = a9.fma(b0, c90);
          c91 = a9.fma(b1, c91);
          DoubleVector a10 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 10, dA);
          c100 = a10.fma(b0, c100);
          c101 = a10.fma(b1, c101);
          DoubleVector a11 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, 0L, 11, dA);
          c110 = a11.fma(b0, c110);
          c111 = a11.fma(b1, c111);
          q += aStep;
          u += bStep;
        }
      }
      F64_STORE.invokeExact(c00, c, cOff, 0, ldc, 0, cVs);
      F64_STORE.invokeExact(c01, c, cOff, 0, ldc, 1, cVs);
      F64_STORE.invokeExact(c10, c, cOff, 1, ldc, 0, cVs);
      F64_STORE.invokeExact(c11, c, cOff, 1, ldc, 1, cVs);
      F64_STORE.invokeExact(c20, c, cOff, 2, ldc, 0, cVs);
      F64_STORE.invokeExact(c21, c, cOff, 2, ldc, 1, cVs);
      F64_STORE.invokeExact(c30, c, cOff, 3, ldc, 0, cVs);
      F64_STORE.invokeExact(c31, c, cOff, 3, ldc, 1, cVs);
      F64_STORE.invokeExact(c40, c, cOff, 4, ldc, 0, cVs);
      F64_STORE.invokeExact(c41, c, cOff, 4, ldc, 1, cVs);
      F64_STORE.invokeExact(c50, c, cOff, 5, ldc, 0, cVs);
      F64_STORE.invokeExact(c51, c, cOff, 5, ldc, 1, cVs);
      F64_STORE.invokeExact(c60, c, cOff, 6, ldc, 0, cVs);
      F64_STORE.invokeExact(c61, c, cOff, 6, ldc, 1, cVs);
      F64_STORE.invokeExact(c70, c, cOff, 7, ldc, 0, cVs);
      F64_STORE.invokeExact(c71, c, cOff, 7, ldc, 1, cVs);
      F64_STORE.invokeExact(c80, c, cOff, 8, ldc, 0, cVs);
      F64_STORE.invokeExact(c81, c, cOff, 8, ldc, 1, cVs);
      F64_STORE.invokeExact(c90, c, cOff, 9, ldc, 0, cVs);
      F64_STORE.invokeExact(c91, c, cOff, 9, ldc, 1, cVs);
      F64_STORE.invokeExact(c100, c, cOff, 10, ldc, 0, cVs);
      F64_STORE.invokeExact(c101, c, cOff, 10, ldc, 1, cVs);
      F64_STORE.invokeExact(c110, c, cOff, 11, ldc, 0, cVs);
      F64_STORE.invokeExact(c111, c, cOff, 11, ldc, 1, cVs);
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
    long next = 48L * k;
    DoubleVector zero = DoubleVector.zero(S);
    for (int t = 0; t < tiles; t++) {
      DoubleVector c00 = zero;
      DoubleVector c01 = zero;
      DoubleVector c10 = zero;
      DoubleVector c11 = zero;
      DoubleVector c20 = zero;
      DoubleVector c21 = zero;
      DoubleVector c30 = zero;
      DoubleVector c31 = zero;
      DoubleVector c40 = zero;
      DoubleVector c41 = zero;
      DoubleVector c50 = zero;
      DoubleVector c51 = zero;
      DoubleVector c60 = zero;
      DoubleVector c61 = zero;
      DoubleVector c70 = zero;
      DoubleVector c71 = zero;
      DoubleVector c80 = zero;
      DoubleVector c81 = zero;
      DoubleVector c90 = zero;
      DoubleVector c91 = zero;
      DoubleVector c100 = zero;
      DoubleVector c101 = zero;
      DoubleVector c110 = zero;
      DoubleVector c111 = zero;
      long q = aOff;
      for (int p = 0; p < k; p++) {
        if (c00.getClass() != DOUBLES
            || c01.getClass() != DOUBLES
            || c10.getClass() != DOUBLES
            || c11.getClass() != DOUBLES
            || c20.getClass() != DOUBLES
            || c21.getClass() != DOUBLES
            || c30.getClass() != DOUBLES
            || c31.getClass() != DOUBLES
            || c40.getClass() != DOUBLES
            || c41.getClass() != DOUBLES
            || c50.getClass() != DOUBLES
            || c51.getClass() != DOUBLES
            || c60.getClass() != DOUBLES
            || c61.getClass() != DOUBLES
            || c70.getClass() != DOUBLES
            || c71.getClass() != DOUBLES
            || c80.getClass() != DOUBLES
            || c81.getClass() != DOUBLES
            || c90.getClass() != DOUBLES
            || c91.getClass() != DOUBLES
            || c100.getClass() != DOUBLES
            || c101.getClass() != DOUBLES
            || c110.getClass() != DOUBLES
            || c111.getClass() != DOUBLES) {
          throw mixed();
        }
        DoubleVector b0 = DoubleVector.fromMemorySegment(S, b, bOff, LE);
        DoubleVector b1 = DoubleVector.fromMemorySegment(S, b, bOff + vs, LE);
        DoubleVector a0 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, next, 0, 8L);
        c00 = a0.fma(b0, c00);
        c01 = a0.fma(b1, c01);
        DoubleVector a1 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, next, 1, 8L);
        c10 = a1.fma(b0, c10);
        c11 = a1.fma(b1, c11);
        DoubleVector a2 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, next, 2, 8L);
        c20 = a2.fma(b0, c20);
        c21 = a2.fma(b1, c21);
        DoubleVector a3 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, next, 3, 8L);
        c30 = a3.fma(b0, c30);
        c31 = a3.fma(b1, c31);
        DoubleVector a4 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, next, 4, 8L);
        c40 = a4.fma(b0, c40);
        c41 = a4.fma(b1, c41);
        DoubleVector a5 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 0, next, 5, 8L);
        c50 = a5.fma(b0, c50);
        c51 = a5.fma(b1, c51);
        DoubleVector a6 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 1, next, 0, 8L);
        c60 = a6.fma(b0, c60);
        c61 = a6.fma(b1, c61);
        DoubleVector a7 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 1, next, 1, 8L);
        c70 = a7.fma(b0, c70);
        c71 = a7.fma(b1, c71);
        DoubleVector a8 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 1, next, 2, 8L);
        c80 = a8.fma(b0, c80);
        c81 = a8.fma(b1, c81);
        DoubleVector a9 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 1, next, 3, 8L);
        c90 = a9.fma(b0, c90);
        c91 = a9.fma(b1, c91);
        DoubleVector a10 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 1, next, 4, 8L);
        c100 = a10.fma(b0, c100);
        c101 = a10.fma(b1, c101);
        DoubleVector a11 = (DoubleVector) F64_SPLAT.invokeExact(a, q, 1, next, 5, 8L);
        c110 = a11.fma(b0, c110);
        c111 = a11.fma(b1, c111);
        q += 48;
        bOff += 2 * vs;
      }
      F64_STORE.invokeExact(c00, c, cOff, 0, ldc, 0, vs);
      F64_STORE.invokeExact(c01, c, cOff, 0, ldc, 1, vs);
      F64_STORE.invokeExact(c10, c, cOff, 1, ldc, 0, vs);
      F64_STORE.invokeExact(c11, c, cOff, 1, ldc, 1, vs);
      F64_STORE.invokeExact(c20, c, cOff, 2, ldc, 0, vs);
      F64_STORE.invokeExact(c21, c, cOff, 2, ldc, 1, vs);
      F64_STORE.invokeExact(c30, c, cOff, 3, ldc, 0, vs);
      F64_STORE.invokeExact(c31, c, cOff, 3, ldc, 1, vs);
      F64_STORE.invokeExact(c40, c, cOff, 4, ldc, 0, vs);
      F64_STORE.invokeExact(c41, c, cOff, 4, ldc, 1, vs);
      F64_STORE.invokeExact(c50, c, cOff, 5, ldc, 0, vs);
      F64_STORE.invokeExact(c51, c, cOff, 5, ldc, 1, vs);
      F64_STORE.invokeExact(c60, c, cOff, 6, ldc, 0, vs);
      F64_STORE.invokeExact(c61, c, cOff, 6, ldc, 1, vs);
      F64_STORE.invokeExact(c70, c, cOff, 7, ldc, 0, vs);
      F64_STORE.invokeExact(c71, c, cOff, 7, ldc, 1, vs);
      F64_STORE.invokeExact(c80, c, cOff, 8, ldc, 0, vs);
      F64_STORE.invokeExact(c81, c, cOff, 8, ldc, 1, vs);
      F64_STORE.invokeExact(c90, c, cOff, 9, ldc, 0, vs);
      F64_STORE.invokeExact(c91, c, cOff, 9, ldc, 1, vs);
      F64_STORE.invokeExact(c100, c, cOff, 10, ldc, 0, vs);
      F64_STORE.invokeExact(c101, c, cOff, 10, ldc, 1, vs);
      F64_STORE.invokeExact(c110, c, cOff, 11, ldc, 0, vs);
      F64_STORE.invokeExact(c111, c, cOff, 11, ldc, 1, vs);
      cOff += 2 * vs;
    }
  }
}
