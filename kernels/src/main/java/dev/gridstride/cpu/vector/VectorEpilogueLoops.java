package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static dev.gridstride.cpu.vector.VectorMath.F;

import dev.gridstride.cpu.EpilogueLoops;
import dev.gridstride.kernels.Epilogue.Activation;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** Activations on rows of f32 by the Vector API, one loop for each function. */
public final class VectorEpilogueLoops implements EpilogueLoops {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final int LANES = F.length();
  private static final float INV_SQRT_2PI = 0.3989422804f;
  private static final float SQRT_2_OVER_PI = 0.7978845608f;
  private static final float CUBIC = 0.044715f;

  private static FloatVector load(MemorySegment s, long off, int i) {
    return FloatVector.fromMemorySegment(F, s, off + 4L * i, LE);
  }

  private static FloatVector load(MemorySegment s, long off, int i, VectorMask<Float> m) {
    return FloatVector.fromMemorySegment(F, s, off + 4L * i, LE, m);
  }

  private static void store(FloatVector v, MemorySegment s, long off, int i) {
    v.intoMemorySegment(s, off + 4L * i, LE);
  }

  private static void store(FloatVector v, MemorySegment s, long off, int i, VectorMask<Float> m) {
    v.intoMemorySegment(s, off + 4L * i, LE, m);
  }

  @Override
  public void apply(Activation f, MemorySegment x, long off, int n) {
    switch (f) {
      case RELU -> applyRelu(x, off, n);
      case GELU -> applyGelu(x, off, n);
      case GELU_TANH -> applyGeluTanh(x, off, n);
      case IDENTITY -> {}
    }
  }

  @Override
  public void differentiate(
      Activation f, MemorySegment d, long off, MemorySegment z, long zOff, int n) {
    switch (f) {
      case RELU -> backRelu(d, off, z, zOff, n);
      case GELU -> backGelu(d, off, z, zOff, n);
      case GELU_TANH -> backGeluTanh(d, off, z, zOff, n);
      case IDENTITY -> {}
    }
  }

  private static FloatVector relu(FloatVector x) {
    return x.blend(0f, x.compare(VectorOperators.LE, 0f));
  }

  private static void applyRelu(MemorySegment x, long off, int n) {
    x = exact(x);
    int i = 0;
    for (; i + LANES <= n; i += LANES) {
      store(relu(load(x, off, i)), x, off, i);
    }
    if (i < n) {
      VectorMask<Float> m = F.indexInRange(i, n);
      store(relu(load(x, off, i, m)), x, off, i, m);
    }
  }

  private static void backRelu(MemorySegment d, long off, MemorySegment z, long zOff, int n) {
    d = exact(d);
    z = exact(z);
    int i = 0;
    for (; i + LANES <= n; i += LANES) {
      VectorMask<Float> flat = load(z, zOff, i).compare(VectorOperators.LE, 0f);
      store(load(d, off, i).blend(0f, flat), d, off, i);
    }
    if (i < n) {
      VectorMask<Float> m = F.indexInRange(i, n);
      VectorMask<Float> flat = load(z, zOff, i, m).compare(VectorOperators.LE, 0f);
      store(load(d, off, i, m).blend(0f, flat), d, off, i, m);
    }
  }

  private static FloatVector gelu(FloatVector x) {
    FloatVector y = x.mul(VectorMath.normalCdf(x));
    return y.blend(0f, x.compare(VectorOperators.EQ, Float.NEGATIVE_INFINITY));
  }

  private static void applyGelu(MemorySegment x, long off, int n) {
    x = exact(x);
    int i = 0;
    for (; i + LANES <= n; i += LANES) {
      store(gelu(load(x, off, i)), x, off, i);
    }
    if (i < n) {
      VectorMask<Float> m = F.indexInRange(i, n);
      store(gelu(load(x, off, i, m)), x, off, i, m);
    }
  }

  private static FloatVector geluSlope(FloatVector x) {
    // one exponential for both the density and the distribution function
    FloatVector e = VectorMath.expFlushed(x.mul(x).mul(-0.5f));
    FloatVector tail = VectorMath.normalTail(x.abs()).mul(e);
    FloatVector cdf = tail.blend(tail.neg().add(1f), x.compare(VectorOperators.GT, 0f));
    FloatVector slope = x.mul(e.mul(INV_SQRT_2PI)).add(cdf);
    return slope.blend(cdf, e.compare(VectorOperators.EQ, 0f)); // infinity times 0
  }

  private static void backGelu(MemorySegment d, long off, MemorySegment z, long zOff, int n) {
    d = exact(d);
    z = exact(z);
    int i = 0;
    for (; i + LANES <= n; i += LANES) {
      store(load(d, off, i).mul(geluSlope(load(z, zOff, i))), d, off, i);
    }
    if (i < n) {
      VectorMask<Float> m = F.indexInRange(i, n);
      store(load(d, off, i, m).mul(geluSlope(load(z, zOff, i, m))), d, off, i, m);
    }
  }

  /** The argument of the hyperbolic tangent, doubled: 1/2 (1 + tanh u) is sigmoid(2u). */
  private static FloatVector twice(FloatVector x) {
    return x.mul(x).mul(CUBIC).add(1f).mul(x).mul(2 * SQRT_2_OVER_PI);
  }

  private static FloatVector geluTanh(FloatVector x) {
    FloatVector y = x.mul(VectorMath.sigmoid(twice(x)));
    return y.blend(0f, x.compare(VectorOperators.EQ, Float.NEGATIVE_INFINITY));
  }

  private static void applyGeluTanh(MemorySegment x, long off, int n) {
    x = exact(x);
    int i = 0;
    for (; i + LANES <= n; i += LANES) {
      store(geluTanh(load(x, off, i)), x, off, i);
    }
    if (i < n) {
      VectorMask<Float> m = F.indexInRange(i, n);
      store(geluTanh(load(x, off, i, m)), x, off, i, m);
    }
  }

  private static FloatVector geluTanhSlope(FloatVector x) {
    FloatVector w = twice(x);
    FloatVector s = VectorMath.sigmoid(w);
    // s (1 - s) with 1 - s = sigmoid(-w), which does not cancel
    FloatVector p = s.mul(VectorMath.sigmoid(w.neg()));
    FloatVector u = x.mul(x).mul(3 * CUBIC).add(1f).mul(2 * SQRT_2_OVER_PI);
    FloatVector tail = x.mul(p).mul(u);
    return s.add(tail.blend(0f, p.compare(VectorOperators.EQ, 0f)));
  }

  private static void backGeluTanh(MemorySegment d, long off, MemorySegment z, long zOff, int n) {
    d = exact(d);
    z = exact(z);
    int i = 0;
    for (; i + LANES <= n; i += LANES) {
      store(load(d, off, i).mul(geluTanhSlope(load(z, zOff, i))), d, off, i);
    }
    if (i < n) {
      VectorMask<Float> m = F.indexInRange(i, n);
      store(load(d, off, i, m).mul(geluTanhSlope(load(z, zOff, i, m))), d, off, i, m);
    }
  }
}
