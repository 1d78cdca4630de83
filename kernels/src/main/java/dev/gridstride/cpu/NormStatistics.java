package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gridstride.device.DType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Means and reciprocal standard deviations, in the buffers that the caller has given, or in memory
 * of its own for those that were not.
 *
 * <p>A kernel keeps it for its next run. Only the last one that a thread has opened may be used:
 * they share the thread's memory.
 *
 * <p>A mean is kept as the number that its type can hold, the pivot, and what rounding has cut off.
 */
final class NormStatistics {
  private static final ScratchDoubles PIVOTS = new ScratchDoubles();
  private static final ScratchDoubles LOWS = new ScratchDoubles();
  private static final ScratchDoubles RSTDS = new ScratchDoubles();

  private static final double[] NONE = {};

  private final boolean f32;
  private final Elements type;
  private final double eps;
  private final int count;
  private @Nullable MemorySegment means;
  private @Nullable MemorySegment rstds;
  private double[] pivot = NONE;
  private double[] low = NONE;
  private double[] rstd = NONE;

  NormStatistics(NormShape shape) {
    this.f32 = shape.type() != DType.F64;
    this.type = Elements.of(f32 ? DType.F32 : DType.F64);
    this.eps = shape.eps();
    this.count = shape.stats();
  }

  /** Begins a run that sets them, and stores them where memory is given. */
  void open(@Nullable MemorySegment means, @Nullable MemorySegment rstds) {
    this.means = means;
    this.rstds = rstds;
    this.pivot = PIVOTS.get(count);
    this.low = LOWS.get(count);
    this.rstd = RSTDS.get(count);
  }

  /** Begins a run that takes what an earlier pass has written. */
  void read(@Nullable MemorySegment means, MemorySegment rstds) {
    open(means, rstds);
    readMeans();
    read(rstds, rstd, 1);
  }

  /** Begins a run that takes means and variances that are not those of the input. */
  void freeze(MemorySegment means, MemorySegment variances) {
    open(means, null);
    readMeans();
    for (int i = 0; i < count; i++) {
      rstd[i] = 1 / Math.sqrt(type.get(variances, i) + eps);
    }
  }

  private void readMeans() {
    read(means, pivot, 0);
    Arrays.fill(low, 0, count, 0);
  }

  /** Ends a run: keeps nothing of it alive. */
  void close() {
    means = null;
    rstds = null;
    pivot = NONE;
    low = NONE;
    rstd = NONE;
  }

  private void read(@Nullable MemorySegment from, double[] into, double otherwise) {
    for (int i = 0; i < count; i++) {
      if (from == null) {
        into[i] = otherwise;
      } else if (f32) { // not through Elements: as long as a row of 64 elements takes
        into[i] = from.get(JAVA_FLOAT_UNALIGNED, 4L * i);
      } else {
        into[i] = type.get(from, i);
      }
    }
  }

  /** Stores what was put in {@link #pivots} and {@link #rstds}, which are f32. */
  void store(int first, int count) {
    for (int i = first; i < first + count; i++) {
      if (means != null) {
        means.set(JAVA_FLOAT_UNALIGNED, 4L * i, (float) pivot[i]);
      }
      if (rstds != null) {
        rstds.set(JAVA_FLOAT_UNALIGNED, 4L * i, (float) rstd[i]);
      }
    }
  }

  /** Sets and stores the mean and variance of one group. */
  void set(int i, double mean, double variance) {
    pivot[i] = f32 ? (float) mean : mean;
    // an infinite pivot stands for a mean that f32 can't hold: nothing is left to correct
    low[i] = Double.isInfinite(pivot[i]) ? 0 : mean - pivot[i];
    rstd[i] = 1 / Math.sqrt(variance + eps);
    if (means != null) {
      type.set(means, i, mean);
    }
    if (rstds != null) {
      type.set(rstds, i, rstd[i]);
    }
  }

  /** All of {@link #pivot}; what is put in is kept by {@link #store}. */
  double[] pivots() {
    return pivot;
  }

  /** All of {@link #rstd}, likewise. */
  double[] rstds() {
    return rstd;
  }

  /** The mean, rounded to the statistics' type. */
  double pivot(int i) {
    return pivot[i];
  }

  /** What rounding has cut off from the mean; 0 for means that were read. */
  double low(int i) {
    return low[i];
  }

  /** Reciprocal of the standard deviation. */
  double rstd(int i) {
    return rstd[i];
  }
}
