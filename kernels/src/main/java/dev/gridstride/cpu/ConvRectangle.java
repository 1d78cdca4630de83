package dev.gridstride.cpu;

import dev.gridstride.cpu.ConvPhase.Span;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Destinations of a {@link ConvTask} that have the same taps, for one block of channels and one
 * chunk of terms; one object for all of a task.
 */
final class ConvRectangle {
  private final ConvTask task;
  private final ConvPass p;
  private ConvCombo q;
  private int z;
  private int group;

  /** The end of the task's blocks of channels. */
  private int b1;

  private int b0;

  private MemorySegment panels = Tiles.ZEROS;
  private @Nullable MemorySegment bias;
  private MemorySegment a = Tiles.ZEROS;
  private MemorySegment c = Tiles.ZEROS;
  private ConvCombo.Chunk chunk;
  private int b;
  private int i0;
  private int i1;
  private int j0;
  private int j1;
  private long aFirst;
  private long aRow;
  private long aColumn;
  private long cFirst;
  private long cRow;
  private long cColumn;

  ConvRectangle(ConvTask task) {
    this.task = task;
    p = task.p;
    q = p.combos[0];
    chunk = q.chunks[0];
  }

  /** Begins with a combination's destinations; the task's source and destination are open. */
  void open(ConvCombo q) {
    this.q = q;
    z = task.z;
    group = task.group;
    b1 = task.b1;
    b0 = task.b0;
    panels = task.panels;
    bias = task.bias;
    a = task.a;
    c = task.c;
    chunk = q.chunks[0];
  }

  /** Keeps nothing alive. */
  void close() {
    panels = Tiles.ZEROS;
    bias = null;
    a = Tiles.ZEROS;
    c = Tiles.ZEROS;
  }

  /** Makes this the rectangle of rows i0 to i1 and columns j0 to j1. */
  void set(int b, ConvCombo.Chunk chunk, int id, int i0, int i1, int j0, int j1) {
    this.b = b;
    this.chunk = chunk;
    this.i0 = i0;
    this.i1 = i1;
    this.j0 = j0;
    this.j1 = j1;
    aRow = q.h.srcStep * p.source.row();
    aColumn = q.w.srcStep * p.source.pixel();
    aFirst =
        task.aBase
            + (long) id * q.d.srcStep * p.source.depth()
            + i0 * aRow
            + j0 * aColumn
            + (p.channelwise ? (long) b * p.block * p.es : (long) chunk.c0() * p.es);
    cRow = q.h.step * task.cRow;
    cColumn = q.w.step * task.cPixel;
    cFirst =
        task.cBase
            + z * task.cDepth
            + q.h.first * task.cRow
            + q.w.first * task.cPixel
            + i0 * cRow
            + j0 * cColumn
            + (long) b * p.block * p.es;
  }

  void run(Span d, Span h, Span w) {
    int kh = q.h.taps();
    int kw = q.w.taps();
    if (d.empty() || h.empty() || w.empty()) {
      if (chunk.t0() == 0 && chunk.c0() == 0) {
        tiles(0, 0, q.table, 0, 0, true);
      }
      return;
    }
    int first = (d.lo() * kh + h.lo()) * kw + w.lo();
    boolean fullRow = w.lo() == 0 && w.hi() == kw;
    if (fullRow && h.lo() == 0 && h.hi() == kh) {
      taps(d.lo() * kh * kw, d.hi() * kh * kw, first);
      return;
    }
    for (int z = d.lo(); z < d.hi(); z++) {
      if (fullRow) {
        taps((z * kh + h.lo()) * kw, (z * kh + h.hi()) * kw, first);
        continue;
      }
      for (int r = h.lo(); r < h.hi(); r++) {
        taps((z * kh + r) * kw + w.lo(), (z * kh + r) * kw + w.hi(), first);
      }
    }
  }

  /** All taps and blocks of single channels, a line at a time: of a row, unless that is short. */
  void channels(ConvCombo.Inside taps) {
    int m = i1 - i0;
    int n = j1 - j0;
    boolean byRows = n >= Math.min(m, 8);
    int pixels = byRows ? n : m;
    long dA = byRows ? aColumn : aRow;
    long ldc = byRows ? cColumn : cRow;
    long bOff = p.panel(q, b - b0);
    long bBlock = (long) p.block * p.es * q.taps;
    MemorySegment init = bias != null ? bias : Tiles.ZEROS;
    long initOff = bias != null ? p.bias(group) + (long) b * p.block * p.es : 0;
    long iBlock = bias != null ? (long) p.block * p.es : 0;
    for (int line = 0; line < (byRows ? m : n); line++) {
      long aOff = aFirst + line * (byRows ? aRow : aColumn);
      long cOff = cFirst + line * (byRows ? cRow : cColumn);
      if (p.es == 4) {
        ConvLoops.BEST.channelTaps(
            b1 - b,
            pixels,
            taps.from(),
            taps.tap(),
            a,
            aOff,
            dA,
            panels,
            bOff,
            bBlock,
            c,
            cOff,
            ldc,
            init,
            initOff,
            iBlock,
            p.far);
      } else {
        ConvLoops.BEST.channelTapsF64(
            b1 - b,
            pixels,
            taps.from(),
            taps.tap(),
            a,
            aOff,
            dA,
            panels,
            bOff,
            bBlock,
            c,
            cOff,
            ldc,
            init,
            initOff,
            iBlock);
      }
    }
  }

  /** Adds taps from..to, as far as they are in the chunk. */
  private void taps(int from, int to, int first) {
    int t0 = Math.max(from, chunk.t0());
    int t1 = Math.min(to, chunk.t1());
    if (t0 >= t1) {
      return;
    }
    boolean fresh = t0 == first && chunk.c0() == 0;
    int kw = q.w.taps();
    int terms = chunk.c1() - chunk.c0();
    long bOff = p.panel(q, b - b0) + ((long) t0 * p.perTap() + chunk.c0()) * p.width(b) * p.es;
    if (q.rowsMerge && terms == p.perTap() && t0 % kw == 0 && t1 % kw == 0) {
      tiles((t1 - t0) / kw, kw * terms, q.rowTable, t0 / kw, bOff, fresh);
    } else if (q.rowsMerge && terms == p.perTap() && t0 / kw == (t1 - 1) / kw) {
      tiles(1, (t1 - t0) * terms, q.table, t0, bOff, fresh);
    } else {
      tiles(t1 - t0, terms, q.table, t0, bOff, fresh);
    }
  }

  /** Runs over the rectangle by rows or, if that takes fewer tiles, by columns. */
  private void tiles(int runs, int length, int[] table, int tableOff, long bOff, boolean fresh) {
    int m = i1 - i0;
    int n = j1 - j0;
    int most = Tiles.MAX_ROWS;
    boolean byRows = (long) m * Tiles.cost(n) <= (long) n * Tiles.cost(m);
    int lines = byRows ? m : n;
    int across = byRows ? n : m;
    long aLine = byRows ? aRow : aColumn;
    long aStep = byRows ? aColumn : aRow;
    long cLine = byRows ? cRow : cColumn;
    long cStep = byRows ? cColumn : cRow;
    int count = Math.ceilDiv(across, most);
    int low = across / count;
    int higher = across - count * low;
    int first = higher * (low + 1);
    for (int line = 0; line < lines; line++) {
      long aOff = aFirst + line * aLine;
      long cOff = cFirst + line * cLine;
      tiles(higher, low + 1, runs, length, aOff, table, tableOff, aStep, bOff, cOff, cStep, fresh);
      aOff += first * aStep;
      cOff += first * cStep;
      tiles(
          count - higher,
          low,
          runs,
          length,
          aOff,
          table,
          tableOff,
          aStep,
          bOff,
          cOff,
          cStep,
          fresh);
    }
  }

  private void tiles(
      int tiles,
      int rows,
      int runs,
      int length,
      long aOff,
      int[] table,
      int tableOff,
      long dA,
      long bOff,
      long cOff,
      long ldc,
      boolean fresh) {
    if (tiles == 0) {
      return;
    }
    long bStep = (long) p.width(b) * p.es;
    long next = (long) p.lanes * p.es;
    int vectors = p.width(b) / p.lanes;
    MemorySegment init = fresh ? (bias != null ? bias : Tiles.ZEROS) : c;
    long initOff = fresh ? (bias != null ? p.bias(group) + (long) b * p.block * p.es : 0) : cOff;
    long ldi = fresh ? 0 : ldc;
    long iVs = fresh && bias == null ? 0 : next;
    if (p.es == 4) {
      Tiles.BEST.f32(
          tiles, rows, vectors, runs, length, a, aOff, table, tableOff, p.es, dA, panels, bOff,
          bStep, next, c, cOff, ldc, next, init, initOff, ldi, iVs);
    } else {
      Tiles.BEST.f64(
          tiles, rows, vectors, runs, length, a, aOff, table, tableOff, p.es, dA, panels, bOff,
          bStep, next, c, cOff, ldc, next, init, initOff, ldi, iVs);
    }
  }
}
