package dev.gridstride.cpu;

import dev.gridstride.cpu.scalar.ScalarTiles;
import dev.gridstride.cpu.vector.VectorTiles;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The register tile that matrix products and convolutions share.
 *
 * <pre>
 * C[i][j] = init[i][j] + sum over r, s of
 *           A[aOff + tab[tabOff + r] + s*aStep + i*dA] * B[bOff + (r*runLength + s)*bStep + j*bVs]
 *
 * 0 &lt;= i &lt; rows &lt;= 6,  0 &lt;= j &lt; vectors &lt;= 2,  0 &lt;= r &lt; runs,  0 &lt;= s &lt; runLength
 * </pre>
 *
 * <p>i counts rows of C, j whole vectors of {@link #lanesF32} or {@link #lanesF64} columns. A is
 * read one element at a time and broadcast; B, C and init are read and written as whole vectors.
 * All offsets, steps and distances are in bytes. The reduction is a sequence of runs: within a run
 * the place in A advances by a constant step, and a table gives where each run begins. A packed
 * product is one run; a row of taps times channels of a channels-last convolution is one run for
 * each kernel row; runs of length 1 make A a plain table.
 *
 * <p>Each element of C is one chain of fused multiply-adds in the order of (r, s), beginning with
 * init, so both implementations give the same bits for every shape of tile. {@code runs} or {@code
 * runLength} may be 0: C is then init. init may be C itself. Every access is bounds-checked by its
 * segment; {@link IndexOutOfBoundsException} means a broken driver, not a wrong argument of a user.
 *
 * <p>Segments are native ones: a heap segment is right too, but spoils the JIT's type profile and
 * with it the speed of all later calls.
 */
public interface Tiles {
  /**
   * The most rows of a tile: 12 sums, two of B and one of A fit the 16 vector registers of AVX2,
   * and 12 sums hide the latency of a multiply-add. Where there are 32, see {@link #pairs}.
   */
  int MAX_ROWS = 6;

  /** The most vectors beside each other in a tile. */
  int MAX_VECTORS = 2;

  /** The implementation of this JVM. */
  Tiles BEST = Simd.ENABLED ? new VectorTiles() : new ScalarTiles();

  /** 64-byte aligned zeros, 256 bytes of them: init with ldi and iVs 0. */
  MemorySegment ZEROS = Arena.ofAuto().allocate(256, 64).asReadOnly();

  /** The table of a reduction that is one run, and an entry that is not read. */
  int[] ONE_RUN = {0, 0};

  /**
   * A table for {@code runs} runs, with an entry more than are read.
   *
   * <p>The JIT peels the first run off the loop over runs and then checks before the rest that its
   * first index is in the table, even when there is no rest: with a full table the code of a tile
   * would be thrown away and compiled again, seconds later.
   */
  static int[] table(int runs) {
    return new int[runs + 1];
  }

  /** Fewest rows of tiles that are done two at a time: fewer wait for their own sums. */
  int LEAST_OF_PAIR = 4;

  /**
   * Whether two tiles of two vectors below each other are done as one, which takes 32 registers:
   * each vector of B then serves twice as many multiply-adds.
   */
  boolean pairs();

  /**
   * About how long a term takes in tiles of {@code rows} rows in all, to compare with: two for each
   * row's multiply-adds, three for what else a call of a tile does.
   */
  static int cost(int rows) {
    int count = Math.ceilDiv(rows, MAX_ROWS);
    int low = rows / Math.max(1, count);
    int higher = rows - count * low;
    int lower = count - higher;
    if (BEST.pairs() && low + 1 >= LEAST_OF_PAIR) {
      higher = Math.ceilDiv(higher, 2);
    }
    if (BEST.pairs() && low >= LEAST_OF_PAIR) {
      lower = Math.ceilDiv(lower, 2);
    }
    return 2 * rows + 3 * (higher + lower);
  }

  /** Columns of one f32 vector. */
  int lanesF32();

  /** Columns of one f64 vector. */
  int lanesF64();

  /**
   * Computes f32 tiles below each other, all with the same B; see the interface for the formula.
   *
   * @param tiles number of tiles: each begins {@code rows} rows of A, C and init after the one
   *     before it
   * @param rows rows of C, 1 to 6
   * @param vectors vectors of columns, 1 or 2
   * @param runs number of runs, one table entry each
   * @param runLength terms in each run
   * @param a memory of A
   * @param aOff where A begins
   * @param tab byte offset of each run, added to aOff; one entry more than is read saves the JIT a
   *     compilation, see {@link #table}
   * @param tabOff index of the first run in tab
   * @param aStep distance in A of two terms of a run
   * @param dA distance in A of two rows
   * @param b memory of B
   * @param bOff where B begins
   * @param bStep distance in B of two terms; a run follows the one before it without a gap
   * @param bVs distance in B of the two vectors
   * @param c memory of C
   * @param cOff where C begins
   * @param ldc distance in C of two rows
   * @param cVs distance in C of the two vectors
   * @param init memory of the first summand
   * @param initOff where it begins
   * @param ldi distance in init of two rows, 0 for a bias
   * @param iVs distance in init of the two vectors
   */
  void f32(
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
      long iVs);

  /** Computes f64 tiles; parameters as in {@link #f32}. */
  void f64(
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
      long iVs);
}
