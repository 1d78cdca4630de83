package dev.gridstride.cpu;

import dev.gridstride.cpu.scalar.ScalarConvLoops;
import dev.gridstride.cpu.vector.VectorConvLoops;
import java.lang.foreign.MemorySegment;

/** Inner loops of convolutions beside the shared {@link Tiles}. All offsets and steps in bytes. */
public interface ConvLoops {
  /** The implementation of this JVM. */
  ConvLoops BEST = Simd.ENABLED ? new VectorConvLoops() : new ScalarConvLoops();

  /**
   * A tile of channel-wise products, one vector of channels wide:
   *
   * <pre>
   * C[i] = init[i] + sum over r, s of A[aOff + tab[tabOff + r] + s*aStep + i*dA]
   *                                 * B[bOff + (r*runLength + s)*bStep],   0 &lt;= i &lt; rows
   * </pre>
   *
   * <p>where A, B, C and init are read and written as vectors of {@link Tiles#lanesF32} elements.
   */
  void channels(
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
      long ldi);

  /** The same in f64, with vectors of {@link Tiles#lanesF64} elements. */
  void channelsF64(
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
      long ldi);

  /**
   * Adds to the sums of some rows of a channel-wise window of 3 taps in a row, one vector of f32
   * channels, {@code v} bytes, wide:
   *
   * <pre>
   * C[cOff + (3*i + j)*v] += sum over r, s of A[aOff + r*aRun + s*aStep + i*dRow + j*dTap]
   *                                         * B[bOff + r*bRun + s*bStep],
   *                          0 &lt;= i &lt; rows, 0 &lt;= j &lt; 3, 0 &lt;= r &lt; runs, 0 &lt;= s &lt; pixels
   * </pre>
   *
   * @param aStep {@code dTap} or twice as much
   * @param first whether the first tap of the first pixel of each run is inside of the image; it is
   *     not read otherwise, and counts as 0
   * @param last the same for the last tap of the last pixel
   */
  void channelWindow(
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
      boolean last);

  /**
   * A line of pixels of a channel-wise convolution, in blocks of one vector of channels, {@code v}
   * bytes of {@link Tiles#lanesF32} elements:
   *
   * <pre>
   * C[i*ldc + k*v] = init[k*iBlock]
   *                + sum over t of A[aOff + from[t] + i*dA + k*v] * B[bOff + k*bBlock + tap[t]*v],
   *                  0 &lt;= i &lt; pixels, 0 &lt;= k &lt; blocks, in the order of t
   * </pre>
   *
   * @param far whether A and C come from memory
   */
  void channelTaps(
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
      boolean far);

  /** The same in f64, with vectors of {@link Tiles#lanesF64} elements. */
  void channelTapsF64(
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
      long iBlock);

  /** {@code to[j][i] = from[i][j]} for f32, rows of {@code from} {@code ld} bytes apart. */
  void transpose(
      MemorySegment from,
      long fromOff,
      long ld,
      int rows,
      int columns,
      MemorySegment to,
      long toOff,
      long toLd);

  /**
   * {@code to[t][l] = from[l][taps[t]]} for f32, where the rows of {@code from}, the taps of a
   * filter plane, lie one after the other.
   *
   * @param plane elements of a row of {@code from}
   * @param lanes rows of {@code from}
   * @param toLd distance of the rows of {@code to} in bytes
   */
  void gatherTaps(
      MemorySegment from,
      long fromOff,
      int plane,
      int lanes,
      int[] taps,
      MemorySegment to,
      long toOff,
      long toLd);

  /**
   * Columns of a matrix with a row for each source channel and tap, one vector of pixels wide, read
   * from padded planes. The lanes of the vector lie in two windows, each as long as a vector:
   *
   * <pre>
   * to[toOff + (s*taps + t)*toStep + 4*l] =
   *     from[(l &lt; cut ? first : second) + s*plane + shifts[t] + 4*picks[pickOff + l]],  0 &lt;= picks &lt; lanes
   * </pre>
   *
   * @param sources source channels
   * @param plane distance of their planes in bytes
   * @param shifts for each tap how far from a pixel it reads, in bytes
   */
  void columns(
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
      long toStep);

  /**
   * Brings the taps of several filters' planes, of f32, that lie side by side, into a row for each
   * plane, those of its sources one after the other:
   *
   * <pre>
   * to[i*toLd + 4*(s*taps + t)] = from[fromOff + s*sourceStep + 4*(i*taps + t)],  0 &lt;= i &lt; planes
   * </pre>
   *
   * <p>May write up to a vector behind each row, for which {@code toLd} leaves room.
   */
  void joinTaps(
      MemorySegment from,
      long fromOff,
      long sourceStep,
      int sources,
      int planes,
      int taps,
      MemorySegment to,
      long toLd);

  /**
   * Copies {@code rows} times {@code columns} pieces of {@code bytes} each, whose distances along
   * rows and columns are given for both sides.
   */
  void copyPieces(
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
      long toColumn);

  /** Brings memory into the caches, where it will be read in no order. */
  void readAhead(MemorySegment s, long at, long bytes);

  /** {@code a = max(a, 0)} for {@code count} f32; a NaN stays. */
  void relu(MemorySegment a, long off, long count);

  /** {@code a += b} for {@code count} f32. */
  void add(MemorySegment a, long aOff, MemorySegment b, long bOff, long count);
}
