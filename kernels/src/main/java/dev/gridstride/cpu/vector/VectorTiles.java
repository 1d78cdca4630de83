package dev.gridstride.cpu.vector;

import dev.gridstride.cpu.Tiles;
import java.lang.foreign.MemorySegment;

/** Register tiles by the Vector API, as wide as the machine's vectors. */
public final class VectorTiles implements Tiles {
  @Override
  public boolean pairs() {
    return F32TallTiles.FIT;
  }

  @Override
  public int lanesF32() {
    return F32Tiles.S.length();
  }

  @Override
  public int lanesF64() {
    return F64Tiles.S.length();
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
    F32Tiles.tile(
        tiles, rows, vectors, runs, runLength, a, aOff, tab, tabOff, aStep, dA, b, bOff, bStep, bVs,
        c, cOff, ldc, cVs, init, initOff, ldi, iVs);
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
    F64Tiles.tile(
        tiles, rows, vectors, runs, runLength, a, aOff, tab, tabOff, aStep, dA, b, bOff, bStep, bVs,
        c, cOff, ldc, cVs, init, initOff, ldi, iVs);
  }
}
