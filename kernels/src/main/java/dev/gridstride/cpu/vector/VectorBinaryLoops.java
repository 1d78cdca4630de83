package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static dev.gridstride.cpu.vector.VectorMath.F;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gridstride.cpu.BinaryLoops;
import dev.gridstride.cpu.Specialized;
import dev.gridstride.cpu.scalar.ScalarBinaryLoops;
import dev.gridstride.kernels.Binary.Kind;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * Elementwise functions of two f32 operands by the Vector API; each has a copy of this class, see
 * {@link Specialized}.
 *
 * <p>Each loop stands twice: unrolled and with aligned stores for long runs, which it enters by a
 * masked vector, and one vector at a time for what is left and for short runs; see {@link
 * VectorStep}. Operands from memory take the second: the loads of an unrolled loop come in no
 * order, which the hardware can't foresee. The last elements are computed one by one.
 *
 * <p>Short rows of a broadcast have loops of their own for all rows of a task: the call and what
 * surrounds a loop take longer than such a row.
 */
public final class VectorBinaryLoops implements BinaryLoops {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final int L = F.length();
  private static final long V = 4L * L;

  /** Rows up to this length are done in one call; each alone of longer ones. */
  private static final int ROW = 2048;

  private static final VectorBinary FORM =
      Specialized.constant(MethodHandles.lookup(), VectorBinary.class);

  private final ScalarBinaryLoops tails = new ScalarBinaryLoops(FORM.kind());

  /** The loops of a function that {@link ScalarBinaryLoops#has}. */
  public static BinaryLoops of(Kind kind) {
    return Specialized.copy(MethodHandles.lookup(), VectorBinary.of(kind), BinaryLoops.class);
  }

  @Override
  public void run(
      MemorySegment a,
      long aAt,
      int aStep,
      MemorySegment b,
      long bAt,
      int bStep,
      MemorySegment y,
      long yAt,
      int n,
      boolean far) {
    boolean unrolled = !far && n >= VectorStep.LONG;
    int done;
    if (aStep == 1 && bStep == 1) {
      done = both(a, aAt, b, bAt, y, yAt, n, unrolled);
    } else if (aStep == 1) {
      done = right(a, aAt, b.get(JAVA_FLOAT_UNALIGNED, bAt), y, yAt, n, unrolled);
    } else if (bStep == 1) {
      done = left(a.get(JAVA_FLOAT_UNALIGNED, aAt), b, bAt, y, yAt, n, unrolled);
    } else {
      done = constant(a, aAt, b, bAt, y, yAt, n);
    }
    if (done < n) {
      long at = 4L * done;
      tails.run(a, aAt + at * aStep, aStep, b, bAt + at * bStep, bStep, y, yAt + at, n - done, far);
    }
  }

  @Override
  public void rows(
      long rows,
      MemorySegment a,
      long aAt,
      int aStep,
      long aRow,
      MemorySegment b,
      long bAt,
      int bStep,
      long bRow,
      MemorySegment y,
      long yAt,
      long yRow,
      int n,
      boolean far) {
    if (rows == 1 || n < L || n > ROW || aStep == 0) {
      BinaryLoops.super.rows(rows, a, aAt, aStep, aRow, b, bAt, bStep, bRow, y, yAt, yRow, n, far);
    } else if (bStep == 0) {
      rightRows(rows, a, aAt, aRow, b, bAt, bRow, y, yAt, yRow, n);
    } else {
      bothRows(rows, a, aAt, aRow, b, bAt, bRow, y, yAt, yRow, n);
    }
  }

  /**
   * Where rows are no whole vectors, the last one overlaps the one before it: it is computed first,
   * since y may be a or b, and stored last. Whole rows do without: to read each row's end before
   * its beginning took a fifth longer from memory.
   */
  private static void bothRows(
      long rows,
      MemorySegment a,
      long aAt,
      long aRow,
      MemorySegment b,
      long bAt,
      long bRow,
      MemorySegment y,
      long yAt,
      long yRow,
      int n) {
    a = exact(a);
    b = exact(b);
    y = exact(y);
    boolean whole = n % L == 0;
    long last = 4L * (n - L);
    long stop = whole ? last + V : last;
    for (long r = 0; r < rows; r++) {
      FloatVector end = FloatVector.zero(F);
      if (!whole) {
        end =
            FloatVector.fromMemorySegment(F, a, aAt + last, LE)
                .lanewise(FORM.operator(), FloatVector.fromMemorySegment(F, b, bAt + last, LE));
      }
      long i = 0;
      for (; i + 3 * V < stop; i += 4 * V) {
        FloatVector v0 =
            FloatVector.fromMemorySegment(F, a, aAt + i, LE)
                .lanewise(FORM.operator(), FloatVector.fromMemorySegment(F, b, bAt + i, LE));
        FloatVector v1 =
            FloatVector.fromMemorySegment(F, a, aAt + i + V, LE)
                .lanewise(FORM.operator(), FloatVector.fromMemorySegment(F, b, bAt + i + V, LE));
        FloatVector v2 =
            FloatVector.fromMemorySegment(F, a, aAt + i + 2 * V, LE)
                .lanewise(
                    FORM.operator(), FloatVector.fromMemorySegment(F, b, bAt + i + 2 * V, LE));
        FloatVector v3 =
            FloatVector.fromMemorySegment(F, a, aAt + i + 3 * V, LE)
                .lanewise(
                    FORM.operator(), FloatVector.fromMemorySegment(F, b, bAt + i + 3 * V, LE));
        v0.intoMemorySegment(y, yAt + i, LE);
        v1.intoMemorySegment(y, yAt + i + V, LE);
        v2.intoMemorySegment(y, yAt + i + 2 * V, LE);
        v3.intoMemorySegment(y, yAt + i + 3 * V, LE);
      }
      for (; i < stop; i += V) {
        FloatVector.fromMemorySegment(F, a, aAt + i, LE)
            .lanewise(FORM.operator(), FloatVector.fromMemorySegment(F, b, bAt + i, LE))
            .intoMemorySegment(y, yAt + i, LE);
      }
      if (!whole) {
        end.intoMemorySegment(y, yAt + last, LE);
      }
      aAt += aRow;
      bAt += bRow;
      yAt += yRow;
    }
  }

  private static void rightRows(
      long rows,
      MemorySegment a,
      long aAt,
      long aRow,
      MemorySegment b,
      long bAt,
      long bRow,
      MemorySegment y,
      long yAt,
      long yRow,
      int n) {
    a = exact(a);
    y = exact(y);
    boolean whole = n % L == 0;
    long last = 4L * (n - L);
    long stop = whole ? last + V : last;
    for (long r = 0; r < rows; r++) {
      FloatVector q = FloatVector.broadcast(F, b.get(JAVA_FLOAT_UNALIGNED, bAt));
      FloatVector end = q;
      if (!whole) {
        end = FloatVector.fromMemorySegment(F, a, aAt + last, LE).lanewise(FORM.operator(), q);
      }
      long i = 0;
      for (; i + 3 * V < stop; i += 4 * V) {
        FloatVector v0 = FloatVector.fromMemorySegment(F, a, aAt + i, LE);
        FloatVector v1 = FloatVector.fromMemorySegment(F, a, aAt + i + V, LE);
        FloatVector v2 = FloatVector.fromMemorySegment(F, a, aAt + i + 2 * V, LE);
        FloatVector v3 = FloatVector.fromMemorySegment(F, a, aAt + i + 3 * V, LE);
        v0.lanewise(FORM.operator(), q).intoMemorySegment(y, yAt + i, LE);
        v1.lanewise(FORM.operator(), q).intoMemorySegment(y, yAt + i + V, LE);
        v2.lanewise(FORM.operator(), q).intoMemorySegment(y, yAt + i + 2 * V, LE);
        v3.lanewise(FORM.operator(), q).intoMemorySegment(y, yAt + i + 3 * V, LE);
      }
      for (; i < stop; i += V) {
        FloatVector.fromMemorySegment(F, a, aAt + i, LE)
            .lanewise(FORM.operator(), q)
            .intoMemorySegment(y, yAt + i, LE);
      }
      if (!whole) {
        end.intoMemorySegment(y, yAt + last, LE);
      }
      aAt += aRow;
      bAt += bRow;
      yAt += yRow;
    }
  }

  private static int both(
      MemorySegment a,
      long aAt,
      MemorySegment b,
      long bAt,
      MemorySegment y,
      long yAt,
      int n,
      boolean unrolled) {
    a = exact(a);
    b = exact(b);
    y = exact(y);
    int i = 0;
    if (unrolled) {
      i = VectorStep.head(y, yAt);
      FloatVector.fromMemorySegment(F, a, aAt, LE)
          .lanewise(FORM.operator(), FloatVector.fromMemorySegment(F, b, bAt, LE))
          .intoMemorySegment(y, yAt, LE, VectorMask.fromLong(F, (1L << i) - 1));
      for (; i <= n - L; i += L) {
        FloatVector.fromMemorySegment(F, a, aAt + 4L * i, LE)
            .lanewise(FORM.operator(), FloatVector.fromMemorySegment(F, b, bAt + 4L * i, LE))
            .intoMemorySegment(y, yAt + 4L * i, LE);
      }
    }
    for (int step = VectorStep.lanes(); i <= n - L; i += step) {
      FloatVector.fromMemorySegment(F, a, aAt + 4L * i, LE)
          .lanewise(FORM.operator(), FloatVector.fromMemorySegment(F, b, bAt + 4L * i, LE))
          .intoMemorySegment(y, yAt + 4L * i, LE);
    }
    return i;
  }

  private static int right(
      MemorySegment a, long aAt, float b, MemorySegment y, long yAt, int n, boolean unrolled) {
    a = exact(a);
    y = exact(y);
    FloatVector q = FloatVector.broadcast(F, b);
    int i = 0;
    if (unrolled) {
      i = VectorStep.head(y, yAt);
      FloatVector.fromMemorySegment(F, a, aAt, LE)
          .lanewise(FORM.operator(), q)
          .intoMemorySegment(y, yAt, LE, VectorMask.fromLong(F, (1L << i) - 1));
      for (; i <= n - L; i += L) {
        FloatVector.fromMemorySegment(F, a, aAt + 4L * i, LE)
            .lanewise(FORM.operator(), q)
            .intoMemorySegment(y, yAt + 4L * i, LE);
      }
    }
    for (int step = VectorStep.lanes(); i <= n - L; i += step) {
      FloatVector.fromMemorySegment(F, a, aAt + 4L * i, LE)
          .lanewise(FORM.operator(), q)
          .intoMemorySegment(y, yAt + 4L * i, LE);
    }
    return i;
  }

  private static int left(
      float a, MemorySegment b, long bAt, MemorySegment y, long yAt, int n, boolean unrolled) {
    b = exact(b);
    y = exact(y);
    FloatVector p = FloatVector.broadcast(F, a);
    int i = 0;
    if (unrolled) {
      i = VectorStep.head(y, yAt);
      p.lanewise(FORM.operator(), FloatVector.fromMemorySegment(F, b, bAt, LE))
          .intoMemorySegment(y, yAt, LE, VectorMask.fromLong(F, (1L << i) - 1));
      for (; i <= n - L; i += L) {
        p.lanewise(FORM.operator(), FloatVector.fromMemorySegment(F, b, bAt + 4L * i, LE))
            .intoMemorySegment(y, yAt + 4L * i, LE);
      }
    }
    for (int step = VectorStep.lanes(); i <= n - L; i += step) {
      p.lanewise(FORM.operator(), FloatVector.fromMemorySegment(F, b, bAt + 4L * i, LE))
          .intoMemorySegment(y, yAt + 4L * i, LE);
    }
    return i;
  }

  private static int constant(
      MemorySegment a, long aAt, MemorySegment b, long bAt, MemorySegment y, long yAt, int n) {
    a = exact(a);
    b = exact(b);
    y = exact(y);
    FloatVector v =
        FloatVector.broadcast(F, a.get(JAVA_FLOAT_UNALIGNED, aAt))
            .lanewise(FORM.operator(), FloatVector.broadcast(F, b.get(JAVA_FLOAT_UNALIGNED, bAt)));
    int step = VectorStep.lanes();
    int i = 0;
    for (; i <= n - L; i += step) {
      v.intoMemorySegment(y, yAt + 4L * i, LE);
    }
    return i;
  }
}
