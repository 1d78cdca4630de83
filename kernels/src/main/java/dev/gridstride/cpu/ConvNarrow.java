package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import org.jspecify.annotations.Nullable;

/**
 * A pass of a convolution to few channels (the gradient of a network's pictures, the last layer of
 * one that draws), where vectors of destination channels would be mostly empty.
 *
 * <p>Method: vectors along the pixels of a row. The source of a block of rows is copied channels
 * first, with its padding; the register tile has all destination channels as rows and 2 vectors of
 * pixels as columns, and runs over the source channels of one tap after the other. So each sum is
 * the same chain, in the same order, as that of {@link ConvPass}. Rows of taps outside the source
 * are left out, columns are zeros.
 */
final class ConvNarrow implements ConvGather {
  private static final Scratch SOURCE = new Scratch();
  private static final Scratch ROW = new Scratch();
  private static final Scratch SUMS = new Scratch();
  private static final Scratch TARGET = new Scratch();

  /** Most destination channels. */
  private static final int MOST_CHANNELS = 4;

  /** Bytes of a task's source: a quarter of a second-level cache of 1 MiB. */
  private static final long SLAB_BYTES = 256 << 10;

  /** Most rows of a task. */
  private static final int MOST_ROWS = 16;

  /** One run of terms that begins where it is told. */
  private static final int[] ONE_RUN = Tiles.table(1);

  private final ConvImages src;
  private final ConvImages dst;
  private final boolean relu;
  private final int groups;
  private final int cs;
  private final int cd;
  private final int es;
  private final int lanes;
  private final ConvPhase[][] phases;
  private final Weights weights;
  private final ConvPanels panels;
  private final ConvCombo[] combos;
  private final int rows;
  private final int columns;
  private final int rowBlocks;
  private final int columnBlocks;
  private final int slabRows;
  private final int slabPlanes;
  private final long rowBytes;
  private final long plane;
  private final long biasOffset;
  private final Reuse<Task> tasks = new Reuse<>(Task::new);
  private final Reuse<ConvRun<Task>> runs = new Reuse<>(() -> new ConvRun<>(tasks));

  /** Prepares a pass; see {@link ConvPass}. */
  ConvNarrow(
      ConvImages src,
      ConvImages dst,
      int groups,
      int[] kernel,
      ConvPhase[][] phases,
      Weights weights,
      boolean relu) {
    this.src = src;
    this.dst = dst;
    this.groups = groups;
    this.phases = phases;
    this.weights = weights;
    this.relu = relu;
    cs = src.channels / groups;
    cd = dst.channels / groups;
    es = src.slabBytes;
    panels = new ConvPanels(src.type, es);
    lanes = lanes(src);

    long across = (long) cs * es * phases[0][0].taps() * phases[1][0].taps();
    int unit = 2 * lanes * phases[2].length;
    long wide = SLAB_BYTES / Math.max(1, across) / unit * unit;
    columns = Math.max(1, Math.min(dst.w, Math.clamp(wide, unit, 1 << 20)));
    columnBlocks = Math.ceilDiv(dst.w, columns);
    slabPlanes = ConvPhase.widest(phases[0], dst.d, 1, 0, src.d);
    int slabColumns = ConvPhase.widest(phases[2], dst.w, columns, -(1 << 30), 1 << 30);
    // whole vectors may begin at any of these columns
    rowBytes = (long) es * (slabColumns + 2 * lanes);
    int most = Math.clamp(dst.h, 1, MOST_ROWS);
    while (most > 1 && cs * rowBytes * slabPlanes * slabRows(most) > SLAB_BYTES) {
      most--;
    }
    rows = most;
    rowBlocks = Math.ceilDiv(dst.h, rows);
    slabRows = slabRows(rows);
    long size = (rowBytes * slabRows * slabPlanes + 63) / 64 * 64;
    // planes a multiple of a page apart would share one set of the first-level cache
    plane = size % 1024 == 0 ? size + 64 : size;

    var list = new ArrayList<ConvCombo>();
    long at = 0;
    var none = new ConvPass.Steps(0, 0, 0);
    for (ConvPhase d : phases[0]) {
      for (ConvPhase h : phases[1]) {
        for (ConvPhase w : phases[2]) {
          var combo = new ConvCombo(d, h, w, kernel, true, none, 1, es, 1, at);
          list.add(combo);
          at += (panelBytes(combo) * groups + 63) / 64 * 64;
        }
      }
    }
    combos = list.toArray(ConvCombo[]::new);
    biasOffset = at;
  }

  private static int lanes(ConvImages src) {
    return src.slabBytes == 4 ? Tiles.BEST.lanesF32() : Tiles.BEST.lanesF64();
  }

  private int slabRows(int rows) {
    return ConvPhase.widest(phases[1], dst.h, rows, 0, src.h);
  }

  /** Whether vectors of pixels are fuller than vectors of channels, by half at least. */
  static boolean fits(
      ConvImages src, ConvImages dst, int groups, ConvPhase[][] phases, boolean channelwise) {
    int channels = dst.channels / groups;
    if (channelwise || channels == 0 || channels > MOST_CHANNELS || dst.w == 0 || dst.h == 0) {
      return false;
    }
    int lanes = lanes(src);
    long pixels = Math.ceilDiv(dst.w, phases[2].length);
    for (ConvPhase p : phases[2]) {
      if (p.srcStep != 1) {
        return false;
      }
    }
    double full = (double) pixels / (Math.ceilDiv(pixels, (long) lanes) * lanes);
    return lanes > 1 && dst.d > 0 && full > 1.5 * Math.min(1, (double) channels / lanes);
  }

  @Override
  public long workspaceBytes() {
    return biasOffset + (long) groups * cd * lanes * es;
  }

  @Override
  public String details() {
    return "vectors along the pixels, " + rows + " x " + columns + " pixels a task";
  }

  /** Packed weights of one group: {@code [tap][destination channel][source channel]}. */
  private long panelBytes(ConvCombo q) {
    return (long) q.taps * cd * cs * es;
  }

  private long panel(ConvCombo q, int group) {
    return q.panels + group * panelBytes(q);
  }

  /** A vector of each channel's bias. */
  private long bias(int group) {
    return biasOffset + (long) group * cd * lanes * es;
  }

  private void pack(MemorySegment w, @Nullable MemorySegment bias, MemorySegment workspace) {
    for (ConvCombo q : combos) {
      for (int g = 0; g < groups; g++) {
        panels.pack(
            w,
            g * weights.groupStep(),
            weights.sourceStep(),
            weights.laneStep(),
            cs,
            cs,
            cd,
            q.kernelIndex,
            workspace,
            panel(q, g));
      }
    }
    for (int i = 0; bias != null && i < groups * cd * lanes; i++) {
      panels.padded(bias, i / lanes, 1, 1, workspace, biasOffset + (long) i * es);
    }
  }

  @Override
  public void run(
      MemorySegment from,
      MemorySegment w,
      @Nullable MemorySegment bias,
      MemorySegment workspace,
      MemorySegment to) {
    pack(w, bias, workspace);
    ConvRun<Task> run = runs.take();
    run.open(from, workspace, bias == null ? null : workspace, to); // both packed
    Parallel.forEach(
        Math.toIntExact((long) src.n * groups * dst.d * rowBlocks * columnBlocks), run);
    run.close();
    runs.give(run);
  }

  /** A block of rows of one image and group, one after the other. */
  private final class Task implements ConvRun.Worker {
    private final ConvImages.Box box = new ConvImages.Box();
    private final long line = (long) es * (Math.ceilDiv(columns, 2 * lanes) + 1) * 2 * lanes;
    private MemorySegment from = Tiles.ZEROS;
    private MemorySegment weights = Tiles.ZEROS;
    private boolean withBias;
    private MemorySegment to = Tiles.ZEROS;
    private int image;
    private int group;
    private int z;
    private int y0;
    private int y1;
    private int x0;
    private int x1;
    private long needD;
    private long needH;
    private long needW;
    private MemorySegment slab = Tiles.ZEROS;
    private MemorySegment sums = Tiles.ZEROS;

    @Override
    public void run(ConvRun<?> run, int index) {
      from = run.from;
      weights = run.weights;
      withBias = run.bias != null;
      to = run.to;
      int i = index;
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
      needD = ConvPhase.need(phases[0], z, z + 1, 0, src.d);
      needH = ConvPhase.need(phases[1], y0, y1, 0, src.h);
      needW = ConvPhase.need(phases[2], x0, x1, -(1 << 30), 1 << 30);
      slab = SOURCE.get(plane * cs + 64);
      sums = SUMS.get(line * cd);
      run();
      from = Tiles.ZEROS; // keep nothing alive
      weights = Tiles.ZEROS;
      to = Tiles.ZEROS;
      slab = Tiles.ZEROS;
      sums = Tiles.ZEROS;
    }

    private void run() {
      for (int d = ConvPhase.low(needD); d < ConvPhase.high(needD); d++) {
        for (int h = ConvPhase.low(needH); h < ConvPhase.high(needH); h++) {
          load(d, h);
        }
      }
      MemorySegment row = TARGET.get((long) (x1 - x0) * cd * es);
      box.set(image, group * cd, group * cd + cd, x0, x1);
      for (int y = y0; y < y1; y++) {
        for (ConvCombo q : combos) {
          int j0 = q.w.indexAt(x0);
          int j1 = q.w.indexAt(x1);
          if (on(q.d, z) && on(q.h, y) && j0 < j1) {
            pixels(q, (z - q.d.first) / q.d.step, (y - q.h.first) / q.h.step, j0, j1);
            spread(q.w, j0, j1, row);
          }
        }
        dst.storeRow(to, box, z, y, row, 0, (long) cd * es);
      }
    }

    private static boolean on(ConvPhase p, int place) {
      return place >= p.first && (place - p.first) % p.step == 0;
    }

    /** Where a row of the source lies in each plane of the slab. */
    private long rowAt(int d, int h) {
      return ((long) (d - ConvPhase.low(needD)) * slabRows + h - ConvPhase.low(needH)) * rowBytes;
    }

    /** Copies a row of all source channels, channels first. */
    private void load(int d, int h) {
      int lo = ConvPhase.low(needW);
      int hi = ConvPhase.high(needW);
      box.set(image, group * cs, group * cs + cs, lo, hi);
      MemorySegment row = ROW.get((long) (hi - lo) * cs * es + 64);
      src.loadRow(from, box, d, h, row, 0, (long) cs * es);
      if (es == 4) {
        ConvLoops.BEST.transpose(row, 0, 4L * cs, hi - lo, cs, slab, rowAt(d, h), plane);
        return;
      }
      for (int x = 0; x < hi - lo; x++) {
        for (int k = 0; k < cs; k++) {
          double v = row.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, 8L * (x * (long) cs + k));
          slab.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, rowAt(d, h) + k * plane + 8L * x, v);
        }
      }
    }

    /** The sums of pixels j0 to j1 of a phase's row, a line for each channel. */
    private void pixels(ConvCombo q, int id, int ih, int j0, int j1) {
      for (int j = j0; j < j1; j += 2 * lanes) {
        int vectors = j1 - j > lanes ? 2 : 1;
        long at = (long) (j - j0) * es;
        boolean fresh = true;
        for (int kd = 0; kd < q.d.taps(); kd++) {
          int d = id * q.d.srcStep + q.d.offset[kd];
          for (int kh = 0; kh < q.h.taps(); kh++) {
            int h = ih * q.h.srcStep + q.h.offset[kh];
            if (d < 0 || d >= src.d || h < 0 || h >= src.h) {
              continue;
            }
            int tap = (kd * q.h.taps() + kh) * q.w.taps();
            for (int kw = 0; kw < q.w.taps(); kw++) {
              long column = (long) j + q.w.offset[kw] - ConvPhase.low(needW);
              tile(vectors, cs, q, tap + kw, rowAt(d, h) + column * es, at, fresh);
              fresh = false;
            }
          }
        }
        if (fresh) {
          tile(vectors, 0, q, 0, 0, at, true);
        }
      }
    }

    private void tile(
        int vectors, int terms, ConvCombo q, int tap, long bOff, long at, boolean fresh) {
      long next = (long) lanes * es;
      long aOff = panel(q, group) + (long) tap * cd * cs * es;
      MemorySegment init = fresh ? (withBias ? weights : Tiles.ZEROS) : sums;
      long initOff = fresh ? (withBias ? bias(group) : 0) : at;
      long ldi = fresh ? (withBias ? next : 0) : line;
      long iVs = fresh ? 0 : next;
      if (es == 4) {
        Tiles.BEST.f32(
            1,
            cd,
            vectors,
            1,
            terms,
            weights,
            aOff,
            ONE_RUN,
            0,
            es,
            (long) cs * es,
            slab,
            bOff,
            plane,
            next,
            sums,
            at,
            line,
            next,
            init,
            initOff,
            ldi,
            iVs);
      } else {
        Tiles.BEST.f64(
            1,
            cd,
            vectors,
            1,
            terms,
            weights,
            aOff,
            ONE_RUN,
            0,
            es,
            (long) cs * es,
            slab,
            bOff,
            plane,
            next,
            sums,
            at,
            line,
            next,
            init,
            initOff,
            ldi,
            iVs);
      }
    }

    /** Puts a phase's pixels where they belong in the row of all phases, channels last. */
    private void spread(ConvPhase w, int j0, int j1, MemorySegment row) {
      for (int c = 0; c < cd; c++) {
        for (int j = j0; j < j1; j++) {
          long from = c * line + (long) (j - j0) * es;
          long at = ((long) (w.first + j * w.step - x0) * cd + c) * es;
          if (es == 4) {
            float v = sums.get(ValueLayout.JAVA_FLOAT_UNALIGNED, from);
            row.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, relu && v < 0 ? 0 : v);
          } else {
            double v = sums.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, from);
            row.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, at, relu && v < 0 ? 0 : v);
          }
        }
      }
    }
  }
}
