package dev.gridstride.cpu;

import dev.gridstride.cpu.ConvPhase.Span;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import org.jspecify.annotations.Nullable;

/**
 * A pass of a convolution in which each destination pixel gathers: forward (from x to y) and
 * backward-data (from dy to dx) alike.
 *
 * <p>Method: channels last, a register tile of 6 pixels by 2 vectors of destination channels; the
 * reduction runs over taps and source channels, its weights packed beforehand into panels of 2
 * vectors. A task is a block of rows of one image and group. Taps outside the source are not
 * computed: the rectangle of destinations is cut into parts with the same taps, and narrow parts
 * (the columns at the border) are tiled from top to bottom. What is not channels last, f32 or f64,
 * or a multiple of a vector, goes through a copy of the block in the thread's scratch memory.
 */
final class ConvPass {
  private static final Scratch SOURCE = new Scratch();
  private static final Scratch TARGET = new Scratch();

  /** Bytes of source and destination of a task: half a second-level cache of 1 MiB. */
  private static final long TASK_BYTES = 512 << 10;

  /** Fewest multiply-adds of a task, about 20 microseconds of them. */
  private static final double TASK_WORK = 1e6;

  /** Number of tasks aimed at, so that many threads find work. */
  private static final int TASKS = 32;

  /**
   * Terms of the reduction whose weights, 2 vectors each, stay in a first-level cache of 32 KiB.
   */
  private static final int CHUNK = 320;

  /** More parts of a row than this: padding costs less than many narrow tiles. */
  private static final int MOST_SPANS = 8;

  /** Bytes between neighbouring pixels, rows and planes. */
  record Steps(long depth, long row, long pixel) {}

  private final ConvImages src;
  private final ConvImages dst;
  private final boolean channelwise;
  private final boolean relu;
  private final int groups;
  private final int cs;
  private final int cd;
  private final int[] kernel;
  private final ConvPhase[][] phases;
  private final int es;
  private final int lanes;
  private final int block;
  private final int blocks;
  private final int cdPadded;
  private final boolean directSource;
  private final boolean directTarget;
  private final Steps source;
  private final int rows;
  private final int columns;
  private final int rowBlocks;
  private final int columnBlocks;
  private final int parts;
  private final int slabRows;
  private final int slabPlanes;
  private final ConvCombo[] combos;
  private final long biasOffset;

  /**
   * Prepares a pass.
   *
   * @param kernel taps of the whole kernel along depth, row, column
   * @param phases phases of each axis
   * @param channelwise whether each channel is a group of its own, on both sides
   * @param relu whether the destination ends as {@code max(., 0)}
   */
  ConvPass(
      ConvImages src,
      ConvImages dst,
      int groups,
      int[] kernel,
      ConvPhase[][] phases,
      boolean channelwise,
      boolean relu) {
    this.src = src;
    this.dst = dst;
    this.channelwise = channelwise;
    this.relu = relu;
    this.groups = channelwise ? 1 : groups;
    this.kernel = kernel;
    this.phases = phases;
    cs = src.channels / this.groups;
    cd = dst.channels / this.groups;
    es = src.slabBytes;
    lanes = es == 4 ? Tiles.BEST.lanesF32() : Tiles.BEST.lanesF64();
    block = channelwise ? lanes : 2 * lanes;
    blocks = Math.ceilDiv(cd, block);
    cdPadded = Math.ceilDiv(cd, lanes) * lanes;
    directSource = directSource();
    directTarget = dst.direct() && cd % lanes == 0;

    int[] blocking = blocking();
    rows = blocking[0];
    columns = blocking[1];
    parts = blocking[2];
    rowBlocks = Math.ceilDiv(dst.h, Math.max(1, rows));
    columnBlocks = Math.ceilDiv(dst.w, Math.max(1, columns));
    slabRows = widest(phases[1], dst.h, rows, 0, src.h);
    slabPlanes = widest(phases[0], dst.d, 1, 0, src.d);
    source = steps();

    var list = new ArrayList<ConvCombo>();
    long at = 0;
    for (ConvPhase d : phases[0]) {
      for (ConvPhase h : phases[1]) {
        for (ConvPhase w : phases[2]) {
          var combo =
              new ConvCombo(
                  d,
                  h,
                  w,
                  kernel,
                  !directSource,
                  source,
                  perTap(),
                  es,
                  channelwise ? Integer.MAX_VALUE : CHUNK,
                  at);
          list.add(combo);
          at += (panelBytes(combo) * this.groups + 63) / 64 * 64;
        }
      }
    }
    combos = list.toArray(ConvCombo[]::new);
    biasOffset = at;
  }

  private int perTap() {
    return channelwise ? 1 : cs;
  }

  /** Packed weights of one group. */
  private long panelBytes(ConvCombo q) {
    return (long) q.taps * perTap() * cdPadded * es;
  }

  long workspaceBytes() {
    return biasOffset + (long) groups * cdPadded * es;
  }

  String details() {
    return (channelwise ? "channelwise, " : "")
        + (directSource ? "source read in place, " : "source copied by blocks, ")
        + (directTarget ? "result written in place, " : "result copied by blocks, ")
        + rows
        + " x "
        + columns
        + " pixels a task";
  }

  private boolean directSource() {
    if (!src.direct() || (channelwise && cs % lanes != 0)) {
      return false;
    }
    int spans = 0;
    for (ConvPhase p : phases[2]) {
      spans = Math.max(spans, p.spans().length);
    }
    // rows of a tile that are a multiple of a page apart share one set of the first-level cache
    boolean conflict =
        (long) src.channels * es * (phases[2].length == 0 ? 1 : phases[2][0].srcStep) % 4096 == 0;
    return spans <= MOST_SPANS && (channelwise || !conflict);
  }

  private int[] blocking() {
    int taps = kernel[0] * kernel[1] * kernel[2];
    double pixels = (double) dst.d * dst.h * dst.w;
    double perPixel = (double) taps * perTap() * cd * src.d * src.h * src.w / Math.max(1, pixels);
    perPixel = Math.max(1, Math.min(perPixel, (double) taps * perTap() * cd));
    double bytes =
        (double) es
            * (cd + cs * Math.max(1, (double) src.h * src.w / Math.max(1, (double) dst.h * dst.w)));
    double most = Math.max(8, TASK_BYTES / Math.max(1, bytes));
    double all = pixels * src.n * groups;
    double wanted = Math.max(Math.min(most, all / TASKS), Math.min(most, TASK_WORK / perPixel));
    int r = (int) Math.clamp(wanted / Math.max(1, dst.w), 1, Math.max(1, dst.h));
    r = Math.ceilDiv(dst.h, Math.max(1, Math.ceilDiv(dst.h, r)));
    int c = dst.w;
    if (wanted < dst.w && dst.w > 16) {
      // whole tiles in each phase
      int unit = Math.min(dst.w, Tiles.MAX_ROWS * Math.max(1, phases[2].length));
      c = Math.clamp(Math.round(wanted / unit) * unit, unit, dst.w);
    }
    long tasks =
        (long) src.n
            * groups
            * dst.d
            * Math.ceilDiv(dst.h, Math.max(1, r))
            * Math.ceilDiv(dst.w, Math.max(1, c));
    double work = perPixel * Math.max(1, r) * Math.max(1, c);
    int p =
        tasks >= TASKS / 2
            ? 1
            : (int)
                Math.clamp(
                    Math.min((double) TASKS / Math.max(1, tasks), work / TASK_WORK),
                    1,
                    Math.max(1, blocks));
    return new int[] {Math.max(1, r), Math.max(1, c), p};
  }

  /** Lowest source place and the place after the highest that destinations from..to read. */
  private static long need(ConvPhase[] phases, int from, int to, int lowest, int highest) {
    int lo = Integer.MAX_VALUE;
    int hi = Integer.MIN_VALUE;
    for (ConvPhase p : phases) {
      int i = p.indexAt(from);
      int j = p.indexAt(to);
      if (i < j && p.taps() > 0) {
        lo = Math.min(lo, p.lowest(i));
        hi = Math.max(hi, p.highest(j));
      }
    }
    if (lo > hi) {
      return 0; // only destinations without taps
    }
    lo = Math.clamp(lo, lowest, highest);
    hi = Math.clamp(hi, lo, highest);
    return (long) lo << 32 | (hi & 0xFFFFFFFFL);
  }

  private static int low(long need) {
    return (int) (need >> 32);
  }

  private static int high(long need) {
    return (int) need;
  }

  private static int widest(ConvPhase[] phases, int size, int step, int lowest, int highest) {
    int most = 0;
    for (int from = 0; from < size; from += step) {
      long need = need(phases, from, Math.min(size, from + step), lowest, highest);
      most = Math.max(most, high(need) - low(need));
    }
    return most;
  }

  private Steps steps() {
    if (directSource) {
      long pixel = (long) src.channels * es;
      return new Steps(pixel * src.w * src.h, pixel * src.w, pixel);
    }
    int channels = channelwise ? cdPadded : cs;
    long pixel = (long) channels * es;
    if (pixel * (phases[2].length == 0 ? 1 : phases[2][0].srcStep) % 1024 == 0) {
      pixel += 64;
    }
    long row = pixel * widest(phases[2], dst.w, columns, -(1 << 30), 1 << 30);
    return new Steps(row * slabRows, row, pixel);
  }

  /**
   * Packs weights and bias.
   *
   * @param laneStep elements between the weights of neighbouring destination channels
   * @param sourceStep elements between those of neighbouring source channels
   * @param groupStep elements between those of neighbouring groups
   */
  void pack(
      MemorySegment w,
      long laneStep,
      long sourceStep,
      long groupStep,
      @Nullable MemorySegment bias,
      MemorySegment workspace) {
    ConvPanels panels = new ConvPanels(src.type, es);
    int perCombo = groups * blocks;
    Parallel.forEach(
        combos.length * perCombo,
        i -> {
          ConvCombo q = combos[i / perCombo];
          int g = i % perCombo / blocks;
          int b = i % blocks;
          panels.pack(
              w,
              g * groupStep + (long) b * block * laneStep,
              laneStep,
              sourceStep,
              Math.min(block, cd - b * block),
              width(b),
              perTap(),
              q.kernelIndex,
              workspace,
              panel(q, g, b));
        });
    if (bias != null) {
      for (int g = 0; g < groups; g++) {
        panels.padded(bias, (long) g * cd, cd, cdPadded, workspace, bias(g));
      }
    }
  }

  private long panel(ConvCombo q, int group, int b) {
    return q.panels + group * panelBytes(q) + (long) b * block * q.taps * perTap() * es;
  }

  private long bias(int group) {
    return biasOffset + (long) group * cdPadded * es;
  }

  /** Channels of a block, filled up to whole vectors. */
  private int width(int b) {
    return Math.min(block, cdPadded - b * block);
  }

  /** Runs the pass on packed weights. */
  void run(MemorySegment from, MemorySegment workspace, boolean withBias, MemorySegment to) {
    if (dst.n == 0 || cd == 0 || (long) dst.d * dst.h * dst.w == 0) {
      return;
    }
    int tasks = Math.toIntExact((long) src.n * groups * dst.d * rowBlocks * columnBlocks * parts);
    Parallel.forEach(tasks, i -> new Task(from, workspace, withBias, to, i).run());
  }

  /** A block of rows of one image and group. */
  private final class Task {
    final MemorySegment from;
    final MemorySegment panels;
    final boolean withBias;
    final MemorySegment to;
    final int image;
    final int group;
    final int z;
    final int y0;
    final int y1;
    final int x0;
    final int x1;
    final int b0;
    final int b1;

    MemorySegment a;
    long aBase;
    MemorySegment c;
    long cBase;
    Steps target;

    Task(MemorySegment from, MemorySegment panels, boolean withBias, MemorySegment to, int index) {
      this.from = from;
      this.panels = panels;
      this.withBias = withBias;
      this.to = to;
      int part = index % parts;
      b0 = (int) ((long) blocks * part / parts);
      b1 = (int) ((long) blocks * (part + 1) / parts);
      int i = index / parts;
      x0 = i % columnBlocks * columns;
      x1 = Math.min(dst.w, x0 + columns);
      i /= columnBlocks;
      y0 = i % rowBlocks * rows;
      y1 = Math.min(dst.h, y0 + rows);
      i /= rowBlocks;
      z = i % dst.d;
      i /= dst.d;
      group = i % groups;
      image = i / groups;
      a = from;
      c = to;
      target = source;
    }

    void run() {
      openSource();
      openTarget();
      for (ConvCombo q : combos) {
        if (z >= q.d.first && (z - q.d.first) % q.d.step == 0) {
          run(q, (z - q.d.first) / q.d.step);
        }
      }
      closeTarget();
    }

    private void openSource() {
      if (directSource) {
        a = from;
        aBase = src.at(image, group * cs, 0, 0, 0) * es;
        return;
      }
      long nd = need(phases[0], z, z + 1, 0, src.d);
      long nh = need(phases[1], y0, y1, 0, src.h);
      long nw = need(phases[2], x0, x1, -(1 << 30), 1 << 30);
      a = SOURCE.get(source.depth * slabPlanes + 64);
      var box = new ConvImages.Box(image, group * cs, group * cs + cs, low(nw), high(nw));
      for (int d = low(nd); d < high(nd); d++) {
        for (int h = low(nh); h < high(nh); h++) {
          long off = (d - low(nd)) * source.depth + (h - low(nh)) * source.row;
          src.loadRow(from, box, d, h, a, off, source.pixel);
        }
      }
      aBase = -(low(nd) * source.depth + low(nh) * source.row + low(nw) * source.pixel);
    }

    private int firstChannel() {
      return b0 * block;
    }

    private int endChannel() {
      return Math.min(cd, b1 * block);
    }

    private void openTarget() {
      if (directTarget) {
        c = to;
        cBase = dst.at(image, group * cd, 0, 0, 0) * es;
        long pixel = (long) dst.channels * es;
        target = new Steps(pixel * dst.w * dst.h, pixel * dst.w, pixel);
        return;
      }
      long pixel = (long) (Math.min(cdPadded, b1 * block) - firstChannel()) * es;
      target = new Steps(0, pixel * (x1 - x0), pixel);
      c = TARGET.get(target.row * (y1 - y0));
      cBase = -(y0 * target.row + x0 * pixel + (long) firstChannel() * es);
    }

    private void closeTarget() {
      int channels = endChannel() - firstChannel();
      for (int y = y0; y < y1; y++) {
        long off =
            cBase
                + z * target.depth
                + y * target.row
                + x0 * target.pixel
                + (long) firstChannel() * es;
        if (relu && channels * (long) es == target.pixel) {
          relu(off, (long) channels * (x1 - x0));
        } else if (relu) {
          for (int x = x0; x < x1; x++) {
            relu(off + (x - x0) * target.pixel, channels);
          }
        }
        if (!directTarget) {
          var box =
              new ConvImages.Box(
                  image, group * cd + firstChannel(), group * cd + endChannel(), x0, x1);
          dst.storeRow(to, box, z, y, c, off, target.pixel);
        }
      }
    }

    private void relu(long off, long count) {
      if (es == 4) {
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
      int di = 0;
      while (di + 1 < q.dSpans.length && q.dSpans[di + 1].from() <= id) {
        di++;
      }
      // one call takes all blocks of channels: a block alone would read a vector of each pixel
      for (int b = b0; b < (channelwise ? b0 + 1 : b1); b++) {
        for (ConvCombo.Chunk chunk : q.chunks) {
          for (int hi = 0; hi < q.hSpans.length; hi++) {
            for (int wi = 0; wi < q.wSpans.length; wi++) {
              Span h = q.hSpans[hi];
              Span w = q.wSpans[wi];
              int i0 = Math.max(ih0, h.from());
              int i1 = Math.min(ih1, h.to());
              int j0 = Math.max(iw0, w.from());
              int j1 = Math.min(iw1, w.to());
              if (i0 < i1 && j0 < j1) {
                var rectangle = new Rectangle(q, b, chunk, id, i0, i1, j0, j1);
                if (channelwise) {
                  rectangle.channels(q.inside[di][hi][wi]);
                } else {
                  rectangle.run(q.dSpans[di], h, w);
                }
              }
            }
          }
        }
      }
    }

    /** Destinations that have the same taps, for one block of channels and one chunk of terms. */
    private final class Rectangle {
      final ConvCombo q;
      final int b;
      final ConvCombo.Chunk chunk;
      final int i0;
      final int i1;
      final int j0;
      final int j1;
      final long aFirst;
      final long aRow;
      final long aColumn;
      final long cFirst;
      final long cRow;
      final long cColumn;

      Rectangle(ConvCombo q, int b, ConvCombo.Chunk chunk, int id, int i0, int i1, int j0, int j1) {
        this.q = q;
        this.b = b;
        this.chunk = chunk;
        this.i0 = i0;
        this.i1 = i1;
        this.j0 = j0;
        this.j1 = j1;
        aRow = q.h.srcStep * source.row;
        aColumn = q.w.srcStep * source.pixel;
        aFirst =
            aBase
                + (long) id * q.d.srcStep * source.depth
                + i0 * aRow
                + j0 * aColumn
                + (channelwise ? (long) b * block * es : (long) chunk.c0() * es);
        cRow = q.h.step * target.row;
        cColumn = q.w.step * target.pixel;
        cFirst =
            cBase
                + z * target.depth
                + q.h.first * target.row
                + q.w.first * target.pixel
                + i0 * cRow
                + j0 * cColumn
                + (long) b * block * es;
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

      /**
       * All taps and blocks of single channels, a line at a time: of a row, unless that is short.
       */
      void channels(ConvCombo.Inside taps) {
        int m = i1 - i0;
        int n = j1 - j0;
        boolean byRows = n >= Math.min(m, 8);
        int pixels = byRows ? n : m;
        long dA = byRows ? aColumn : aRow;
        long ldc = byRows ? cColumn : cRow;
        long bOff = panel(q, group, b);
        long bBlock = (long) block * es * q.taps;
        MemorySegment init = withBias ? panels : Tiles.ZEROS;
        long initOff = withBias ? bias(group) + (long) b * block * es : 0;
        long iBlock = withBias ? (long) block * es : 0;
        for (int line = 0; line < (byRows ? m : n); line++) {
          long aOff = aFirst + line * (byRows ? aRow : aColumn);
          long cOff = cFirst + line * (byRows ? cRow : cColumn);
          if (es == 4) {
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
                iBlock);
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
        long bOff = panel(q, group, b) + ((long) t0 * perTap() + chunk.c0()) * width(b) * es;
        if (q.rowsMerge && terms == perTap() && t0 % kw == 0 && t1 % kw == 0) {
          tiles((t1 - t0) / kw, kw * terms, q.rowTable, t0 / kw, bOff, fresh);
        } else if (q.rowsMerge && terms == perTap() && t0 / kw == (t1 - 1) / kw) {
          tiles(1, (t1 - t0) * terms, q.table, t0, bOff, fresh);
        } else {
          tiles(t1 - t0, terms, q.table, t0, bOff, fresh);
        }
      }

      /** Runs over the rectangle by rows or, if that takes fewer tiles, by columns. */
      private void tiles(
          int runs, int length, int[] table, int tableOff, long bOff, boolean fresh) {
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
        for (int line = 0; line < lines; line++) {
          for (int t = 0; t < count; t++) {
            int from = across * t / count;
            int to = across * (t + 1) / count;
            long aOff = aFirst + line * aLine + from * aStep;
            long cOff = cFirst + line * cLine + from * cStep;
            tile(to - from, runs, length, aOff, table, tableOff, aStep, bOff, cOff, cStep, fresh);
          }
        }
      }

      private void tile(
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
        long bStep = (long) width(b) * es;
        long next = (long) lanes * es;
        int vectors = width(b) / lanes;
        MemorySegment init = fresh ? (withBias ? panels : Tiles.ZEROS) : c;
        long initOff = fresh ? (withBias ? bias(group) + (long) b * block * es : 0) : cOff;
        long ldi = fresh ? 0 : ldc;
        long iVs = fresh && !withBias ? 0 : next;
        if (es == 4) {
          Tiles.BEST.f32(
              rows, vectors, runs, length, a, aOff, table, tableOff, es, dA, panels, bOff, bStep,
              next, c, cOff, ldc, next, init, initOff, ldi, iVs);
        } else {
          Tiles.BEST.f64(
              rows, vectors, runs, length, a, aOff, table, tableOff, es, dA, panels, bOff, bStep,
              next, c, cOff, ldc, next, init, initOff, ldi, iVs);
        }
      }
    }
  }
}
