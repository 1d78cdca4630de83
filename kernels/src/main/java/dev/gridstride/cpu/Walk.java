package dev.gridstride.cpu;

import dev.gridstride.kernels.Layout;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * A joint walk over several layouts of the same sizes in the memory order of the last one.
 *
 * <p>Dimensions are sorted by the last layout's strides and merged where all layouts lie in step,
 * so that operands of one memory format, whichever it is, become one flat run.
 */
final class Walk {
  /** A run of neighbours. */
  interface Run {
    /**
     * Does {@code n} elements.
     *
     * @param at for each layout the offset of the first, in elements; valid during the call
     */
    void run(long[] at, long n);
  }

  /** Several runs of equal length whose places are a constant step apart. */
  interface Rows {
    /**
     * Does {@code rows} runs of {@code n} elements, {@link #rowStep} from each other.
     *
     * @param at for each layout the offset of the first, in elements; valid during the call
     */
    void run(MemorySegment a, MemorySegment b, MemorySegment c, long[] at, long rows, long n);
  }

  private static final ThreadLocal<long[]> PLACES = ThreadLocal.withInitial(() -> new long[4]);

  /** For each layout, the distance of two neighbours in a run. */
  final long[] step;

  private final long[] dims;
  private final long[][] strides;
  private final int rank;
  private final long count;

  /** A walk over at most four layouts. */
  Walk(Layout... layouts) {
    Layout last = layouts[layouts.length - 1];
    Integer[] order = new Integer[last.rank()];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, (p, q) -> Long.compare(last.stride(q), last.stride(p)));
    dims = new long[last.rank() + 1];
    strides = new long[layouts.length][last.rank() + 1];
    int n = 0;
    for (int i : order) {
      if (last.dim(i) == 1) {
        continue;
      }
      boolean merged = n > 0;
      for (int l = 0; merged && l < layouts.length; l++) {
        merged = strides[l][n - 1] == layouts[l].stride(i) * last.dim(i);
      }
      n = merged ? n : n + 1;
      dims[n - 1] = merged ? dims[n - 1] * last.dim(i) : last.dim(i);
      for (int l = 0; l < layouts.length; l++) {
        strides[l][n - 1] = layouts[l].stride(i);
      }
    }
    if (n == 0) {
      dims[0] = 1;
      n = 1;
    }
    rank = n;
    count = last.count();
    step = new long[layouts.length];
    for (int l = 0; l < layouts.length; l++) {
      step[l] = strides[l][rank - 1];
    }
  }

  /** Distance of two neighbouring runs of a layout, in elements. */
  long rowStep(int layout) {
    return rank == 1 ? 0 : strides[layout][rank - 2];
  }

  /** Runs the whole walk, in parallel; each element is in one call. */
  void forEach(Run body) {
    var each = over((a, b, c, at, rows, n) -> body.run(at, n), false);
    forEach(each, Tiles.ZEROS, Tiles.ZEROS, Tiles.ZEROS);
  }

  /** The same of a body made by {@link #over}, on these operands. */
  void forEach(Apart.Ternary body, MemorySegment a, MemorySegment b, MemorySegment c) {
    if (count > 0) {
      Parallel.forRange(count, grain(dims[rank - 1]), body, a, b, c);
    }
  }

  /**
   * A body for {@link #forEach(Apart.Ternary, MemorySegment, MemorySegment, MemorySegment)}.
   *
   * @param many whether a call may do several runs
   */
  Apart.Ternary over(Rows body, boolean many) {
    return (a, b, c, from, to) -> {
      long run = dims[rank - 1];
      long[] at = PLACES.get();
      locate(from, at);
      long done = from % run; // of the run
      long lines = rank == 1 ? 1 : dims[rank - 2];
      long line = rank == 1 ? 0 : from / run % lines;
      for (long i = from; i < to; ) {
        long n = Math.min(run - done, to - i);
        long rows = n < run || !many ? 1 : Math.min(lines - line, (to - i) / run);
        body.run(a, b, c, at, rows, n);
        i += rows * n;
        if (i == to) {
          break; // before the walk's end there may be no next run
        }
        line += rows;
        if (line < lines) { // the common case: no division
          for (int l = 0; l < step.length; l++) {
            at[l] += rows * strides[l][rank - 2] - done * step[l];
          }
        } else {
          locate(i, at);
          line = 0;
        }
        done = 0;
      }
    };
  }

  /** Elements of a task, whole runs where they are short. */
  private long grain(long run) {
    long grain = Parallel.grain(count);
    return run > grain ? grain : Math.ceilDiv(grain, run) * run;
  }

  private void locate(long index, long[] at) {
    Arrays.fill(at, 0, step.length, 0);
    long rest = index;
    for (int d = rank - 1; d >= 0; d--) {
      long k = d == 0 ? rest : rest % dims[d];
      rest /= dims[d];
      for (int l = 0; l < step.length; l++) {
        at[l] += k * strides[l][d];
      }
    }
  }
}
