package dev.gridstride.cpu;

import dev.gridstride.cpu.ConvPhase.Span;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A block of rows of one image and group of a {@link ConvPass}: a task of the thread pool. */
final class ConvTask {
  private static final Scratch SOURCE = new Scratch();
  private static final Scratch TARGET = new Scratch();

  private final ConvPass p;
  private final MemorySegment from;
  private final MemorySegment panels;
  private final boolean withBias;
  private final MemorySegment to;
  private final int image;
  private final int group;
  private final int z;
  private final int y0;
  private final int y1;
  private final int x0;
  private final int x1;
  private final int b0;
  private final int b1;

  private MemorySegment a;
  private long aBase;
  private MemorySegment c;
  private long cBase;
  private ConvPass.Steps target;

  ConvTask(
      ConvPass p,
      MemorySegment from,
      MemorySegment panels,
      boolean withBias,
      MemorySegment to,
      int index) {
    this.p = p;
    this.from = from;
    this.panels = panels;
    this.withBias = withBias;
    this.to = to;
    int part = index / p.tasksOfPart;
    b0 = (int) ((long) p.blocks * part / p.parts);
    b1 = (int) ((long) p.blocks * (part + 1) / p.parts);
    int i = index % p.tasksOfPart;
    x0 = i % p.columnBlocks * p.columns;
    x1 = Math.min(p.dst.w, x0 + p.columns);
    i /= p.columnBlocks;
    y0 = i % p.rowBlocks * p.rows;
    y1 = Math.min(p.dst.h, y0 + p.rows);
    i /= p.rowBlocks;
    z = i % p.dst.d;
    i /= p.dst.d;
    group = i % p.groups;
    image = i / p.groups;
    a = from;
    c = to;
    target = p.source;
  }

  void run() {
    openSource();
    openTarget();
    for (ConvCombo q : p.combos) {
      if (z >= q.d.first && (z - q.d.first) % q.d.step == 0) {
        run(q, (z - q.d.first) / q.d.step);
      }
    }
    closeTarget();
  }

  private void openSource() {
    if (p.directSource) {
      a = from;
      aBase = p.src.at(image, group * p.cs, 0, 0, 0) * p.es;
      return;
    }
    long nd = ConvPhase.need(p.phases[0], z, z + 1, 0, p.src.d);
    long nh = ConvPhase.need(p.phases[1], y0, y1, 0, p.src.h);
    long nw = ConvPhase.need(p.phases[2], x0, x1, -(1 << 30), 1 << 30);
    a = SOURCE.get(p.source.depth() * p.slabPlanes + 64);
    var box =
        new ConvImages.Box(
            image, group * p.cs, group * p.cs + p.cs, ConvPhase.low(nw), ConvPhase.high(nw));
    for (int d = ConvPhase.low(nd); d < ConvPhase.high(nd); d++) {
      for (int h = ConvPhase.low(nh); h < ConvPhase.high(nh); h++) {
        long off =
            (d - ConvPhase.low(nd)) * p.source.depth() + (h - ConvPhase.low(nh)) * p.source.row();
        p.src.loadRow(from, box, d, h, a, off, p.source.pixel());
      }
    }
    aBase =
        -(ConvPhase.low(nd) * p.source.depth()
            + ConvPhase.low(nh) * p.source.row()
            + ConvPhase.low(nw) * p.source.pixel());
  }

  private int firstChannel() {
    return b0 * p.block;
  }

  private int endChannel() {
    return Math.min(p.cd, b1 * p.block);
  }

  private void openTarget() {
    if (p.directTarget) {
      c = to;
      cBase = p.dst.at(image, group * p.cd, 0, 0, 0) * p.es;
      long pixel = (long) p.dst.channels * p.es;
      target = new ConvPass.Steps(pixel * p.dst.w * p.dst.h, pixel * p.dst.w, pixel);
      if (p.bringsTarget) {
        long first = cBase + z * target.depth() + y0 * target.row() + x0 * pixel;
        ConvLoops.BEST.readAhead(c, first, (y1 - y0 - 1) * target.row() + (x1 - x0) * pixel);
      }
      return;
    }
    long pixel = (long) (Math.min(p.cdPadded, b1 * p.block) - firstChannel()) * p.es;
    target = new ConvPass.Steps(0, pixel * (x1 - x0), pixel);
    c = TARGET.get(target.row() * (y1 - y0));
    cBase = -(y0 * target.row() + x0 * pixel + (long) firstChannel() * p.es);
  }

  private void closeTarget() {
    int channels = endChannel() - firstChannel();
    for (int y = y0; y < y1; y++) {
      long off =
          cBase
              + z * target.depth()
              + y * target.row()
              + x0 * target.pixel()
              + (long) firstChannel() * p.es;
      if (p.relu && channels * (long) p.es == target.pixel()) {
        relu(off, (long) channels * (x1 - x0));
      } else if (p.relu) {
        for (int x = x0; x < x1; x++) {
          relu(off + (x - x0) * target.pixel(), channels);
        }
      }
      if (!p.directTarget) {
        var box =
            new ConvImages.Box(
                image, group * p.cd + firstChannel(), group * p.cd + endChannel(), x0, x1);
        p.dst.storeRow(to, box, z, y, c, off, target.pixel());
      }
    }
  }

  private void relu(long off, long count) {
    if (p.es == 4) {
      ConvLoops.BEST.relu(c, off, count);
      return;
    }
    for (long i = 0; i < count; i++) {
      double v = c.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, off + 8 * i);
      c.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, off + 8 * i, v < 0 ? 0 : v);
    }
  }

  private void run(ConvCombo q, int id) {
    int ih0 = q.h.indexAt(y0);
    int ih1 = q.h.indexAt(y1);
    int iw0 = q.w.indexAt(x0);
    int iw1 = q.w.indexAt(x1);
    if (ih0 >= ih1 || iw0 >= iw1) {
      return;
    }
    Span d = q.dSpans[0];
    for (Span s : q.dSpans) {
      d = s.from() <= id ? s : d;
    }
    var rectangle = new Rectangle(q);
    // one call takes all blocks of channels: a block alone would read a vector of each pixel
    for (int b = b0; b < (p.channelwise ? b0 + 1 : b1); b++) {
      for (ConvCombo.Chunk chunk : q.chunks) {
        for (Span h : q.hSpans) {
          for (Span w : q.wSpans) {
            int i0 = Math.max(ih0, h.from());
            int i1 = Math.min(ih1, h.to());
            int j0 = Math.max(iw0, w.from());
            int j1 = Math.min(iw1, w.to());
            if (i0 < i1 && j0 < j1) {
              rectangle.set(b, chunk, id, i0, i1, j0, j1);
              if (p.channelwise) {
                rectangle.channels(q.inside(d, h, w));
              } else {
                rectangle.run(d, h, w);
              }
            }
          }
        }
      }
    }
  }

  /**
   * Destinations that have the same taps, one object for all of them: for one block of channels and
   * one chunk of terms.
   */
  private final class Rectangle {
    private final ConvCombo q;
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

    /** Empty. */
    Rectangle(ConvCombo q) {
      this.q = q;
      chunk = q.chunks[0];
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
          aBase
              + (long) id * q.d.srcStep * p.source.depth()
              + i0 * aRow
              + j0 * aColumn
              + (p.channelwise ? (long) b * p.block * p.es : (long) chunk.c0() * p.es);
      cRow = q.h.step * target.row();
      cColumn = q.w.step * target.pixel();
      cFirst =
          cBase
              + z * target.depth()
              + q.h.first * target.row()
              + q.w.first * target.pixel()
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
      long bOff = p.panel(q, group, b);
      long bBlock = (long) p.block * p.es * q.taps;
      MemorySegment init = withBias ? panels : Tiles.ZEROS;
      long initOff = withBias ? p.bias(group) + (long) b * p.block * p.es : 0;
      long iBlock = withBias ? (long) p.block * p.es : 0;
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
      long bOff = p.panel(q, group, b) + ((long) t0 * p.perTap() + chunk.c0()) * p.width(b) * p.es;
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
      boolean byRows = (long) m * Math.ceilDiv(n, most) <= (long) n * Math.ceilDiv(m, most);
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
        tiles(
            higher, low + 1, runs, length, aOff, table, tableOff, aStep, bOff, cOff, cStep, fresh);
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
      MemorySegment init = fresh ? (withBias ? panels : Tiles.ZEROS) : c;
      long initOff = fresh ? (withBias ? p.bias(group) + (long) b * p.block * p.es : 0) : cOff;
      long ldi = fresh ? 0 : ldc;
      long iVs = fresh && !withBias ? 0 : next;
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
}
