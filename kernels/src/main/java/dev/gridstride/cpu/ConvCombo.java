package dev.gridstride.cpu;

import java.util.ArrayList;
import org.jspecify.annotations.Nullable;

/**
 * One combination of phases of the three axes: the destinations that share one set of taps, with
 * the table of where each tap reads and the order in which the reduction is cut.
 */
final class ConvCombo {
  /** A piece of the reduction: taps t0 to t1 and source channels c0 to c1 (both excluded). */
  record Chunk(int t0, int t1, int c0, int c1) {}

  /** Taps inside the source: bytes to what each reads, and its number. */
  record Inside(int[] from, int[] tap) {}

  final ConvPhase d;
  final ConvPhase h;
  final ConvPhase w;

  final ConvPhase.Span[] dSpans;
  final ConvPhase.Span[] hSpans;
  final ConvPhase.Span[] wSpans;

  /** All taps, ordered by depth, row, column. */
  final int taps;

  /** Bytes from where a destination's window begins to each tap. */
  final int[] table;

  /** The same for the first tap of each row of taps. */
  final int[] rowTable;

  /** Whether the source channels of neighbouring taps of a row follow each other without a gap. */
  final boolean rowsMerge;

  /** Where each tap's weights are in one filter plane. */
  final int[] kernelIndex;

  final Chunk[] chunks;

  /** Those of {@link #inside}, made when first asked for. */
  private final @Nullable Inside[] insides;

  /** Where this combination's packed weights begin among those of a part, in bytes. */
  final long panels;

  /**
   * Prepares a combination.
   *
   * @param padded whether the columns of the source have been padded
   * @param perTap terms of the reduction for each tap
   * @param most terms of the reduction in one chunk
   */
  ConvCombo(
      ConvPhase d,
      ConvPhase h,
      ConvPhase w,
      int[] kernel,
      boolean padded,
      ConvPass.Steps steps,
      int perTap,
      int es,
      int most,
      long panels) {
    this.d = d;
    this.h = h;
    this.w = w;
    this.panels = panels;
    dSpans = d.spans();
    hSpans = h.spans();
    wSpans = padded ? w.whole() : w.spans();
    taps = d.taps() * h.taps() * w.taps();
    table = Tiles.table(taps);
    kernelIndex = new int[taps];
    rowTable = Tiles.table(d.taps() * h.taps());
    boolean neighbours = steps.pixel() == (long) perTap * es;
    for (int q = 0; q < taps; q++) {
      int s = q % w.taps();
      int r = q / w.taps() % h.taps();
      int z = q / w.taps() / h.taps();
      table[q] =
          Math.toIntExact(
              d.offset[z] * steps.depth()
                  + h.offset[r] * steps.row()
                  + w.offset[s] * steps.pixel());
      kernelIndex[q] = (d.tap[z] * kernel[1] + h.tap[r]) * kernel[2] + w.tap[s];
      if (s == 0) {
        rowTable[q / w.taps()] = table[q];
      } else {
        neighbours &= w.offset[s] == w.offset[s - 1] + 1;
      }
    }
    rowsMerge = neighbours;
    chunks = chunks(taps, w.taps(), perTap, most);
    insides = new Inside[dSpans.length * hSpans.length * wSpans.length];
  }

  /** The taps of three spans, given by their numbers, in their order. */
  Inside inside(int spanD, int spanH, int spanW) {
    int at = (spanD * hSpans.length + spanH) * wSpans.length + spanW;
    Inside taps = insides[at];
    if (taps == null) { // or two threads make it, which is as well
      taps = inside(dSpans[spanD], hSpans[spanH], wSpans[spanW]);
      insides[at] = taps;
    }
    return taps;
  }

  private Inside inside(ConvPhase.Span inD, ConvPhase.Span inH, ConvPhase.Span inW) {
    int across = inW.hi() - inW.lo();
    int count = (inD.hi() - inD.lo()) * (inH.hi() - inH.lo()) * across;
    var tap = new int[count];
    var from = new int[count];
    int i = 0;
    for (int z = inD.lo(); z < inD.hi(); z++) {
      for (int r = inH.lo(); r < inH.hi(); r++) {
        int first = (z * h.taps() + r) * w.taps() + inW.lo();
        for (int s = 0; s < across; s++, i++) {
          tap[i] = first + s;
          from[i] = table[first + s];
        }
      }
    }
    return new Inside(from, tap);
  }

  /**
   * Cuts the reduction into chunks of about {@code most} terms, rows of taps whole where possible.
   */
  private static Chunk[] chunks(int taps, int row, int perTap, int most) {
    var list = new ArrayList<Chunk>();
    if (perTap > most) {
      int parts = Math.ceilDiv(perTap, most);
      for (int t = 0; t < taps; t++) {
        for (int i = 0; i < parts; i++) {
          int c0 = (int) ((long) perTap * i / parts);
          list.add(new Chunk(t, t + 1, c0, (int) ((long) perTap * (i + 1) / parts)));
        }
      }
    } else {
      long rowTerms = (long) row * perTap;
      int unit = rowTerms > 0 && rowTerms <= most ? row : 1;
      int units = taps / unit;
      int perChunk = Math.max(1, most / Math.max(1, unit * perTap));
      int parts = Math.ceilDiv(units, perChunk);
      for (int i = 0; i < parts; i++) {
        int t0 = (int) ((long) units * i / parts) * unit;
        list.add(new Chunk(t0, (int) ((long) units * (i + 1) / parts) * unit, 0, perTap));
      }
    }
    if (list.isEmpty()) {
      list.add(new Chunk(0, 0, 0, perTap));
    }
    return list.toArray(Chunk[]::new);
  }
}
