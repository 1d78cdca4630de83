package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gridstride.device.DType;
import java.lang.foreign.MemorySegment;

/** Copies weights into the panels that the tiles read, {@code [tap][source channel][lane]}. */
final class ConvPanels {
  private static final Scratch BLOCK = new Scratch();

  /** Source channels that are turned at once: their taps of 32 lanes lie in a first-level cache. */
  private static final int SOURCES = 16;

  /** Taps of a plane up to which planes that lie one after the other are transposed as a block. */
  private static final int MOST_TAPS = 64;

  private final boolean f32;
  private final int es;
  private final Elements from;
  private final Elements to;

  ConvPanels(DType type, int es) {
    this.f32 = type == DType.F32;
    this.es = es;
    this.from = Elements.of(type);
    this.to = Elements.of(es == 4 ? DType.F32 : DType.F64);
  }

  /**
   * Packs one panel.
   *
   * @param w weights
   * @param first element of the panel's first lane, source channel and tap
   * @param laneStep elements from lane to lane
   * @param sourceStep elements from source channel to source channel
   * @param lanes lanes that have weights; the others become zeros
   * @param width lanes of the panel
   * @param sources source channels
   * @param taps place of each tap in a filter plane, in elements
   */
  void pack(
      MemorySegment w,
      long first,
      long laneStep,
      long sourceStep,
      int lanes,
      int width,
      int sources,
      int[] taps,
      MemorySegment panel,
      long offset) {
    if (f32 && sourceStep == taps.length && isWhole(taps)) {
      packBlocks(w, first * 4, laneStep * 4, lanes, width, sources, taps.length, panel, offset);
      return;
    }
    if (f32 && taps.length == 1 && laneStep == 1 && lanes == width) {
      long row = 4L * width;
      ConvLoops.BEST.copyPieces(
          sources,
          1,
          4 * width,
          w,
          4 * (first + taps[0]),
          4 * sourceStep,
          0,
          panel,
          offset,
          row,
          0);
      return;
    }
    if (f32 && lanes == width && laneStep > 1 && laneStep <= MOST_TAPS && taps.length > 0) {
      long row = 4L * width;
      int plane = (int) laneStep;
      for (int s = 0; s < sources; s++) {
        long at = 4 * (first + s * sourceStep);
        ConvLoops.BEST.gatherTaps(
            w, at, plane, lanes, taps, panel, offset + s * row, sources * row);
      }
      return;
    }
    for (int s = 0; s < sources; s++) {
      for (int t = 0; t < taps.length; t++) {
        long at = first + s * sourceStep + taps[t];
        long off = offset + ((long) t * sources + s) * width * es;
        if (f32) {
          lanesF32(w, at * 4, laneStep * 4, lanes, panel, off);
        } else {
          for (int l = 0; l < lanes; l++) {
            to.set(panel, off / es + l, from.get(w, at + l * laneStep));
          }
        }
        for (int l = lanes; l < width; l++) {
          to.set(panel, off / es + l, 0);
        }
      }
    }
  }

  private static void lanesF32(
      MemorySegment w, long at, long step, int lanes, MemorySegment panel, long off) {
    for (int l = 0; l < lanes; l++) {
      panel.set(JAVA_FLOAT_UNALIGNED, off + 4L * l, w.get(JAVA_FLOAT_UNALIGNED, at + l * step));
    }
  }

  private static boolean isWhole(int[] taps) {
    for (int t = 0; t < taps.length; t++) {
      if (taps[t] != t) {
        return false;
      }
    }
    return true;
  }

  /**
   * The weights of a lane lie side by side, those of two lanes often a multiple of a page apart: to
   * gather a tap of all lanes would miss the cache each time. A block of channels is transposed
   * instead, and its rows brought into the panel's order.
   */
  private static void packBlocks(
      MemorySegment w,
      long at,
      long laneBytes,
      int lanes,
      int width,
      int sources,
      int taps,
      MemorySegment panel,
      long offset) {
    long row = 4L * width;
    if (taps == 1 && lanes == width) {
      ConvLoops.BEST.transpose(w, at, laneBytes, lanes, sources, panel, offset, row);
      return;
    }
    MemorySegment block = BLOCK.get(SOURCES * taps * row);
    if (lanes < width) {
      block.asSlice(0, SOURCES * taps * row).fill((byte) 0);
    }
    for (int s = 0; s < sources; s += SOURCES) {
      int n = Math.min(SOURCES, sources - s);
      ConvLoops.BEST.transpose(w, at + 4L * s * taps, laneBytes, lanes, n * taps, block, 0, row);
      ConvLoops.BEST.copyPieces(
          n,
          taps,
          4 * width,
          block,
          0,
          taps * row,
          row,
          panel,
          offset + s * row,
          row,
          sources * row);
    }
  }

  private static void unpackBlocks(
      MemorySegment panel,
      long offset,
      int width,
      int lanes,
      int sources,
      int taps,
      MemorySegment w,
      long at,
      long laneBytes) {
    long row = 4L * width;
    if (taps == 1) {
      ConvLoops.BEST.transpose(panel, offset, row, sources, lanes, w, at, laneBytes);
      return;
    }
    MemorySegment block = BLOCK.get(SOURCES * taps * row);
    for (int s = 0; s < sources; s += SOURCES) {
      int n = Math.min(SOURCES, sources - s);
      ConvLoops.BEST.copyPieces(
          n,
          taps,
          4 * width,
          panel,
          offset + s * row,
          row,
          sources * row,
          block,
          0,
          taps * row,
          row);
      ConvLoops.BEST.transpose(block, 0, row, n * taps, lanes, w, at + 4L * s * taps, laneBytes);
    }
  }

  /** Copies {@code count} elements and fills up with zeros to {@code width}. */
  void padded(
      MemorySegment v, long first, int count, int width, MemorySegment target, long offset) {
    for (int i = 0; i < width; i++) {
      to.set(target, offset / es + i, i < count ? from.get(v, first + i) : 0);
    }
  }

  /**
   * The way back for sums: {@code [tap][source channel][lane]} to {@code [lane][channel][tap]},
   * lanes {@code laneStep} elements apart.
   */
  void unpack(
      MemorySegment panel,
      long offset,
      int width,
      int lanes,
      int sources,
      int taps,
      MemorySegment w,
      long first,
      long laneStep) {
    if (f32) {
      unpackBlocks(panel, offset, width, lanes, sources, taps, w, first * 4, laneStep * 4);
      return;
    }
    for (int s = 0; s < sources; s++) {
      for (int t = 0; t < taps; t++) {
        long at = first + (long) s * taps + t;
        long off = offset + ((long) t * sources + s) * width * es;
        for (int l = 0; l < lanes; l++) {
          from.set(w, at + l * laneStep, to.get(panel, off / es + l));
        }
      }
    }
  }

  /** Copies {@code count} sums to elements {@code first} and following. */
  void copyOut(MemorySegment panel, long offset, int count, MemorySegment target, long first) {
    for (int i = 0; i < count; i++) {
      from.set(target, first + i, to.get(panel, offset / es + i));
    }
  }
}
