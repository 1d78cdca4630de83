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
 * <p>Only the last one made by a thread may be used: they share the thread's memory.
 *
 * <p>A mean is kept as the number that its type can hold, the pivot, and what rounding has cut off.
 */
final class NormStatistics {
  private static final ScratchDoubles PIVOTS = new ScratchDoubles();
  private static final ScratchDoubles LOWS = new ScratchDoubles();
  private static final ScratchDoubles RSTDS = new ScratchDoubles();

  private final boolean f32;
  private final Elements type;
  private final double eps;
  private final @Nullable MemorySegment means;
  private final @Nullable MemorySegment rstds;
  private final int count;
  private final double[] pivot;
  private final double[] low;
  private final double[] rstd;

  NormStatistics(NormShape shape, @Nullable MemorySegment means, @Nullable MemorySegment rstds) {
    this.f32 = shape.type() != DType.F64;
    this.type = Elements.of(f32 ? DType.F32 : DType.F64);
    this.eps = shape.eps();
    this.means = means;
    this.rstds = rstds;
    this.count = shape.stats();
    this.pivot = PIVOTS.get(count);
    this.low = LOWS.get(count);
    this.rstd = RSTDS.get(count);
  }

  /** Takes what an earlier pass has written. */
  NormStatistics read() {
    read(means, pivot, 0);
    read(rstds, rstd, 1);
    Arrays.fill(low, 0, count, 0);
    return this;
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

  /** Takes means and variances that are not those of the input. */
  static NormStatistics frozen(NormShape shape, MemorySegment means, MemorySegment variances) {
    var s = new NormStatistics(shape, means, null).read();
    for (int i = 0; i < s.count; i++) {
      s.rstd[i] = 1 / Math.sqrt(s.type.get(variances, i) + s.eps);
    }
    return s;
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
