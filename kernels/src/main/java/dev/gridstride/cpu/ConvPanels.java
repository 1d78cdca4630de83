package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gridstride.device.DType;
import java.lang.foreign.MemorySegment;

/** Copies weights into the panels that the tiles read, {@code [tap][source channel][lane]}. */
final class ConvPanels {
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

  /** Copies {@code count} elements and fills up with zeros to {@code width}. */
  void padded(
      MemorySegment v, long first, int count, int width, MemorySegment target, long offset) {
    for (int i = 0; i < width; i++) {
      to.set(target, offset / es + i, i < count ? from.get(v, first + i) : 0);
    }
  }

  /** The way back for sums: {@code [tap][source channel][lane]} to {@code [lane][channel][tap]}. */
  void unpack(
      MemorySegment panel,
      long offset,
      int width,
      int lanes,
      int sources,
      int taps,
      MemorySegment w,
      long first) {
    long laneStep = (long) sources * taps;
    for (int s = 0; s < sources; s++) {
      for (int t = 0; t < taps; t++) {
        long at = first + (long) s * taps + t;
        long off = offset + ((long) t * sources + s) * width * es;
        if (f32) {
          lanesOut(panel, off, lanes, w, at * 4, laneStep * 4);
        } else {
          for (int l = 0; l < lanes; l++) {
            from.set(w, at + l * laneStep, to.get(panel, off / es + l));
          }
        }
      }
    }
  }

  private static void lanesOut(
      MemorySegment panel, long off, int lanes, MemorySegment w, long at, long step) {
    for (int l = 0; l < lanes; l++) {
      w.set(JAVA_FLOAT_UNALIGNED, at + l * step, panel.get(JAVA_FLOAT_UNALIGNED, off + 4L * l));
    }
  }

  /** Copies {@code count} sums to elements {@code first} and following. */
  void copyOut(MemorySegment panel, long offset, int count, MemorySegment target, long first) {
    for (int i = 0; i < count; i++) {
      from.set(target, first + i, to.get(panel, offset / es + i));
    }
  }
}
