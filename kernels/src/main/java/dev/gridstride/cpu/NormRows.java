package dev.gridstride.cpu;

import dev.gridstride.cpu.scalar.ScalarNormLoops;
import dev.gridstride.cpu.vector.VectorNormLoops;
import dev.gridstride.device.DType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Normalization of contiguous rows with a gamma for each column: a row's statistics, then its
 * result, while it is in the cache.
 *
 * <p>With groups, {@code [n, c]} is taken as n * groups rows, whose gammas lie one after the other.
 */
final class NormRows {
  private static final NormLoops F32 =
      Simd.ENABLED ? new VectorNormLoops() : new ScalarNormLoops(DType.F32);
  private static final Scratch SUMS = new Scratch();
  private static final ScratchDoubles PARTS = new ScratchDoubles();
  private static final ScratchDoubles THREE = new ScratchDoubles();
  private static final double[] NONE = {};

  /** Elements that make a task worth its hand-over. */
  private static final long GRAIN = 1 << 14;

  /** Images of a task of the backward pass: bounds the memory for the tasks' sums. */
  private static final long LEAST_IMAGES = 32;

  /** Most tasks of the backward pass, for the same reason. */
  private static final long MOST_TASKS = 32;

  private final NormShape shape;
  private final NormLoops loops;
  private final Elements parameters;
  private final long rows;
  private final long cols;

  /** Rows of a task of the forward pass, and images of one of the backward pass. */
  private final long perTask;

  private final long imagesPerTask;
  private final Reuse<Run> runs = new Reuse<>(Run::new);

  NormRows(NormShape shape) {
    this.shape = shape;
    this.loops = loops(shape.type());
    this.parameters = Elements.of(shape.type());
    this.rows = shape.stats();
    this.cols = shape.count();
    this.perTask = Math.max(1, Parallel.grain(rows * cols) / Math.max(1, cols));
    this.imagesPerTask = Math.max(1, GRAIN / Math.max(1, shape.channels()));
  }

  /** What a run works on, and the bodies of its loops. */
  private final class Run {
    MemorySegment x = Tiles.ZEROS;
    MemorySegment y = Tiles.ZEROS;
    MemorySegment dy = Tiles.ZEROS;
    @Nullable MemorySegment gamma;
    @Nullable MemorySegment beta;
    @Nullable MemorySegment dx;
    @Nullable NormStatistics stats;

    /** Whether gamma's or beta's gradient is asked for. */
    boolean sums;

    /** For each task the sums for gamma, then for beta, {@code each} numbers; where one writes. */
    double[] parts = NONE;

    int each;
    int tasks;
    long perTask;
    int first;
    MemorySegment gradient = Tiles.ZEROS;

    final Parallel.Range forward = (from, to) -> forward(this, from, to);
    final Parallel.Range backward = (from, to) -> backward(this, from, to);
    final Parallel.Range combine = (from, to) -> combine(this, from, to);

    NormStatistics stats() {
      return Objects.requireNonNull(stats);
    }

    /** Keeps nothing alive. */
    void close() {
      x = Tiles.ZEROS;
      y = Tiles.ZEROS;
      dy = Tiles.ZEROS;
      gamma = null;
      beta = null;
      dx = null;
      stats = null;
      parts = NONE;
      gradient = Tiles.ZEROS;
    }
  }

  /** The loops for a type. */
  static NormLoops loops(DType type) {
    return type == DType.F32 ? F32 : new ScalarNormLoops(type);
  }

  private static int run(long cols, long from) {
    return (int) Math.min(NormLoops.RUN, cols - from);
  }

  /** Where a row's gammas begin. */
  private long gammaOf(long row) {
    return row % shape.groups() * cols;
  }

  void forward(
      MemorySegment x,
      @Nullable MemorySegment gamma,
      @Nullable MemorySegment beta,
      MemorySegment y,
      NormStatistics out) {
    Run run = runs.take();
    run.x = x;
    run.gamma = gamma;
    run.beta = beta;
    run.y = y;
    run.stats = out;
    Parallel.forRange(rows, perTask, run.forward);
    run.close();
    runs.give(run);
  }

  private void forward(Run run, long from, long to) {
    NormStatistics out = run.stats();
    var moments = NormMoments.of(loops, shape.type(), shape.centered());
    for (long r = from; r < to; ) {
      r += oneCall(run.x, run.gamma, run.beta, run.y, out, r, to);
      if (r < to) {
        moments.clear();
        moments.addRun(run.x, r * cols, cols);
        int k = (int) r++;
        out.set(k, moments.mean(), moments.variance());
        double offset = -out.low(k) * out.rstd(k);
        apply(run.x, run.gamma, run.beta, run.y, k, out.pivot(k), out.rstd(k), offset);
      }
    }
  }

  /** Does the first rows in one call, if they stay in the first-level cache; how many. */
  private int oneCall(
      MemorySegment x,
      @Nullable MemorySegment gamma,
      @Nullable MemorySegment beta,
      MemorySegment y,
      NormStatistics out,
      long from,
      long to) {
    if (shape.groups() != 1 || cols > NormLoops.RUN || gamma == null) {
      return 0;
    }
    int done =
        loops.rowForward(
            x,
            gamma,
            beta,
            y,
            (int) from,
            (int) (to - from),
            (int) cols,
            shape.centered(),
            shape.eps(),
            out.pivots(),
            out.rstds());
    out.store((int) from, done);
    return done;
  }

  private void apply(
      MemorySegment x,
      @Nullable MemorySegment gamma,
      @Nullable MemorySegment beta,
      MemorySegment y,
      long row,
      double pivot,
      double scale,
      double offset) {
    long g = gammaOf(row);
    for (long c = 0; c < cols; c += NormLoops.RUN) {
      long at = row * cols + c;
      int n = run(cols, c);
      if (gamma == null) {
        loops.affine(x, y, at, n, pivot, scale, offset);
      } else {
        loops.affine(x, y, at, n, pivot, scale, offset, gamma, beta, g + c);
      }
    }
  }

  void backward(
      NormStatistics stats,
      MemorySegment x,
      @Nullable MemorySegment gamma,
      MemorySegment dy,
      @Nullable MemorySegment dx,
      @Nullable MemorySegment dgamma,
      @Nullable MemorySegment dbeta) {
    Run run = runs.take();
    run.stats = stats;
    run.x = x;
    run.gamma = gamma;
    run.dy = dy;
    run.dx = dx;
    run.sums = dgamma != null || dbeta != null;
    long images = shape.images();
    long least = Math.max(LEAST_IMAGES, Math.ceilDiv(images, MOST_TASKS));
    run.perTask = run.sums ? Math.max(imagesPerTask, least) : imagesPerTask;
    run.tasks = Math.toIntExact(Math.ceilDiv(images, run.perTask));
    run.each = run.sums ? Math.toIntExact(2 * shape.channels()) : 0;
    run.parts = PARTS.get(Math.multiplyExact(run.tasks, run.each));
    Parallel.forRange(images, run.perTask, run.backward);
    if (dgamma != null) {
      combine(run, 0, dgamma);
    }
    if (dbeta != null) {
      combine(run, (int) shape.channels(), dbeta);
    }
    run.close();
    runs.give(run);
  }

  private void backward(Run run, long from, long to) {
    int part = (int) (from / run.perTask) * run.each;
    Arrays.fill(run.parts, part, part + run.each, 0);
    for (long i = from; i < to; i += NormLoops.ROWS) {
      long end = Math.min(to, i + NormLoops.ROWS);
      images(run.stats(), run.x, run.gamma, run.dy, run.dx, run.parts, part, run.sums, i, end);
    }
  }

  /** Adds the tasks' sums from {@code first} on. */
  private void combine(Run run, int first, MemorySegment gradient) {
    run.first = first;
    run.gradient = gradient;
    Parallel.forRange(shape.channels(), 4096, run.combine);
  }

  private void combine(Run run, long from, long to) {
    for (int c = (int) from; c < to; c++) {
      double sum = 0;
      for (int task = 0; task < run.tasks; task++) {
        sum += run.parts[task * run.each + run.first + c];
      }
      parameters.set(run.gradient, c, sum);
    }
  }

  /** A few images: the parameters' sums in the loops' own precision, then added to the task's. */
  private void images(
      NormStatistics stats,
      MemorySegment x,
      @Nullable MemorySegment gamma,
      MemorySegment dy,
      @Nullable MemorySegment dx,
      double[] parts,
      int part,
      boolean sums,
      long from,
      long to) {
    int count = sums ? (int) (2 * shape.channels()) : 0;
    MemorySegment table = SUMS.get(8L * count);
    if (sums) {
      table.asSlice(0, 8L * count).fill((byte) 0);
    }
    if (!(sums && oneCall(stats, x, gamma, dy, dx, table, from, to))) {
      double[] three = THREE.get(3);
      for (long r = from * shape.groups(); r < to * shape.groups(); r++) {
        row(stats, x, gamma, dy, dx, sums ? table : null, r, three);
      }
    }
    for (int i = 0; i < count; i++) {
      parts[part + i] += loops.tableElements().get(table, i);
    }
  }

  /** Does images whose rows stay in the first-level cache in one call, when the loops can. */
  private boolean oneCall(
      NormStatistics stats,
      MemorySegment x,
      @Nullable MemorySegment gamma,
      MemorySegment dy,
      @Nullable MemorySegment dx,
      MemorySegment table,
      long from,
      long to) {
    return shape.groups() == 1
        && cols <= NormLoops.RUN
        && gamma != null
        && dx != null
        && loops.rowGradients(
            x,
            gamma,
            dy,
            dx,
            (int) from,
            (int) (to - from),
            (int) cols,
            shape.centered(),
            stats.pivots(),
            stats.rstds(),
            table);
  }

  private void row(
      NormStatistics stats,
      MemorySegment x,
      @Nullable MemorySegment gamma,
      MemorySegment dy,
      @Nullable MemorySegment dx,
      @Nullable MemorySegment table,
      long row,
      double[] sums) {
    long g = gammaOf(row);
    int k = (int) row;
    double pivot = stats.pivot(k);
    double rstd = stats.rstd(k);
    sums[0] = 0;
    sums[1] = 0;
    sums[2] = 0;
    for (long c = 0; c < cols; c += NormLoops.RUN) {
      loops.gradientSums(x, dy, row * cols + c, run(cols, c), pivot, gamma, g + c, sums);
    }
    double low = shape.centered() ? sums[2] / cols : 0;
    if (table != null) {
      for (long c = 0; c < cols; c += NormLoops.RUN) {
        int n = run(cols, c);
        loops.addParameters(
            x, dy, row * cols + c, n, pivot, rstd, -low * rstd, table, g + c, shape.channels());
      }
    }
    if (dx == null) {
      return;
    }
    double b = -rstd * rstd * rstd * (sums[1] - low * sums[0]) / cols;
    double o = shape.centered() ? -rstd * sums[0] / cols - b * low : 0;
    for (long c = 0; c < cols; c += NormLoops.RUN) {
      int n = run(cols, c);
      loops.gradient(x, dy, dx, row * cols + c, n, pivot, rstd, b, o, gamma, g + c);
    }
  }
}
