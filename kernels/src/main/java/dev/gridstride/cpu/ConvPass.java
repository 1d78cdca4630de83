package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import org.jspecify.annotations.Nullable;

/**
 * A pass with vectors along the destination channels.
 *
 * <p>Method: channels last, a register tile of 6 pixels by 2 vectors of destination channels; the
 * reduction runs over taps and source channels, its weights packed into panels of 2 vectors by each
 * thread for the part of the channels that it is at ({@link ConvPartPanels}). A task is a block of
 * rows of one image, part and group. Taps outside the source are not computed: the rectangle of
 * destinations is cut into parts with the same taps, and narrow parts (the columns at the border)
 * are tiled from top to bottom. What is not channels last, f32 or f64, or a multiple of a vector,
 * goes through a copy of the block in the thread's scratch memory.
 */
final class ConvPass implements ConvGather {
  /** Bytes of source and destination of a task: half a second-level cache of 1 MiB. */
  private static final long TASK_BYTES = 512 << 10;

  /** Bytes of weights that stay in a second-level cache beside a task's images. */
  private static final long SHARE_BYTES = 512 << 10;

  /** Fewest multiply-adds of a task, about 20 microseconds of them. */
  private static final double TASK_WORK = 1e6;

  /**
   * Bytes of images up to which they are read faster as they come than after a pass that reads them
   * ahead. Less than {@link Segments#areFar}: in so scattered an order the third-level cache is far
   * too.
   */
  private static final long NEAR_BYTES = 14 << 20;

  /**
   * Bytes of a destination that is brought into a cache before it is written: of six pixels at a
   * time, a part of the channels of each, the hardware foresees nothing, and the lines of a store
   * that misses arrive one after the other.
   */
  private static final long TARGET_BYTES = 4 << 20;

  /** Number of tasks aimed at, so that many threads find work. */
  private static final int TASKS = 32;

  /**
   * Terms of the reduction whose weights, 2 vectors each, take a third of a second-level cache.
   * They are read in order, so that the first-level cache need not hold them; each chunk loads and
   * stores its sums once more.
   */
  private static final int CHUNK = 2560;

  /** More parts of a row than this: padding costs less than many narrow tiles. */
  private static final int MOST_SPANS = 8;

  /** Bytes between neighbouring pixels, rows and planes. */
  record Steps(long depth, long row, long pixel) {}

  final ConvImages src;
  final ConvImages dst;
  final boolean channelwise;
  final boolean relu;
  final int groups;
  final int cs;
  final int cd;
  private final int[] kernel;
  final ConvPhase[][] phases;
  final Weights weights;
  final ConvPanels panels;
  final int es;
  final int lanes;
  final int block;
  final int blocks;
  final int cdPadded;
  final boolean directSource;
  final boolean directTarget;
  final Steps source;
  final int rows;
  final int columns;
  final int rowBlocks;
  final int columnBlocks;
  final int parts;

  /** Whether the images come from memory. */
  final boolean far;

  /** Whether a task reads its part of the destination before it writes it. */
  final boolean bringsTarget;

  /** One part of a group's channels is done after the other: its weights serve all images. */
  final int tasksOfPart;

  /** Bytes of the packed weights of a part. */
  final long partBytes;

  private final int slabRows;
  final int slabPlanes;
  final ConvCombo[] combos;
  private final Reuse<ConvTask> tasks = new Reuse<>(() -> new ConvTask(this));
  private final Reuse<ConvRun<ConvTask>> runs = new Reuse<>(() -> new ConvRun<>(tasks));

  /**
   * Prepares a pass.
   *
   * @param kernel taps of the whole kernel along depth, row, column
   * @param phases phases of each axis
   * @param weights how they lie
   * @param channelwise whether each channel is a group of its own, on both sides
   * @param relu whether the destination ends as {@code max(., 0)}
   */
  ConvPass(
      ConvImages src,
      ConvImages dst,
      int groups,
      int[] kernel,
      ConvPhase[][] phases,
      Weights weights,
      boolean channelwise,
      boolean relu) {
    this.src = src;
    this.dst = dst;
    this.channelwise = channelwise;
    this.relu = relu;
    this.groups = channelwise ? 1 : groups;
    this.kernel = kernel;
    this.phases = phases;
    this.weights = weights;
    cs = src.channels / this.groups;
    cd = dst.channels / this.groups;
    es = src.slabBytes;
    panels = new ConvPanels(src.type, es);
    lanes = es == 4 ? Tiles.BEST.lanesF32() : Tiles.BEST.lanesF64();
    block = channelwise ? lanes : 2 * lanes;
    blocks = Math.ceilDiv(cd, block);
    cdPadded = Math.ceilDiv(cd, lanes) * lanes;
    far = areFar(src, dst);
    directSource = directSource();
    directTarget = dst.direct() && cd % lanes == 0;
    double bytes = (double) dst.imageStep * dst.n * es;
    bringsTarget = directTarget && !channelwise && groups == 1 && bytes > TARGET_BYTES;

    int[] blocking = blocking();
    rows = blocking[0];
    columns = blocking[1];
    parts = blocking[2];
    rowBlocks = Math.ceilDiv(dst.h, Math.max(1, rows));
    columnBlocks = Math.ceilDiv(dst.w, Math.max(1, columns));
    tasksOfPart = Math.toIntExact((long) src.n * this.groups * dst.d * rowBlocks * columnBlocks);
    slabRows = ConvPhase.widest(phases[1], dst.h, rows, 0, src.h);
    slabPlanes = ConvPhase.widest(phases[0], dst.d, 1, 0, src.d);
    source = steps();

    int widest = Math.min(cdPadded, Math.ceilDiv(blocks, parts) * block);
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
          at += (long) combo.taps * perTap() * widest * es;
        }
      }
    }
    combos = list.toArray(ConvCombo[]::new);
    partBytes = at;
  }

  /** Whether images come from memory. */
  static boolean areFar(ConvImages a, ConvImages b) {
    double elements = (double) a.imageStep * a.n + (double) b.imageStep * b.n;
    return elements * a.slabBytes > NEAR_BYTES;
  }

  int perTap() {
    return channelwise ? 1 : cs;
  }

  @Override
  public long workspaceBytes() {
    return (long) groups * cdPadded * es; // a bias, filled up to whole vectors
  }

  @Override
  public String details() {
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

  /**
   * Parts of a group's destination channels whose weights stay in a second-level cache while the
   * images go by.
   */
  private int shares(int taps) {
    long weights = (long) taps * perTap() * cd * es;
    return Math.clamp(Math.ceilDiv(weights, SHARE_BYTES), 1, Math.max(1, blocks));
  }

  /**
   * Whether columns at the border have taps of their own: they are tiled from top to bottom, and of
   * a block of few rows a tile of few pixels waits for its own sums. Such a pass is rather cut into
   * parts of the channels, whose weights then serve more pixels too.
   */
  private boolean hasBorder() {
    boolean border = false;
    for (ConvPhase p : phases[2]) {
      border |= p.spans().length > 1;
    }
    return border && !channelwise;
  }

  private int[] blocking() {
    int taps = kernel[0] * kernel[1] * kernel[2];
    double pixels = (double) dst.d * dst.h * dst.w;
    double perPixel = (double) taps * perTap() * cd * src.d * src.h * src.w / Math.max(1, pixels);
    perPixel = Math.max(1, Math.min(perPixel, (double) taps * perTap() * cd));
    int shares = shares(taps);
    double bytes =
        (double) es
            * ((double) cd / shares
                + cs * Math.max(1, (double) src.h * src.w / Math.max(1, (double) dst.h * dst.w)));
    double most = Math.max(8, TASK_BYTES / Math.max(1, bytes));
    double all = pixels * src.n * groups;
    double wanted = Math.max(Math.min(most, all / TASKS), Math.min(most, TASK_WORK / perPixel));
    if (hasBorder()) {
      double enough = all * blocks / (TASKS / 2);
      double tile = (Tiles.BEST.pairs() ? 2 : 1) * Tiles.MAX_ROWS * (double) dst.w;
      wanted = Math.max(wanted, Math.min(Math.min(most, enough), tile));
    }
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
    return new int[] {Math.max(1, r), Math.max(1, c), Math.max(p, shares)};
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
    long row = pixel * ConvPhase.widest(phases[2], dst.w, columns, -(1 << 30), 1 << 30);
    return new Steps(row * slabRows, row, pixel);
  }

  /** Where the panel of a part's block begins in the part's packed weights. */
  long panel(ConvCombo q, int block) {
    return q.panels + (long) block * this.block * q.taps * perTap() * es;
  }

  /** Where a group's bias begins in the workspace. */
  long bias(int group) {
    return (long) group * cdPadded * es;
  }

  /** Channels of a block, filled up to whole vectors. */
  int width(int b) {
    return Math.min(block, cdPadded - b * block);
  }

  @Override
  public void run(
      MemorySegment from,
      MemorySegment weights,
      @Nullable MemorySegment bias,
      MemorySegment workspace,
      MemorySegment to) {
    if (bias != null) {
      for (int g = 0; g < groups; g++) {
        panels.padded(bias, (long) g * cd, cd, cdPadded, workspace, bias(g));
      }
    }
    if (dst.n == 0 || cd == 0 || (long) dst.d * dst.h * dst.w == 0) {
      return;
    }
    ConvRun<ConvTask> run = runs.take();
    run.number = ConvPartPanels.newRun();
    run.open(from, weights, bias == null ? null : workspace, to);
    Parallel.forEach(Math.multiplyExact(tasksOfPart, parts), run);
    run.close();
    runs.give(run);
  }
}
