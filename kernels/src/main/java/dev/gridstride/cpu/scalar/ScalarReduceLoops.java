package dev.gridstride.cpu.scalar;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gridstride.cpu.ReduceLoops;
import java.lang.foreign.MemorySegment;

/** Reductions in plain Java; sums in double. */
public final class ScalarReduceLoops implements ReduceLoops {
  private static double term(float v, Term term, float shift) {
    return switch (term) {
      case VALUE -> v;
      case MAGNITUDE -> Math.abs(v);
      case SQUARE -> (double) v * v;
      case EXP -> Math.exp(v - shift);
    };
  }

  @Override
  public double sum(MemorySegment x, long at, int n, Term term, float shift) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += term(x.get(JAVA_FLOAT_UNALIGNED, at + 4L * i), term, shift);
    }
    return sum;
  }

  /** The larger (or smaller) of two; NaN wins. */
  public static double extreme(double a, double b, boolean largest) {
    return Double.isNaN(b) || (largest ? b > a : b < a) ? b : a;
  }

  @Override
  public float extreme(MemorySegment x, long at, int n, boolean largest) {
    float start = largest ? Float.NEGATIVE_INFINITY : Float.POSITIVE_INFINITY;
    return extreme(start, x, at, n, largest);
  }

  /** The largest (or smallest) of {@code n} neighbours and {@code start}; NaN wins. */
  public float extreme(float start, MemorySegment x, long at, int n, boolean largest) {
    float m = start;
    for (int i = 0; i < n; i++) {
      m = (float) extreme(m, x.get(JAVA_FLOAT_UNALIGNED, at + 4L * i), largest);
    }
    return m;
  }

  @Override
  public void addColumns(
      MemorySegment x, long at, long step, int rows, double[] sums, int cols, Term term) {
    addColumnsFrom(0, x, at, step, rows, sums, cols, term);
  }

  /** The columns from {@code first} on: the tail of the vector loop. */
  public static void addColumnsFrom(
      int first,
      MemorySegment x,
      long at,
      long step,
      int rows,
      double[] sums,
      int cols,
      Term term) {
    for (int r = 0; r < rows; r++) {
      for (int j = first; j < cols; j++) {
        sums[j] += term(x.get(JAVA_FLOAT_UNALIGNED, at + r * step + 4L * j), term, 0);
      }
    }
  }

  @Override
  public void extremeColumns(
      MemorySegment x, long at, long step, int rows, double[] values, int cols, boolean largest) {
    extremeColumnsFrom(0, x, at, step, rows, values, cols, largest);
  }

  /** The columns from {@code first} on: the tail of the vector loop. */
  public static void extremeColumnsFrom(
      int first,
      MemorySegment x,
      long at,
      long step,
      int rows,
      double[] values,
      int cols,
      boolean largest) {
    for (int r = 0; r < rows; r++) {
      for (int j = first; j < cols; j++) {
        float v = x.get(JAVA_FLOAT_UNALIGNED, at + r * step + 4L * j);
        values[j] = extreme(values[j], v, largest);
      }
    }
  }
}
