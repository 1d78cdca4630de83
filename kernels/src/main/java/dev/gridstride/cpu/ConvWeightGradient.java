package dev.gridstride.cpu;

import dev.gridstride.kernels.ConvAxis;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * The gradient with respect to weights and bias: {@code dw[o][c][t] = sum over pixels p of dy[p][o]
 * * x[p*stride + t][c]}.
 *
 * <p>Method: the register tile with pixels as the reduction, 6 input channels (or neighbouring
 * taps) as rows, 2 vectors of output channels as columns. The pixels are cut into parts, whose
 * number depends on sizes only; each part of each block of output channels is a task that sums into
 * memory of its own, and the parts are then added in their order. Taps that lie above or below the
 * image are left out; columns of padding are zeros in a copy of a few rows.
 */
final class ConvWeightGradient {
  private static final Scratch SOURCE = new Scratch();
  private static final Scratch GRADIENT = new Scratch();

  /** Bytes of x and dy of a unit of work, so that they stay in the second-level cache. */
  private static final long UNIT_BYTES = 256 << 10;

  /** Pixels of one reduction: their dy nearly fills the first-level cache; fewer were slower. */
  private static final int CHUNK = 288;

  /** Bytes of sums of a task, so that they stay in the second-level cache. */
  private static final long SUM_BYTES = 384 << 10;

  /** Number of tasks aimed at, so that many threads find work. */
  private static final int TASKS = 32;

  /** Fewest multiply-adds of a task. */
  private static final double TASK_WORK = 1e6;

  /** One vector of ones in each type: the bias is a weight whose input is 1. */
  private static final MemorySegment ONES = ones(4);

  private static final MemorySegment ONES_F64 = ones(8);

  private final ConvImages x;
  private final ConvImages y;
  private final boolean channelwise;
  private final int groups;
  private final int cg;
  private final int kg;
  private final ConvPhase[] axes = new ConvPhase[3];
  private final int es;
  private final int lanes;
  private final int block;
  private final int blocks;
  private final int kgPadded;
  private final int taps;
  private final boolean directX;
  private final boolean directY;
  private final ConvPass.Steps source;
  private final int rows;
  private final int columns;
  private final int rowBlocks;
  private final int columnBlocks;
  private final int chunkRows;
  private final int perTask;
  private final int blockTasks;
  private final int parts;
  private final int[] rowTable;
  private final int[] zeroTable;

  ConvWeightGradient(ConvImages x, ConvImages y, int groups, ConvAxis[] axis, boolean channelwise) {
    this.x = x;
    this.y = y;
    this.channelwise = channelwise;
    this.groups = channelwise ? 1 : groups;
    cg = x.channels / this.groups;
    kg = y.channels / this.groups;
    for (int i = 0; i < 3; i++) {
      axes[i] = ConvPhase.forward(axis[i])[0];
    }
    es = x.slabBytes;
    lanes = es == 4 ? Tiles.BEST.lanesF32() : Tiles.BEST.lanesF64();
    block = channelwise ? lanes : 2 * lanes;
    blocks = Math.ceilDiv(kg, block);
    kgPadded = Math.ceilDiv(kg, lanes) * lanes;
    taps = axes[0].taps() * axes[1].taps() * axes[2].taps();
    ConvPhase.Span[] spans = axes[2].spans();
    boolean inside = spans.length == 1 && spans[0].lo() == 0 && spans[0].hi() == axes[2].taps();
    directX = x.direct() && inside && !(channelwise && cg % lanes != 0);
    directY = y.direct() && kg % lanes == 0;

    perTask = Math.clamp(SUM_BYTES / Math.max(1, panelBytes()), 1, Math.max(1, blocks));
    blockTasks = Math.ceilDiv(blocks, perTask);

    int wide = Math.max(1, y.w);
    columns = Math.min(wide, Math.max(CHUNK, 256));
    columnBlocks = Math.ceilDiv(y.w, columns);
    chunkRows = columns < wide ? 1 : Math.max(1, CHUNK / wide);
    double rowBytes =
        (double) es * columns * (kg + (double) cg * axes[1].srcStep * axes[2].srcStep);
    int most = (int) Math.clamp(UNIT_BYTES / rowBytes, 1, Math.max(1, y.h));
    int wanted = columns < wide ? 1 : Math.max(1, most / chunkRows * chunkRows);
    rows = Math.min(wanted, Math.max(1, y.h));
    rowBlocks = Math.ceilDiv(y.h, rows);

    double work = (double) y.n * y.d * y.h * y.w * taps * perTap() * kg;
    double forTasks = Math.ceil((double) TASKS / Math.max(1, this.groups * blockTasks));
    long units = units();
    parts =
        (int)
            Math.clamp(
                Math.min(forTasks, work / TASK_WORK / Math.max(1, blockTasks)),
                1,
                Math.max(1, units));
    source = steps();
    rowTable = Tiles.table(chunkRows);
    for (int i = 0; i < chunkRows; i++) {
      rowTable[i] = Math.toIntExact(i * axes[1].srcStep * source.row());
    }
    zeroTable = Tiles.table(chunkRows);
  }

  private static MemorySegment ones(int es) {
    MemorySegment m = Arena.ofAuto().allocate(256, 64);
    for (int i = 0; i < 256 / es; i++) {
      if (es == 4) {
        m.setAtIndex(ValueLayout.JAVA_FLOAT, i, 1f);
      } else {
        m.setAtIndex(ValueLayout.JAVA_DOUBLE, i, 1.0);
      }
    }
    return m.asReadOnly();
  }

  private int perTap() {
    return channelwise ? 1 : cg;
  }

  private long units() {
    return (long) y.n * y.d * rowBlocks * columnBlocks;
  }

  /** Sums of one block of output channels: a row for each tap and channel, and one for the bias. */
  private long panelBytes() {
    return ((long) taps * perTap() + 1) * block * es;
  }

  private long panel(int part, int group, int b) {
    return ((long) (part * groups + group) * blocks + b) * panelBytes();
  }

  long workspaceBytes() {
    return (long) parts * groups * blocks * panelBytes();
  }

  String details() {
    return parts + (parts == 1 ? " part" : " parts") + " of the pixels";
  }

  private ConvPass.Steps steps() {
    if (directX) {
      long pixel = (long) x.channels * es;
      return new ConvPass.Steps(pixel * x.w * x.h, pixel * x.w, pixel);
    }
    long pixel = (long) (channelwise ? kgPadded : cg) * es;
    if (cg > 8 && pixel % 1024 == 0) {
      pixel += 64;
    }
    long row = pixel * slabColumns();
    return new ConvPass.Steps(row * slabRows(), row, pixel);
  }

  private int slabColumns() {
    return (Math.max(1, columns) - 1) * axes[2].srcStep + reach(axes[2]);
  }

  private int slabRows() {
    return Math.min(x.h, (rows - 1) * axes[1].srcStep + reach(axes[1]));
  }

  private int slabPlanes() {
    return Math.min(x.d, reach(axes[0]));
  }

  private static int reach(ConvPhase p) {
    return p.offset[p.taps() - 1] - p.offset[0] + 1;
  }

  /** Sums all parts and writes dw {@code [k][c/groups][taps]} and, if given, dbias {@code [k]}. */
  void run(
      MemorySegment xs,
      MemorySegment dys,
      MemorySegment dw,
      @Nullable MemorySegment dbias,
      MemorySegment workspace) {
    if (kg == 0) {
      return;
    }
    int perPart = groups * blockTasks;
    Parallel.forEach(
        Math.multiplyExact(parts, perPart),
        i ->
            new Task(
                    xs,
                    dys,
                    workspace,
                    dbias != null,
                    i / perPart,
                    i % perPart / blockTasks,
                    i % blockTasks)
                .run());
    var out = new ConvPanels(x.type, es);
    long plane = taps;
    Parallel.forEach(
        groups * blocks,
        i -> {
          int g = i / blocks;
          int b = i % blocks;
          long sum = panel(0, g, b);
          for (int p = 1; p < parts; p++) {
            add(workspace, sum, panel(p, g, b), panelBytes() / es);
          }
          int first = g * kg + b * block;
          int width = Math.min(block, kgPadded - b * block);
          int valid = Math.min(block, kg - b * block);
          out.unpack(workspace, sum, width, valid, perTap(), taps, dw, first * perTap() * plane);
          if (dbias != null) {
            long at = sum + plane * perTap() * width * es;
            out.copyOut(workspace, at, valid, dbias, first);
          }
        });
  }

  private void add(MemorySegment m, long to, long from, long count) {
    if (es == 4) {
      ConvLoops.BEST.add(m, to, m, from, count);
      return;
    }
    for (long i = 0; i < count; i++) {
      m.set(
          ValueLayout.JAVA_DOUBLE_UNALIGNED,
          to + 8 * i,
          m.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, to + 8 * i)
              + m.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, from + 8 * i));
    }
  }

  /** One part of the pixels for some blocks of one group's output channels. */
  private final class Task {
    final MemorySegment xs;
    final MemorySegment dys;
    final MemorySegment sums;
    final boolean withBias;
    final int part;
    final int group;
    final int b0;
    final int b1;

    MemorySegment a;
    long aBase;
    MemorySegment dy;
    long dyBase;
    long dyPixel;

    int image;
    int z;
    int y0;
    int y1;
    int x0;
    int x1;

    Task(
        MemorySegment xs,
        MemorySegment dys,
        MemorySegment sums,
        boolean withBias,
        int part,
        int group,
        int blockTask) {
      this.xs = xs;
      this.dys = dys;
      this.sums = sums;
      this.withBias = withBias;
      this.part = part;
      this.group = group;
      b0 = blockTask * perTask;
      b1 = Math.min(blocks, b0 + perTask);
      a = xs;
      dy = dys;
    }

    void run() {
      sums.asSlice(panel(part, group, b0), (b1 - b0) * panelBytes()).fill((byte) 0);
      long units = units();
      for (long u = units * part / parts; u < units * (part + 1) / parts; u++) {
        unit(u);
      }
    }

    private void unit(long u) {
      x0 = (int) (u % columnBlocks) * columns;
      x1 = Math.min(y.w, x0 + columns);
      u /= columnBlocks;
      y0 = (int) (u % rowBlocks) * rows;
      y1 = Math.min(y.h, y0 + rows);
      u /= rowBlocks;
      z = (int) (u % y.d);
      image = (int) (u / y.d);
      openX();
      openY();
      for (int b = b0; b < b1; b++) {
        for (int r = y0; r < y1; r += chunkRows) {
          chunk(b, r, Math.min(y1, r + chunkRows));
        }
      }
    }

    private void openX() {
      if (directX) {
        aBase = x.at(image, group * cg, 0, 0, 0) * es;
        return;
      }
      int h0 = Math.clamp(axes[1].lowest(y0), 0, x.h);
      int h1 = Math.clamp(axes[1].highest(y1), h0, x.h);
      int d0 = Math.clamp(axes[0].lowest(z), 0, x.d);
      int d1 = Math.clamp(axes[0].highest(z + 1), d0, x.d);
      int w0 = axes[2].lowest(x0);
      a = SOURCE.get(source.depth() * slabPlanes() + 64);
      var box = new ConvImages.Box(image, group * cg, group * cg + cg, w0, axes[2].highest(x1));
      for (int d = d0; d < d1; d++) {
        for (int h = h0; h < h1; h++) {
          long off = (d - d0) * source.depth() + (h - h0) * source.row();
          x.loadRow(xs, box, d, h, a, off, source.pixel());
        }
      }
      aBase = -(d0 * source.depth() + h0 * source.row() + w0 * source.pixel());
    }

    private void openY() {
      if (directY) {
        dyBase = y.at(image, group * kg, z, 0, 0) * es;
        dyPixel = (long) y.channels * es;
        return;
      }
      int c0 = b0 * block;
      int c1 = Math.min(kg, b1 * block);
      dyPixel = (long) (Math.min(kgPadded, b1 * block) - c0) * es;
      long row = dyPixel * (x1 - x0);
      dy = GRADIENT.get(row * (y1 - y0));
      if (c1 - c0 < dyPixel / es) {
        dy.asSlice(0, row * (y1 - y0)).fill((byte) 0);
      }
      var box = new ConvImages.Box(image, group * kg + c0, group * kg + c1, x0, x1);
      for (int h = y0; h < y1; h++) {
        y.loadRow(dys, box, z, h, dy, (h - y0) * row, dyPixel);
      }
      dyBase = -(y0 * row + x0 * dyPixel) - (long) c0 * es;
    }

    /** Byte in dy of a pixel and block; rows follow each other without a gap. */
    private long dyAt(int b, int py, int px) {
      long row = directY ? dyPixel * y.w : dyPixel * (x1 - x0);
      return dyBase + py * row + px * dyPixel + (long) b * block * es;
    }

    /** Adds rows r0..r1 of pixels to the sums of block b. */
    private void chunk(int b, int r0, int r1) {
      int width = Math.min(block, kgPadded - b * block);
      long panel = panel(part, group, b);
      if (withBias) {
        MemorySegment ones = es == 4 ? ONES : ONES_F64;
        long at = panel + (long) taps * perTap() * width * es;
        tile(1, r1 - r0, ones, 0, zeroTable, 0, 0, dyAt(b, r0, x0), width, at);
      }
      for (int kd = 0; kd < axes[0].taps(); kd++) {
        int d = z * axes[0].srcStep + axes[0].offset[kd];
        if (d < 0 || d >= x.d) {
          continue;
        }
        for (int kh = 0; kh < axes[1].taps(); kh++) {
          int step = axes[1].srcStep;
          int off = axes[1].offset[kh];
          int p0 = Math.max(r0, Math.ceilDiv(-off, step));
          int p1 = Math.min(r1, Math.ceilDiv(x.h - off, step));
          if (p0 < p1) {
            long row = aBase + d * source.depth() + ((long) p0 * step + off) * source.row();
            long to =
                panel + (long) (kd * axes[1].taps() + kh) * axes[2].taps() * perTap() * width * es;
            rowOfTaps(row, p1 - p0, dyAt(b, p0, x0), width, to, b);
          }
        }
      }
    }

    private void rowOfTaps(long row, int runs, long dyOff, int width, long to, int b) {
      ConvPhase w = axes[2];
      int kw = w.taps();
      long aOff =
          row
              + ((long) x0 * w.srcStep + w.offset[0]) * source.pixel()
              + (channelwise ? (long) b * block * es : 0);
      long tapStep = kw == 1 ? 0 : (w.offset[1] - w.offset[0]) * source.pixel();
      long aStep = w.srcStep * source.pixel();
      if (perTap() == 1) {
        tiles(kw, runs, aOff, aStep, tapStep, dyOff, width, to);
      } else if (kw == 1 || tapStep == (long) cg * es) {
        tiles(kw * cg, runs, aOff, aStep, es, dyOff, width, to);
      } else {
        for (int t = 0; t < kw; t++) {
          tiles(
              cg,
              runs,
              aOff + t * tapStep,
              aStep,
              es,
              dyOff,
              width,
              to + (long) t * cg * width * es);
        }
      }
    }

    private void tiles(
        int rows, int runs, long aOff, long aStep, long dA, long dyOff, int width, long to) {
      int count = Math.ceilDiv(rows, Tiles.MAX_ROWS);
      for (int t = 0; t < count; t++) {
        int i = (int) ((long) rows * t / count);
        int j = (int) ((long) rows * (t + 1) / count);
        tile(
            j - i,
            runs,
            a,
            aOff + i * dA,
            rowTable,
            aStep,
            dA,
            dyOff,
            width,
            to + (long) i * width * es);
      }
    }

    private void tile(
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
      long ldc = (long) width * es;
      long next = (long) lanes * es;
      int length = x1 - x0;
      if (channelwise) {
        if (es == 4) {
          ConvLoops.BEST.channels(
              rows, runs, length, from, aOff, table, 0, aStep, dA, dy, dyOff, dyPixel, sums, to,
              ldc, sums, to, ldc);
        } else {
          ConvLoops.BEST.channelsF64(
              rows, runs, length, from, aOff, table, 0, aStep, dA, dy, dyOff, dyPixel, sums, to,
              ldc, sums, to, ldc);
        }
      } else if (es == 4) {
        Tiles.BEST.f32(
            rows,
            width / lanes,
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
            rows,
            width / lanes,
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
}
