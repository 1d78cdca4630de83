package dev.gridstride.cpu;

import dev.gridstride.kernels.ConvAxis;
import java.util.ArrayList;

/**
 * One spatial dimension of a pass that gathers: destination {@code first + i * step}, {@code 0 <= i
 * < count}, is a sum over taps t of the sources {@code i * srcStep + offset[t]}, those outside
 * {@code 0..srcSize} left out.
 *
 * <p>The forward pass is one phase. The backward pass of stride s has s of them: destinations whose
 * places differ by a multiple of s read the same taps, and read dy at stride 1.
 */
final class ConvPhase {
  /** Place of the first destination. */
  final int first;

  /** Distance of two destinations. */
  final int step;

  /** Number of destinations. */
  final int count;

  /** Distance of the sources of two neighbouring destinations. */
  final int srcStep;

  /** Length of the source. */
  final int srcSize;

  /** Place of each tap, ascending. */
  final int[] offset;

  /** Number of each tap in the kernel. */
  final int[] tap;

  private ConvPhase(
      int first, int step, int count, int srcStep, int srcSize, int[] offset, int[] tap) {
    this.first = first;
    this.step = step;
    this.count = count;
    this.srcStep = srcStep;
    this.srcSize = srcSize;
    this.offset = offset;
    this.tap = tap;
  }

  /**
   * Destinations {@code from} to {@code to} (excluded) whose taps {@code lo} to {@code hi}
   * (excluded) lie inside the source.
   */
  record Span(int from, int to, int lo, int hi) {
    boolean empty() {
      return lo >= hi;
    }
  }

  static ConvPhase[] forward(ConvAxis axis) {
    int kernel = (int) axis.kernel();
    var offset = new int[kernel];
    var tap = new int[kernel];
    for (int t = 0; t < kernel; t++) {
      offset[t] = Math.toIntExact(t * axis.dilation() - axis.padBegin());
      tap[t] = t;
    }
    return new ConvPhase[] {
      new ConvPhase(0, 1, (int) axis.out(), (int) axis.stride(), (int) axis.size(), offset, tap)
    };
  }

  /** The phases that have destinations. */
  static ConvPhase[] backward(ConvAxis axis) {
    int stride = (int) axis.stride();
    int phases = (int) Math.min(stride, axis.size());
    var all = new ConvPhase[phases];
    for (int f = 0; f < phases; f++) {
      all[f] = backward(axis, f, stride);
    }
    return all;
  }

  private static ConvPhase backward(ConvAxis axis, int first, int stride) {
    long place = first + axis.padBegin();
    int taps = 0;
    for (long t = 0; t < axis.kernel(); t++) {
      taps += (place - t * axis.dilation()) % stride == 0 ? 1 : 0;
    }
    var offset = new int[taps];
    var tap = new int[taps];
    for (long t = 0, q = taps; t < axis.kernel(); t++) {
      if ((place - t * axis.dilation()) % stride == 0) {
        q--;
        offset[(int) q] = Math.toIntExact((place - t * axis.dilation()) / stride);
        tap[(int) q] = (int) t;
      }
    }
    int count = (int) ((axis.size() - first + stride - 1) / stride);
    return new ConvPhase(first, stride, count, 1, (int) axis.out(), offset, tap);
  }

  int taps() {
    return offset.length;
  }

  /** First destination at place {@code place} or after it. */
  int indexAt(int place) {
    return place <= first ? 0 : Math.min(count, (place - first + step - 1) / step);
  }

  /** The destinations, cut where the set of taps inside the source changes. */
  Span[] spans() {
    var list = new ArrayList<Span>();
    int from = 0;
    while (from < count) {
      long at = (long) from * srcStep;
      int lo = 0;
      while (lo < taps() && at + offset[lo] < 0) {
        lo++;
      }
      int hi = taps();
      while (hi > 0 && at + offset[hi - 1] >= srcSize) {
        hi--;
      }
      long to = count;
      if (lo > 0) {
        to = Math.min(to, Math.ceilDiv(-(long) offset[lo - 1], srcStep));
      }
      if (hi > 0) {
        to = Math.min(to, Math.ceilDiv((long) srcSize - offset[hi - 1], srcStep));
      }
      int end = (int) Math.max(from + 1L, to);
      list.add(lo >= hi ? new Span(from, end, 0, 0) : new Span(from, end, lo, hi));
      from = end;
    }
    return list.toArray(Span[]::new);
  }

  /** All destinations with all taps: for a source that has been padded. */
  Span[] whole() {
    return new Span[] {new Span(0, count, 0, taps())};
  }

  /** The lowest place that destinations {@code from} to {@code to} (excluded, not empty) read. */
  int lowest(int from) {
    return from * srcStep + offset[0];
  }

  /** The place after the highest one that they read. */
  int highest(int to) {
    return (to - 1) * srcStep + offset[taps() - 1] + 1;
  }

  /**
   * Lowest source place and the place after the highest that destinations from..to of all phases
   * read, within lowest..highest.
   */
  static long need(ConvPhase[] phases, int from, int to, int lowest, int highest) {
    int lo = Integer.MAX_VALUE;
    int hi = Integer.MIN_VALUE;
    for (ConvPhase p : phases) {
      int i = p.indexAt(from);
      int j = p.indexAt(to);
      if (i < j && p.taps() > 0) {
        lo = Math.min(lo, p.lowest(i));
        hi = Math.max(hi, p.highest(j));
      }
    }
    if (lo > hi) {
      return 0; // only destinations without taps
    }
    lo = Math.clamp(lo, lowest, highest);
    hi = Math.clamp(hi, lo, highest);
    return (long) lo << 32 | (hi & 0xFFFFFFFFL);
  }

  /** The lowest place of a {@link #need}. */
  static int low(long need) {
    return (int) (need >> 32);
  }

  /** The place after the highest. */
  static int high(long need) {
    return (int) need;
  }

  /** Most places that {@code step} destinations, the first a multiple of step, read. */
  static int widest(ConvPhase[] phases, int size, int step, int lowest, int highest) {
    int most = 0;
    for (int from = 0; from < size; from += step) {
      long need = need(phases, from, Math.min(size, from + step), lowest, highest);
      most = Math.max(most, high(need) - low(need));
    }
    return most;
  }
}
