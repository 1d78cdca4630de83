package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static dev.gridstride.cpu.vector.Carried.FLOATS;
import static dev.gridstride.cpu.vector.Carried.mixed;
import static dev.gridstride.cpu.vector.VectorMath.F;

import dev.gridstride.cpu.NormLoops;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * Normalizations of f32 blocks whose columns have numbers of their own: a vector of columns at a
 * time; see {@link NormLoops}.
 *
 * <p>What reads memory for the first time goes along the rows, four at a time, so that the memory
 * is read as a few streams; the numbers of the columns are read again for each four rows, from the
 * first-level cache.
 */
final class VectorNormColumns {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final int L = F.length();

  private VectorNormColumns() {}

  private static FloatVector load(MemorySegment s, long i) {
    return FloatVector.fromMemorySegment(F, s, 4 * i, LE);
  }

  private static FloatVector load(MemorySegment s, long i, VectorMask<Float> m) {
    return FloatVector.fromMemorySegment(F, s, 4 * i, LE, m);
  }

  private static void store(FloatVector v, MemorySegment s, long i) {
    v.intoMemorySegment(s, 4 * i, LE);
  }

  private static void store(FloatVector v, MemorySegment s, long i, VectorMask<Float> m) {
    v.intoMemorySegment(s, 4 * i, LE, m);
  }

  /** {@link NormLoops#columnMoments}. */
  static void moments(
      MemorySegment x, long at, long stride, int rows, int cols, MemorySegment table) {
    table.asSlice(0, 4L * cols).fill((byte) 0);
    int whole = cols / L * L;
    int r = 0;
    for (; r <= rows - 4; r += 4) {
      addFour(x, at + r * stride, stride, whole, table);
    }
    for (; r < rows; r++) {
      addOne(x, at + r * stride, whole, table);
    }
    float scale = 1f / rows;
    for (int j = 0; j < whole; j += L) {
      deviations(x, at + j, stride, rows, cols, scale, table, j);
    }
    if (whole < cols) {
      tailMoments(x, at + whole, stride, rows, cols, table, whole);
    }
  }

  private static void addFour(MemorySegment x, long at, long stride, int cols, MemorySegment sums) {
    x = exact(x);
    sums = exact(sums);
    long second = at + stride;
    long third = second + stride;
    long fourth = third + stride;
    for (int j = 0; j < cols; j += L) {
      FloatVector a = load(x, at + j).add(load(x, second + j));
      FloatVector b = load(x, third + j).add(load(x, fourth + j));
      store(load(sums, j).add(a.add(b)), sums, j);
    }
  }

  private static void addOne(MemorySegment x, long at, int cols, MemorySegment sums) {
    x = exact(x);
    sums = exact(sums);
    for (int j = 0; j < cols; j += L) {
      store(load(sums, j).add(load(x, at + j)), sums, j);
    }
  }

  private static void deviations(
      MemorySegment x,
      long at,
      long stride,
      int rows,
      int cols,
      float scale,
      MemorySegment table,
      int j) {
    x = exact(x);
    table = exact(table);
    FloatVector p = load(table, j).mul(scale);
    FloatVector s = FloatVector.zero(F);
    FloatVector q = s;
    for (int r = 0; r < rows; r++) {
      if (s.getClass() != FLOATS || q.getClass() != FLOATS) {
        throw mixed();
      }
      FloatVector d = load(x, at + r * stride).sub(p);
      s = s.add(d);
      q = d.fma(d, q);
    }
    store(p, table, j);
    store(s, table, cols + j);
    store(q, table, 2L * cols + j);
  }

  private static void tailMoments(
      MemorySegment x, long at, long stride, int rows, int cols, MemorySegment table, int j) {
    x = exact(x);
    table = exact(table);
    VectorMask<Float> m = F.indexInRange(j, cols);
    FloatVector p = FloatVector.zero(F);
    for (int r = 0; r < rows; r++) {
      if (p.getClass() != FLOATS) {
        throw mixed();
      }
      p = p.add(load(x, at + r * stride, m));
    }
    p = p.mul(1f / rows);
    FloatVector s = FloatVector.zero(F);
    FloatVector q = s;
    for (int r = 0; r < rows; r++) {
      if (s.getClass() != FLOATS || q.getClass() != FLOATS) {
        throw mixed();
      }
      FloatVector d = load(x, at + r * stride, m).sub(p);
      s = s.add(d);
      q = d.fma(d, q);
    }
    store(p, table, j, m);
    store(s, table, cols + j, m);
    store(q, table, 2L * cols + j, m);
  }

  /** {@link NormLoops#columnAffine}. */
  static void affine(
      MemorySegment x,
      MemorySegment y,
      long at,
      long stride,
      int rows,
      int cols,
      MemorySegment table) {
    x = exact(x);
    y = exact(y);
    table = exact(table);
    int whole = cols / L * L;
    int r = 0;
    for (; r <= rows - 4; r += 4) {
      affineFour(x, y, at + r * stride, stride, whole, cols, table);
    }
    for (; r < rows; r++) {
      affineOne(x, y, at + r * stride, whole, cols, table);
    }
    if (whole == cols) {
      return;
    }
    VectorMask<Float> m = F.indexInRange(whole, cols);
    FloatVector p = load(table, whole, m);
    FloatVector f = load(table, cols + whole, m);
    FloatVector o = load(table, 2L * cols + whole, m);
    for (r = 0; r < rows; r++) {
      long i = at + r * stride + whole;
      store(load(x, i, m).sub(p).fma(f, o), y, i, m);
    }
  }

  private static void affineFour(
      MemorySegment x,
      MemorySegment y,
      long at,
      long stride,
      int whole,
      int cols,
      MemorySegment table) {
    x = exact(x);
    y = exact(y);
    table = exact(table);
    long second = at + stride;
    long third = second + stride;
    long fourth = third + stride;
    for (int j = 0; j < whole; j += L) {
      FloatVector p = load(table, j);
      FloatVector f = load(table, cols + j);
      FloatVector o = load(table, 2L * cols + j);
      store(load(x, at + j).sub(p).fma(f, o), y, at + j);
      store(load(x, second + j).sub(p).fma(f, o), y, second + j);
      store(load(x, third + j).sub(p).fma(f, o), y, third + j);
      store(load(x, fourth + j).sub(p).fma(f, o), y, fourth + j);
    }
  }

  private static void affineOne(
      MemorySegment x, MemorySegment y, long at, int whole, int cols, MemorySegment table) {
    x = exact(x);
    y = exact(y);
    table = exact(table);
    for (int j = 0; j < whole; j += L) {
      FloatVector v = load(x, at + j).sub(load(table, j));
      store(v.fma(load(table, cols + j), load(table, 2L * cols + j)), y, at + j);
    }
  }

  /** {@link NormLoops#columnSums}. */
  static void sums(
      MemorySegment x,
      MemorySegment dy,
      long at,
      long stride,
      int rows,
      int cols,
      MemorySegment table) {
    table.asSlice(4L * cols, 12L * cols).fill((byte) 0);
    int whole = cols / L * L;
    int r = 0;
    for (; r <= rows - 4; r += 4) {
      sumsFour(x, dy, at + r * stride, stride, whole, cols, table);
    }
    for (; r < rows; r++) {
      sumsOne(x, dy, at + r * stride, whole, cols, table);
    }
    if (whole < cols) {
      tailSums(x, dy, at + whole, stride, rows, cols, table, whole);
    }
  }

  private static void sumsFour(
      MemorySegment x,
      MemorySegment dy,
      long at,
      long stride,
      int whole,
      int cols,
      MemorySegment table) {
    x = exact(x);
    dy = exact(dy);
    table = exact(table);
    long second = at + stride;
    long third = second + stride;
    long fourth = third + stride;
    for (int j = 0; j < whole; j += L) {
      FloatVector p = load(table, j);
      FloatVector u = load(x, at + j).sub(p);
      FloatVector d = load(dy, at + j);
      FloatVector s = d;
      FloatVector v = u;
      FloatVector q = d.fma(u, load(table, 2L * cols + j));
      u = load(x, second + j).sub(p);
      d = load(dy, second + j);
      s = s.add(d);
      v = v.add(u);
      q = d.fma(u, q);
      u = load(x, third + j).sub(p);
      d = load(dy, third + j);
      s = s.add(d);
      v = v.add(u);
      q = d.fma(u, q);
      u = load(x, fourth + j).sub(p);
      d = load(dy, fourth + j);
      store(load(table, cols + j).add(s.add(d)), table, cols + j);
      store(d.fma(u, q), table, 2L * cols + j);
      store(load(table, 3L * cols + j).add(v.add(u)), table, 3L * cols + j);
    }
  }

  private static void sumsOne(
      MemorySegment x, MemorySegment dy, long at, int whole, int cols, MemorySegment table) {
    x = exact(x);
    dy = exact(dy);
    table = exact(table);
    for (int j = 0; j < whole; j += L) {
      FloatVector u = load(x, at + j).sub(load(table, j));
      FloatVector d = load(dy, at + j);
      store(load(table, cols + j).add(d), table, cols + j);
      store(d.fma(u, load(table, 2L * cols + j)), table, 2L * cols + j);
      store(load(table, 3L * cols + j).add(u), table, 3L * cols + j);
    }
  }

  private static void tailSums(
      MemorySegment x,
      MemorySegment dy,
      long at,
      long stride,
      int rows,
      int cols,
      MemorySegment table,
      int j) {
    x = exact(x);
    dy = exact(dy);
    table = exact(table);
    VectorMask<Float> m = F.indexInRange(j, cols);
    FloatVector p = load(table, j, m);
    FloatVector s = FloatVector.zero(F);
    FloatVector q = s;
    FloatVector v = s;
    for (int r = 0; r < rows; r++) {
      if (s.getClass() != FLOATS || q.getClass() != FLOATS || v.getClass() != FLOATS) {
        throw mixed();
      }
      FloatVector u = load(x, at + r * stride, m).sub(p);
      FloatVector d = load(dy, at + r * stride, m);
      s = s.add(d);
      q = d.fma(u, q);
      v = v.add(u);
    }
    store(s, table, cols + j, m);
    store(q, table, 2L * cols + j, m);
    store(v, table, 3L * cols + j, m);
  }

  /** {@link NormLoops#columnGradient}. */
  static void gradient(
      MemorySegment x,
      MemorySegment dy,
      MemorySegment dx,
      long at,
      long stride,
      int rows,
      int cols,
      MemorySegment table) {
    x = exact(x);
    dy = exact(dy);
    dx = exact(dx);
    table = exact(table);
    int whole = cols / L * L;
    int r = 0;
    for (; r <= rows - 2; r += 2) {
      gradientTwo(x, dy, dx, at + r * stride, stride, whole, cols, table);
    }
    for (; r < rows; r++) {
      gradientTwo(x, dy, dx, at + r * stride, 0, whole, cols, table);
    }
    if (whole == cols) {
      return;
    }
    VectorMask<Float> m = F.indexInRange(whole, cols);
    FloatVector p = load(table, whole, m);
    FloatVector a = load(table, cols + whole, m);
    FloatVector b = load(table, 2L * cols + whole, m);
    FloatVector c = load(table, 3L * cols + whole, m);
    for (r = 0; r < rows; r++) {
      long i = at + r * stride + whole;
      store(load(dy, i, m).fma(a, load(x, i, m).sub(p).fma(b, c)), dx, i, m);
    }
  }

  /** Two rows; with a stride of 0 one row, whose result is computed twice before it is stored. */
  private static void gradientTwo(
      MemorySegment x,
      MemorySegment dy,
      MemorySegment dx,
      long at,
      long stride,
      int whole,
      int cols,
      MemorySegment table) {
    x = exact(x);
    dy = exact(dy);
    dx = exact(dx);
    table = exact(table);
    long second = at + stride;
    for (int j = 0; j < whole; j += L) {
      FloatVector p = load(table, j);
      FloatVector a = load(table, cols + j);
      FloatVector b = load(table, 2L * cols + j);
      FloatVector c = load(table, 3L * cols + j);
      FloatVector u = load(dy, at + j).fma(a, load(x, at + j).sub(p).fma(b, c));
      FloatVector v = load(dy, second + j).fma(a, load(x, second + j).sub(p).fma(b, c));
      store(u, dx, at + j);
      store(v, dx, second + j);
    }
  }
}
