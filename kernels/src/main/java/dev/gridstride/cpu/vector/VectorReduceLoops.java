package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static dev.gridstride.cpu.vector.Carried.FLOATS;
import static dev.gridstride.cpu.vector.Carried.mixed;
import static dev.gridstride.cpu.vector.VectorMath.F;

import dev.gridstride.cpu.ReduceLoops;
import dev.gridstride.cpu.scalar.ScalarReduceLoops;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/**
 * Reductions by the Vector API: f32 lanes over a stretch, double beyond it.
 *
 * <p>{@code i + 2 * LANES <= n} is no condition of a counted loop for the JIT, since it might
 * overflow, and that is its purpose: a counted one is unrolled and its loads are put out of order,
 * which halves the speed of what comes from memory.
 */
public final class VectorReduceLoops implements ReduceLoops {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final int LANES = F.length();
  private static final int STEP = 4 * LANES;

  /** Columns that are added at once. */
  private static final int WIDE = 4 * LANES;

  /** For what is left of a stretch. */
  private static final ScalarReduceLoops SCALAR = new ScalarReduceLoops();

  private static final VectorRowLoops ROWS = new VectorRowLoops();

  @Override
  public double sum(MemorySegment x, long at, int n, Term term, float shift) {
    return switch (term) {
      case VALUE -> values(x, at, n);
      case MAGNITUDE -> magnitudes(x, at, n);
      case SQUARE -> squares(x, at, n);
      case EXP -> ROWS.sumExp(x, at / 4, n, shift);
    };
  }

  @Override
  public void sums(
      MemorySegment x, long at, long step, int rows, int n, Term term, double[] results) {
    if (term != Term.VALUE) {
      ReduceLoops.super.sums(x, at, step, rows, n, term, results);
      return;
    }
    for (int r = 0; r < rows; r++) {
      results[r] = values(x, at + r * step, n);
    }
  }

  private static double values(MemorySegment x, long at, int n) {
    x = exact(x);
    FloatVector a = FloatVector.zero(F);
    FloatVector b = a;
    int i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
      if (a.getClass() != FLOATS || b.getClass() != FLOATS) {
        throw mixed();
      }
      a = a.add(FloatVector.fromMemorySegment(F, x, at + 4L * i, LE));
      b = b.add(FloatVector.fromMemorySegment(F, x, at + 4L * i + STEP, LE));
    }
    for (; i + LANES <= n; i += LANES) {
      if (a.getClass() != FLOATS) {
        throw mixed();
      }
      a = a.add(FloatVector.fromMemorySegment(F, x, at + 4L * i, LE));
    }
    a = a.add(b);
    if (LANES >= 16) {
      a = a.add(a.rearrange(LaneSums.SWAP_8));
    }
    if (LANES >= 8) {
      a = a.add(a.rearrange(LaneSums.SWAP_4));
    }
    a = a.add(a.rearrange(LaneSums.SWAP_2));
    a = a.add(a.rearrange(LaneSums.SWAP_1));
    double sum = a.lane(0);
    return i == n ? sum : sum + SCALAR.sum(x, at + 4L * i, n - i, Term.VALUE, 0);
  }

  private static double magnitudes(MemorySegment x, long at, int n) {
    x = exact(x);
    float[] lanes = LaneSums.floats();
    FloatVector a = FloatVector.zero(F);
    FloatVector b = a;
    int i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
      if (a.getClass() != FLOATS || b.getClass() != FLOATS) {
        throw mixed();
      }
      a = a.add(FloatVector.fromMemorySegment(F, x, at + 4L * i, LE).abs());
      b = b.add(FloatVector.fromMemorySegment(F, x, at + 4L * i + STEP, LE).abs());
    }
    a.add(b).intoArray(lanes, 0);
    return LaneSums.sum(lanes) + SCALAR.sum(x, at + 4L * i, n - i, Term.MAGNITUDE, 0);
  }

  private static double squares(MemorySegment x, long at, int n) {
    x = exact(x);
    float[] lanes = LaneSums.floats();
    FloatVector a = FloatVector.zero(F);
    FloatVector b = a;
    int i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
      if (a.getClass() != FLOATS || b.getClass() != FLOATS) {
        throw mixed();
      }
      FloatVector v = FloatVector.fromMemorySegment(F, x, at + 4L * i, LE);
      a = v.fma(v, a);
      v = FloatVector.fromMemorySegment(F, x, at + 4L * i + STEP, LE);
      b = v.fma(v, b);
    }
    a.add(b).intoArray(lanes, 0);
    return LaneSums.sum(lanes) + SCALAR.sum(x, at + 4L * i, n - i, Term.SQUARE, 0);
  }

  @Override
  public float extreme(MemorySegment x, long at, int n, boolean largest) {
    return n < LANES ? SCALAR.extreme(x, at, n, largest) : VectorExtremes.one(x, at, n, largest);
  }

  @Override
  public void extremes(
      MemorySegment x, long at, long step, int rows, int n, boolean largest, double[] results) {
    if (n < LANES) {
      ReduceLoops.super.extremes(x, at, step, rows, n, largest, results);
    } else {
      VectorExtremes.rows(x, at, step, rows, n, largest, results);
    }
  }

  @Override
  public void addColumns(
      MemorySegment x, long at, long step, int rows, double[] sums, int cols, Term term) {
    float[] lanes = LaneSums.floats();
    int j = 0;
    if (term == Term.VALUE) {
      for (; j + WIDE <= cols; j += WIDE) {
        columns(x, at + 4L * j, step, rows, lanes, sums, j);
      }
    }
    for (; j + LANES <= cols; j += LANES) {
      column(x, at + 4L * j, step, rows, term, lanes);
      add(lanes, sums, j);
    }
    ScalarReduceLoops.addColumnsFrom(j, x, at, step, rows, sums, cols, term);
  }

  /** The sums of four vectors of columns: whole cache lines of a row, one after the other. */
  private static void columns(
      MemorySegment x, long at, long step, int rows, float[] lanes, double[] sums, int j) {
    x = exact(x);
    FloatVector a = FloatVector.zero(F);
    FloatVector b = a;
    FloatVector c = a;
    FloatVector d = a;
    for (int r = 0; r < rows; r++) {
      if (a.getClass() != FLOATS
          || b.getClass() != FLOATS
          || c.getClass() != FLOATS
          || d.getClass() != FLOATS) {
        throw mixed();
      }
      long p = at + r * step;
      a = a.add(FloatVector.fromMemorySegment(F, x, p, LE));
      b = b.add(FloatVector.fromMemorySegment(F, x, p + STEP, LE));
      c = c.add(FloatVector.fromMemorySegment(F, x, p + 2 * STEP, LE));
      d = d.add(FloatVector.fromMemorySegment(F, x, p + 3 * STEP, LE));
    }
    a.intoArray(lanes, 0);
    add(lanes, sums, j);
    b.intoArray(lanes, 0);
    add(lanes, sums, j + LANES);
    c.intoArray(lanes, 0);
    add(lanes, sums, j + 2 * LANES);
    d.intoArray(lanes, 0);
    add(lanes, sums, j + 3 * LANES);
  }

  private static void add(float[] lanes, double[] sums, int j) {
    for (int k = 0; k < LANES; k++) {
      sums[j + k] += lanes[k];
    }
  }

  /** The sums of a vector of columns; two for each, since an addition waits for the last. */
  private static void column(
      MemorySegment x, long at, long step, int rows, Term term, float[] lanes) {
    x = exact(x);
    FloatVector a = FloatVector.zero(F);
    FloatVector b = a;
    int r = 0;
    if (term == Term.VALUE) {
      for (; r <= rows - 2; r += 2) {
        if (a.getClass() != FLOATS || b.getClass() != FLOATS) {
          throw mixed();
        }
        a = a.add(FloatVector.fromMemorySegment(F, x, at + r * step, LE));
        b = b.add(FloatVector.fromMemorySegment(F, x, at + r * step + step, LE));
      }
    }
    for (; r < rows; r++) {
      if (a.getClass() != FLOATS) {
        throw mixed();
      }
      FloatVector v = FloatVector.fromMemorySegment(F, x, at + r * step, LE);
      a = term == Term.SQUARE ? v.fma(v, a) : a.add(term == Term.VALUE ? v : v.abs());
    }
    a.add(b).intoArray(lanes, 0);
  }

  @Override
  public void extremeColumns(
      MemorySegment x, long at, long step, int rows, double[] values, int cols, boolean largest) {
    float[] numbers = LaneSums.floats();
    int j = 0;
    for (; j + LANES <= cols; j += LANES) {
      VectorExtremes.column(x, at + 4L * j, step, rows, largest, numbers);
      for (int k = 0; k < LANES; k++) {
        values[j + k] = ScalarReduceLoops.extreme(values[j + k], numbers[k], largest);
      }
    }
    ScalarReduceLoops.extremeColumnsFrom(j, x, at, step, rows, values, cols, largest);
  }
}
