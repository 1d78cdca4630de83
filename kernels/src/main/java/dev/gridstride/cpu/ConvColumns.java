package dev.gridstride.cpu;

import dev.gridstride.device.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * A pass of many channels over few pixels, in which the weights are most of what is read: a matrix
 * product of the weights, read where they lie, and of columns of pixels, so that no weights are
 * packed and no row of an image is too short for a tile.
 *
 * <p>Method: vectors along the pixels of all images. A block of source channels is copied into
 * padded planes ({@link ConvPlanes}), and from there into columns, a row for each channel and tap
 * (im2col), that a second-level cache holds; the tile has 6 destination channels as rows, whose
 * weights are its broadcast operand, and adds the block to sums that lie channels first. Taps
 * outside the source are zeros. f32, stride 1.
 */
final class ConvColumns implements ConvGather {
  private static final Scratch PLANES = new Scratch();
  private static final Scratch COLUMNS = new Scratch();
  private static final Scratch SUMS = new Scratch();
  private static final Scratch ROWS = new Scratch();

  /** Fewest channels on both sides. */
  private static final int LEAST_CHANNELS = 32;

  /**
   * Most pixels of all images: over more of them {@link ConvPass} packs its weights for little, and
   * leaves out the taps at an image's edge.
   */
  private static final long MOST_PIXELS = 64;

  /** The same of images so narrow that a row is no tile of {@link ConvPass}. */
  private static final long MOST_NARROW_PIXELS = 512;

  /** Most taps: a block has few channels of more of them. */
  private static final int MOST_TAPS = 64;

  /** Widest destination: longer rows fill the tiles of {@link ConvPass}. */
  private static final int MOST_WIDTH = 28;

  /** Most pixels of a task. */
  private static final int RUN_PIXELS = 448;

  /** Bytes of columns: half of a second-level cache of 1 MiB. */
  private static final long COLUMN_BYTES = 512 << 10;

  /** Most terms of a block: six rows of weights stay in a first-level cache. */
  private static final int MOST_TERMS = 1024;

  /** Rows whose weights are copied together where those of two terms lie far from each other. */
  private static final int COPIED_ROWS = 8 * Tiles.MAX_ROWS;

  /** Fewest destination channels of a task. */
  private static final int LEAST_ROWS = 48;

  private static final int LANES = Tiles.BEST.lanesF32();
  private static final int V = 4 * LANES;

  private final ConvImages src;
  private final ConvImages dst;
  private final int groups;
  private final int cs;
  private final int cd;
  private final boolean relu;
  private final ConvPlanes[] runs;
  private final int[] shifts;
  private final int taps;

  private final Weights weights;

  /** Source channels of a block. */
  private final int sources;

  private final Reuse<Task> tasks = new Reuse<>(Task::new);
  private final Reuse<ConvRun<Task>> kept = new Reuse<>(() -> new ConvRun<>(tasks));

  private ConvColumns(
      ConvImages src,
      ConvImages dst,
      int groups,
      Weights weights,
      boolean relu,
      ConvPlanes[] runs) {
    this.src = src;
    this.dst = dst;
    this.groups = groups;
    this.weights = weights;
    this.relu = relu;
    this.runs = runs;
    cs = src.channels / groups;
    cd = dst.channels / groups;
    shifts = runs[0].shifts();
    taps = shifts.length;
    int vectors = 0;
    for (ConvPlanes r : runs) {
      vectors = Math.max(vectors, r.vectors);
    }
    long terms = Math.min(MOST_TERMS, COLUMN_BYTES / ((long) vectors * V));
    int most = Math.clamp(terms / taps, 1, cs);
    sources = Math.ceilDiv(cs, Math.ceilDiv(cs, most));
  }

  /** The pass, or null if it is not of this kind. */
  static @Nullable ConvColumns of(
      ConvImages src,
      ConvImages dst,
      int groups,
      ConvPhase[][] phases,
      Weights weights,
      boolean relu) {
    for (ConvPhase[] axis : phases) {
      if (axis.length != 1 || axis[0].srcStep != 1 || axis[0].taps() == 0) {
        return null;
      }
    }
    boolean plane = src.d == 1 && dst.d == 1 && phases[0][0].taps() == 1;
    long taps = (long) phases[1][0].taps() * phases[2][0].taps();
    long pixels = (long) dst.n * dst.h * dst.w;
    boolean window = taps > 1 && taps <= MOST_TAPS;
    boolean many = Math.min(src.channels, dst.channels) / groups >= LEAST_CHANNELS;
    long most = dst.w < Tiles.MAX_ROWS ? MOST_NARROW_PIXELS : MOST_PIXELS;
    boolean few = pixels > 0 && pixels <= most && dst.w <= MOST_WIDTH;
    if (src.type != DType.F32 || !plane || !window || !many || !few) {
      return null;
    }
    ConvPlanes[] runs = ConvPlanes.cut(src, dst, phases, RUN_PIXELS, LANES);
    return runs == null ? null : new ConvColumns(src, dst, groups, weights, relu, runs);
  }

  @Override
  public long workspaceBytes() {
    return (long) dst.channels * V;
  }

  @Override
  public String details() {
    return "columns of taps, "
        + (runs[0].to - runs[0].from)
        + " pixels and "
        + sources * taps
        + " terms at a time";
  }

  @Override
  public void run(
      MemorySegment from,
      MemorySegment weights,
      @Nullable MemorySegment bias,
      MemorySegment workspace,
      MemorySegment to) {
    if (bias != null) {
      for (int k = 0; k < dst.channels * LANES; k++) {
        float v = bias.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * (k / LANES));
        workspace.set(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * k, v);
      }
    }
    int count = groups * runs.length;
    // parts of the channels, each with columns of its own: only as many as keep threads busy
    int threads = Parallel.threads();
    boolean even = count % threads == 0 || count >= 4 * threads;
    ConvRun<Task> run = kept.take();
    run.open(from, weights, bias == null ? null : workspace, to);
    run.parts = even ? 1 : Math.clamp(cd / LEAST_ROWS, 1, threads);
    Parallel.forEach(count * run.parts, run);
    run.close();
    kept.give(run);
  }

  /** Some destination channels of one group, for one run of pixels; one after the other. */
  private final class Task implements ConvRun.Worker {
    private final long row = 4 * weights.laneStep();
    private final long source = 4 * weights.sourceStep();

    /** Whether all terms of a row lie side by side. */
    private final boolean together = weights.sourceStep() == taps;

    private final long rowStep = together ? row : 4L * taps * sources + V;
    private MemorySegment from = Tiles.ZEROS;
    private MemorySegment w = Tiles.ZEROS;
    private @Nullable MemorySegment bias;
    private MemorySegment to = Tiles.ZEROS;
    private ConvPlanes run = runs[0];
    private int group;
    private int k0;
    private int k1;
    private long weightsAt;
    private MemorySegment rows = Tiles.ZEROS;
    private MemorySegment planes = Tiles.ZEROS;
    private MemorySegment columns = Tiles.ZEROS;
    private MemorySegment sums = Tiles.ZEROS;
    private long line;

    @Override
    public void run(ConvRun<?> of, int index) {
      from = of.from;
      w = of.weights;
      bias = of.bias;
      to = of.to;
      int part = index % of.parts;
      k0 = (int) ((long) cd * part / of.parts);
      k1 = (int) ((long) cd * (part + 1) / of.parts);
      group = index / of.parts % groups;
      run = runs[index / of.parts / groups];
      weightsAt = 4 * (group * weights.groupStep() + k0 * weights.laneStep());
      rows = together ? w : ROWS.get(COPIED_ROWS * rowStep + V);
      planes = PLANES.get(run.bytes * sources);
      columns = COLUMNS.get((long) sources * taps * run.vectors * V);
      // lines a multiple of a page apart would share one set of the first-level cache
      long bytes = (long) run.vectors * V;
      line = bytes % 1024 == 0 ? bytes + 64 : bytes;
      sums = SUMS.get(line * (k1 - k0));
      run();
      from = Tiles.ZEROS; // keep nothing alive
      w = Tiles.ZEROS;
      bias = null;
      to = Tiles.ZEROS;
      rows = Tiles.ZEROS;
      planes = Tiles.ZEROS;
      columns = Tiles.ZEROS;
      sums = Tiles.ZEROS;
    }

    private void run() {
      planes.asSlice(0, run.bytes * sources).fill((byte) 0);
      for (int c = 0; c < cs; c += sources) {
        int n = Math.min(sources, cs - c);
        load(group * cs + c, n);
        for (int v = 0; v < run.vectors; v++) {
          ConvLoops.BEST.columns(
              n,
              run.bytes,
              shifts,
              planes,
              run.first[v],
              run.second[v],
              run.cut[v],
              run.picks,
              v * LANES,
              columns,
              panel(v / 2, n) + v % 2 * V,
              (long) width(v / 2) * V);
        }
        for (int k = 0; k < k1 - k0; k += COPIED_ROWS) {
          int count = Math.min(COPIED_ROWS, k1 - k0 - k);
          long at = weightsAt + k * row + c * source;
          if (!together) {
            ConvLoops.BEST.joinTaps(w, at, source, n, count, taps, rows, rowStep);
            at = 0;
          }
          for (int i = 0; i < count; i += Tiles.MAX_ROWS) {
            tiles(at + i * rowStep, k + i, Math.min(Tiles.MAX_ROWS, count - i), c == 0, n);
          }
        }
      }
      store();
    }

    private int width(int pair) {
      return Math.min(2, run.vectors - 2 * pair);
    }

    private long panel(int pair, int n) {
      return (long) pair * 2 * V * n * taps;
    }

    /** Copies channels c to c + n, a plane of each. */
    private void load(int c, int n) {
      for (int i = 0; i < run.images(); i++) {
        for (int y = run.firstRow(i); y < run.endRow(i); y++) {
          long at = 4 * src.at(run.image(i), c, 0, y, 0);
          if (src.channelsLast) {
            ConvLoops.BEST.transpose(
                from, at, 4 * src.pixelStep, src.w, n, planes, run.row(i, y), run.bytes);
            continue;
          }
          for (int s = 0; s < n; s++) {
            long offset = at + 4 * s * src.channelStep;
            MemorySegment.copy(from, offset, planes, s * run.bytes + run.row(i, y), 4L * src.w);
          }
        }
      }
    }

    /** Adds n channels to the sums of some rows, whose weights begin at {@code aOff}. */
    private void tiles(long aOff, int k, int count, boolean fresh, int n) {
      MemorySegment start = bias == null ? Tiles.ZEROS : bias;
      long startAt = bias == null ? 0 : (long) (group * cd + k0 + k) * V;
      for (int j = 0; 2 * j < run.vectors; j++) {
        long at = k * line + (long) j * 2 * V;
        Tiles.BEST.f32(
            1,
            count,
            width(j),
            1,
            n * taps,
            rows,
            aOff,
            Tiles.ONE_RUN,
            0,
            4,
            rowStep,
            columns,
            panel(j, n),
            (long) width(j) * V,
            V,
            sums,
            at,
            line,
            V,
            fresh ? start : sums,
            fresh ? startAt : at,
            fresh ? (bias == null ? 0 : V) : line,
            fresh ? 0 : V);
      }
    }

    private void store() {
      int pixels = run.to - run.from;
      for (int k = 0; relu && k < k1 - k0; k++) {
        ConvLoops.BEST.relu(sums, k * line, pixels);
      }
      int first = group * cd + k0;
      if (dst.channelsLast) {
        // the pixels of all images follow each other
        long at = 4 * ((long) run.from * dst.channels + first);
        ConvLoops.BEST.transpose(sums, 0, line, k1 - k0, pixels, to, at, 4L * dst.channels);
        return;
      }
      int plane = dst.h * dst.w;
      for (int p = run.from; p < run.to; ) {
        int n = Math.min(plane - p % plane, run.to - p);
        for (int k = 0; k < k1 - k0; k++) {
          long at = 4 * (dst.at(p / plane, first + k, 0, 0, 0) + p % plane);
          MemorySegment.copy(sums, k * line + 4L * (p - run.from), to, at, 4L * n);
        }
        p += n;
      }
    }
  }
}
