package dev.gridstride.cpu;

import dev.gridstride.cpu.scalar.ScalarGemmLoops;
import dev.gridstride.cpu.vector.VectorF32GemmLoops;
import dev.gridstride.cpu.vector.VectorF64GemmLoops;
import java.lang.foreign.MemorySegment;

/**
 * Inner loops of the matrix product for one compute type: the tile, packing, and edges. Offsets and
 * distances are in bytes, counts in elements; segments are native.
 */
public interface GemmLoops {
  /** The loops of this JVM for f32. */
  GemmLoops F32 = Simd.ENABLED ? new VectorF32GemmLoops() : new ScalarGemmLoops(false);

  /** The loops of this JVM for f64. */
  GemmLoops F64 = Simd.ENABLED ? new VectorF64GemmLoops() : new ScalarGemmLoops(true);

  /** Columns of one vector. */
  int lanes();

  /** Bytes of one element. */
  int bytes();

  /**
   * One register tile, as {@link Tiles#f32} with a single run: {@code C = init + A B} for {@code
   * rows} rows and {@code vectors} adjacent vectors of columns, k terms.
   */
  void tile(
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
      long iVs);

  /**
   * {@code tiles} tiles of {@link Tiles#MAX_ROWS} rows below each other, {@code C = A B}: {@code
   * vectors} adjacent vectors of columns, k terms, which lie side by side in a row of A.
   */
  void column(
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
      long ldc);

  /**
   * {@code tiles} tiles of two vectors side by side and {@code high} times {@link Tiles#MAX_ROWS}
   * rows, k terms, over packed panels: {@code C = A B}. A's panels, one or, where there are
   * {@linkplain Tiles#pairs pairs}, two, are {@code [high][k][MAX_ROWS]}, B's are {@code
   * [tile][k][2 * lanes]}.
   */
  void row(
      int high,
      int tiles,
      int k,
      MemorySegment a,
      long aOff,
      MemorySegment b,
      long bOff,
      MemorySegment c,
      long cOff,
      long ldc);

  /**
   * Copies k rows of n elements into panels {@code [panel][k][width]}; the last panel's missing
   * columns are zeros or undefined.
   *
   * @param ld distance of the rows
   * @param width columns of a panel, a multiple of the lanes
   */
  void packRows(
      MemorySegment from, long off, long ld, int k, int n, MemorySegment to, long toOff, int width);

  /**
   * Copies n rows of k elements, transposed, into panels {@code [panel][k][width]}; the last
   * panel's missing columns are undefined.
   *
   * @param ld distance of the rows
   * @param width columns of a panel, a multiple of the lanes
   */
  void packTransposed(
      MemorySegment from, long off, long ld, int n, int k, MemorySegment to, long toOff, int width);

  /**
   * Copies A, n rows by k, into panels {@code [panel][k][MAX_ROWS]}; the last panel's missing rows
   * are undefined. Writes up to a vector past the end.
   *
   * @param ld distance of the stored rows
   * @param trans whether A is stored as k rows of n
   */
  void packPanels(
      MemorySegment from,
      long off,
      long ld,
      int n,
      int k,
      boolean trans,
      MemorySegment to,
      long toOff);

  /** Multiplies n elements by factor. */
  void scale(MemorySegment x, long off, long n, double factor);

  /** {@code x += y} for n elements. */
  void add(MemorySegment x, long xOff, MemorySegment y, long yOff, long n);

  /** Copies a block of rows by columns. */
  void copyBlock(
      int rows,
      int columns,
      MemorySegment from,
      long off,
      long ld,
      MemorySegment to,
      long toOff,
      long ldTo);

  /** Adds a block of rows by columns to another. */
  void addBlock(
      int rows,
      int columns,
      MemorySegment from,
      long off,
      long ld,
      MemorySegment to,
      long toOff,
      long ldTo);

  /**
   * {@code y[j] = y[j] + sum over p of x[p] * b[p][j]} for j &lt; n, rows of b {@code ldb} apart,
   * in the order of p; n and k any.
   */
  void addRows(
      MemorySegment x,
      long xOff,
      long xStep,
      int k,
      MemorySegment b,
      long bOff,
      long ldb,
      MemorySegment y,
      long yOff,
      int n);

  /**
   * {@code y[j] = y[j] + sum over p of x[p] * b[j][p]} for j &lt; n, rows of b {@code ldb} apart;
   * each sum in a fixed order that depends on k only.
   */
  void dotRows(
      MemorySegment x,
      long xOff,
      int k,
      MemorySegment b,
      long bOff,
      long ldb,
      MemorySegment y,
      long yOff,
      int n);
}
