package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Tasks of {@link ConvWeightGradient}, one after the other: one part of the pixels, or one slice of
 * the input channels, for some blocks of one group's output channels.
 */
final class ConvWeightTask {
  private static final Scratch SOURCE = new Scratch();
  private static final Scratch GRADIENT = new Scratch();
  private static final Scratch SUMS = new Scratch();

  private final ConvWeightGradient g;
  private final ConvImages.Box box = new ConvImages.Box();
  private MemorySegment xs = Tiles.ZEROS;
  private MemorySegment dys = Tiles.ZEROS;
  private MemorySegment sums = Tiles.ZEROS;
  private boolean withBias;
  private int part;
  private int group;
  private int b0;
  private int b1;

  /** The slice of the input channels; channel-wise, a channel is 0 to 1. */
  private int c0;

  private int c1;

  /** Where the sums begin, and bytes of a block's. */
  private long sumsFrom;

  private long blockSums;

  private MemorySegment a = Tiles.ZEROS;
  private long aBase;
  private MemorySegment dy = Tiles.ZEROS;
  private long dyBase;
  private long dyPixel;
  private long dyRow;
  private long dyBlock;

  private int image;
  private int images;
  private int z;
  private int y0;
  private int y1;
  private int x0;
  private int x1;

  /** One task after the other, of the runs of {@code g}. */
  ConvWeightTask(ConvWeightGradient g) {
    this.g = g;
  }

  /**
   * Begins a task of a run.
   *
   * @param index of the part or, where that is one, of the slice
   */
  void open(ConvWeightGradient.Run run, int index, int group, int blockTask) {
    boolean only = g.parts == 1;
    xs = run.xs;
    dys = run.dys;
    this.group = group;
    b0 = blockTask * g.perTask;
    b1 = Math.min(g.blocks, b0 + g.perTask);
    part = only ? 0 : index;
    c0 = only ? (int) ((long) g.perTap() * index / g.slices) : 0;
    c1 = only ? (int) ((long) g.perTap() * (index + 1) / g.slices) : g.perTap();
    withBias = run.dbias != null && c0 == 0;
    blockSums = ((long) g.taps * (c1 - c0) + 1) * g.block * g.es;
    sumsFrom = only ? 0 : g.panel(part, group, b0);
    sums = only ? SUMS.get((b1 - b0) * blockSums) : run.workspace;
    a = xs;
    dy = dys;
  }

  /** Keeps nothing of the run, and no thread's memory, alive. */
  void close() {
    xs = Tiles.ZEROS;
    dys = Tiles.ZEROS;
    sums = Tiles.ZEROS;
    a = Tiles.ZEROS;
    dy = Tiles.ZEROS;
  }

  /** Writes the sums of the only part. */
  void store(MemorySegment dw, @Nullable MemorySegment dbias) {
    for (int b = b0; b < b1; b++) {
      g.store(sums, panel(b), group, b, c0, c1, dw, dbias);
    }
  }

  /** Where the sums of a block begin. */
  private long panel(int b) {
    return sumsFrom + (b - b0) * blockSums;
  }

  void run() {
    sums.asSlice(panel(b0), (b1 - b0) * blockSums).fill((byte) 0);
    long units = g.units();
    for (long u = units * part / g.parts; u < units * (part + 1) / g.parts; u++) {
      unit(u);
    }
  }

  private void unit(long u) {
    x0 = (int) (u % g.columnBlocks) * g.columns;
    x1 = Math.min(g.y.w, x0 + g.columns);
    u /= g.columnBlocks;
    y0 = (int) (u % g.rowBlocks) * g.rows;
    y1 = Math.min(g.y.h, y0 + g.rows);
    u /= g.rowBlocks;
    z = (int) (u % g.y.d);
    image = (int) (u / g.y.d) * g.images;
    images = Math.min(g.images, g.y.n - image);
    openX();
    openY();
    for (int b = b0; b < b1; b++) {
      for (int r = y0; r < y1; r += g.chunkRows) {
        chunk(b, r, Math.min(y1, r + g.chunkRows));
      }
    }
  }

  private void openX() {
    int h0 = g.axes[1].lowest(y0);
    int h1 = g.axes[1].highest(y1);
    if (g.directX || !g.window) {
      h0 = Math.clamp(h0, 0, g.x.h);
      h1 = Math.clamp(h1, h0, g.x.h);
    }
    if (g.directX) {
      aBase = g.x.at(image, group * g.cg, 0, 0, 0) * g.es;
      if (g.readsAhead) {
        ConvLoops.BEST.readAhead(a, aBase + h0 * g.source.row(), (h1 - h0) * g.source.row());
      }
      return;
    }
    int d0 = Math.clamp(g.axes[0].lowest(z), 0, g.x.d);
    int d1 = Math.clamp(g.axes[0].highest(z + 1), d0, g.x.d);
    int w0 = g.axes[2].lowest(x0);
    int w1 = g.axes[2].highest(x1);
    a = SOURCE.get(g.imageBytes * images + 64);
    for (int i = 0; i < images; i++) {
      int c = group * g.cg;
      int end = c + (g.channelwise ? g.cg : c1);
      box.set(image + i, c + c0, end, w0, w1);
      for (int d = d0; d < d1; d++) {
        for (int h = h0; h < h1; h++) {
          long off = i * g.imageBytes + (d - d0) * g.source.depth() + (h - h0) * g.source.row();
          if (h < 0 || h >= g.x.h) {
            a.asSlice(off, g.source.row()).fill((byte) 0);
          } else {
            g.x.loadRow(xs, box, d, h, a, off, g.source.pixel());
          }
        }
      }
    }
    aBase = -(d0 * g.source.depth() + h0 * g.source.row() + w0 * g.source.pixel());
  }

  private void openY() {
    if (g.directY) {
      dyBase = g.y.at(image, group * g.kg, z, 0, x0) * g.es;
      dyPixel = (long) g.y.channels * g.es;
      dyRow = dyPixel * g.y.w;
      dyBlock = (long) g.block * g.es;
      if (g.readsAhead) {
        ConvLoops.BEST.readAhead(dy, dyAt(0, y0), (y1 - y0 - 1) * dyRow + (x1 - x0) * dyPixel);
      }
      return;
    }
    dyPixel = (long) g.block * g.es;
    long line = dyPixel * (x1 - x0);
    dyRow = line * images;
    dyBlock = dyRow * (y1 - y0);
    dy = GRADIENT.get(dyBlock * (b1 - b0));
    dyBase = -(b0 * dyBlock + y0 * dyRow);
    for (int b = b0; b < b1; b++) {
      int c0 = b * g.block;
      int c1 = Math.min(g.kg, c0 + g.block);
      if (c1 - c0 < g.width(b)) {
        dy.asSlice((b - b0) * dyBlock, dyBlock).fill((byte) 0);
      }
      for (int i = 0; i < images; i++) {
        box.set(image + i, group * g.kg + c0, group * g.kg + c1, x0, x1);
        for (int h = y0; h < y1; h++) {
          g.y.loadRow(dys, box, z, h, dy, dyAt(b, h) + i * line, dyPixel);
        }
      }
    }
  }

  /** Byte in dy where a row of a block begins in the first image; the other images' follow. */
  private long dyAt(int b, int py) {
    return dyBase + b * dyBlock + py * dyRow;
  }

  /** Adds rows r0..r1 of pixels to the sums of block b. */
  private void chunk(int b, int r0, int r1) {
    int width = g.width(b);
    long panel = panel(b);
    if (withBias) {
      MemorySegment ones = g.es == 4 ? ConvWeightGradient.ONES : ConvWeightGradient.ONES_F64;
      long at = panel + (long) g.taps * (c1 - c0) * width * g.es;
      tiles(1, 1, (r1 - r0) * images, ones, 0, g.zeroTable, 0, 0, dyAt(b, r0), width, at);
    }
    ConvPhase h = g.axes[1];
    long rowOfSums = (long) g.axes[2].taps() * (c1 - c0) * width * g.es;
    for (int kd = 0; kd < g.axes[0].taps(); kd++) {
      int d = z * g.axes[0].srcStep + g.axes[0].offset[kd];
      if (d < 0 || d >= g.x.d) {
        continue;
      }
      if (g.window) {
        window(b, r0, r1, d, panel);
        continue;
      }
      for (int kh = 0; kh < h.taps(); kh++) {
        long to = panel + ((long) kd * h.taps() + kh) * rowOfSums;
        int p0 = Math.max(r0, Math.ceilDiv(-h.offset[kh], h.srcStep));
        int p1 = Math.min(r1, Math.ceilDiv(g.x.h - h.offset[kh], h.srcStep));
        if (p0 < p1) {
          long row =
              aBase
                  + d * g.source.depth()
                  + ((long) p0 * h.srcStep + h.offset[kh]) * g.source.row();
          rowOfTaps(row, (p1 - p0) * images, dyAt(b, p0), width, to, b);
        }
      }
    }
  }

  /** Adds rows r0..r1 of pixels to the nine sums of block b. */
  private void window(int b, int r0, int r1, int d, long panel) {
    if (!g.directX) { // zeros are around it
      window(b, r0, r1, d, 0, 3, panel);
      return;
    }
    ConvPhase h = g.axes[1];
    int whole = r0;
    for (int r = r0; r < r1; r++) {
      int i0 = firstTap(h, r, 0);
      int i1 = firstTap(h, r, g.x.h);
      if (i0 == 0 && i1 == 3) {
        continue;
      }
      window(b, whole, r, d, 0, 3, panel);
      window(b, r, r + 1, d, i0, i1, panel);
      whole = r + 1;
    }
    window(b, whole, r1, d, 0, 3, panel);
  }

  /** The first of three taps of a row, or column, of pixels that lies at or behind a place. */
  private static int firstTap(ConvPhase axis, int pixel, int place) {
    int t = 0;
    while (t < 3 && pixel * axis.srcStep + axis.offset[t] < place) {
      t++;
    }
    return t;
  }

  /** Adds rows of pixels to the sums of rows i0..i1 of taps. */
  private void window(int b, int r0, int r1, int d, int i0, int i1, long panel) {
    if (r0 >= r1 || i0 >= i1) {
      return;
    }
    ConvPhase h = g.axes[1];
    ConvPhase w = g.axes[2];
    long row = (long) r0 * h.srcStep + h.offset[i0];
    long column = (long) x0 * w.srcStep + w.offset[0];
    ConvLoops.BEST.channelWindow(
        i1 - i0,
        r1 - r0,
        x1 - x0,
        a,
        aBase
            + d * g.source.depth()
            + row * g.source.row()
            + column * g.source.pixel()
            + (long) b * g.block * g.es,
        h.srcStep * g.source.row(),
        w.srcStep * g.source.pixel(),
        (w.offset[1] - w.offset[0]) * g.source.pixel(),
        (h.offset[1] - h.offset[0]) * g.source.row(),
        dy,
        dyAt(b, r0),
        dyRow,
        dyPixel,
        sums,
        panel + 3L * i0 * g.lanes * g.es,
        !g.directX || column >= 0,
        !g.directX || (long) (x1 - 1) * w.srcStep + w.offset[2] < g.x.w);
  }

  private void rowOfTaps(long row, int runs, long dyOff, int width, long to, int b) {
    ConvPhase w = g.axes[2];
    int kw = w.taps();
    long aOff =
        row
            + ((long) x0 * w.srcStep + w.offset[0]) * g.source.pixel()
            + (g.channelwise ? (long) b * g.block * g.es : g.directX ? (long) c0 * g.es : 0);
    long tapStep = kw == 1 ? 0 : (w.offset[1] - w.offset[0]) * g.source.pixel();
    long aStep = w.srcStep * g.source.pixel();
    if (g.perTap() == 1) {
      tiles(kw, runs, aOff, aStep, tapStep, dyOff, width, to);
    } else if (kw == 1 || tapStep == (long) (c1 - c0) * g.es) {
      tiles(kw * (c1 - c0), runs, aOff, aStep, g.es, dyOff, width, to);
    } else {
      for (int t = 0; t < kw; t++) {
        long at = to + (long) t * (c1 - c0) * width * g.es;
        tiles(c1 - c0, runs, aOff + t * tapStep, aStep, g.es, dyOff, width, at);
      }
    }
  }

  private void tiles(
      int rows, int runs, long aOff, long aStep, long dA, long dyOff, int width, long to) {
    int count = Math.ceilDiv(rows, Tiles.MAX_ROWS);
    int low = rows / Math.max(1, count);
    int higher = rows - count * low;
    int[] table = g.rowTables[images];
    tiles(higher, low + 1, runs, a, aOff, table, aStep, dA, dyOff, width, to);
    int first = higher * (low + 1);
    long next = to + (long) first * width * g.es;
    tiles(count - higher, low, runs, a, aOff + first * dA, table, aStep, dA, dyOff, width, next);
  }

  /** {@code tiles} tiles of {@code rows} rows below each other. */
  private void tiles(
      int tiles,
      int rows,
      int runs,
      MemorySegment from,
      long aOff,
      int[] table,
      long aStep,
      long dA,
      long dyOff,
      int width,
      long to) {
    if (tiles == 0) {
      return;
    }
    long ldc = (long) width * g.es;
    long next = (long) g.lanes * g.es;
    int length = x1 - x0;
    if (g.channelwise) {
      for (int t = 0; t < tiles; t++) {
        long at = to + t * rows * ldc;
        long first = aOff + t * rows * dA;
        if (g.es == 4) {
          ConvLoops.BEST.channels(
              rows, runs, length, from, first, table, 0, aStep, dA, dy, dyOff, dyPixel, sums, at,
              ldc, sums, at, ldc);
        } else {
          ConvLoops.BEST.channelsF64(
              rows, runs, length, from, first, table, 0, aStep, dA, dy, dyOff, dyPixel, sums, at,
              ldc, sums, at, ldc);
        }
      }
    } else if (g.es == 4) {
      Tiles.BEST.f32(
          tiles,
          rows,
          width / g.lanes,
          runs,
          length,
          from,
          aOff,
          table,
          0,
          aStep,
          dA,
          dy,
          dyOff,
          dyPixel,
          next,
          sums,
          to,
          ldc,
          next,
          sums,
          to,
          ldc,
          next);
    } else {
      Tiles.BEST.f64(
          tiles,
          rows,
          width / g.lanes,
          runs,
          length,
          from,
          aOff,
          table,
          0,
          aStep,
          dA,
          dy,
          dyOff,
          dyPixel,
          next,
          sums,
          to,
          ldc,
          next,
          sums,
          to,
          ldc,
          next);
    }
  }
}
