package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static dev.gridstride.cpu.vector.VectorMath.F;

import dev.gridstride.cpu.ReduceLoops;
import dev.gridstride.cpu.scalar.ScalarReduceLoops;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

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

  private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
  private static final int INFINITY_BITS = 0x7F800000;

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
      a = a.add(FloatVector.fromMemorySegment(F, x, at + 4L * i, LE));
      b = b.add(FloatVector.fromMemorySegment(F, x, at + 4L * i + STEP, LE));
    }
    for (; i + LANES <= n; i += LANES) {
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
    float found = largest ? largest(x, at, n) : smallest(x, at, n);
    return Float.isNaN(found) ? careful(x, at, n, largest) : found;
  }

  /**
   * The largest of finite numbers, else NaN: a sum of products with 0, one operation a vector, says
   * whether all of them are finite.
   */
  private static float largest(MemorySegment x, long at, int n) {
    x = exact(x);
    FloatVector zero = FloatVector.zero(F);
    FloatVector y = zero;
    FloatVector z = zero;
    FloatVector a = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    FloatVector b = a; // four, since each waits for its last comparison
    FloatVector c = a;
    FloatVector d = a;
    int i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES) {
      long p = at + 4L * i;
      FloatVector v = FloatVector.fromMemorySegment(F, x, p, LE);
      y = v.fma(zero, y);
      a = a.blend(v, v.compare(VectorOperators.GT, a));
      v = FloatVector.fromMemorySegment(F, x, p + STEP, LE);
      z = v.fma(zero, z);
      b = b.blend(v, v.compare(VectorOperators.GT, b));
      v = FloatVector.fromMemorySegment(F, x, p + 2 * STEP, LE);
      y = v.fma(zero, y);
      c = c.blend(v, v.compare(VectorOperators.GT, c));
      v = FloatVector.fromMemorySegment(F, x, p + 3 * STEP, LE);
      z = v.fma(zero, z);
      d = d.blend(v, v.compare(VectorOperators.GT, d));
    }
    for (; i + LANES <= n; i += LANES) {
      FloatVector v = FloatVector.fromMemorySegment(F, x, at + 4L * i, LE);
      y = v.fma(zero, y);
      a = a.blend(v, v.compare(VectorOperators.GT, a));
    }
    a = a.blend(b, b.compare(VectorOperators.GT, a));
    c = c.blend(d, d.compare(VectorOperators.GT, c));
    IntVector m = a.blend(c, c.compare(VectorOperators.GT, a)).reinterpretAsInts();
    IntVector bits = y.add(z).reinterpretAsInts().and(Integer.MAX_VALUE);
    if (bits.reduceLanes(VectorOperators.MAX) != 0) {
      return Float.NaN;
    }
    // in an order of integers, over whose lanes the largest costs a quarter
    m =
        m.lanewise(
            VectorOperators.XOR, m.lanewise(VectorOperators.ASHR, 31).and(Integer.MAX_VALUE));
    int key = m.reduceLanes(VectorOperators.MAX);
    float found = Float.intBitsToFloat(key ^ ((key >> 31) & Integer.MAX_VALUE));
    return i == n ? found : SCALAR.extreme(found, x, at + 4L * i, n - i, true);
  }

  /** As {@link #largest}, written again: the JIT knows a comparison only as a constant. */
  private static float smallest(MemorySegment x, long at, int n) {
    x = exact(x);
    FloatVector zero = FloatVector.zero(F);
    FloatVector y = zero;
    FloatVector z = zero;
    FloatVector a = FloatVector.broadcast(F, Float.POSITIVE_INFINITY);
    FloatVector b = a; // four, since each waits for its last comparison
    FloatVector c = a;
    FloatVector d = a;
    int i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES) {
      long p = at + 4L * i;
      FloatVector v = FloatVector.fromMemorySegment(F, x, p, LE);
      y = v.fma(zero, y);
      a = a.blend(v, v.compare(VectorOperators.LT, a));
      v = FloatVector.fromMemorySegment(F, x, p + STEP, LE);
      z = v.fma(zero, z);
      b = b.blend(v, v.compare(VectorOperators.LT, b));
      v = FloatVector.fromMemorySegment(F, x, p + 2 * STEP, LE);
      y = v.fma(zero, y);
      c = c.blend(v, v.compare(VectorOperators.LT, c));
      v = FloatVector.fromMemorySegment(F, x, p + 3 * STEP, LE);
      z = v.fma(zero, z);
      d = d.blend(v, v.compare(VectorOperators.LT, d));
    }
    for (; i + LANES <= n; i += LANES) {
      FloatVector v = FloatVector.fromMemorySegment(F, x, at + 4L * i, LE);
      y = v.fma(zero, y);
      a = a.blend(v, v.compare(VectorOperators.LT, a));
    }
    a = a.blend(b, b.compare(VectorOperators.LT, a));
    c = c.blend(d, d.compare(VectorOperators.LT, c));
    IntVector m = a.blend(c, c.compare(VectorOperators.LT, a)).reinterpretAsInts();
    IntVector bits = y.add(z).reinterpretAsInts().and(Integer.MAX_VALUE);
    if (bits.reduceLanes(VectorOperators.MAX) != 0) {
      return Float.NaN;
    }
    // in an order of integers, over whose lanes the smallest costs a quarter
    m =
        m.lanewise(
            VectorOperators.XOR, m.lanewise(VectorOperators.ASHR, 31).and(Integer.MAX_VALUE));
    int key = m.reduceLanes(VectorOperators.MIN);
    float found = Float.intBitsToFloat(key ^ ((key >> 31) & Integer.MAX_VALUE));
    return i == n ? found : SCALAR.extreme(found, x, at + 4L * i, n - i, false);
  }

  /**
   * The smallest is the negated largest of the negated. NaNs are left out of the comparisons, which
   * so need not ask for them in what they have; they are found by the largest of all magnitudes'
   * bits, which is that of a NaN if there is one.
   */
  private static float careful(MemorySegment x, long at, int n, boolean largest) {
    x = exact(x);
    IntVector sign = IntVector.broadcast(I, largest ? 0 : Integer.MIN_VALUE);
    IntVector bits = IntVector.zero(I);
    FloatVector a = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    FloatVector b = a; // four, since each waits for its last comparison
    FloatVector c = a;
    FloatVector d = a;
    int i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES) {
      long p = at + 4L * i;
      IntVector v = FloatVector.fromMemorySegment(F, x, p, LE).reinterpretAsInts();
      bits = bits.max(v.and(Integer.MAX_VALUE));
      FloatVector f = v.lanewise(VectorOperators.XOR, sign).reinterpretAsFloats();
      a = a.blend(f, f.compare(VectorOperators.GT, a));
      v = FloatVector.fromMemorySegment(F, x, p + STEP, LE).reinterpretAsInts();
      bits = bits.max(v.and(Integer.MAX_VALUE));
      f = v.lanewise(VectorOperators.XOR, sign).reinterpretAsFloats();
      b = b.blend(f, f.compare(VectorOperators.GT, b));
      v = FloatVector.fromMemorySegment(F, x, p + 2 * STEP, LE).reinterpretAsInts();
      bits = bits.max(v.and(Integer.MAX_VALUE));
      f = v.lanewise(VectorOperators.XOR, sign).reinterpretAsFloats();
      c = c.blend(f, f.compare(VectorOperators.GT, c));
      v = FloatVector.fromMemorySegment(F, x, p + 3 * STEP, LE).reinterpretAsInts();
      bits = bits.max(v.and(Integer.MAX_VALUE));
      f = v.lanewise(VectorOperators.XOR, sign).reinterpretAsFloats();
      d = d.blend(f, f.compare(VectorOperators.GT, d));
    }
    for (; i + LANES <= n; i += LANES) {
      IntVector v = FloatVector.fromMemorySegment(F, x, at + 4L * i, LE).reinterpretAsInts();
      bits = bits.max(v.and(Integer.MAX_VALUE));
      FloatVector f = v.lanewise(VectorOperators.XOR, sign).reinterpretAsFloats();
      a = a.blend(f, f.compare(VectorOperators.GT, a));
    }
    a = a.blend(b, b.compare(VectorOperators.GT, a));
    c = c.blend(d, d.compare(VectorOperators.GT, c));
    IntVector m = a.blend(c, c.compare(VectorOperators.GT, a)).reinterpretAsInts();
    if (bits.reduceLanes(VectorOperators.MAX) > INFINITY_BITS) {
      return Float.NaN;
    }
    // in an order of integers, over whose lanes the largest costs a quarter
    m =
        m.lanewise(
            VectorOperators.XOR, m.lanewise(VectorOperators.ASHR, 31).and(Integer.MAX_VALUE));
    int key = m.reduceLanes(VectorOperators.MAX);
    float found = Float.intBitsToFloat(key ^ ((key >> 31) & Integer.MAX_VALUE));
    found = largest ? found : -found;
    return i == n ? found : SCALAR.extreme(found, x, at + 4L * i, n - i, largest);
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
        a = a.add(FloatVector.fromMemorySegment(F, x, at + r * step, LE));
        b = b.add(FloatVector.fromMemorySegment(F, x, at + r * step + step, LE));
      }
    }
    for (; r < rows; r++) {
      FloatVector v = FloatVector.fromMemorySegment(F, x, at + r * step, LE);
      a = term == Term.SQUARE ? v.fma(v, a) : a.add(term == Term.VALUE ? v : v.abs());
    }
    a.add(b).intoArray(lanes, 0);
  }

  @Override
  public void extremeColumns(
      MemorySegment x, long at, long step, int rows, double[] values, int cols, boolean largest) {
    x = exact(x);
    float[] lanes = LaneSums.floats();
    int j = 0;
    float start = largest ? Float.NEGATIVE_INFINITY : Float.POSITIVE_INFINITY;
    for (; j + LANES <= cols; j += LANES) {
      FloatVector m = FloatVector.broadcast(F, start);
      for (int r = 0; r < rows; r++) {
        FloatVector v = FloatVector.fromMemorySegment(F, x, at + r * step + 4L * j, LE);
        VectorMask<Float> keep =
            largest ? v.compare(VectorOperators.LE, m) : v.compare(VectorOperators.GE, m);
        m = m.blend(v, keep.or(m.test(VectorOperators.IS_NAN)).not()); // a NaN stays
      }
      m.intoArray(lanes, 0);
      for (int k = 0; k < LANES; k++) {
        values[j + k] = ScalarReduceLoops.extreme(values[j + k], lanes[k], largest);
      }
    }
    ScalarReduceLoops.extremeColumnsFrom(j, x, at, step, rows, values, cols, largest);
  }
}
