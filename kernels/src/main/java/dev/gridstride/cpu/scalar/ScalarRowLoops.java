package dev.gridstride.cpu.scalar;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gridstride.cpu.RowLoops;
import java.lang.foreign.MemorySegment;

/** Runs of rows in plain Java; sums in double, exponentials by {@link Math#exp}. */
public final class ScalarRowLoops implements RowLoops {
  private static float get(MemorySegment s, long i) {
    return s.get(JAVA_FLOAT_UNALIGNED, 4 * i);
  }

  private static void set(MemorySegment s, long i, float v) {
    s.set(JAVA_FLOAT_UNALIGNED, 4 * i, v);
  }

  @Override
  public float max(MemorySegment x, long at, int n) {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < n; i++) {
      float v = get(x, at + i);
      max = v > max ? v : max;
    }
    return max;
  }

  @Override
  public float sum(MemorySegment x, long at, int n) {
    return sumShifted(x, at, n, 0);
  }

  @Override
  public float sumExp(MemorySegment x, long at, int n, float shift) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += Math.exp((double) get(x, at + i) - shift);
    }
    return (float) sum;
  }

  @Override
  public float storeExp(MemorySegment x, long at, MemorySegment y, long to, int n, float shift) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      double e = Math.exp((double) get(x, at + i) - shift);
      set(y, to + i, (float) e);
      sum += e;
    }
    return (float) sum;
  }

  @Override
  public float sumShifted(MemorySegment x, long at, int n, float shift) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += (double) get(x, at + i) - shift;
    }
    return (float) sum;
  }

  @Override
  public float dotShifted(MemorySegment q, long qAt, MemorySegment x, long at, int n, float shift) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      float w = get(q, qAt + i);
      if (w != 0) {
        sum += w * ((double) get(x, at + i) - shift);
      }
    }
    return (float) sum;
  }

  @Override
  public void subtract(MemorySegment x, MemorySegment y, long at, int n, float max, float logSum) {
    for (int i = 0; i < n; i++) {
      set(y, at + i, get(x, at + i) - max - logSum);
    }
  }

  @Override
  public void scale(MemorySegment y, long at, int n, float factor, float less) {
    for (int i = 0; i < n; i++) {
      set(y, at + i, get(y, at + i) * factor - less);
    }
  }

  @Override
  public void scaleMinus(
      MemorySegment y, long at, MemorySegment q, long qAt, int n, float factor, float weight) {
    for (int i = 0; i < n; i++) {
      set(y, at + i, get(y, at + i) * factor - get(q, qAt + i) * weight);
    }
  }

  @Override
  public void mix(
      MemorySegment q, long qAt, int n, float factor, float add, MemorySegment weight, long at) {
    for (int i = 0; i < n; i++) {
      set(q, qAt + i, (get(q, qAt + i) * factor + add) * get(weight, at + i));
    }
  }

  @Override
  public float dot(MemorySegment a, MemorySegment b, long at, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += (double) get(a, at + i) * get(b, at + i);
    }
    return (float) sum;
  }

  @Override
  public void softmaxGradient(
      MemorySegment y, MemorySegment dy, MemorySegment dx, long at, int n, float sum) {
    for (int i = 0; i < n; i++) {
      set(dx, at + i, get(y, at + i) * (get(dy, at + i) - sum));
    }
  }

  @Override
  public void logSoftmaxGradient(
      MemorySegment y, MemorySegment dy, MemorySegment dx, long at, int n, float sum) {
    for (int i = 0; i < n; i++) {
      set(dx, at + i, (float) (get(dy, at + i) - Math.exp(get(y, at + i)) * sum));
    }
  }
}
