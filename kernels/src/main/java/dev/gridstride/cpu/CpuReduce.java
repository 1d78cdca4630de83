package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gridstride.cpu.scalar.ScalarReduceLoops;
import dev.gridstride.cpu.vector.VectorReduceLoops;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.Reduce;
import dev.gridstride.kernels.Reduce.Kind;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Reductions: the reduced index is cut into chunks whose length depends on the shape alone, each
 * chunk of each output is one number in double, and the chunks of an output are combined in order.
 *
 * <p>Rows: the elements of an output are taken run by run. Columns (f32, kept elements side by
 * side): a block of outputs is taken row by row.
 */
public final class CpuReduce implements Reduce.Kernel {
  private static final ReduceLoops LOOPS =
      Simd.ENABLED ? new VectorReduceLoops() : new ScalarReduceLoops();

  /** The longest stretch that is summed in f32 lanes. */
  private static final int STRETCH = 4096;

  /** The longest row that is handed over together with others. */
  private static final int SHORT = 2048;

  /** The most rows that are summed in f32 lanes. */
  private static final int ROWS = 64;

  /** Columns of a block. */
  private static final int COLUMNS = 256;

  /** Reduced elements of a chunk of one output; of a block of columns, elements of them all. */
  private static final long CHUNK = 1 << 16;

  /** Tasks up to which a block of columns is cut into chunks of less than {@link #CHUNK} rows. */
  private static final long COLUMN_TASKS = 16;

  /** Rows that are handed over together. */
  private static final int SHORT_ROWS = 64;

  private static final ScratchDoubles VALUES = new ScratchDoubles();
  private static final ScratchDoubles PARTS = new ScratchDoubles();
  private static final ScratchDoubles SHIFTS = new ScratchDoubles();
  private static final double[] NONE = {};

  private final Reduce op;
  private final Places kept;
  private final Places reduced;
  private final boolean f32;
  private final boolean columns;

  /** Reduced elements of a chunk; depends on the shape alone, so that sums do. */
  private final long chunk;

  private final Elements elements;
  private final Apart.Ternary whole = this::whole;
  private final Reuse<Parts> runs = new Reuse<>(Parts::new);

  /** A kernel for {@code op}. */
  public CpuReduce(Reduce op) {
    this.op = op;
    this.kept = new Places(op.x(), i -> !op.reduces(i));
    this.reduced = new Places(op.x(), op::reduces);
    this.f32 = op.type() == DType.F32;
    this.columns =
        f32
            && kept.step == 1
            && kept.run > 1
            && !(reduced.step == 1 && reduced.run > 1)
            && op.kind() != Kind.PROD
            && op.kind() != Kind.LOG_SUM_EXP;
    this.chunk = columns ? columnChunk() : CHUNK;
    this.elements = Elements.of(op.type());
  }

  /**
   * Rows of a chunk of columns: about {@link #CHUNK} elements, more where that makes tasks enough.
   */
  private long columnChunk() {
    long width = Math.min(kept.run, COLUMNS);
    long blocks = Math.max(1, kept.count / kept.run * Math.ceilDiv(kept.run, width));
    long chunks = Math.ceilDiv(COLUMN_TASKS, blocks);
    long rows = Math.max(CHUNK / width, Math.ceilDiv(reduced.count, chunks));
    return Math.min(CHUNK, Math.ceilDiv(rows, ROWS) * ROWS);
  }

  @Override
  public String details() {
    return columns ? "columns" : f32 && reduced.step == 1 ? "rows" : "general";
  }

  private static double start(Kind kind) {
    return switch (kind) {
      case MAX -> Double.NEGATIVE_INFINITY;
      case MIN -> Double.POSITIVE_INFINITY;
      case PROD -> 1;
      case SUM, MEAN, SUM_SQUARES, L1, L2, LOG_SUM_EXP -> 0;
    };
  }

  private static double combine(Kind kind, double a, double b) {
    return switch (kind) {
      case MAX -> ScalarReduceLoops.extreme(a, b, true);
      case MIN -> ScalarReduceLoops.extreme(a, b, false);
      case PROD -> a * b;
      case SUM, MEAN, SUM_SQUARES, L1, L2, LOG_SUM_EXP -> a + b;
    };
  }

  private static ReduceLoops.Term term(Kind kind) {
    return switch (kind) {
      case SUM_SQUARES, L2 -> ReduceLoops.Term.SQUARE;
      case L1 -> ReduceLoops.Term.MAGNITUDE;
      case LOG_SUM_EXP -> ReduceLoops.Term.EXP;
      case SUM, MEAN, MAX, MIN, PROD -> ReduceLoops.Term.VALUE;
    };
  }

  @Override
  public void run(Stream stream, Buffer x, Buffer y) {
    run(x.pinnedSegment(), y.pinnedSegment());
  }

  /** The same on memory; sizes are checked by the caller. */
  void run(MemorySegment xs, MemorySegment ys) {
    if (!op.type().isFloating()) {
      IntegerReduce.run(op, kept, reduced, xs, ys);
      return;
    }
    if (op.kind() == Kind.LOG_SUM_EXP) {
      double[] max = reduceAll(xs, Kind.MAX, SHIFTS, null);
      double[] sum = reduceAll(xs, Kind.LOG_SUM_EXP, PARTS, max);
      for (int o = 0; o < kept.count; o++) {
        // a row of -Inf has no finite shift: its sum is that of exp(-Inf) = 0
        double shift = Double.isInfinite(max[o]) ? 0 : max[o];
        elements.set(ys, o, max[o] == Double.POSITIVE_INFINITY ? max[o] : Math.log(sum[o]) + shift);
      }
      return;
    }
    if (!columns && reduced.count <= chunk) { // one chunk: nothing to combine
      long grain = Parallel.grain(kept.count * reduced.count);
      long perTask = Math.max(1, grain / Math.max(1, reduced.count));
      Parallel.forRange(kept.count, perTask, whole, xs, ys, Tiles.ZEROS);
      return;
    }
    double[] results = reduceAll(xs, op.kind(), PARTS, null);
    for (int o = 0; o < kept.count; o++) {
      elements.set(ys, o, result(results[o]));
    }
  }

  /** Outputs {@code from} to {@code to}, of one chunk each. */
  private void whole(MemorySegment x, MemorySegment y, MemorySegment none, long from, long to) {
    if (areShortRows()) {
      shortRows(x, y, from, to);
      return;
    }
    for (long o = from; o < to; o++) {
      elements.set(y, o, result(row(x, op.kind(), kept.at(o), 0, 0)));
    }
  }

  /** Whether an output is one stretch, and the next one's is at a fixed distance. */
  private boolean areShortRows() {
    return f32
        && reduced.step == 1
        && reduced.run == reduced.count
        && reduced.count > 0
        && reduced.count <= SHORT
        && kept.run == kept.count
        && op.kind() != Kind.PROD;
  }

  /** Many rows to a call: what is done beside a row takes as long as a row of some vectors. */
  private void shortRows(MemorySegment x, MemorySegment y, long from, long to) {
    double[] v = VALUES.get(SHORT_ROWS);
    for (long o = from; o < to; o += SHORT_ROWS) {
      int rows = (int) Math.min(SHORT_ROWS, to - o);
      long at = 4 * o * kept.step;
      int n = (int) reduced.count;
      if (op.kind() == Kind.MAX || op.kind() == Kind.MIN) {
        LOOPS.extremes(x, at, 4 * kept.step, rows, n, op.kind() == Kind.MAX, v);
      } else {
        LOOPS.sums(x, at, 4 * kept.step, rows, n, term(op.kind()), v);
      }
      if (op.kind() == Kind.MEAN || op.kind() == Kind.L2) {
        for (int r = 0; r < rows; r++) {
          v[r] = result(v[r]);
        }
      }
      for (int r = 0; r < rows; r++) {
        y.set(JAVA_FLOAT_UNALIGNED, 4 * (o + r), (float) v[r]);
      }
    }
  }

  private double result(double v) {
    return switch (op.kind()) {
      case MEAN -> v / reduced.count;
      case L2 -> Math.sqrt(v);
      default -> v;
    };
  }

  /** One number for each output, in {@code memory}; log-sum-exp alone has shifts. */
  private double[] reduceAll(
      MemorySegment x, Kind kind, ScratchDoubles memory, double @Nullable [] shifts) {
    int outputs = Math.toIntExact(kept.count);
    int chunks = Math.toIntExact(Math.max(1, Math.ceilDiv(reduced.count, chunk)));
    int count = Math.multiplyExact(outputs, chunks);
    double[] parts = memory.get(count);
    if (reduced.count == 0) {
      Arrays.fill(parts, 0, count, start(kind));
    } else if (outputs > 0) {
      Parts run = runs.take();
      run.x = x;
      run.kind = kind;
      run.shifts = shifts;
      run.values = parts;
      run.outputs = outputs;
      run.chunks = chunks;
      if (columns) {
        columnTasks(run);
      } else {
        long each = Math.min(chunk, reduced.count);
        Parallel.forRange(count, Math.max(1, Parallel.grain(count * each) / each), run.rows);
      }
      run.close();
      runs.give(run);
    }
    for (int c = 1; c < chunks; c++) {
      combine(kind, parts, c * outputs, outputs);
    }
    return parts;
  }

  /** What a run works on whose outputs are of several chunks, and the bodies of its loops. */
  private final class Parts {
    MemorySegment x = Tiles.ZEROS;
    Kind kind = Kind.SUM;
    double @Nullable [] shifts;

    /** A number for each output of the first chunk, then of the second, and so on. */
    double[] values = NONE;

    int outputs;
    int chunks;

    /** Columns of a block, and blocks of a group of outputs. */
    int width;

    int blocks;

    final Parallel.Range rows = (from, to) -> rows(this, (int) from, (int) to);
    final Parallel.Task block = task -> block(this, task);

    /** Keeps nothing alive. */
    void close() {
      x = Tiles.ZEROS;
      shifts = null;
      values = NONE;
    }
  }

  private void rows(Parts run, int from, int to) {
    double[] shifts = run.shifts;
    for (int i = from; i < to; i++) {
      int o = i % run.outputs;
      double shift = shifts == null || Double.isInfinite(shifts[o]) ? 0 : shifts[o];
      run.values[i] = row(run.x, run.kind, kept.at(o), i / run.outputs * chunk, shift);
    }
  }

  /** Combines the first numbers of {@code parts} with those from {@code first}. */
  private static void combine(Kind kind, double[] parts, int first, int count) {
    if (kind == Kind.MAX || kind == Kind.MIN || kind == Kind.PROD) {
      for (int o = 0; o < count; o++) {
        parts[o] = combine(kind, parts[o], parts[first + o]);
      }
    } else { // a loop of its own, which becomes vectors
      for (int o = 0; o < count; o++) {
        parts[o] += parts[first + o];
      }
    }
  }

  /** One chunk of one output. */
  private double row(MemorySegment x, Kind kind, long base, long first, double shift) {
    long end = Math.min(reduced.count, first + chunk);
    double v = start(kind);
    boolean flat = reduced.run == reduced.count; // without divisions, which short rows feel
    for (long r = first; r < end; ) {
      long left = flat ? end - r : Math.min(reduced.run - r % reduced.run, end - r);
      int n = (int) Math.min(left, STRETCH);
      long at = base + (flat ? r * reduced.step : reduced.at(r));
      v = combine(kind, v, stretch(x, kind, at, n, shift));
      r += n;
    }
    return v;
  }

  private double stretch(MemorySegment x, Kind kind, long at, int n, double shift) {
    if (f32 && reduced.step == 1 && kind != Kind.PROD) {
      return kind == Kind.MAX || kind == Kind.MIN
          ? LOOPS.extreme(x, at * 4, n, kind == Kind.MAX)
          : LOOPS.sum(x, at * 4, n, term(kind), (float) shift);
    }
    double v = start(kind);
    for (int i = 0; i < n; i++) {
      double e = elements.get(x, at + i * reduced.step);
      e =
          switch (term(kind)) {
            case VALUE -> e;
            case MAGNITUDE -> Math.abs(e);
            case SQUARE -> e * e;
            case EXP -> Math.exp(e - shift);
          };
      v = combine(kind, v, e);
    }
    return v;
  }

  private void columnTasks(Parts run) {
    run.width = (int) Math.min(kept.run, COLUMNS);
    run.blocks = Math.toIntExact(Math.ceilDiv(kept.run, run.width));
    int groups = Math.toIntExact(run.outputs / kept.run);
    int tasks = Math.multiplyExact(Math.multiplyExact(groups, run.blocks), run.chunks);
    Parallel.forEach(tasks, run.block);
  }

  private void block(Parts run, int task) {
    int c = task % run.chunks;
    int block = task / run.chunks % run.blocks;
    int group = task / run.chunks / run.blocks;
    int o = Math.toIntExact(group * kept.run + (long) block * run.width);
    int n = (int) Math.min(run.width, kept.run - (long) block * run.width);
    double[] v = VALUES.get(n);
    Arrays.fill(v, 0, n, start(run.kind));
    block(run.x, run.kind, kept.at(o), c * chunk, v, n);
    System.arraycopy(v, 0, run.values, c * run.outputs + o, n);
  }

  /** One chunk of a block of columns. */
  private void block(MemorySegment x, Kind kind, long base, long first, double[] v, int n) {
    long end = Math.min(reduced.count, first + chunk);
    for (long r = first; r < end; ) {
      int rows = (int) Math.min(Math.min(reduced.run - r % reduced.run, end - r), ROWS);
      long at = (base + reduced.at(r)) * 4;
      if (kind == Kind.MAX || kind == Kind.MIN) {
        LOOPS.extremeColumns(x, at, reduced.step * 4, rows, v, n, kind == Kind.MAX);
      } else {
        LOOPS.addColumns(x, at, reduced.step * 4, rows, v, n, term(kind));
      }
      r += rows;
    }
  }

  @Override
  public void backward(Stream stream, Buffer x, Buffer y, Buffer dy, Buffer dx) {
    new ReduceBackward(
            op,
            kept,
            reduced,
            x.pinnedSegment(),
            y.pinnedSegment(),
            dy.pinnedSegment(),
            dx.pinnedSegment())
        .run();
  }
}
