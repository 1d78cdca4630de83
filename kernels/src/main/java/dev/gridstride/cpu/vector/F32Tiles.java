package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static dev.gridstride.cpu.vector.Carried.FLOATS;
import static dev.gridstride.cpu.vector.Carried.mixed;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** The f32 tiles, unrolled; written by TileGenerator (test tree), not by hand. */
final class F32Tiles {
  static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final ValueLayout.OfFloat E = ValueLayout.JAVA_FLOAT_UNALIGNED;

  private F32Tiles() {}

  static void tile(
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
    if (F32TallTiles.FIT && tiles > 1 && vectors == 2 && rows >= 4) {
      int done = tiles / 2 * 2;
      F32TallTiles.tile(
          done / 2, rows, runs, runLength, a, aOff, tab, tabOff, aStep, dA, b, bOff, bStep, bVs, c,
          cOff, ldc, cVs, init, initOff, ldi, iVs);
      if (done == tiles) {
        return;
      }
      tiles -= done;
      long moved = (long) done * rows;
      aOff += moved * dA;
      cOff += moved * ldc;
      initOff += moved * ldi;
    }
    // a run of one term costs more than a table entry: such tables have tiles of their own
    switch (2 * (2 * rows + vectors) + (runLength == 1 ? 0 : 1)) {
      case 6 ->
          table1x1(
              tiles, runs, a, aOff, tab, tabOff, dA, b, bOff, bStep, c, cOff, ldc, init, initOff,
              ldi);
      case 7 ->
          runs1x1(
              tiles, runs, runLength, a, aOff, tab, tabOff, aStep, dA, b, bOff, bStep, c, cOff, ldc,
              init, initOff, ldi);
      case 8 ->
          table1x2(
              tiles, runs, a, aOff, tab, tabOff, dA, b, bOff, bStep, bVs, c, cOff, ldc, cVs, init,
              initOff, ldi, iVs);
      case 9 ->
          runs1x2(
              tiles, runs, runLength, a, aOff, tab, tabOff, aStep, dA, b, bOff, bStep, bVs, c, cOff,
              ldc, cVs, init, initOff, ldi, iVs);
      case 10 ->
          table2x1(
              tiles, runs, a, aOff, tab, tabOff, dA, b, bOff, bStep, c, cOff, ldc, init, initOff,
              ldi);
      case 11 ->
          runs2x1(
              tiles, runs, runLength, a, aOff, tab, tabOff, aStep, dA, b, bOff, bStep, c, cOff, ldc,
              init, initOff, ldi);
      case 12 ->
          table2x2(
              tiles, runs, a, aOff, tab, tabOff, dA, b, bOff, bStep, bVs, c, cOff, ldc, cVs, init,
              initOff, ldi, iVs);
      case 13 ->
          runs2x2(
              tiles, runs, runLength, a, aOff, tab, tabOff, aStep, dA, b, bOff, bStep, bVs, c, cOff,
              ldc, cVs, init, initOff, ldi, iVs);
      case 14 ->
          table3x1(
              tiles, runs, a, aOff, tab, tabOff, dA, b, bOff, bStep, c, cOff, ldc, init, initOff,
              ldi);
      case 15 ->
          runs3x1(
              tiles, runs, runLength, a, aOff, tab, tabOff, aStep, dA, b, bOff, bStep, c, cOff, ldc,
              init, initOff, ldi);
      case 16 ->
          table3x2(
              tiles, runs, a, aOff, tab, tabOff, dA, b, bOff, bStep, bVs, c, cOff, ldc, cVs, init,
              initOff, ldi, iVs);
      case 17 ->
          runs3x2(
              tiles, runs, runLength, a, aOff, tab, tabOff, aStep, dA, b, bOff, bStep, bVs, c, cOff,
              ldc, cVs, init, initOff, ldi, iVs);
      case 18 ->
          table4x1(
              tiles, runs, a, aOff, tab, tabOff, dA, b, bOff, bStep, c, cOff, ldc, init, initOff,
              ldi);
      case 19 ->
          runs4x1(
              tiles, runs, runLength, a, aOff, tab, tabOff, aStep, dA, b, bOff, bStep, c, cOff, ldc,
              init, initOff, ldi);
      case 20 ->
          table4x2(
              tiles, runs, a, aOff, tab, tabOff, dA, b, bOff, bStep, bVs, c, cOff, ldc, cVs, init,
              initOff, ldi, iVs);
      case 21 ->
          runs4x2(
              tiles, runs, runLength, a, aOff, tab, tabOff, aStep, dA, b, bOff, bStep, bVs, c, cOff,
              ldc, cVs, init, initOff, ldi, iVs);
      case 22 ->
          table5x1(
              tiles, runs, a, aOff, tab, tabOff, dA, b, bOff, bStep, c, cOff, ldc, init, initOff,
              ldi);
      case 23 ->
          runs5x1(
              tiles, runs, runLength, a, aOff, tab, tabOff, aStep, dA, b, bOff, bStep, c, cOff, ldc,
              init, initOff, ldi);
      case 24 ->
          table5x2(
              tiles, runs, a, aOff, tab, tabOff, dA, b, bOff, bStep, bVs, c, cOff, ldc, cVs, init,
              initOff, ldi, iVs);
      case 25 ->
          runs5x2(
              tiles, runs, runLength, a, aOff, tab, tabOff, aStep, dA, b, bOff, bStep, bVs, c, cOff,
              ldc, cVs, init, initOff, ldi, iVs);
      case 26 ->
          table6x1(
              tiles, runs, a, aOff, tab, tabOff, dA, b, bOff, bStep, c, cOff, ldc, init, initOff,
              ldi);
      case 27 ->
          runs6x1(
              tiles, runs, runLength, a, aOff, tab, tabOff, aStep, dA, b, bOff, bStep, c, cOff, ldc,
              init, initOff, ldi);
      case 28 ->
          table6x2(
              tiles, runs, a, aOff, tab, tabOff, dA, b, bOff, bStep, bVs, c, cOff, ldc, cVs, init,
              initOff, ldi, iVs);
      case 29 ->
          runs6x2(
              tiles, runs, runLength, a, aOff, tab, tabOff, aStep, dA, b, bOff, bStep, bVs, c, cOff,
              ldc, cVs, init, initOff, ldi, iVs);
      default -> throw new IllegalArgumentException(rows + " x " + vectors);
    }
  }

  private static void table1x1(
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
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = FloatVector.fromMemorySegment(S, init, initOff, LE);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        if (c00.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
        FloatVector a0 = FloatVector.broadcast(S, a.get(E, q));
        c00 = a0.fma(b0, c00);
        u += bStep;
      }
      c00.intoMemorySegment(c, cOff, LE);
      aOff += dA;
      cOff += ldc;
      initOff += ldi;
    }
  }

  private static void runs1x1(
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
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = FloatVector.fromMemorySegment(S, init, initOff, LE);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        for (int s = 0; s < runLength; s++) {
          if (c00.getClass() != FLOATS) {
            throw mixed();
          }
          FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
          FloatVector a0 = FloatVector.broadcast(S, a.get(E, q));
          c00 = a0.fma(b0, c00);
          q += aStep;
          u += bStep;
        }
      }
      c00.intoMemorySegment(c, cOff, LE);
      aOff += dA;
      cOff += ldc;
      initOff += ldi;
    }
  }

  private static void table1x2(
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
      long iVs) {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = FloatVector.fromMemorySegment(S, init, initOff, LE);
      FloatVector c01 = FloatVector.fromMemorySegment(S, init, initOff + iVs, LE);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        if (c00.getClass() != FLOATS || c01.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
        FloatVector b1 = FloatVector.fromMemorySegment(S, b, u + bVs, LE);
        FloatVector a0 = FloatVector.broadcast(S, a.get(E, q));
        c00 = a0.fma(b0, c00);
        c01 = a0.fma(b1, c01);
        u += bStep;
      }
      c00.intoMemorySegment(c, cOff, LE);
      c01.intoMemorySegment(c, cOff + cVs, LE);
      aOff += dA;
      cOff += ldc;
      initOff += ldi;
    }
  }

  private static void runs1x2(
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
      long iVs) {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = FloatVector.fromMemorySegment(S, init, initOff, LE);
      FloatVector c01 = FloatVector.fromMemorySegment(S, init, initOff + iVs, LE);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        for (int s = 0; s < runLength; s++) {
          if (c00.getClass() != FLOATS || c01.getClass() != FLOATS) {
            throw mixed();
          }
          FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
          FloatVector b1 = FloatVector.fromMemorySegment(S, b, u + bVs, LE);
          FloatVector a0 = FloatVector.broadcast(S, a.get(E, q));
          c00 = a0.fma(b0, c00);
          c01 = a0.fma(b1, c01);
          q += aStep;
          u += bStep;
        }
      }
      c00.intoMemorySegment(c, cOff, LE);
      c01.intoMemorySegment(c, cOff + cVs, LE);
      aOff += dA;
      cOff += ldc;
      initOff += ldi;
    }
  }

  private static void table2x1(
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
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = FloatVector.fromMemorySegment(S, init, initOff, LE);
      FloatVector c10 = FloatVector.fromMemorySegment(S, init, initOff + ldi, LE);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        if (c00.getClass() != FLOATS || c10.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
        FloatVector a0 = FloatVector.broadcast(S, a.get(E, q));
        c00 = a0.fma(b0, c00);
        FloatVector a1 = FloatVector.broadcast(S, a.get(E, q + dA));
        c10 = a1.fma(b0, c10);
        u += bStep;
      }
      c00.intoMemorySegment(c, cOff, LE);
      c10.intoMemorySegment(c, cOff + ldc, LE);
      aOff += 2 * dA;
      cOff += 2 * ldc;
      initOff += 2 * ldi;
    }
  }

  private static void runs2x1(
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
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = FloatVector.fromMemorySegment(S, init, initOff, LE);
      FloatVector c10 = FloatVector.fromMemorySegment(S, init, initOff + ldi, LE);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        for (int s = 0; s < runLength; s++) {
          if (c00.getClass() != FLOATS || c10.getClass() != FLOATS) {
            throw mixed();
          }
          FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
          FloatVector a0 = FloatVector.broadcast(S, a.get(E, q));
          c00 = a0.fma(b0, c00);
          FloatVector a1 = FloatVector.broadcast(S, a.get(E, q + dA));
          c10 = a1.fma(b0, c10);
          q += aStep;
          u += bStep;
        }
      }
      c00.intoMemorySegment(c, cOff, LE);
      c10.intoMemorySegment(c, cOff + ldc, LE);
      aOff += 2 * dA;
      cOff += 2 * ldc;
      initOff += 2 * ldi;
    }
  }

  private static void table2x2(
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
      long iVs) {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = FloatVector.fromMemorySegment(S, init, initOff, LE);
      FloatVector c01 = FloatVector.fromMemorySegment(S, init, initOff + iVs, LE);
      FloatVector c10 = FloatVector.fromMemorySegment(S, init, initOff + ldi, LE);
      FloatVector c11 = FloatVector.fromMemorySegment(S, init, initOff + ldi + iVs, LE);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        if (c00.getClass() != FLOATS
            || c01.getClass() != FLOATS
            || c10.getClass() != FLOATS
            || c11.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
        FloatVector b1 = FloatVector.fromMemorySegment(S, b, u + bVs, LE);
        FloatVector a0 = FloatVector.broadcast(S, a.get(E, q));
        c00 = a0.fma(b0, c00);
        c01 = a0.fma(b1, c01);
        FloatVector a1 = FloatVector.broadcast(S, a.get(E, q + dA));
        c10 = a1.fma(b0, c10);
        c11 = a1.fma(b1, c11);
        u += bStep;
      }
      c00.intoMemorySegment(c, cOff, LE);
      c01.intoMemorySegment(c, cOff + cVs, LE);
      c10.intoMemorySegment(c, cOff + ldc, LE);
      c11.intoMemorySegment(c, cOff + ldc + cVs, LE);
      aOff += 2 * dA;
      cOff += 2 * ldc;
      initOff += 2 * ldi;
    }
  }

  private static void runs2x2(
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
      long iVs) {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = FloatVector.fromMemorySegment(S, init, initOff, LE);
      FloatVector c01 = FloatVector.fromMemorySegment(S, init, initOff + iVs, LE);
      FloatVector c10 = FloatVector.fromMemorySegment(S, init, initOff + ldi, LE);
      FloatVector c11 = FloatVector.fromMemorySegment(S, init, initOff + ldi + iVs, LE);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        for (int s = 0; s < runLength; s++) {
          if (c00.getClass() != FLOATS
              || c01.getClass() != FLOATS
              || c10.getClass() != FLOATS
              || c11.getClass() != FLOATS) {
            throw mixed();
          }
          FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
          FloatVector b1 = FloatVector.fromMemorySegment(S, b, u + bVs, LE);
          FloatVector a0 = FloatVector.broadcast(S, a.get(E, q));
          c00 = a0.fma(b0, c00);
          c01 = a0.fma(b1, c01);
          FloatVector a1 = FloatVector.broadcast(S, a.get(E, q + dA));
          c10 = a1.fma(b0, c10);
          c11 = a1.fma(b1, c11);
          q += aStep;
          u += bStep;
        }
      }
      c00.intoMemorySegment(c, cOff, LE);
      c01.intoMemorySegment(c, cOff + cVs, LE);
      c10.intoMemorySegment(c, cOff + ldc, LE);
      c11.intoMemorySegment(c, cOff + ldc + cVs, LE);
      aOff += 2 * dA;
      cOff += 2 * ldc;
      initOff += 2 * ldi;
    }
  }

  private static void table3x1(
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
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = FloatVector.fromMemorySegment(S, init, initOff, LE);
      FloatVector c10 = FloatVector.fromMemorySegment(S, init, initOff + ldi, LE);
      FloatVector c20 = FloatVector.fromMemorySegment(S, init, initOff + 2 * ldi, LE);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        if (c00.getClass() != FLOATS || c10.getClass() != FLOATS || c20.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
        FloatVector a0 = FloatVector.broadcast(S, a.get(E, q));
        c00 = a0.fma(b0, c00);
        FloatVector a1 = FloatVector.broadcast(S, a.get(E, q + dA));
        c10 = a1.fma(b0, c10);
        FloatVector a2 = FloatVector.broadcast(S, a.get(E, q + 2 * dA));
        c20 = a2.fma(b0, c20);
        u += bStep;
      }
      c00.intoMemorySegment(c, cOff, LE);
      c10.intoMemorySegment(c, cOff + ldc, LE);
      c20.intoMemorySegment(c, cOff + 2 * ldc, LE);
      aOff += 3 * dA;
      cOff += 3 * ldc;
      initOff += 3 * ldi;
    }
  }

  private static void runs3x1(
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
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = FloatVector.fromMemorySegment(S, init, initOff, LE);
      FloatVector c10 = FloatVector.fromMemorySegment(S, init, initOff + ldi, LE);
      FloatVector c20 = FloatVector.fromMemorySegment(S, init, initOff + 2 * ldi, LE);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        for (int s = 0; s < runLength; s++) {
          if (c00.getClass() != FLOATS || c10.getClass() != FLOATS || c20.getClass() != FLOATS) {
            throw mixed();
          }
          FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
          FloatVector a0 = FloatVector.broadcast(S, a.get(E, q));
          c00 = a0.fma(b0, c00);
          FloatVector a1 = FloatVector.broadcast(S, a.get(E, q + dA));
          c10 = a1.fma(b0, c10);
          FloatVector a2 = FloatVector.broadcast(S, a.get(E, q + 2 * dA));
          c20 = a2.fma(b0, c20);
          q += aStep;
          u += bStep;
        }
      }
      c00.intoMemorySegment(c, cOff, LE);
      c10.intoMemorySegment(c, cOff + ldc, LE);
      c20.intoMemorySegment(c, cOff + 2 * ldc, LE);
      aOff += 3 * dA;
      cOff += 3 * ldc;
      initOff += 3 * ldi;
    }
  }

  private static void table3x2(
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
      long iVs) {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = FloatVector.fromMemorySegment(S, init, initOff, LE);
      FloatVector c01 = FloatVector.fromMemorySegment(S, init, initOff + iVs, LE);
      FloatVector c10 = FloatVector.fromMemorySegment(S, init, initOff + ldi, LE);
      FloatVector c11 = FloatVector.fromMemorySegment(S, init, initOff + ldi + iVs, LE);
      FloatVector c20 = FloatVector.fromMemorySegment(S, init, initOff + 2 * ldi, LE);
      FloatVector c21 = FloatVector.fromMemorySegment(S, init, initOff + 2 * ldi + iVs, LE);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        if (c00.getClass() != FLOATS
            || c01.getClass() != FLOATS
            || c10.getClass() != FLOATS
            || c11.getClass() != FLOATS
            || c20.getClass() != FLOATS
            || c21.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
        FloatVector b1 = FloatVector.fromMemorySegment(S, b, u + bVs, LE);
        FloatVector a0 = FloatVector.broadcast(S, a.get(E, q));
        c00 = a0.fma(b0, c00);
        c01 = a0.fma(b1, c01);
        FloatVector a1 = FloatVector.broadcast(S, a.get(E, q + dA));
        c10 = a1.fma(b0, c10);
        c11 = a1.fma(b1, c11);
        FloatVector a2 = FloatVector.broadcast(S, a.get(E, q + 2 * dA));
        c20 = a2.fma(b0, c20);
        c21 = a2.fma(b1, c21);
        u += bStep;
      }
      c00.intoMemorySegment(c, cOff, LE);
      c01.intoMemorySegment(c, cOff + cVs, LE);
      c10.intoMemorySegment(c, cOff + ldc, LE);
      c11.intoMemorySegment(c, cOff + ldc + cVs, LE);
      c20.intoMemorySegment(c, cOff + 2 * ldc, LE);
      c21.intoMemorySegment(c, cOff + 2 * ldc + cVs, LE);
      aOff += 3 * dA;
      cOff += 3 * ldc;
      initOff += 3 * ldi;
    }
  }

  private static void runs3x2(
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
      long iVs) {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = FloatVector.fromMemorySegment(S, init, initOff, LE);
      FloatVector c01 = FloatVector.fromMemorySegment(S, init, initOff + iVs, LE);
      FloatVector c10 = FloatVector.fromMemorySegment(S, init, initOff + ldi, LE);
      FloatVector c11 = FloatVector.fromMemorySegment(S, init, initOff + ldi + iVs, LE);
      FloatVector c20 = FloatVector.fromMemorySegment(S, init, initOff + 2 * ldi, LE);
      FloatVector c21 = FloatVector.fromMemorySegment(S, init, initOff + 2 * ldi + iVs, LE);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        for (int s = 0; s < runLength; s++) {
          if (c00.getClass() != FLOATS
              || c01.getClass() != FLOATS
              || c10.getClass() != FLOATS
              || c11.getClass() != FLOATS
              || c20.getClass() != FLOATS
              || c21.getClass() != FLOATS) {
            throw mixed();
          }
          FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
          FloatVector b1 = FloatVector.fromMemorySegment(S, b, u + bVs, LE);
          FloatVector a0 = FloatVector.broadcast(S, a.get(E, q));
          c00 = a0.fma(b0, c00);
          c01 = a0.fma(b1, c01);
          FloatVector a1 = FloatVector.broadcast(S, a.get(E, q + dA));
          c10 = a1.fma(b0, c10);
          c11 = a1.fma(b1, c11);
          FloatVector a2 = FloatVector.broadcast(S, a.get(E, q + 2 * dA));
          c20 = a2.fma(b0, c20);
          c21 = a2.fma(b1, c21);
          q += aStep;
          u += bStep;
        }
      }
      c00.intoMemorySegment(c, cOff, LE);
      c01.intoMemorySegment(c, cOff + cVs, LE);
      c10.intoMemorySegment(c, cOff + ldc, LE);
      c11.intoMemorySegment(c, cOff + ldc + cVs, LE);
      c20.intoMemorySegment(c, cOff + 2 * ldc, LE);
      c21.intoMemorySegment(c, cOff + 2 * ldc + cVs, LE);
      aOff += 3 * dA;
      cOff += 3 * ldc;
      initOff += 3 * ldi;
    }
  }

  private static void table4x1(
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
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = FloatVector.fromMemorySegment(S, init, initOff, LE);
      FloatVector c10 = FloatVector.fromMemorySegment(S, init, initOff + ldi, LE);
      FloatVector c20 = FloatVector.fromMemorySegment(S, init, initOff + 2 * ldi, LE);
      FloatVector c30 = FloatVector.fromMemorySegment(S, init, initOff + 3 * ldi, LE);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        if (c00.getClass() != FLOATS
            || c10.getClass() != FLOATS
            || c20.getClass() != FLOATS
            || c30.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
        FloatVector a0 = FloatVector.broadcast(S, a.get(E, q));
        c00 = a0.fma(b0, c00);
        FloatVector a1 = FloatVector.broadcast(S, a.get(E, q + dA));
        c10 = a1.fma(b0, c10);
        FloatVector a2 = FloatVector.broadcast(S, a.get(E, q + 2 * dA));
        c20 = a2.fma(b0, c20);
        FloatVector a3 = FloatVector.broadcast(S, a.get(E, q + 3 * dA));
        c30 = a3.fma(b0, c30);
        u += bStep;
      }
      c00.intoMemorySegment(c, cOff, LE);
      c10.intoMemorySegment(c, cOff + ldc, LE);
      c20.intoMemorySegment(c, cOff + 2 * ldc, LE);
      c30.intoMemorySegment(c, cOff + 3 * ldc, LE);
      aOff += 4 * dA;
      cOff += 4 * ldc;
      initOff += 4 * ldi;
    }
  }

  private static void runs4x1(
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
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = FloatVector.fromMemorySegment(S, init, initOff, LE);
      FloatVector c10 = FloatVector.fromMemorySegment(S, init, initOff + ldi, LE);
      FloatVector c20 = FloatVector.fromMemorySegment(S, init, initOff + 2 * ldi, LE);
      FloatVector c30 = FloatVector.fromMemorySegment(S, init, initOff + 3 * ldi, LE);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        for (int s = 0; s < runLength; s++) {
          if (c00.getClass() != FLOATS
              || c10.getClass() != FLOATS
              || c20.getClass() != FLOATS
              || c30.getClass() != FLOATS) {
            throw mixed();
          }
          FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
          FloatVector a0 = FloatVector.broadcast(S, a.get(E, q));
          c00 = a0.fma(b0, c00);
          FloatVector a1 = FloatVector.broadcast(S, a.get(E, q + dA));
          c10 = a1.fma(b0, c10);
          FloatVector a2 = FloatVector.broadcast(S, a.get(E, q + 2 * dA));
          c20 = a2.fma(b0, c20);
          FloatVector a3 = FloatVector.broadcast(S, a.get(E, q + 3 * dA));
          c30 = a3.fma(b0, c30);
          q += aStep;
          u += bStep;
        }
      }
      c00.intoMemorySegment(c, cOff, LE);
      c10.intoMemorySegment(c, cOff + ldc, LE);
      c20.intoMemorySegment(c, cOff + 2 * ldc, LE);
      c30.intoMemorySegment(c, cOff + 3 * ldc, LE);
      aOff += 4 * dA;
      cOff += 4 * ldc;
      initOff += 4 * ldi;
    }
  }

  private static void table4x2(
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
      long iVs) {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = FloatVector.fromMemorySegment(S, init, initOff, LE);
      FloatVector c01 = FloatVector.fromMemorySegment(S, init, initOff + iVs, LE);
      FloatVector c10 = FloatVector.fromMemorySegment(S, init, initOff + ldi, LE);
      FloatVector c11 = FloatVector.fromMemorySegment(S, init, initOff + ldi + iVs, LE);
      FloatVector c20 = FloatVector.fromMemorySegment(S, init, initOff + 2 * ldi, LE);
      FloatVector c21 = FloatVector.fromMemorySegment(S, init, initOff + 2 * ldi + iVs, LE);
      FloatVector c30 = FloatVector.fromMemorySegment(S, init, initOff + 3 * ldi, LE);
      FloatVector c31 = FloatVector.fromMemorySegment(S, init, initOff + 3 * ldi + iVs, LE);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        if (c00.getClass() != FLOATS
            || c01.getClass() != FLOATS
            || c10.getClass() != FLOATS
            || c11.getClass() != FLOATS
            || c20.getClass() != FLOATS
            || c21.getClass() != FLOATS
            || c30.getClass() != FLOATS
            || c31.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
        FloatVector b1 = FloatVector.fromMemorySegment(S, b, u + bVs, LE);
        FloatVector a0 = FloatVector.broadcast(S, a.get(E, q));
        c00 = a0.fma(b0, c00);
        c01 = a0.fma(b1, c01);
        FloatVector a1 = FloatVector.broadcast(S, a.get(E, q + dA));
        c10 = a1.fma(b0, c10);
        c11 = a1.fma(b1, c11);
        FloatVector a2 = FloatVector.broadcast(S, a.get(E, q + 2 * dA));
        c20 = a2.fma(b0, c20);
        c21 = a2.fma(b1, c21);
        FloatVector a3 = FloatVector.broadcast(S, a.get(E, q + 3 * dA));
        c30 = a3.fma(b0, c30);
        c31 = a3.fma(b1, c31);
        u += bStep;
      }
      c00.intoMemorySegment(c, cOff, LE);
      c01.intoMemorySegment(c, cOff + cVs, LE);
      c10.intoMemorySegment(c, cOff + ldc, LE);
      c11.intoMemorySegment(c, cOff + ldc + cVs, LE);
      c20.intoMemorySegment(c, cOff + 2 * ldc, LE);
      c21.intoMemorySegment(c, cOff + 2 * ldc + cVs, LE);
      c30.intoMemorySegment(c, cOff + 3 * ldc, LE);
      c31.intoMemorySegment(c, cOff + 3 * ldc + cVs, LE);
      aOff += 4 * dA;
      cOff += 4 * ldc;
      initOff += 4 * ldi;
    }
  }

  private static void runs4x2(
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
      long iVs) {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = FloatVector.fromMemorySegment(S, init, initOff, LE);
      FloatVector c01 = FloatVector.fromMemorySegment(S, init, initOff + iVs, LE);
      FloatVector c10 = FloatVector.fromMemorySegment(S, init, initOff + ldi, LE);
      FloatVector c11 = FloatVector.fromMemorySegment(S, init, initOff + ldi + iVs, LE);
      FloatVector c20 = FloatVector.fromMemorySegment(S, init, initOff + 2 * ldi, LE);
      FloatVector c21 = FloatVector.fromMemorySegment(S, init, initOff + 2 * ldi + iVs, LE);
      FloatVector c30 = FloatVector.fromMemorySegment(S, init, initOff + 3 * ldi, LE);
      FloatVector c31 = FloatVector.fromMemorySegment(S, init, initOff + 3 * ldi + iVs, LE);
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
              || c31.getClass() != FLOATS) {
            throw mixed();
          }
          FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
          FloatVector b1 = FloatVector.fromMemorySegment(S, b, u + bVs, LE);
          FloatVector a0 = FloatVector.broadcast(S, a.get(E, q));
          c00 = a0.fma(b0, c00);
          c01 = a0.fma(b1, c01);
          FloatVector a1 = FloatVector.broadcast(S, a.get(E, q + dA));
          c10 = a1.fma(b0, c10);
          c11 = a1.fma(b1, c11);
          FloatVector a2 = FloatVector.broadcast(S, a.get(E, q + 2 * dA));
          c20 = a2.fma(b0, c20);
          c21 = a2.fma(b1, c21);
          FloatVector a3 = FloatVector.broadcast(S, a.get(E, q + 3 * dA));
          c30 = a3.fma(b0, c30);
          c31 = a3.fma(b1, c31);
          q += aStep;
          u += bStep;
        }
      }
      c00.intoMemorySegment(c, cOff, LE);
      c01.intoMemorySegment(c, cOff + cVs, LE);
      c10.intoMemorySegment(c, cOff + ldc, LE);
      c11.intoMemorySegment(c, cOff + ldc + cVs, LE);
      c20.intoMemorySegment(c, cOff + 2 * ldc, LE);
      c21.intoMemorySegment(c, cOff + 2 * ldc + cVs, LE);
      c30.intoMemorySegment(c, cOff + 3 * ldc, LE);
      c31.intoMemorySegment(c, cOff + 3 * ldc + cVs, LE);
      aOff += 4 * dA;
      cOff += 4 * ldc;
      initOff += 4 * ldi;
    }
  }

  private static void table5x1(
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
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = FloatVector.fromMemorySegment(S, init, initOff, LE);
      FloatVector c10 = FloatVector.fromMemorySegment(S, init, initOff + ldi, LE);
      FloatVector c20 = FloatVector.fromMemorySegment(S, init, initOff + 2 * ldi, LE);
      FloatVector c30 = FloatVector.fromMemorySegment(S, init, initOff + 3 * ldi, LE);
      FloatVector c40 = FloatVector.fromMemorySegment(S, init, initOff + 4 * ldi, LE);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        if (c00.getClass() != FLOATS
            || c10.getClass() != FLOATS
            || c20.getClass() != FLOATS
            || c30.getClass() != FLOATS
            || c40.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
        FloatVector a0 = FloatVector.broadcast(S, a.get(E, q));
        c00 = a0.fma(b0, c00);
        FloatVector a1 = FloatVector.broadcast(S, a.get(E, q + dA));
        c10 = a1.fma(b0, c10);
        FloatVector a2 = FloatVector.broadcast(S, a.get(E, q + 2 * dA));
        c20 = a2.fma(b0, c20);
        FloatVector a3 = FloatVector.broadcast(S, a.get(E, q + 3 * dA));
        c30 = a3.fma(b0, c30);
        FloatVector a4 = FloatVector.broadcast(S, a.get(E, q + 4 * dA));
        c40 = a4.fma(b0, c40);
        u += bStep;
      }
      c00.intoMemorySegment(c, cOff, LE);
      c10.intoMemorySegment(c, cOff + ldc, LE);
      c20.intoMemorySegment(c, cOff + 2 * ldc, LE);
      c30.intoMemorySegment(c, cOff + 3 * ldc, LE);
      c40.intoMemorySegment(c, cOff + 4 * ldc, LE);
      aOff += 5 * dA;
      cOff += 5 * ldc;
      initOff += 5 * ldi;
    }
  }

  private static void runs5x1(
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
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = FloatVector.fromMemorySegment(S, init, initOff, LE);
      FloatVector c10 = FloatVector.fromMemorySegment(S, init, initOff + ldi, LE);
      FloatVector c20 = FloatVector.fromMemorySegment(S, init, initOff + 2 * ldi, LE);
      FloatVector c30 = FloatVector.fromMemorySegment(S, init, initOff + 3 * ldi, LE);
      FloatVector c40 = FloatVector.fromMemorySegment(S, init, initOff + 4 * ldi, LE);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        for (int s = 0; s < runLength; s++) {
          if (c00.getClass() != FLOATS
              || c10.getClass() != FLOATS
              || c20.getClass() != FLOATS
              || c30.getClass() != FLOATS
              || c40.getClass() != FLOATS) {
            throw mixed();
          }
          FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
          FloatVector a0 = FloatVector.broadcast(S, a.get(E, q));
          c00 = a0.fma(b0, c00);
          FloatVector a1 = FloatVector.broadcast(S, a.get(E, q + dA));
          c10 = a1.fma(b0, c10);
          FloatVector a2 = FloatVector.broadcast(S, a.get(E, q + 2 * dA));
          c20 = a2.fma(b0, c20);
          FloatVector a3 = FloatVector.broadcast(S, a.get(E, q + 3 * dA));
          c30 = a3.fma(b0, c30);
          FloatVector a4 = FloatVector.broadcast(S, a.get(E, q + 4 * dA));
          c40 = a4.fma(b0, c40);
          q += aStep;
          u += bStep;
        }
      }
      c00.intoMemorySegment(c, cOff, LE);
      c10.intoMemorySegment(c, cOff + ldc, LE);
      c20.intoMemorySegment(c, cOff + 2 * ldc, LE);
      c30.intoMemorySegment(c, cOff + 3 * ldc, LE);
      c40.intoMemorySegment(c, cOff + 4 * ldc, LE);
      aOff += 5 * dA;
      cOff += 5 * ldc;
      initOff += 5 * ldi;
    }
  }

  private static void table5x2(
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
      long iVs) {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = FloatVector.fromMemorySegment(S, init, initOff, LE);
      FloatVector c01 = FloatVector.fromMemorySegment(S, init, initOff + iVs, LE);
      FloatVector c10 = FloatVector.fromMemorySegment(S, init, initOff + ldi, LE);
      FloatVector c11 = FloatVector.fromMemorySegment(S, init, initOff + ldi + iVs, LE);
      FloatVector c20 = FloatVector.fromMemorySegment(S, init, initOff + 2 * ldi, LE);
      FloatVector c21 = FloatVector.fromMemorySegment(S, init, initOff + 2 * ldi + iVs, LE);
      FloatVector c30 = FloatVector.fromMemorySegment(S, init, initOff + 3 * ldi, LE);
      FloatVector c31 = FloatVector.fromMemorySegment(S, init, initOff + 3 * ldi + iVs, LE);
      FloatVector c40 = FloatVector.fromMemorySegment(S, init, initOff + 4 * ldi, LE);
      FloatVector c41 = FloatVector.fromMemorySegment(S, init, initOff + 4 * ldi + iVs, LE);
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
            || c41.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
        FloatVector b1 = FloatVector.fromMemorySegment(S, b, u + bVs, LE);
        FloatVector a0 = FloatVector.broadcast(S, a.get(E, q));
        c00 = a0.fma(b0, c00);
        c01 = a0.fma(b1, c01);
        FloatVector a1 = FloatVector.broadcast(S, a.get(E, q + dA));
        c10 = a1.fma(b0, c10);
        c11 = a1.fma(b1, c11);
        FloatVector a2 = FloatVector.broadcast(S, a.get(E, q + 2 * dA));
        c20 = a2.fma(b0, c20);
        c21 = a2.fma(b1, c21);
        FloatVector a3 = FloatVector.broadcast(S, a.get(E, q + 3 * dA));
        c30 = a3.fma(b0, c30);
        c31 = a3.fma(b1, c31);
        FloatVector a4 = FloatVector.broadcast(S, a.get(E, q + 4 * dA));
        c40 = a4.fma(b0, c40);
        c41 = a4.fma(b1, c41);
        u += bStep;
      }
      c00.intoMemorySegment(c, cOff, LE);
      c01.intoMemorySegment(c, cOff + cVs, LE);
      c10.intoMemorySegment(c, cOff + ldc, LE);
      c11.intoMemorySegment(c, cOff + ldc + cVs, LE);
      c20.intoMemorySegment(c, cOff + 2 * ldc, LE);
      c21.intoMemorySegment(c, cOff + 2 * ldc + cVs, LE);
      c30.intoMemorySegment(c, cOff + 3 * ldc, LE);
      c31.intoMemorySegment(c, cOff + 3 * ldc + cVs, LE);
      c40.intoMemorySegment(c, cOff + 4 * ldc, LE);
      c41.intoMemorySegment(c, cOff + 4 * ldc + cVs, LE);
      aOff += 5 * dA;
      cOff += 5 * ldc;
      initOff += 5 * ldi;
    }
  }

  private static void runs5x2(
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
      long iVs) {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = FloatVector.fromMemorySegment(S, init, initOff, LE);
      FloatVector c01 = FloatVector.fromMemorySegment(S, init, initOff + iVs, LE);
      FloatVector c10 = FloatVector.fromMemorySegment(S, init, initOff + ldi, LE);
      FloatVector c11 = FloatVector.fromMemorySegment(S, init, initOff + ldi + iVs, LE);
      FloatVector c20 = FloatVector.fromMemorySegment(S, init, initOff + 2 * ldi, LE);
      FloatVector c21 = FloatVector.fromMemorySegment(S, init, initOff + 2 * ldi + iVs, LE);
      FloatVector c30 = FloatVector.fromMemorySegment(S, init, initOff + 3 * ldi, LE);
      FloatVector c31 = FloatVector.fromMemorySegment(S, init, initOff + 3 * ldi + iVs, LE);
      FloatVector c40 = FloatVector.fromMemorySegment(S, init, initOff + 4 * ldi, LE);
      FloatVector c41 = FloatVector.fromMemorySegment(S, init, initOff + 4 * ldi + iVs, LE);
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
              || c41.getClass() != FLOATS) {
            throw mixed();
          }
          FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
          FloatVector b1 = FloatVector.fromMemorySegment(S, b, u + bVs, LE);
          FloatVector a0 = FloatVector.broadcast(S, a.get(E, q));
          c00 = a0.fma(b0, c00);
          c01 = a0.fma(b1, c01);
          FloatVector a1 = FloatVector.broadcast(S, a.get(E, q + dA));
          c10 = a1.fma(b0, c10);
          c11 = a1.fma(b1, c11);
          FloatVector a2 = FloatVector.broadcast(S, a.get(E, q + 2 * dA));
          c20 = a2.fma(b0, c20);
          c21 = a2.fma(b1, c21);
          FloatVector a3 = FloatVector.broadcast(S, a.get(E, q + 3 * dA));
          c30 = a3.fma(b0, c30);
          c31 = a3.fma(b1, c31);
          FloatVector a4 = FloatVector.broadcast(S, a.get(E, q + 4 * dA));
          c40 = a4.fma(b0, c40);
          c41 = a4.fma(b1, c41);
          q += aStep;
          u += bStep;
        }
      }
      c00.intoMemorySegment(c, cOff, LE);
      c01.intoMemorySegment(c, cOff + cVs, LE);
      c10.intoMemorySegment(c, cOff + ldc, LE);
      c11.intoMemorySegment(c, cOff + ldc + cVs, LE);
      c20.intoMemorySegment(c, cOff + 2 * ldc, LE);
      c21.intoMemorySegment(c, cOff + 2 * ldc + cVs, LE);
      c30.intoMemorySegment(c, cOff + 3 * ldc, LE);
      c31.intoMemorySegment(c, cOff + 3 * ldc + cVs, LE);
      c40.intoMemorySegment(c, cOff + 4 * ldc, LE);
      c41.intoMemorySegment(c, cOff + 4 * ldc + cVs, LE);
      aOff += 5 * dA;
      cOff += 5 * ldc;
      initOff += 5 * ldi;
    }
  }

  private static void table6x1(
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
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = FloatVector.fromMemorySegment(S, init, initOff, LE);
      FloatVector c10 = FloatVector.fromMemorySegment(S, init, initOff + ldi, LE);
      FloatVector c20 = FloatVector.fromMemorySegment(S, init, initOff + 2 * ldi, LE);
      FloatVector c30 = FloatVector.fromMemorySegment(S, init, initOff + 3 * ldi, LE);
      FloatVector c40 = FloatVector.fromMemorySegment(S, init, initOff + 4 * ldi, LE);
      FloatVector c50 = FloatVector.fromMemorySegment(S, init, initOff + 5 * ldi, LE);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        if (c00.getClass() != FLOATS
            || c10.getClass() != FLOATS
            || c20.getClass() != FLOATS
            || c30.getClass() != FLOATS
            || c40.getClass() != FLOATS
            || c50.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
        FloatVector a0 = FloatVector.broadcast(S, a.get(E, q));
        c00 = a0.fma(b0, c00);
        FloatVector a1 = FloatVector.broadcast(S, a.get(E, q + dA));
        c10 = a1.fma(b0, c10);
        FloatVector a2 = FloatVector.broadcast(S, a.get(E, q + 2 * dA));
        c20 = a2.fma(b0, c20);
        FloatVector a3 = FloatVector.broadcast(S, a.get(E, q + 3 * dA));
        c30 = a3.fma(b0, c30);
        FloatVector a4 = FloatVector.broadcast(S, a.get(E, q + 4 * dA));
        c40 = a4.fma(b0, c40);
        FloatVector a5 = FloatVector.broadcast(S, a.get(E, q + 5 * dA));
        c50 = a5.fma(b0, c50);
        u += bStep;
      }
      c00.intoMemorySegment(c, cOff, LE);
      c10.intoMemorySegment(c, cOff + ldc, LE);
      c20.intoMemorySegment(c, cOff + 2 * ldc, LE);
      c30.intoMemorySegment(c, cOff + 3 * ldc, LE);
      c40.intoMemorySegment(c, cOff + 4 * ldc, LE);
      c50.intoMemorySegment(c, cOff + 5 * ldc, LE);
      aOff += 6 * dA;
      cOff += 6 * ldc;
      initOff += 6 * ldi;
    }
  }

  private static void runs6x1(
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
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = FloatVector.fromMemorySegment(S, init, initOff, LE);
      FloatVector c10 = FloatVector.fromMemorySegment(S, init, initOff + ldi, LE);
      FloatVector c20 = FloatVector.fromMemorySegment(S, init, initOff + 2 * ldi, LE);
      FloatVector c30 = FloatVector.fromMemorySegment(S, init, initOff + 3 * ldi, LE);
      FloatVector c40 = FloatVector.fromMemorySegment(S, init, initOff + 4 * ldi, LE);
      FloatVector c50 = FloatVector.fromMemorySegment(S, init, initOff + 5 * ldi, LE);
      for (int r = 0; r < runs; r++) {
        long q = aOff + tab[tabOff + r];
        for (int s = 0; s < runLength; s++) {
          if (c00.getClass() != FLOATS
              || c10.getClass() != FLOATS
              || c20.getClass() != FLOATS
              || c30.getClass() != FLOATS
              || c40.getClass() != FLOATS
              || c50.getClass() != FLOATS) {
            throw mixed();
          }
          FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
          FloatVector a0 = FloatVector.broadcast(S, a.get(E, q));
          c00 = a0.fma(b0, c00);
          FloatVector a1 = FloatVector.broadcast(S, a.get(E, q + dA));
          c10 = a1.fma(b0, c10);
          FloatVector a2 = FloatVector.broadcast(S, a.get(E, q + 2 * dA));
          c20 = a2.fma(b0, c20);
          FloatVector a3 = FloatVector.broadcast(S, a.get(E, q + 3 * dA));
          c30 = a3.fma(b0, c30);
          FloatVector a4 = FloatVector.broadcast(S, a.get(E, q + 4 * dA));
          c40 = a4.fma(b0, c40);
          FloatVector a5 = FloatVector.broadcast(S, a.get(E, q + 5 * dA));
          c50 = a5.fma(b0, c50);
          q += aStep;
          u += bStep;
        }
      }
      c00.intoMemorySegment(c, cOff, LE);
      c10.intoMemorySegment(c, cOff + ldc, LE);
      c20.intoMemorySegment(c, cOff + 2 * ldc, LE);
      c30.intoMemorySegment(c, cOff + 3 * ldc, LE);
      c40.intoMemorySegment(c, cOff + 4 * ldc, LE);
      c50.intoMemorySegment(c, cOff + 5 * ldc, LE);
      aOff += 6 * dA;
      cOff += 6 * ldc;
      initOff += 6 * ldi;
    }
  }

  private static void table6x2(
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
      long iVs) {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = FloatVector.fromMemorySegment(S, init, initOff, LE);
      FloatVector c01 = FloatVector.fromMemorySegment(S, init, initOff + iVs, LE);
      FloatVector c10 = FloatVector.fromMemorySegment(S, init, initOff + ldi, LE);
      FloatVector c11 = FloatVector.fromMemorySegment(S, init, initOff + ldi + iVs, LE);
      FloatVector c20 = FloatVector.fromMemorySegment(S, init, initOff + 2 * ldi, LE);
      FloatVector c21 = FloatVector.fromMemorySegment(S, init, initOff + 2 * ldi + iVs, LE);
      FloatVector c30 = FloatVector.fromMemorySegment(S, init, initOff + 3 * ldi, LE);
      FloatVector c31 = FloatVector.fromMemorySegment(S, init, initOff + 3 * ldi + iVs, LE);
      FloatVector c40 = FloatVector.fromMemorySegment(S, init, initOff + 4 * ldi, LE);
      FloatVector c41 = FloatVector.fromMemorySegment(S, init, initOff + 4 * ldi + iVs, LE);
      FloatVector c50 = FloatVector.fromMemorySegment(S, init, initOff + 5 * ldi, LE);
      FloatVector c51 = FloatVector.fromMemorySegment(S, init, initOff + 5 * ldi + iVs, LE);
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
            || c51.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
        FloatVector b1 = FloatVector.fromMemorySegment(S, b, u + bVs, LE);
        FloatVector a0 = FloatVector.broadcast(S, a.get(E, q));
        c00 = a0.fma(b0, c00);
        c01 = a0.fma(b1, c01);
        FloatVector a1 = FloatVector.broadcast(S, a.get(E, q + dA));
        c10 = a1.fma(b0, c10);
        c11 = a1.fma(b1, c11);
        FloatVector a2 = FloatVector.broadcast(S, a.get(E, q + 2 * dA));
        c20 = a2.fma(b0, c20);
        c21 = a2.fma(b1, c21);
        FloatVector a3 = FloatVector.broadcast(S, a.get(E, q + 3 * dA));
        c30 = a3.fma(b0, c30);
        c31 = a3.fma(b1, c31);
        FloatVector a4 = FloatVector.broadcast(S, a.get(E, q + 4 * dA));
        c40 = a4.fma(b0, c40);
        c41 = a4.fma(b1, c41);
        FloatVector a5 = FloatVector.broadcast(S, a.get(E, q + 5 * dA));
        c50 = a5.fma(b0, c50);
        c51 = a5.fma(b1, c51);
        u += bStep;
      }
      c00.intoMemorySegment(c, cOff, LE);
      c01.intoMemorySegment(c, cOff + cVs, LE);
      c10.intoMemorySegment(c, cOff + ldc, LE);
      c11.intoMemorySegment(c, cOff + ldc + cVs, LE);
      c20.intoMemorySegment(c, cOff + 2 * ldc, LE);
      c21.intoMemorySegment(c, cOff + 2 * ldc + cVs, LE);
      c30.intoMemorySegment(c, cOff + 3 * ldc, LE);
      c31.intoMemorySegment(c, cOff + 3 * ldc + cVs, LE);
      c40.intoMemorySegment(c, cOff + 4 * ldc, LE);
      c41.intoMemorySegment(c, cOff + 4 * ldc + cVs, LE);
      c50.intoMemorySegment(c, cOff + 5 * ldc, LE);
      c51.intoMemorySegment(c, cOff + 5 * ldc + cVs, LE);
      aOff += 6 * dA;
      cOff += 6 * ldc;
      initOff += 6 * ldi;
    }
  }

  private static void runs6x2(
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
      long iVs) {
    a = exact(a);
    b = exact(b);
    c = exact(c);
    init = exact(init);
    for (int t = 0; t < tiles; t++) {
      long u = bOff;
      FloatVector c00 = FloatVector.fromMemorySegment(S, init, initOff, LE);
      FloatVector c01 = FloatVector.fromMemorySegment(S, init, initOff + iVs, LE);
      FloatVector c10 = FloatVector.fromMemorySegment(S, init, initOff + ldi, LE);
      FloatVector c11 = FloatVector.fromMemorySegment(S, init, initOff + ldi + iVs, LE);
      FloatVector c20 = FloatVector.fromMemorySegment(S, init, initOff + 2 * ldi, LE);
      FloatVector c21 = FloatVector.fromMemorySegment(S, init, initOff + 2 * ldi + iVs, LE);
      FloatVector c30 = FloatVector.fromMemorySegment(S, init, initOff + 3 * ldi, LE);
      FloatVector c31 = FloatVector.fromMemorySegment(S, init, initOff + 3 * ldi + iVs, LE);
      FloatVector c40 = FloatVector.fromMemorySegment(S, init, initOff + 4 * ldi, LE);
      FloatVector c41 = FloatVector.fromMemorySegment(S, init, initOff + 4 * ldi + iVs, LE);
      FloatVector c50 = FloatVector.fromMemorySegment(S, init, initOff + 5 * ldi, LE);
      FloatVector c51 = FloatVector.fromMemorySegment(S, init, initOff + 5 * ldi + iVs, LE);
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
              || c51.getClass() != FLOATS) {
            throw mixed();
          }
          FloatVector b0 = FloatVector.fromMemorySegment(S, b, u, LE);
          FloatVector b1 = FloatVector.fromMemorySegment(S, b, u + bVs, LE);
          FloatVector a0 = FloatVector.broadcast(S, a.get(E, q));
          c00 = a0.fma(b0, c00);
          c01 = a0.fma(b1, c01);
          FloatVector a1 = FloatVector.broadcast(S, a.get(E, q + dA));
          c10 = a1.fma(b0, c10);
          c11 = a1.fma(b1, c11);
          FloatVector a2 = FloatVector.broadcast(S, a.get(E, q + 2 * dA));
          c20 = a2.fma(b0, c20);
          c21 = a2.fma(b1, c21);
          FloatVector a3 = FloatVector.broadcast(S, a.get(E, q + 3 * dA));
          c30 = a3.fma(b0, c30);
          c31 = a3.fma(b1, c31);
          FloatVector a4 = FloatVector.broadcast(S, a.get(E, q + 4 * dA));
          c40 = a4.fma(b0, c40);
          c41 = a4.fma(b1, c41);
          FloatVector a5 = FloatVector.broadcast(S, a.get(E, q + 5 * dA));
          c50 = a5.fma(b0, c50);
          c51 = a5.fma(b1, c51);
          q += aStep;
          u += bStep;
        }
      }
      c00.intoMemorySegment(c, cOff, LE);
      c01.intoMemorySegment(c, cOff + cVs, LE);
      c10.intoMemorySegment(c, cOff + ldc, LE);
      c11.intoMemorySegment(c, cOff + ldc + cVs, LE);
      c20.intoMemorySegment(c, cOff + 2 * ldc, LE);
      c21.intoMemorySegment(c, cOff + 2 * ldc + cVs, LE);
      c30.intoMemorySegment(c, cOff + 3 * ldc, LE);
      c31.intoMemorySegment(c, cOff + 3 * ldc + cVs, LE);
      c40.intoMemorySegment(c, cOff + 4 * ldc, LE);
      c41.intoMemorySegment(c, cOff + 4 * ldc + cVs, LE);
      c50.intoMemorySegment(c, cOff + 5 * ldc, LE);
      c51.intoMemorySegment(c, cOff + 5 * ldc + cVs, LE);
      aOff += 6 * dA;
      cOff += 6 * ldc;
      initOff += 6 * ldi;
    }
  }

  static void column1(
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
    a = exact(a);
    b = exact(b);
    c = exact(c);
    for (int t = 0; t < tiles; t++) {
      FloatVector c00 = FloatVector.zero(S);
      FloatVector c10 = FloatVector.zero(S);
      FloatVector c20 = FloatVector.zero(S);
      FloatVector c30 = FloatVector.zero(S);
      FloatVector c40 = FloatVector.zero(S);
      FloatVector c50 = FloatVector.zero(S);
      long q0 = aOff;
      long q1 = aOff + dA;
      long q2 = aOff + 2 * dA;
      long q3 = aOff + 3 * dA;
      long q4 = aOff + 4 * dA;
      long q5 = aOff + 5 * dA;
      long r = bOff;
      for (int p = 0; p < k; p++) {
        long o = 4L * p;
        if (c00.getClass() != FLOATS
            || c10.getClass() != FLOATS
            || c20.getClass() != FLOATS
            || c30.getClass() != FLOATS
            || c40.getClass() != FLOATS
            || c50.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector b0 = FloatVector.fromMemorySegment(S, b, r, LE);
        FloatVector a0 = FloatVector.broadcast(S, a.get(E, q0 + o));
        c00 = a0.fma(b0, c00);
        FloatVector a1 = FloatVector.broadcast(S, a.get(E, q1 + o));
        c10 = a1.fma(b0, c10);
        FloatVector a2 = FloatVector.broadcast(S, a.get(E, q2 + o));
        c20 = a2.fma(b0, c20);
        FloatVector a3 = FloatVector.broadcast(S, a.get(E, q3 + o));
        c30 = a3.fma(b0, c30);
        FloatVector a4 = FloatVector.broadcast(S, a.get(E, q4 + o));
        c40 = a4.fma(b0, c40);
        FloatVector a5 = FloatVector.broadcast(S, a.get(E, q5 + o));
        c50 = a5.fma(b0, c50);
        r += bStep;
      }
      c00.intoMemorySegment(c, cOff, LE);
      c10.intoMemorySegment(c, cOff + ldc, LE);
      c20.intoMemorySegment(c, cOff + 2 * ldc, LE);
      c30.intoMemorySegment(c, cOff + 3 * ldc, LE);
      c40.intoMemorySegment(c, cOff + 4 * ldc, LE);
      c50.intoMemorySegment(c, cOff + 5 * ldc, LE);
      aOff += 6 * dA;
      cOff += 6 * ldc;
    }
  }

  static void column2(
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
    a = exact(a);
    b = exact(b);
    c = exact(c);
    long vs = S.vectorByteSize();
    for (int t = 0; t < tiles; t++) {
      FloatVector c00 = FloatVector.zero(S);
      FloatVector c01 = FloatVector.zero(S);
      FloatVector c10 = FloatVector.zero(S);
      FloatVector c11 = FloatVector.zero(S);
      FloatVector c20 = FloatVector.zero(S);
      FloatVector c21 = FloatVector.zero(S);
      FloatVector c30 = FloatVector.zero(S);
      FloatVector c31 = FloatVector.zero(S);
      FloatVector c40 = FloatVector.zero(S);
      FloatVector c41 = FloatVector.zero(S);
      FloatVector c50 = FloatVector.zero(S);
      FloatVector c51 = FloatVector.zero(S);
      long q0 = aOff;
      long q1 = aOff + dA;
      long q2 = aOff + 2 * dA;
      long q3 = aOff + 3 * dA;
      long q4 = aOff + 4 * dA;
      long q5 = aOff + 5 * dA;
      long r = bOff;
      for (int p = 0; p < k; p++) {
        long o = 4L * p;
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
            || c51.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector b0 = FloatVector.fromMemorySegment(S, b, r, LE);
        FloatVector b1 = FloatVector.fromMemorySegment(S, b, r + vs, LE);
        FloatVector a0 = FloatVector.broadcast(S, a.get(E, q0 + o));
        c00 = a0.fma(b0, c00);
        c01 = a0.fma(b1, c01);
        FloatVector a1 = FloatVector.broadcast(S, a.get(E, q1 + o));
        c10 = a1.fma(b0, c10);
        c11 = a1.fma(b1, c11);
        FloatVector a2 = FloatVector.broadcast(S, a.get(E, q2 + o));
        c20 = a2.fma(b0, c20);
        c21 = a2.fma(b1, c21);
        FloatVector a3 = FloatVector.broadcast(S, a.get(E, q3 + o));
        c30 = a3.fma(b0, c30);
        c31 = a3.fma(b1, c31);
        FloatVector a4 = FloatVector.broadcast(S, a.get(E, q4 + o));
        c40 = a4.fma(b0, c40);
        c41 = a4.fma(b1, c41);
        FloatVector a5 = FloatVector.broadcast(S, a.get(E, q5 + o));
        c50 = a5.fma(b0, c50);
        c51 = a5.fma(b1, c51);
        r += bStep;
      }
      c00.intoMemorySegment(c, cOff, LE);
      c01.intoMemorySegment(c, cOff + vs, LE);
      c10.intoMemorySegment(c, cOff + ldc, LE);
      c11.intoMemorySegment(c, cOff + ldc + vs, LE);
      c20.intoMemorySegment(c, cOff + 2 * ldc, LE);
      c21.intoMemorySegment(c, cOff + 2 * ldc + vs, LE);
      c30.intoMemorySegment(c, cOff + 3 * ldc, LE);
      c31.intoMemorySegment(c, cOff + 3 * ldc + vs, LE);
      c40.intoMemorySegment(c, cOff + 4 * ldc, LE);
      c41.intoMemorySegment(c, cOff + 4 * ldc + vs, LE);
      c50.intoMemorySegment(c, cOff + 5 * ldc, LE);
      c51.intoMemorySegment(c, cOff + 5 * ldc + vs, LE);
      aOff += 6 * dA;
      cOff += 6 * ldc;
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
    a = exact(a);
    b = exact(b);
    c = exact(c);
    long vs = S.vectorByteSize();
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
            || c51.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector b0 = FloatVector.fromMemorySegment(S, b, bOff, LE);
        FloatVector b1 = FloatVector.fromMemorySegment(S, b, bOff + vs, LE);
        FloatVector a0 = FloatVector.broadcast(S, a.get(E, q));
        c00 = a0.fma(b0, c00);
        c01 = a0.fma(b1, c01);
        FloatVector a1 = FloatVector.broadcast(S, a.get(E, q + 4));
        c10 = a1.fma(b0, c10);
        c11 = a1.fma(b1, c11);
        FloatVector a2 = FloatVector.broadcast(S, a.get(E, q + 8));
        c20 = a2.fma(b0, c20);
        c21 = a2.fma(b1, c21);
        FloatVector a3 = FloatVector.broadcast(S, a.get(E, q + 12));
        c30 = a3.fma(b0, c30);
        c31 = a3.fma(b1, c31);
        FloatVector a4 = FloatVector.broadcast(S, a.get(E, q + 16));
        c40 = a4.fma(b0, c40);
        c41 = a4.fma(b1, c41);
        FloatVector a5 = FloatVector.broadcast(S, a.get(E, q + 20));
        c50 = a5.fma(b0, c50);
        c51 = a5.fma(b1, c51);
        q += 24;
        bOff += 2 * vs;
      }
      c00.intoMemorySegment(c, cOff, LE);
      c01.intoMemorySegment(c, cOff + vs, LE);
      c10.intoMemorySegment(c, cOff + ldc, LE);
      c11.intoMemorySegment(c, cOff + ldc + vs, LE);
      c20.intoMemorySegment(c, cOff + 2 * ldc, LE);
      c21.intoMemorySegment(c, cOff + 2 * ldc + vs, LE);
      c30.intoMemorySegment(c, cOff + 3 * ldc, LE);
      c31.intoMemorySegment(c, cOff + 3 * ldc + vs, LE);
      c40.intoMemorySegment(c, cOff + 4 * ldc, LE);
      c41.intoMemorySegment(c, cOff + 4 * ldc + vs, LE);
      c50.intoMemorySegment(c, cOff + 5 * ldc, LE);
      c51.intoMemorySegment(c, cOff + 5 * ldc + vs, LE);
      cOff += 2 * vs;
    }
  }
}
