package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.vector.VectorMath.F;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gridstride.cpu.SoftmaxLoops;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** Softmax rows by the Vector API; f32 sums, one partial sum for each lane. */
public final class VectorSoftmaxLoops implements SoftmaxLoops {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final int LANES = F.length();

  @Override
  public void forward(MemorySegment x, MemorySegment y, int size, boolean log) {
    float max = max(x, size);
    if (log) {
      float logSum = (float) Math.log(sumExp(x, size, max));
      subtract(x, y, size, max, logSum);
    } else {
      scale(y, size, 1 / storeExp(x, y, size, max));
    }
  }

  private static FloatVector load(MemorySegment s, int i) {
    return FloatVector.fromMemorySegment(F, s, 4L * i, LE);
  }

  private static FloatVector load(MemorySegment s, int i, VectorMask<Float> m) {
    return FloatVector.fromMemorySegment(F, s, 4L * i, LE, m);
  }

  private static float max(MemorySegment x, int size) {
    FloatVector a = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    int i = 0;
    for (; i + LANES <= size; i += LANES) {
      a = VectorMath.max(a, load(x, i));
    }
    float m = a.reduceLanes(VectorOperators.MAX);
    for (; i < size; i++) {
      m = Math.max(m, x.getAtIndex(JAVA_FLOAT_UNALIGNED, i));
    }
    return m;
  }

  private static float sumExp(MemorySegment x, int size, float max) {
    FloatVector sum = FloatVector.zero(F);
    int i = 0;
    for (; i + LANES <= size; i += LANES) {
      sum = sum.add(VectorMath.exp(load(x, i).sub(max)));
    }
    if (i < size) {
      VectorMask<Float> m = F.indexInRange(i, size);
      sum = sum.add(VectorMath.exp(load(x, i, m).sub(max)), m);
    }
    return LaneSums.sum(sum);
  }

  private static float storeExp(MemorySegment x, MemorySegment y, int size, float max) {
    FloatVector sum = FloatVector.zero(F);
    int i = 0;
    for (; i + LANES <= size; i += LANES) {
      FloatVector e = VectorMath.exp(load(x, i).sub(max));
      e.intoMemorySegment(y, 4L * i, LE);
      sum = sum.add(e);
    }
    if (i < size) {
      VectorMask<Float> m = F.indexInRange(i, size);
      FloatVector e = VectorMath.exp(load(x, i, m).sub(max));
      e.intoMemorySegment(y, 4L * i, LE, m);
      sum = sum.add(e, m);
    }
    return LaneSums.sum(sum);
  }

  private static void subtract(
      MemorySegment x, MemorySegment y, int size, float max, float logSum) {
    int i = 0;
    for (; i + LANES <= size; i += LANES) {
      load(x, i).sub(max).sub(logSum).intoMemorySegment(y, 4L * i, LE);
    }
    if (i < size) {
      VectorMask<Float> m = F.indexInRange(i, size);
      load(x, i, m).sub(max).sub(logSum).intoMemorySegment(y, 4L * i, LE, m);
    }
  }

  private static void scale(MemorySegment y, int size, float factor) {
    int i = 0;
    for (; i + LANES <= size; i += LANES) {
      load(y, i).mul(factor).intoMemorySegment(y, 4L * i, LE);
    }
    if (i < size) {
      VectorMask<Float> m = F.indexInRange(i, size);
      load(y, i, m).mul(factor).intoMemorySegment(y, 4L * i, LE, m);
    }
  }

  @Override
  public void backward(MemorySegment y, MemorySegment dy, MemorySegment dx, int size, boolean log) {
    float sum = weightedSum(y, dy, size, log);
    int i = 0;
    for (; i + LANES <= size; i += LANES) {
      gradient(load(y, i), load(dy, i), sum, log).intoMemorySegment(dx, 4L * i, LE);
    }
    if (i < size) {
      VectorMask<Float> m = F.indexInRange(i, size);
      gradient(load(y, i, m), load(dy, i, m), sum, log).intoMemorySegment(dx, 4L * i, LE, m);
    }
  }

  private static FloatVector gradient(FloatVector y, FloatVector dy, float sum, boolean log) {
    return log ? dy.sub(VectorMath.exp(y).mul(sum)) : dy.sub(sum).mul(y);
  }

  private static float weightedSum(MemorySegment y, MemorySegment dy, int size, boolean log) {
    FloatVector sum = FloatVector.zero(F);
    int i = 0;
    for (; i + LANES <= size; i += LANES) {
      FloatVector g = load(dy, i);
      sum = sum.add(log ? g : g.mul(load(y, i)));
    }
    if (i < size) {
      VectorMask<Float> m = F.indexInRange(i, size);
      FloatVector g = load(dy, i, m);
      sum = sum.add(log ? g : g.mul(load(y, i, m)));
    }
    return LaneSums.sum(sum);
  }
}
