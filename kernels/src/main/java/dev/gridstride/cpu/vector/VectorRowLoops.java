package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.vector.VectorMath.F;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gridstride.cpu.RowLoops;
import dev.gridstride.cpu.Scratch;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Runs of rows by the Vector API; sums in f32, one to four partial sums for each lane.
 *
 * <p>Several accumulators hide the latency of addition and comparison; the exponential is long
 * enough to need only one. It stands once in each method, and tails go through a padded vector of
 * scratch: with four of them a method is so large that the JIT stops inlining (18,000 nodes), and
 * then every vector is boxed.
 */
public final class VectorRowLoops implements RowLoops {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final int L = F.length();
  private static final Scratch TAILS = new Scratch();

  private static FloatVector load(MemorySegment s, long i) {
    return FloatVector.fromMemorySegment(F, s, 4 * i, LE);
  }

  private static FloatVector load(MemorySegment s, long i, VectorMask<Float> m) {
    return FloatVector.fromMemorySegment(F, s, 4 * i, LE, m);
  }

  private static float get(MemorySegment s, long i) {
    return s.get(JAVA_FLOAT_UNALIGNED, 4 * i);
  }

  private static void store(FloatVector v, MemorySegment s, long i) {
    v.intoMemorySegment(s, 4 * i, LE);
  }

  private static void store(FloatVector v, MemorySegment s, long i, VectorMask<Float> m) {
    v.intoMemorySegment(s, 4 * i, LE, m);
  }

  /** The larger lanes; those of a where b is NaN. One comparison, unlike Vector.max. */
  private static FloatVector larger(FloatVector a, FloatVector b) {
    return a.blend(b, b.compare(VectorOperators.GT, a));
  }

  @Override
  public float max(MemorySegment x, long at, int n) {
    FloatVector a = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    FloatVector b = a;
    FloatVector c = a;
    FloatVector d = a;
    int i = 0;
    for (; i <= n - 4 * L; i += 4 * L) {
      a = larger(a, load(x, at + i));
      b = larger(b, load(x, at + i + L));
      c = larger(c, load(x, at + i + 2 * L));
      d = larger(d, load(x, at + i + 3 * L));
    }
    for (; i <= n - L; i += L) {
      a = larger(a, load(x, at + i));
    }
    if (i < n) { // elements may be met twice
      b = larger(b, n >= L ? load(x, at + n - L) : load(tail(x, at, n), 0));
    }
    return larger(larger(a, b), larger(c, d)).reduceLanes(VectorOperators.MAX);
  }

  @Override
  public float sum(MemorySegment x, long at, int n) {
    return sumShifted(x, at, n, 0);
  }

  @Override
  public float sumExp(MemorySegment x, long at, int n, float shift) {
    int whole = n / L;
    float sum = sumExpVectors(x, at, whole, shift);
    int rest = n % L;
    return rest == 0 ? sum : sum + sumExpVectors(tail(x, at + n - rest, rest), 0, 1, shift);
  }

  private static float sumExpVectors(MemorySegment x, long at, int vectors, float shift) {
    FloatVector a = FloatVector.zero(F);
    for (int i = 0, end = vectors * L; i < end; i += L) {
      a = a.add(VectorMath.expFlushed(load(x, at + i).sub(shift)));
    }
    return LaneSums.sum(a);
  }

  /** The last elements of a row in a vector of scratch, padded by what has an exponential of 0. */
  private static MemorySegment tail(MemorySegment x, long at, int rest) {
    MemorySegment t = TAILS.get(4L * L);
    store(FloatVector.broadcast(F, Float.NEGATIVE_INFINITY), t, 0);
    MemorySegment.copy(x, 4 * at, t, 0, 4L * rest);
    return t;
  }

  @Override
  public float storeExp(MemorySegment x, long at, MemorySegment y, long to, int n, float shift) {
    int whole = n / L;
    float sum = storeExpVectors(x, at, y, to, whole, shift);
    int rest = n % L;
    if (rest > 0) {
      MemorySegment t = tail(x, at + n - rest, rest);
      sum += storeExpVectors(t, 0, t, 0, 1, shift);
      MemorySegment.copy(t, 0, y, 4 * (to + n - rest), 4L * rest);
    }
    return sum;
  }

  private static float storeExpVectors(
      MemorySegment x, long at, MemorySegment y, long to, int vectors, float shift) {
    FloatVector a = FloatVector.zero(F);
    for (int i = 0, end = vectors * L; i < end; i += L) {
      FloatVector p = VectorMath.expFlushed(load(x, at + i).sub(shift));
      store(p, y, to + i);
      a = a.add(p);
    }
    return LaneSums.sum(a);
  }

  @Override
  public float sumShifted(MemorySegment x, long at, int n, float shift) {
    FloatVector a = FloatVector.zero(F);
    FloatVector b = a;
    FloatVector c = a;
    FloatVector d = a;
    int i = 0;
    for (; i <= n - 4 * L; i += 4 * L) {
      a = a.add(load(x, at + i).sub(shift));
      b = b.add(load(x, at + i + L).sub(shift));
      c = c.add(load(x, at + i + 2 * L).sub(shift));
      d = d.add(load(x, at + i + 3 * L).sub(shift));
    }
    for (; i <= n - L; i += L) {
      a = a.add(load(x, at + i).sub(shift));
    }
    if (i < n) {
      VectorMask<Float> m = F.indexInRange(i, n);
      b = b.add(load(x, at + i, m).sub(shift), m);
    }
    return LaneSums.sum(a.add(b).add(c.add(d)));
  }

  @Override
  public float dotShifted(MemorySegment q, long qAt, MemorySegment x, long at, int n, float shift) {
    FloatVector a = FloatVector.zero(F);
    FloatVector b = a;
    int i = 0;
    for (; i <= n - 2 * L; i += 2 * L) {
      a = addProduct(a, load(q, qAt + i), load(x, at + i), shift);
      b = addProduct(b, load(q, qAt + i + L), load(x, at + i + L), shift);
    }
    for (; i <= n - L; i += L) {
      a = addProduct(a, load(q, qAt + i), load(x, at + i), shift);
    }
    if (i < n) {
      VectorMask<Float> m = F.indexInRange(i, n);
      b = addProduct(b, load(q, qAt + i, m), load(x, at + i, m), shift);
    }
    return LaneSums.sum(a.add(b));
  }

  private static FloatVector addProduct(
      FloatVector sum, FloatVector q, FloatVector x, float shift) {
    return sum.blend(q.fma(x.sub(shift), sum), q.compare(VectorOperators.NE, 0f));
  }

  @Override
  public void subtract(MemorySegment x, MemorySegment y, long at, int n, float max, float logSum) {
    int i = 0;
    for (; i <= n - L; i += L) {
      store(load(x, at + i).sub(max).sub(logSum), y, at + i);
    }
    if (i < n) {
      VectorMask<Float> m = F.indexInRange(i, n);
      store(load(x, at + i, m).sub(max).sub(logSum), y, at + i, m);
    }
  }

  @Override
  public void scale(MemorySegment y, long at, int n, float factor, float less) {
    FloatVector f = FloatVector.broadcast(F, factor);
    FloatVector b = FloatVector.broadcast(F, -less);
    int i = 0;
    for (; i <= n - L; i += L) {
      store(load(y, at + i).fma(f, b), y, at + i);
    }
    for (; i < n; i++) {
      y.set(JAVA_FLOAT_UNALIGNED, 4 * (at + i), Math.fma(get(y, at + i), factor, -less));
    }
  }

  @Override
  public void scaleMinus(
      MemorySegment y, long at, MemorySegment q, long qAt, int n, float factor, float weight) {
    FloatVector f = FloatVector.broadcast(F, factor);
    FloatVector w = FloatVector.broadcast(F, -weight);
    int i = 0;
    for (; i <= n - L; i += L) {
      store(load(q, qAt + i).fma(w, load(y, at + i).mul(f)), y, at + i);
    }
    if (i < n) {
      VectorMask<Float> m = F.indexInRange(i, n);
      store(load(q, qAt + i, m).fma(w, load(y, at + i, m).mul(f)), y, at + i, m);
    }
  }

  @Override
  public void mix(
      MemorySegment q, long qAt, int n, float factor, float add, MemorySegment weight, long at) {
    FloatVector f = FloatVector.broadcast(F, factor);
    FloatVector b = FloatVector.broadcast(F, add);
    int i = 0;
    for (; i <= n - L; i += L) {
      store(load(q, qAt + i).fma(f, b).mul(load(weight, at + i)), q, qAt + i);
    }
    if (i < n) {
      VectorMask<Float> m = F.indexInRange(i, n);
      store(load(q, qAt + i, m).fma(f, b).mul(load(weight, at + i, m)), q, qAt + i, m);
    }
  }

  @Override
  public float dot(MemorySegment a, MemorySegment b, long at, int n) {
    FloatVector s = FloatVector.zero(F);
    FloatVector t = s;
    FloatVector u = s;
    FloatVector v = s;
    int i = 0;
    for (; i <= n - 4 * L; i += 4 * L) {
      s = load(a, at + i).fma(load(b, at + i), s);
      t = load(a, at + i + L).fma(load(b, at + i + L), t);
      u = load(a, at + i + 2 * L).fma(load(b, at + i + 2 * L), u);
      v = load(a, at + i + 3 * L).fma(load(b, at + i + 3 * L), v);
    }
    for (; i <= n - L; i += L) {
      s = load(a, at + i).fma(load(b, at + i), s);
    }
    float rest = 0; // one by one: a mask would cost more than these few
    for (; i < n; i++) {
      rest = Math.fma(get(a, at + i), get(b, at + i), rest);
    }
    return LaneSums.sum(s.add(t).add(u.add(v))) + rest;
  }

  @Override
  public void softmaxGradient(
      MemorySegment y, MemorySegment dy, MemorySegment dx, long at, int n, float sum) {
    int i = 0;
    for (; i <= n - L; i += L) {
      store(load(dy, at + i).sub(sum).mul(load(y, at + i)), dx, at + i);
    }
    for (; i < n; i++) {
      float d = (get(dy, at + i) - sum) * get(y, at + i);
      dx.set(JAVA_FLOAT_UNALIGNED, 4 * (at + i), d);
    }
  }

  @Override
  public void logSoftmaxGradient(
      MemorySegment y, MemorySegment dy, MemorySegment dx, long at, int n, float sum) {
    int whole = n / L;
    logSoftmaxGradient(y, at, dy, at, dx, at, whole, sum);
    int rest = n % L;
    if (rest > 0) {
      long last = 4 * (at + n - rest);
      MemorySegment t = TAILS.get(8L * L);
      MemorySegment.copy(y, last, t, 0, 4L * rest);
      MemorySegment.copy(dy, last, t, 4L * L, 4L * rest);
      logSoftmaxGradient(t, 0, t, L, t, 0, 1, sum);
      MemorySegment.copy(t, 0, dx, last, 4L * rest);
    }
  }

  private static void logSoftmaxGradient(
      MemorySegment y,
      long yAt,
      MemorySegment dy,
      long dyAt,
      MemorySegment dx,
      long dxAt,
      int vectors,
      float sum) {
    FloatVector s = FloatVector.broadcast(F, -sum);
    for (int i = 0, end = vectors * L; i < end; i += L) {
      store(VectorMath.exp(load(y, yAt + i)).fma(s, load(dy, dyAt + i)), dx, dxAt + i);
    }
  }
}
