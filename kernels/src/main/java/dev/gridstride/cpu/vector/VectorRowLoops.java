package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static dev.gridstride.cpu.vector.Carried.FLOATS;
import static dev.gridstride.cpu.vector.Carried.mixed;
import static dev.gridstride.cpu.vector.VectorMath.F;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gridstride.cpu.Apart;
import dev.gridstride.cpu.RowLoops;
import dev.gridstride.cpu.Scratch;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Runs of rows by the Vector API; sums in f32, one to four partial sums for each lane.
 *
 * <p>Several accumulators hide the latency of addition and comparison; the exponential is long
 * enough to need only one. It stands once in each method, in a loop that is run for the whole
 * vectors and again for the rest in a padded vector of scratch: a method with two is so large that
 * the JIT stops inlining (18,000 nodes), and then every vector is boxed. {@link #storeExp} is so
 * near that number that its loop is called by {@link Apart}, once for either.
 *
 * <p>Memory is read by {@link FloatVector#fromMemorySegment} itself, not by a method around it: the
 * JIT does not inline our own small methods where a profile says that a call is rare, as those for
 * the last few vectors of long rows, and a vector that crosses a call makes all of a loop's vectors
 * boxed. Loops of several sums are written as those of {@link VectorReduceLoops}, so that loads
 * stay in order.
 */
public final class VectorRowLoops implements RowLoops {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final int L = F.length();
  private static final int V = F.vectorByteSize();
  private static final Scratch TAILS = new Scratch();

  /** {@code exp(x - shift)}. Never inlined: with what surrounds it, it has too many nodes. */
  private static final Apart.Summed EXPONENTIALS = VectorRowLoops::exponentials;

  private static float get(MemorySegment s, long i) {
    return s.get(JAVA_FLOAT_UNALIGNED, 4 * i);
  }

  @Override
  public float max(MemorySegment x, long at, int n) {
    x = exact(x);
    // one comparison a vector, unlike Vector.max; a NaN is never greater
    FloatVector a = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    FloatVector b = a;
    int i = 0;
    for (; i + 2 * L <= n; i += 2 * L) {
      if (a.getClass() != FLOATS || b.getClass() != FLOATS) {
        throw mixed();
      }
      long p = 4 * (at + i);
      FloatVector v = FloatVector.fromMemorySegment(F, x, p, LE);
      a = a.blend(v, v.compare(VectorOperators.GT, a));
      v = FloatVector.fromMemorySegment(F, x, p + V, LE);
      b = b.blend(v, v.compare(VectorOperators.GT, b));
    }
    for (; i <= n - L; i += L) {
      if (a.getClass() != FLOATS) {
        throw mixed();
      }
      FloatVector v = FloatVector.fromMemorySegment(F, x, 4 * (at + i), LE);
      a = a.blend(v, v.compare(VectorOperators.GT, a));
    }
    a = a.blend(b, b.compare(VectorOperators.GT, a));
    float max = a.reduceLanes(VectorOperators.MAX);
    for (; i < n; i++) {
      float v = get(x, at + i);
      max = v > max ? v : max;
    }
    return max;
  }

  @Override
  public float sum(MemorySegment x, long at, int n) {
    return sumShifted(x, at, n, 0);
  }

  /** The last elements of a row in a vector of scratch, padded by what has an exponential of 0. */
  private static MemorySegment tail(MemorySegment x, long at, int rest) {
    x = exact(x);
    MemorySegment t = exact(TAILS.get(V));
    move(x, at, t, 0, rest);
    for (int i = rest; i < L; i++) {
      t.set(JAVA_FLOAT_UNALIGNED, 4L * i, Float.NEGATIVE_INFINITY);
    }
    return t;
  }

  /** Fewer than a vector of elements; {@code MemorySegment.copy} is half of what may be inlined. */
  private static void move(MemorySegment from, long at, MemorySegment to, long target, int n) {
    from = exact(from);
    to = exact(to);
    for (int i = 0; i < n; i++) {
      to.set(JAVA_FLOAT_UNALIGNED, 4 * (target + i), get(from, at + i));
    }
  }

  @Override
  public float sumExp(MemorySegment x, long at, int n, float shift) {
    float[] lanes = LaneSums.floats();
    int rest = n % L;
    MemorySegment t = rest == 0 ? x : tail(x, at + n - rest, rest);
    FloatVector a = FloatVector.zero(F);
    for (int part = 0; part < 2; part++) {
      MemorySegment from = exact(part == 0 ? x : t);
      long first = part == 0 ? 4 * at : 0;
      int end = part == 0 ? 4 * (n - rest) : rest == 0 ? 0 : V;
      for (int i = 0; i < end; i += V) {
        if (a.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector v = FloatVector.fromMemorySegment(F, from, first + i, LE);
        a = a.add(VectorMath.expFlushed(v.sub(shift)));
      }
    }
    a.intoArray(lanes, 0);
    return LaneSums.sum(lanes);
  }

  @Override
  public float storeExp(MemorySegment x, long at, MemorySegment y, long to, int n, float shift) {
    float[] lanes = LaneSums.floats();
    Arrays.fill(lanes, 0);
    int rest = n % L;
    if (rest < n) {
      Apart.run(EXPONENTIALS, x, 4 * at, y, 4 * to, 4 * (n - rest), shift, lanes);
    }
    if (rest > 0) {
      MemorySegment t = tail(x, at + n - rest, rest);
      Apart.run(EXPONENTIALS, t, 0, t, 0, V, shift, lanes);
      move(t, 0, y, to + n - rest, rest);
    }
    return LaneSums.sum(lanes);
  }

  private static void exponentials(
      MemorySegment x, long at, MemorySegment y, long to, int bytes, float shift, float[] lanes) {
    x = exact(x);
    y = exact(y);
    FloatVector a = FloatVector.fromArray(F, lanes, 0);
    for (int i = 0; i < bytes; i += V) {
      if (a.getClass() != FLOATS) {
        throw mixed();
      }
      FloatVector v = FloatVector.fromMemorySegment(F, x, at + i, LE);
      FloatVector p = VectorMath.expFlushed(v.sub(shift));
      p.intoMemorySegment(y, to + i, LE);
      a = a.add(p);
    }
    a.intoArray(lanes, 0);
  }

  @Override
  public float sumShifted(MemorySegment x, long at, int n, float shift) {
    x = exact(x);
    float[] lanes = LaneSums.floats();
    FloatVector a = FloatVector.zero(F);
    FloatVector b = a;
    int i = 0;
    for (; i + 2 * L <= n; i += 2 * L) {
      if (a.getClass() != FLOATS || b.getClass() != FLOATS) {
        throw mixed();
      }
      long p = 4 * (at + i);
      a = a.add(FloatVector.fromMemorySegment(F, x, p, LE).sub(shift));
      b = b.add(FloatVector.fromMemorySegment(F, x, p + V, LE).sub(shift));
    }
    for (; i <= n - L; i += L) {
      if (a.getClass() != FLOATS) {
        throw mixed();
      }
      a = a.add(FloatVector.fromMemorySegment(F, x, 4 * (at + i), LE).sub(shift));
    }
    a.add(b).intoArray(lanes, 0);
    float rest = 0; // one by one: a mask would cost more than these few
    for (; i < n; i++) {
      rest += get(x, at + i) - shift;
    }
    return LaneSums.sum(lanes) + rest;
  }

  @Override
  public float dotShifted(MemorySegment q, long qAt, MemorySegment x, long at, int n, float shift) {
    q = exact(q);
    x = exact(x);
    float[] lanes = LaneSums.floats();
    FloatVector a = FloatVector.zero(F);
    FloatVector b = a;
    int i = 0;
    for (; i + 2 * L <= n; i += 2 * L) {
      if (a.getClass() != FLOATS || b.getClass() != FLOATS) {
        throw mixed();
      }
      FloatVector w = FloatVector.fromMemorySegment(F, q, 4 * (qAt + i), LE);
      FloatVector v = FloatVector.fromMemorySegment(F, x, 4 * (at + i), LE).sub(shift);
      a = a.blend(w.fma(v, a), w.compare(VectorOperators.NE, 0f));
      w = FloatVector.fromMemorySegment(F, q, 4 * (qAt + i) + V, LE);
      v = FloatVector.fromMemorySegment(F, x, 4 * (at + i) + V, LE).sub(shift);
      b = b.blend(w.fma(v, b), w.compare(VectorOperators.NE, 0f));
    }
    if (i <= n - L) {
      FloatVector w = FloatVector.fromMemorySegment(F, q, 4 * (qAt + i), LE);
      FloatVector v = FloatVector.fromMemorySegment(F, x, 4 * (at + i), LE).sub(shift);
      a = a.blend(w.fma(v, a), w.compare(VectorOperators.NE, 0f));
      i += L;
    }
    a.add(b).intoArray(lanes, 0);
    float rest = 0;
    for (; i < n; i++) {
      float w = get(q, qAt + i);
      rest = w == 0 ? rest : Math.fma(w, get(x, at + i) - shift, rest);
    }
    return LaneSums.sum(lanes) + rest;
  }

  @Override
  public void subtract(MemorySegment x, MemorySegment y, long at, int n, float max, float logSum) {
    x = exact(x);
    y = exact(y);
    FloatVector m = FloatVector.broadcast(F, max);
    FloatVector s = FloatVector.broadcast(F, logSum);
    int i = 0;
    if (n >= VectorStep.LONG) {
      i = VectorStep.head(y, 4 * at);
      FloatVector.fromMemorySegment(F, x, 4 * at, LE)
          .sub(m)
          .sub(s)
          .intoMemorySegment(y, 4 * at, LE, VectorMask.fromLong(F, (1L << i) - 1));
      for (; i <= n - L; i += L) {
        FloatVector.fromMemorySegment(F, x, 4 * (at + i), LE)
            .sub(m)
            .sub(s)
            .intoMemorySegment(y, 4 * (at + i), LE);
      }
    }
    for (int step = VectorStep.lanes(); i <= n - L; i += step) {
      FloatVector.fromMemorySegment(F, x, 4 * (at + i), LE)
          .sub(m)
          .sub(s)
          .intoMemorySegment(y, 4 * (at + i), LE);
    }
    for (; i < n; i++) {
      y.set(JAVA_FLOAT_UNALIGNED, 4 * (at + i), get(x, at + i) - max - logSum);
    }
  }

  @Override
  public void scale(MemorySegment y, long at, int n, float factor, float less) {
    y = exact(y);
    FloatVector f = FloatVector.broadcast(F, factor);
    FloatVector b = FloatVector.broadcast(F, -less);
    int i = 0;
    if (n >= VectorStep.LONG) {
      i = VectorStep.head(y, 4 * at);
      FloatVector.fromMemorySegment(F, y, 4 * at, LE)
          .fma(f, b)
          .intoMemorySegment(y, 4 * at, LE, VectorMask.fromLong(F, (1L << i) - 1));
      for (; i <= n - L; i += L) {
        FloatVector.fromMemorySegment(F, y, 4 * (at + i), LE)
            .fma(f, b)
            .intoMemorySegment(y, 4 * (at + i), LE);
      }
    }
    for (int step = VectorStep.lanes(); i <= n - L; i += step) {
      FloatVector.fromMemorySegment(F, y, 4 * (at + i), LE)
          .fma(f, b)
          .intoMemorySegment(y, 4 * (at + i), LE);
    }
    for (; i < n; i++) {
      y.set(JAVA_FLOAT_UNALIGNED, 4 * (at + i), Math.fma(get(y, at + i), factor, -less));
    }
  }

  @Override
  public void scaleMinus(
      MemorySegment y, long at, MemorySegment q, long qAt, int n, float factor, float weight) {
    y = exact(y);
    q = exact(q);
    FloatVector f = FloatVector.broadcast(F, factor);
    FloatVector w = FloatVector.broadcast(F, -weight);
    int step = VectorStep.lanes();
    int i = 0;
    for (; i <= n - L; i += step) {
      FloatVector v = FloatVector.fromMemorySegment(F, y, 4 * (at + i), LE).mul(f);
      FloatVector.fromMemorySegment(F, q, 4 * (qAt + i), LE)
          .fma(w, v)
          .intoMemorySegment(y, 4 * (at + i), LE);
    }
    for (; i < n; i++) {
      float v = Math.fma(get(q, qAt + i), -weight, get(y, at + i) * factor);
      y.set(JAVA_FLOAT_UNALIGNED, 4 * (at + i), v);
    }
  }

  @Override
  public void mix(
      MemorySegment q, long qAt, int n, float factor, float add, MemorySegment weight, long at) {
    q = exact(q);
    weight = exact(weight);
    FloatVector f = FloatVector.broadcast(F, factor);
    FloatVector b = FloatVector.broadcast(F, add);
    int step = VectorStep.lanes();
    int i = 0;
    for (; i <= n - L; i += step) {
      FloatVector.fromMemorySegment(F, q, 4 * (qAt + i), LE)
          .fma(f, b)
          .mul(FloatVector.fromMemorySegment(F, weight, 4 * (at + i), LE))
          .intoMemorySegment(q, 4 * (qAt + i), LE);
    }
    for (; i < n; i++) {
      float v = Math.fma(get(q, qAt + i), factor, add) * get(weight, at + i);
      q.set(JAVA_FLOAT_UNALIGNED, 4 * (qAt + i), v);
    }
  }

  @Override
  public float dot(MemorySegment a, MemorySegment b, long at, int n) {
    a = exact(a);
    b = exact(b);
    float[] lanes = LaneSums.floats();
    FloatVector s = FloatVector.zero(F);
    FloatVector t = s;
    int i = 0;
    for (; i + 2 * L <= n; i += 2 * L) {
      if (s.getClass() != FLOATS || t.getClass() != FLOATS) {
        throw mixed();
      }
      long p = 4 * (at + i);
      FloatVector w = FloatVector.fromMemorySegment(F, b, p, LE);
      s = FloatVector.fromMemorySegment(F, a, p, LE).fma(w, s);
      w = FloatVector.fromMemorySegment(F, b, p + V, LE);
      t = FloatVector.fromMemorySegment(F, a, p + V, LE).fma(w, t);
    }
    for (; i <= n - L; i += L) {
      if (s.getClass() != FLOATS) {
        throw mixed();
      }
      FloatVector w = FloatVector.fromMemorySegment(F, b, 4 * (at + i), LE);
      s = FloatVector.fromMemorySegment(F, a, 4 * (at + i), LE).fma(w, s);
    }
    s.add(t).intoArray(lanes, 0);
    float rest = 0;
    for (; i < n; i++) {
      rest = Math.fma(get(a, at + i), get(b, at + i), rest);
    }
    return LaneSums.sum(lanes) + rest;
  }

  @Override
  public void softmaxGradient(
      MemorySegment y, MemorySegment dy, MemorySegment dx, long at, int n, float sum) {
    y = exact(y);
    dy = exact(dy);
    dx = exact(dx);
    FloatVector m = FloatVector.broadcast(F, sum);
    int i = 0;
    if (n >= VectorStep.LONG) {
      i = VectorStep.head(dx, 4 * at);
      FloatVector.fromMemorySegment(F, dy, 4 * at, LE)
          .sub(m)
          .mul(FloatVector.fromMemorySegment(F, y, 4 * at, LE))
          .intoMemorySegment(dx, 4 * at, LE, VectorMask.fromLong(F, (1L << i) - 1));
      for (; i <= n - L; i += L) {
        FloatVector.fromMemorySegment(F, dy, 4 * (at + i), LE)
            .sub(m)
            .mul(FloatVector.fromMemorySegment(F, y, 4 * (at + i), LE))
            .intoMemorySegment(dx, 4 * (at + i), LE);
      }
    }
    for (int step = VectorStep.lanes(); i <= n - L; i += step) {
      FloatVector.fromMemorySegment(F, dy, 4 * (at + i), LE)
          .sub(m)
          .mul(FloatVector.fromMemorySegment(F, y, 4 * (at + i), LE))
          .intoMemorySegment(dx, 4 * (at + i), LE);
    }
    for (; i < n; i++) {
      float d = (get(dy, at + i) - sum) * get(y, at + i);
      dx.set(JAVA_FLOAT_UNALIGNED, 4 * (at + i), d);
    }
  }

  @Override
  public boolean hasSoftmaxRows(long n) {
    return VectorSoftmaxRows.hasForward(n);
  }

  @Override
  public void softmaxRows(MemorySegment x, MemorySegment y, long at, int rows, int n, boolean log) {
    VectorSoftmaxRows.forward(x, y, at, rows, n, log);
  }

  @Override
  public boolean hasSoftmaxGradients(long n) {
    return VectorSoftmaxRows.hasGradients(n);
  }

  @Override
  public void softmaxGradients(
      MemorySegment y, MemorySegment dy, MemorySegment dx, long at, int rows, int n) {
    VectorSoftmaxRows.gradients(y, dy, dx, at, rows, n);
  }

  @Override
  public void logSoftmaxGradient(
      MemorySegment y, MemorySegment dy, MemorySegment dx, long at, int n, float sum) {
    int rest = n % L;
    long last = at + n - rest;
    MemorySegment t = rest == 0 ? y : TAILS.get(2L * V);
    if (rest > 0) {
      move(y, last, t, 0, rest);
      move(dy, last, t, L, rest);
    }
    FloatVector s = FloatVector.broadcast(F, -sum);
    int step = VectorStep.bytes();
    for (int part = 0; part < 2; part++) {
      MemorySegment ys = exact(part == 0 ? y : t);
      MemorySegment dys = exact(part == 0 ? dy : t);
      MemorySegment dxs = exact(part == 0 ? dx : t);
      long first = part == 0 ? 4 * at : 0;
      long dyFirst = part == 0 ? 4 * at : V;
      int end = part == 0 ? 4 * (n - rest) : rest == 0 ? 0 : V;
      for (int i = 0; i < end; i += step) {
        FloatVector d = FloatVector.fromMemorySegment(F, dys, dyFirst + i, LE);
        VectorMath.exp(FloatVector.fromMemorySegment(F, ys, first + i, LE))
            .fma(s, d)
            .intoMemorySegment(dxs, first + i, LE);
      }
    }
    if (rest > 0) {
      move(t, 0, dx, last, rest);
    }
  }
}
