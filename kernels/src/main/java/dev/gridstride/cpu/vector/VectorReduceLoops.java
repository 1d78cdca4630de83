package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.vector.VectorMath.F;

import dev.gridstride.cpu.ReduceLoops;
import dev.gridstride.cpu.scalar.ScalarReduceLoops;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** Reductions by the Vector API: f32 lanes over a stretch, double beyond it. */
public final class VectorReduceLoops implements ReduceLoops {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final int LANES = F.length();
  private static final int STEP = 4 * LANES;

  private static FloatVector load(MemorySegment x, long at) {
    return FloatVector.fromMemorySegment(F, x, at, LE);
  }

  private static FloatVector term(FloatVector v, Term term, float shift) {
    return switch (term) {
      case VALUE -> v;
      case MAGNITUDE -> v.abs();
      case SQUARE -> v.mul(v);
      case EXP -> VectorMath.exp(v.sub(shift));
    };
  }

  @Override
  public double sum(MemorySegment x, long at, int n, Term term, float shift) {
    return switch (term) { // a constant in each loop, so that the term is no branch inside
      case VALUE -> sumOf(x, at, n, Term.VALUE, shift);
      case MAGNITUDE -> sumOf(x, at, n, Term.MAGNITUDE, shift);
      case SQUARE -> sumOf(x, at, n, Term.SQUARE, shift);
      case EXP -> sumOf(x, at, n, Term.EXP, shift);
    };
  }

  private static double sumOf(MemorySegment x, long at, int n, Term term, float shift) {
    float[] lanes = LaneSums.floats();
    FloatVector a = FloatVector.zero(F);
    FloatVector b = a;
    FloatVector c = a;
    FloatVector d = a;
    int i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES) {
      long p = at + 4L * i;
      a = a.add(term(load(x, p), term, shift));
      b = b.add(term(load(x, p + STEP), term, shift));
      c = c.add(term(load(x, p + 2 * STEP), term, shift));
      d = d.add(term(load(x, p + 3 * STEP), term, shift));
    }
    for (; i + LANES <= n; i += LANES) {
      a = a.add(term(load(x, at + 4L * i), term, shift));
    }
    if (i < n) {
      VectorMask<Float> m = F.indexInRange(i, n);
      FloatVector v = FloatVector.fromMemorySegment(F, x, at + 4L * i, LE, m);
      b = b.add(term(v, term, shift), m);
    }
    a.add(b).intoArray(lanes, 0);
    double first = LaneSums.sum(lanes);
    c.add(d).intoArray(lanes, 0);
    return first + LaneSums.sum(lanes);
  }

  @Override
  public float extreme(MemorySegment x, long at, int n, boolean largest) {
    float start = largest ? Float.NEGATIVE_INFINITY : Float.POSITIVE_INFINITY;
    FloatVector m = FloatVector.broadcast(F, start);
    FloatVector b = m; // two, since each waits for its last comparison
    int i = 0;
    for (; i + 2 * LANES <= n; i += 2 * LANES) {
      long p = at + 4L * i;
      m = better(m, load(x, p), largest);
      b = better(b, load(x, p + STEP), largest);
    }
    m = better(m, b, largest);
    for (; i + LANES <= n; i += LANES) {
      m = better(m, load(x, at + 4L * i), largest);
    }
    if (i < n) {
      VectorMask<Float> k = F.indexInRange(i, n);
      FloatVector v = FloatVector.fromMemorySegment(F, x, at + 4L * i, LE, k);
      m = m.blend(better(m, v, largest), k);
    }
    // Java's MAX and MIN over lanes let NaN win
    return largest ? m.reduceLanes(VectorOperators.MAX) : m.reduceLanes(VectorOperators.MIN);
  }

  /** The better of each lane; a NaN in either stays. */
  private static FloatVector better(FloatVector m, FloatVector v, boolean largest) {
    VectorMask<Float> keep =
        largest ? v.compare(VectorOperators.LE, m) : v.compare(VectorOperators.GE, m);
    return m.blend(v, keep.or(m.test(VectorOperators.IS_NAN)).not());
  }

  @Override
  public void addColumns(
      MemorySegment x, long at, long step, int rows, double[] sums, int cols, Term term) {
    var lanes = new float[LANES];
    int j = 0;
    for (; j + LANES <= cols; j += LANES) {
      column(x, at + 4L * j, step, rows, term).intoArray(lanes, 0);
      for (int k = 0; k < LANES; k++) {
        sums[j + k] += lanes[k];
      }
    }
    ScalarReduceLoops.addColumnsFrom(j, x, at, step, rows, sums, cols, term);
  }

  private static FloatVector column(MemorySegment x, long at, long step, int rows, Term term) {
    FloatVector a = FloatVector.zero(F);
    for (int r = 0; r < rows; r++) {
      a = a.add(term(load(x, at + r * step), term, 0));
    }
    return a;
  }

  @Override
  public void extremeColumns(
      MemorySegment x, long at, long step, int rows, double[] values, int cols, boolean largest) {
    var lanes = new float[LANES];
    int j = 0;
    float start = largest ? Float.NEGATIVE_INFINITY : Float.POSITIVE_INFINITY;
    for (; j + LANES <= cols; j += LANES) {
      FloatVector m = FloatVector.broadcast(F, start);
      for (int r = 0; r < rows; r++) {
        m = better(m, load(x, at + r * step + 4L * j), largest);
      }
      m.intoArray(lanes, 0);
      for (int k = 0; k < LANES; k++) {
        values[j + k] = ScalarReduceLoops.extreme(values[j + k], lanes[k], largest);
      }
    }
    ScalarReduceLoops.extremeColumnsFrom(j, x, at, step, rows, values, cols, largest);
  }
}
