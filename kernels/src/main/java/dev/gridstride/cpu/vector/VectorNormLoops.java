package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static dev.gridstride.cpu.vector.Carried.FLOATS;
import static dev.gridstride.cpu.vector.Carried.mixed;
import static dev.gridstride.cpu.vector.VectorMath.F;

import dev.gridstride.cpu.Elements;
import dev.gridstride.cpu.NormLoops;
import dev.gridstride.cpu.scalar.ScalarNormLoops;
import dev.gridstride.device.DType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import org.jspecify.annotations.Nullable;

/**
 * Normalizations of f32 runs by the Vector API; sums in f32, one or two partial sums for each lane.
 * The loops over blocks of columns are those of {@link VectorNormColumns}.
 */
public final class VectorNormLoops implements NormLoops {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final int L = F.length();
  private static final Elements TABLE = Elements.of(DType.F32);

  /** For runs that are shorter than a vector. */
  private static final ScalarNormLoops SHORT = new ScalarNormLoops(DType.F32);

  @Override
  public Elements tableElements() {
    return TABLE;
  }

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

  /**
   * The last vector of a run, of which only the last {@code n} lanes have not been counted: the
   * others become 0. Masked loads instead would make the methods with sums so large that the JIT no
   * longer inlines {@link LaneSums} and boxes the vectors.
   */
  private static FloatVector last(FloatVector v, int n) {
    return v.blend(0f, VectorMask.fromLong(F, (1L << (L - n)) - 1));
  }

  @Override
  public void moments(MemorySegment x, long at, int n, boolean centered, double[] moments) {
    if (n < L) {
      SHORT.moments(x, at, n, centered, moments);
      return;
    }
    float pivot = centered ? sum(x, at, n) / n : 0;
    deviations(x, at, n, pivot, moments);
    double s = moments[0];
    moments[0] = centered ? pivot + s / n : 0;
    moments[1] = centered ? Math.max(0, moments[1] - s * s / n) : moments[1];
  }

  private static float sum(MemorySegment x, long at, int n) {
    x = exact(x);
    FloatVector a = FloatVector.zero(F);
    FloatVector b = a;
    int i = 0;
    for (; i <= n - 2 * L; i += 2 * L) {
      if (a.getClass() != FLOATS || b.getClass() != FLOATS) {
        throw mixed();
      }
      a = a.add(load(x, at + i));
      b = b.add(load(x, at + i + L));
    }
    if (i <= n - L) {
      a = a.add(load(x, at + i));
      i += L;
    }
    if (i < n) {
      b = b.add(last(load(x, at + n - L), n - i));
    }
    a = a.add(b);
    if (L >= 16) {
      a = a.add(a.rearrange(LaneSums.SWAP_8));
    }
    if (L >= 8) {
      a = a.add(a.rearrange(LaneSums.SWAP_4));
    }
    a = a.add(a.rearrange(LaneSums.SWAP_2));
    a = a.add(a.rearrange(LaneSums.SWAP_1));
    return a.lane(0);
  }

  /** The sum of the deviations from the pivot, and that of their squares. */
  private static void deviations(MemorySegment x, long at, int n, float pivot, double[] sums) {
    x = exact(x);
    FloatVector p = FloatVector.broadcast(F, pivot);
    FloatVector s = FloatVector.zero(F);
    FloatVector a = s;
    int i = 0;
    for (; i <= n - L; i += L) {
      if (s.getClass() != FLOATS || a.getClass() != FLOATS) {
        throw mixed();
      }
      FloatVector u = load(x, at + i).sub(p);
      s = s.add(u);
      a = u.fma(u, a);
    }
    if (i < n) {
      FloatVector u = last(load(x, at + n - L).sub(p), n - i);
      s = s.add(u);
      a = u.fma(u, a);
    }
    if (L >= 16) {
      s = s.add(s.rearrange(LaneSums.SWAP_8));
    }
    if (L >= 8) {
      s = s.add(s.rearrange(LaneSums.SWAP_4));
    }
    s = s.add(s.rearrange(LaneSums.SWAP_2));
    s = s.add(s.rearrange(LaneSums.SWAP_1));
    if (L >= 16) {
      a = a.add(a.rearrange(LaneSums.SWAP_8));
    }
    if (L >= 8) {
      a = a.add(a.rearrange(LaneSums.SWAP_4));
    }
    a = a.add(a.rearrange(LaneSums.SWAP_2));
    a = a.add(a.rearrange(LaneSums.SWAP_1));
    sums[0] = s.lane(0);
    sums[1] = a.lane(0);
  }

  @Override
  public void affine(
      MemorySegment x, MemorySegment y, long at, int n, double pivot, double scale, double offset) {
    x = exact(x);
    y = exact(y);
    FloatVector p = FloatVector.broadcast(F, (float) pivot);
    FloatVector f = FloatVector.broadcast(F, (float) scale);
    FloatVector o = FloatVector.broadcast(F, (float) offset);
    if (n < L) {
      VectorMask<Float> m = F.indexInRange(0, n);
      store(load(x, at, m).sub(p).fma(f, o), y, at, m);
      return;
    }
    // the last vector has elements of the one before: read before they change, as y may be x
    FloatVector end = load(x, at + n - L).sub(p).fma(f, o);
    int i = 0;
    for (; i <= n - L; i += L) {
      store(load(x, at + i).sub(p).fma(f, o), y, at + i);
    }
    if (i < n) {
      store(end, y, at + n - L);
    }
  }

  @Override
  public void affine(
      MemorySegment x,
      MemorySegment y,
      long at,
      int n,
      double pivot,
      double scale,
      double offset,
      MemorySegment gamma,
      @Nullable MemorySegment beta,
      long g) {
    if (beta == null) {
      scaled(x, y, at, n, (float) pivot, (float) scale, (float) offset, gamma, g);
    } else {
      shifted(x, y, at, n, (float) pivot, (float) scale, (float) offset, gamma, beta, g);
    }
  }

  private static void scaled(
      MemorySegment x,
      MemorySegment y,
      long at,
      int n,
      float pivot,
      float scale,
      float offset,
      MemorySegment gamma,
      long g) {
    x = exact(x);
    y = exact(y);
    gamma = exact(gamma);
    FloatVector f = FloatVector.broadcast(F, scale);
    FloatVector o = FloatVector.broadcast(F, offset);
    int i = 0;
    for (; i <= n - L; i += L) {
      store(load(x, at + i).sub(pivot).fma(f, o).mul(load(gamma, g + i)), y, at + i);
    }
    if (i < n) {
      VectorMask<Float> m = F.indexInRange(i, n);
      store(load(x, at + i, m).sub(pivot).fma(f, o).mul(load(gamma, g + i, m)), y, at + i, m);
    }
  }

  private static void shifted(
      MemorySegment x,
      MemorySegment y,
      long at,
      int n,
      float pivot,
      float scale,
      float offset,
      MemorySegment gamma,
      MemorySegment beta,
      long g) {
    x = exact(x);
    y = exact(y);
    gamma = exact(gamma);
    beta = exact(beta);
    FloatVector f = FloatVector.broadcast(F, scale);
    FloatVector o = FloatVector.broadcast(F, offset);
    int i = 0;
    for (; i <= n - L; i += L) {
      FloatVector v = load(x, at + i).sub(pivot).fma(f, o);
      store(v.fma(load(gamma, g + i), load(beta, g + i)), y, at + i);
    }
    if (i < n) {
      VectorMask<Float> m = F.indexInRange(i, n);
      FloatVector v = load(x, at + i, m).sub(pivot).fma(f, o);
      store(v.fma(load(gamma, g + i, m), load(beta, g + i, m)), y, at + i, m);
    }
  }

  @Override
  public void gradientSums(
      MemorySegment x,
      MemorySegment dy,
      long at,
      int n,
      double pivot,
      @Nullable MemorySegment gamma,
      long g,
      double[] sums) {
    if (n < L) {
      SHORT.gradientSums(x, dy, at, n, pivot, gamma, g, sums);
    } else if (gamma == null) {
      plainSums(x, dy, at, n, (float) pivot, sums);
    } else {
      weightedSums(x, dy, at, n, (float) pivot, gamma, g, sums);
    }
  }

  private static void plainSums(
      MemorySegment x, MemorySegment dy, long at, int n, float pivot, double[] sums) {
    x = exact(x);
    dy = exact(dy);
    FloatVector a = FloatVector.zero(F);
    FloatVector b = a;
    FloatVector c = a;
    int i = 0;
    for (; i <= n - L; i += L) {
      if (a.getClass() != FLOATS || b.getClass() != FLOATS || c.getClass() != FLOATS) {
        throw mixed();
      }
      FloatVector d = load(dy, at + i);
      FloatVector v = load(x, at + i).sub(pivot);
      a = a.add(d);
      b = d.fma(v, b);
      c = c.add(v);
    }
    if (i < n) {
      FloatVector d = last(load(dy, at + n - L), n - i);
      FloatVector v = last(load(x, at + n - L).sub(pivot), n - i);
      a = a.add(d);
      b = d.fma(v, b);
      c = c.add(v);
    }
    if (L >= 16) {
      a = a.add(a.rearrange(LaneSums.SWAP_8));
    }
    if (L >= 8) {
      a = a.add(a.rearrange(LaneSums.SWAP_4));
    }
    a = a.add(a.rearrange(LaneSums.SWAP_2));
    a = a.add(a.rearrange(LaneSums.SWAP_1));
    if (L >= 16) {
      b = b.add(b.rearrange(LaneSums.SWAP_8));
    }
    if (L >= 8) {
      b = b.add(b.rearrange(LaneSums.SWAP_4));
    }
    b = b.add(b.rearrange(LaneSums.SWAP_2));
    b = b.add(b.rearrange(LaneSums.SWAP_1));
    if (L >= 16) {
      c = c.add(c.rearrange(LaneSums.SWAP_8));
    }
    if (L >= 8) {
      c = c.add(c.rearrange(LaneSums.SWAP_4));
    }
    c = c.add(c.rearrange(LaneSums.SWAP_2));
    c = c.add(c.rearrange(LaneSums.SWAP_1));
    sums[0] += a.lane(0);
    sums[1] += b.lane(0);
    sums[2] += c.lane(0);
  }

  private static void weightedSums(
      MemorySegment x,
      MemorySegment dy,
      long at,
      int n,
      float pivot,
      MemorySegment gamma,
      long g,
      double[] sums) {
    x = exact(x);
    dy = exact(dy);
    gamma = exact(gamma);
    float[] lanes = LaneSums.floats();
    FloatVector a = FloatVector.zero(F);
    FloatVector b = a;
    FloatVector c = a;
    int i = 0;
    for (; i <= n - L; i += L) {
      if (a.getClass() != FLOATS || b.getClass() != FLOATS || c.getClass() != FLOATS) {
        throw mixed();
      }
      FloatVector d = load(dy, at + i).mul(load(gamma, g + i));
      FloatVector v = load(x, at + i).sub(pivot);
      a = a.add(d);
      b = d.fma(v, b);
      c = c.add(v);
    }
    if (i < n) {
      FloatVector d = last(load(dy, at + n - L).mul(load(gamma, g + n - L)), n - i);
      FloatVector v = last(load(x, at + n - L).sub(pivot), n - i);
      a = a.add(d);
      b = d.fma(v, b);
      c = c.add(v);
    }
    a.intoArray(lanes, 0);
    sums[0] += LaneSums.sum(lanes);
    b.intoArray(lanes, 0);
    sums[1] += LaneSums.sum(lanes);
    c.intoArray(lanes, 0);
    sums[2] += LaneSums.sum(lanes);
  }

  @Override
  public void gradient(
      MemorySegment x,
      MemorySegment dy,
      MemorySegment dx,
      long at,
      int n,
      double pivot,
      double a,
      double b,
      double c,
      @Nullable MemorySegment gamma,
      long g) {
    if (gamma == null) {
      plainGradient(x, dy, dx, at, n, (float) pivot, (float) a, (float) b, (float) c);
    } else {
      weightedGradient(x, dy, dx, at, n, (float) pivot, (float) a, (float) b, (float) c, gamma, g);
    }
  }

  private static void plainGradient(
      MemorySegment x,
      MemorySegment dy,
      MemorySegment dx,
      long at,
      int n,
      float pivot,
      float a,
      float b,
      float c) {
    x = exact(x);
    dy = exact(dy);
    dx = exact(dx);
    FloatVector f = FloatVector.broadcast(F, a);
    FloatVector k = FloatVector.broadcast(F, b);
    FloatVector o = FloatVector.broadcast(F, c);
    if (n < L) {
      VectorMask<Float> m = F.indexInRange(0, n);
      store(load(dy, at, m).fma(f, load(x, at, m).sub(pivot).fma(k, o)), dx, at, m);
      return;
    }
    // see affine
    FloatVector end = load(dy, at + n - L).fma(f, load(x, at + n - L).sub(pivot).fma(k, o));
    int i = 0;
    for (; i <= n - L; i += L) {
      store(load(dy, at + i).fma(f, load(x, at + i).sub(pivot).fma(k, o)), dx, at + i);
    }
    if (i < n) {
      store(end, dx, at + n - L);
    }
  }

  private static void weightedGradient(
      MemorySegment x,
      MemorySegment dy,
      MemorySegment dx,
      long at,
      int n,
      float pivot,
      float a,
      float b,
      float c,
      MemorySegment gamma,
      long g) {
    x = exact(x);
    dy = exact(dy);
    dx = exact(dx);
    gamma = exact(gamma);
    FloatVector f = FloatVector.broadcast(F, a);
    FloatVector k = FloatVector.broadcast(F, b);
    FloatVector o = FloatVector.broadcast(F, c);
    int i = 0;
    for (; i <= n - L; i += L) {
      FloatVector v = load(x, at + i).sub(pivot).fma(k, o);
      store(load(dy, at + i).mul(load(gamma, g + i)).fma(f, v), dx, at + i);
    }
    if (i < n) {
      VectorMask<Float> m = F.indexInRange(i, n);
      FloatVector v = load(x, at + i, m).sub(pivot).fma(k, o);
      store(load(dy, at + i, m).mul(load(gamma, g + i, m)).fma(f, v), dx, at + i, m);
    }
  }

  @Override
  public void addParameters(
      MemorySegment x,
      MemorySegment dy,
      long at,
      int n,
      double pivot,
      double scale,
      double offset,
      MemorySegment table,
      long to,
      long kind) {
    x = exact(x);
    dy = exact(dy);
    table = exact(table);
    float p = (float) pivot;
    FloatVector f = FloatVector.broadcast(F, (float) scale);
    FloatVector o = FloatVector.broadcast(F, (float) offset);
    int i = 0;
    for (; i <= n - L; i += L) {
      FloatVector d = load(dy, at + i);
      FloatVector v = load(x, at + i).sub(p).fma(f, o);
      store(d.fma(v, load(table, to + i)), table, to + i);
      store(d.add(load(table, to + kind + i)), table, to + kind + i);
    }
    if (i < n) {
      VectorMask<Float> m = F.indexInRange(i, n);
      FloatVector d = load(dy, at + i, m);
      FloatVector v = load(x, at + i, m).sub(p).fma(f, o);
      store(d.fma(v, load(table, to + i, m)), table, to + i, m);
      store(d.add(load(table, to + kind + i, m)), table, to + kind + i, m);
    }
  }

  @Override
  public int rowForward(
      MemorySegment x,
      MemorySegment gamma,
      @Nullable MemorySegment beta,
      MemorySegment y,
      int first,
      int rows,
      int cols,
      boolean centered,
      double eps,
      double[] pivots,
      double[] rstds) {
    return VectorNormRows.forward(
        x, gamma, beta, y, first, rows, cols, centered, eps, pivots, rstds);
  }

  @Override
  public boolean rowGradients(
      MemorySegment x,
      MemorySegment gamma,
      MemorySegment dy,
      MemorySegment dx,
      int first,
      int rows,
      int cols,
      boolean centered,
      double[] pivots,
      double[] rstds,
      MemorySegment table) {
    return VectorNormRows.gradients(
        x, gamma, dy, dx, first, rows, cols, centered, pivots, rstds, table);
  }

  @Override
  public void columnMoments(
      MemorySegment x, long at, long stride, int rows, int cols, MemorySegment table) {
    VectorNormColumns.moments(x, at, stride, rows, cols, table);
  }

  @Override
  public void columnAffine(
      MemorySegment x,
      MemorySegment y,
      long at,
      long stride,
      int rows,
      int cols,
      MemorySegment table) {
    VectorNormColumns.affine(x, y, at, stride, rows, cols, table);
  }

  @Override
  public void columnSums(
      MemorySegment x,
      MemorySegment dy,
      long at,
      long stride,
      int rows,
      int cols,
      MemorySegment table) {
    VectorNormColumns.sums(x, dy, at, stride, rows, cols, table);
  }

  @Override
  public void columnGradient(
      MemorySegment x,
      MemorySegment dy,
      MemorySegment dx,
      long at,
      long stride,
      int rows,
      int cols,
      MemorySegment table) {
    VectorNormColumns.gradient(x, dy, dx, at, stride, rows, cols, table);
  }
}
