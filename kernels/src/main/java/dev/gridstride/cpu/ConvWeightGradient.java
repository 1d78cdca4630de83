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
 * taps) as rows, 2 vectors of output channels as columns. A task is a block of output channels and,
 * where that makes too few tasks, a slice of the input channels; its sums lie in the thread's
 * scratch memory. Few weights over many pixels are cut into parts of the pixels instead, whose
 * number depends on sizes only: a part sums into memory of its own, in the workspace, and the parts
 * are then added in their order. A unit of work is some rows of an image, or several images that
 * are small. Taps that lie above or below the image are left out; columns of padding are zeros in a
 * copy of a few rows, or in a window's registers.
 */
final class ConvWeightGradient {
  /** Bytes of x and dy of a unit of work, so that they stay in the second-level cache. */
  private static final long UNIT_BYTES = 512 << 10;

  /** Pixels of one reduction: their dy nearly fills the first-level cache. */
  private static final int CHUNK = 288;

  /**
   * Taps times input channels from which copies of dy, to join images, cost less than they save.
   */
  private static final int JOINED_TERMS = 512;

  /** Bytes of x of the images of a unit: half a second-level cache of 1 MiB. */
  private static final long IMAGES_BYTES = 512 << 10;

  /** Bytes of sums of a task, so that they stay in the second-level cache. */
  private static final long SUM_BYTES = 384 << 10;

  /** Number of tasks aimed at, so that many threads find work. */
  private static final int TASKS = 32;

  /** Number of tasks aimed at where each does all pixels, and copies them once more. */
  private static final int FEW_TASKS = 16;

  /** The sums of all parts, over the bytes of x and dy, at most. */
  private static final double WORKSPACE = 0.1;

  /** Fewest input channels of a slice, which fill tiles well. */
  private static final int SLICE_CHANNELS = 48;

  /** Fewest multiply-adds of a task. */
  private static final double TASK_WORK = 1e6;

  /** The same of channel-wise ones, whose multiply-adds take longer. */
  private static final double CHANNEL_TASK_WORK = 3e5;

  /** One vector of ones in each type: the bias is a weight whose input is 1. */
  static final MemorySegment ONES = ones(4);

  static final MemorySegment ONES_F64 = ones(8);

  final ConvImages x;
  final ConvImages y;
  final boolean channelwise;
  private final int groups;
  final int cg;
  final int kg;
  final ConvPhase[] axes = new ConvPhase[3];
  final int es;
  final int lanes;
  final int block;
  final int blocks;
  private final int kgPadded;
  final int taps;

  /** Whether a block's sums are those of {@link ConvLoops#channelWindow}. */
  final boolean window;

  /** Whether x and dy are brought into a cache first: a window asks for lines too slowly. */
  final boolean readsAhead;

  final boolean directX;
  final boolean directY;
  final ConvPass.Steps source;
  final int rows;
  final int columns;
  final int rowBlocks;
  final int columnBlocks;
  final int perTask;
  private final int blockTasks;
  final int images;
  final int chunkRows;
  final int parts;
  final int slices;
  final long imageBytes;
  final int[][] rowTables;
  final int[] zeroTable;
  private final ConvPanels out;
  private final Reuse<Run> runs = new Reuse<>(Run::new);
  private final Reuse<ConvWeightTask> tasks = new Reuse<>(() -> new ConvWeightTask(this));

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
    out = new ConvPanels(x.type, es);
    lanes = es == 4 ? Tiles.BEST.lanesF32() : Tiles.BEST.lanesF64();
    block = channelwise ? lanes : 2 * lanes;
    blocks = Math.ceilDiv(kg, block);
    kgPadded = Math.ceilDiv(kg, lanes) * lanes;
    taps = axes[0].taps() * axes[1].taps() * axes[2].taps();
    ConvPhase.Span[] spans = axes[2].spans();
    boolean inside = spans.length == 1 && spans[0].lo() == 0 && spans[0].hi() == axes[2].taps();
    boolean square = taps(0) == 1 && taps(1) == 3 && taps(2) == 3;
    window = channelwise && es == 4 && square && slides(axes[2]);
    boolean fits = window && hasThinEdges(axes[1], x.h, y.h) && hasThinEdges(axes[2], x.w, y.w);
    directX = x.direct() && (inside || fits) && !(channelwise && cg % lanes != 0);
    readsAhead = window && y.direct() && kg % lanes == 0 && ConvPass.areFar(x, y);
    boolean joined = areSmall() && (double) taps * cg >= JOINED_TERMS;
    directY = y.direct() && kg % lanes == 0 && !joined;

    double work = (double) y.n * y.d * y.h * y.w * taps * perTap() * kg * this.groups;
    double most = Math.clamp(work / (channelwise ? CHANNEL_TASK_WORK : TASK_WORK), 1, TASKS);
    int together = Math.clamp(SUM_BYTES / Math.max(1, panelBytes()), 1, Math.max(1, blocks));
    double ofGroup = most / Math.max(1, this.groups);
    double room = WORKSPACE * es * ((double) x.imageStep * x.n + (double) y.imageStep * y.n);
    double fitting = room / Math.max(1, (double) this.groups * blocks * panelBytes());
    double wantedParts = Math.min(Math.ceil(ofGroup / Math.ceilDiv(blocks, together)), fitting);
    if (wantedParts >= 2) {
      slices = 1;
      perTask = together;
    } else {
      double few = Math.max(1, Math.min(ofGroup, (double) FEW_TASKS / this.groups));
      int wanted = (int) Math.ceil(few / Math.ceilDiv(blocks, together));
      slices = Math.clamp(wanted, 1, Math.max(1, perTap() / SLICE_CHANNELS));
      perTask = Math.clamp((long) (blocks * slices / few), 1, together);
    }
    blockTasks = Math.ceilDiv(blocks, perTask);

    int wide = Math.max(1, y.w);
    columns = Math.min(wide, Math.max(CHUNK, 256));
    columnBlocks = Math.ceilDiv(y.w, columns);
    int lines = columns < wide ? 1 : Math.max(1, CHUNK / wide);
    double rowBytes =
        (double) es * columns * (kg + (double) cg * axes[1].srcStep * axes[2].srcStep);
    int unit =
        columns < wide ? 1 : (int) Math.clamp(UNIT_BYTES / rowBytes, lines, Integer.MAX_VALUE);
    rowBlocks = Math.ceilDiv(y.h, unit);
    rows = Math.max(1, Math.ceilDiv(y.h, Math.max(1, rowBlocks)));
    source = steps();
    imageBytes = directX ? x.imageStep * es : source.depth() * slabPlanes();

    images = images((long) Math.max(1, wantedParts));
    int chunks = Math.ceilDiv(rows, Math.max(1, lines / images));
    chunkRows = Math.ceilDiv(rows, chunks);
    parts = (int) Math.clamp((long) wantedParts, 1, Math.max(1, units()));
    rowTables = new int[images + 1][];
    for (int count = 1; count <= images; count++) {
      rowTables[count] = rowTable(count);
    }
    zeroTable = Tiles.table(chunkRows * images);
  }

  /** Whether a window at the next pixel reads some of the same places. */
  private static boolean slides(ConvPhase axis) {
    int tap = axis.offset[1] - axis.offset[0];
    return axis.srcStep == tap || axis.srcStep == 2 * tap;
  }

  /** Whether only the first tap of the first pixel and the last of the last may be outside. */
  private static boolean hasThinEdges(ConvPhase axis, int size, int pixels) {
    int last = axis.srcStep * (pixels - 1);
    return axis.offset[1] >= 0
        && last + axis.offset[1] < size
        && (pixels < 2
            || (axis.srcStep + axis.offset[0] >= 0 && last - axis.srcStep + axis.offset[2] < size));
  }

  /** Whether a reduction takes more than one image. */
  private boolean areSmall() {
    return !channelwise && x.d == 1 && y.d == 1 && taps(0) == 1 && 2L * y.h * y.w <= CHUNK;
  }

  /**
   * Images of a unit: as many small ones as one reduction takes, so that the sums, which may be
   * more than the caches hold, are read and written less often.
   */
  private int images(long parts) {
    if (directY || !areSmall()) {
      return 1;
    }
    long most = CHUNK / Math.max(1, (long) y.h * y.w);
    most = Math.max(1, Math.min(most, IMAGES_BYTES / Math.max(1, imageBytes)));
    long perPart = Math.max(1, Math.ceilDiv(y.n, parts));
    return (int) Math.ceilDiv(perPart, Math.ceilDiv(perPart, most));
  }

  private int taps(int axis) {
    return axes[axis].taps();
  }

  /** Places of the rows of a reduction over so many images: row by row, of each row the images. */
  private int[] rowTable(int count) {
    int[] table = Tiles.table(chunkRows * count);
    for (int r = 0; r < chunkRows; r++) {
      for (int i = 0; i < count; i++) {
        table[r * count + i] = Math.toIntExact(r * axes[1].srcStep * source.row() + i * imageBytes);
      }
    }
    return table;
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

  int perTap() {
    return channelwise ? 1 : cg;
  }

  long units() {
    return (long) Math.ceilDiv(y.n, images) * y.d * rowBlocks * columnBlocks;
  }

  /** Sums of one block of output channels: a row for each tap and channel, and one for the bias. */
  long panelBytes() {
    return ((long) taps * perTap() + 1) * block * es;
  }

  long panel(int part, int group, int b) {
    return ((long) (part * groups + group) * blocks + b) * panelBytes();
  }

  /** Output channels of a block, filled up to whole vectors. */
  int width(int b) {
    return Math.min(block, kgPadded - b * block);
  }

  long workspaceBytes() {
    return parts == 1 ? 0 : (long) parts * groups * blocks * panelBytes();
  }

  String details() {
    String pixels = parts + (parts == 1 ? " part" : " parts") + " of the pixels";
    return slices == 1 ? pixels : slices + " slices of the channels";
  }

  private ConvPass.Steps steps() {
    if (directX) {
      long pixel = (long) x.channels * es;
      return new ConvPass.Steps(pixel * x.w * x.h, pixel * x.w, pixel);
    }
    int slice = Math.ceilDiv(cg, slices);
    long pixel = (long) (channelwise ? kgPadded : slice) * es;
    if (slice > 8 && pixel % 1024 == 0) {
      pixel += 64;
    }
    long row = pixel * slabColumns();
    return new ConvPass.Steps(row * slabRows(), row, pixel);
  }

  private int slabColumns() {
    return (Math.max(1, columns) - 1) * axes[2].srcStep + reach(axes[2]);
  }

  private int slabRows() {
    int read = (rows - 1) * axes[1].srcStep + reach(axes[1]);
    return window ? read : Math.min(x.h, read);
  }

  int slabPlanes() {
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
    Run run = runs.take();
    run.xs = xs;
    run.dys = dys;
    run.workspace = workspace;
    run.dw = dw;
    run.dbias = dbias;
    int perPart = groups * blockTasks;
    if (parts == 1) {
      Parallel.forEach(Math.multiplyExact(slices, perPart), run.ofSlice);
    } else {
      Parallel.forEach(Math.multiplyExact(parts, perPart), run.ofPart);
      Parallel.forEach(groups * blocks, run.sum);
    }
    run.close();
    runs.give(run);
  }

  /** What a run works on, and the bodies of its loops. */
  final class Run {
    MemorySegment xs = Tiles.ZEROS;
    MemorySegment dys = Tiles.ZEROS;
    MemorySegment workspace = Tiles.ZEROS;
    MemorySegment dw = Tiles.ZEROS;
    @Nullable MemorySegment dbias;

    final Parallel.Task ofSlice = i -> ofSlice(this, i);
    final Parallel.Task ofPart = i -> ofPart(this, i);
    final Parallel.Task sum = i -> sum(this, i);

    /** Keeps nothing alive. */
    void close() {
      xs = Tiles.ZEROS;
      dys = Tiles.ZEROS;
      workspace = Tiles.ZEROS;
      dw = Tiles.ZEROS;
      dbias = null;
    }
  }

  /** All pixels of a slice of the channels. */
  private void ofSlice(Run run, int i) {
    ConvWeightTask task = tasks.take();
    task.open(run, i % slices, i / slices / blockTasks, i / slices % blockTasks);
    task.run();
    task.store(run.dw, run.dbias);
    task.close();
    tasks.give(task);
  }

  /** A part of the pixels. */
  private void ofPart(Run run, int i) {
    int perPart = groups * blockTasks;
    ConvWeightTask task = tasks.take();
    task.open(run, i / perPart, i % perPart / blockTasks, i % blockTasks);
    task.run();
    task.close();
    tasks.give(task);
  }

  /** The sum of the parts of a block, and its place in dw. */
  private void sum(Run run, int i) {
    int g = i / blocks;
    int b = i % blocks;
    long sum = panel(0, g, b);
    for (int p = 1; p < parts; p++) {
      add(run.workspace, sum, panel(p, g, b), panelBytes() / es);
    }
    store(run.workspace, sum, g, b, 0, perTap(), run.dw, run.dbias);
  }

  /** Writes the sums of a block of output channels and of input channels c0 to c1 (excluded). */
  void store(
      MemorySegment sums,
      long at,
      int group,
      int b,
      int c0,
      int c1,
      MemorySegment dw,
      @Nullable MemorySegment dbias) {
    int first = group * kg + b * block;
    int width = width(b);
    int valid = Math.min(block, kg - b * block);
    long filter = (long) perTap() * taps;
    long to = first * filter + (long) c0 * taps;
    out.unpack(sums, at, width, valid, c1 - c0, taps, dw, to, filter);
    if (dbias != null && c0 == 0) {
      out.copyOut(sums, at + (long) taps * (c1 - c0) * width * es, valid, dbias, first);
    }
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
}
