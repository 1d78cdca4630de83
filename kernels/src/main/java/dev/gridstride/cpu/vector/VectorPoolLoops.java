package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static dev.gridstride.cpu.vector.Carried.FLOATS;
import static dev.gridstride.cpu.vector.Carried.mixed;
import static dev.gridstride.cpu.vector.VectorMath.F;

import dev.gridstride.cpu.PoolLoops;
import dev.gridstride.cpu.scalar.ScalarPoolLoops;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** Pooling windows by the Vector API: a vector of channels at a time. */
public final class VectorPoolLoops implements PoolLoops {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final long STEP = 4L * F.length();

  private static FloatVector load(MemorySegment m, long at) {
    return FloatVector.fromMemorySegment(F, m, at, LE);
  }

  /** Bytes of the channels that fill whole vectors. */
  private static long whole(int channels) {
    return 4L * channels / STEP * STEP;
  }

  @Override
  public void max(MemorySegment x, long[] at, int count, MemorySegment y, long yAt, int channels) {
    x = exact(x);
    y = exact(y);
    long end = whole(channels);
    int step = VectorStep.bytes();
    for (long c = 0; c < end; c += step) {
      FloatVector m = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
      for (int i = 0; i < count; i++) {
        if (m.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector v = load(x, at[i] + c);
        m = m.blend(v, v.compare(VectorOperators.LE, m).not());
      }
      m.intoMemorySegment(y, yAt + c, LE);
    }
    ScalarPoolLoops.maxFrom(end, x, at, count, y, yAt, channels);
  }

  @Override
  public void maxBackward(
      MemorySegment x,
      long[] at,
      int count,
      MemorySegment y,
      MemorySegment dy,
      long yAt,
      MemorySegment dx,
      int channels) {
    x = exact(x);
    y = exact(y);
    dy = exact(dy);
    dx = exact(dx);
    long end = whole(channels);
    int step = VectorStep.bytes();
    for (long c = 0; c < end; c += step) {
      FloatVector m = load(y, yAt + c);
      FloatVector g = load(dy, yAt + c);
      VectorMask<Float> nan = m.test(VectorOperators.IS_NAN);
      VectorMask<Float> open = F.maskAll(true);
      for (int i = 0; i < count; i++) {
        FloatVector v = load(x, at[i] + c);
        VectorMask<Float> hit =
            v.compare(VectorOperators.EQ, m).or(v.test(VectorOperators.IS_NAN).and(nan)).and(open);
        FloatVector d = load(dx, at[i] + c);
        d.add(g, hit).intoMemorySegment(dx, at[i] + c, LE);
        open = open.andNot(hit);
      }
    }
    ScalarPoolLoops.maxBackwardFrom(end, x, at, count, y, dy, yAt, dx, channels);
  }

  @Override
  public void maxBackwardAlone(
      MemorySegment x,
      long[] at,
      int count,
      MemorySegment y,
      MemorySegment dy,
      long yAt,
      MemorySegment dx,
      int channels) {
    x = exact(x);
    y = exact(y);
    dy = exact(dy);
    dx = exact(dx);
    long end = whole(channels);
    FloatVector zero = FloatVector.zero(F);
    int step = VectorStep.bytes();
    for (long c = 0; c < end; c += step) {
      FloatVector m = load(y, yAt + c);
      FloatVector g = load(dy, yAt + c);
      VectorMask<Float> nan = m.test(VectorOperators.IS_NAN);
      VectorMask<Float> open = F.maskAll(true);
      for (int i = 0; i < count; i++) {
        FloatVector v = load(x, at[i] + c);
        VectorMask<Float> hit =
            v.compare(VectorOperators.EQ, m).or(v.test(VectorOperators.IS_NAN).and(nan)).and(open);
        zero.blend(g, hit).intoMemorySegment(dx, at[i] + c, LE);
        open = open.andNot(hit);
      }
    }
    ScalarPoolLoops.maxBackwardAloneFrom(end, x, at, count, y, dy, yAt, dx, channels);
  }

  @Override
  public void average(
      MemorySegment x, long[] at, int count, MemorySegment y, long yAt, int channels, float scale) {
    x = exact(x);
    y = exact(y);
    long end = whole(channels);
    int step = VectorStep.bytes();
    for (long c = 0; c < end; c += step) {
      FloatVector sum = FloatVector.zero(F);
      for (int i = 0; i < count; i++) {
        if (sum.getClass() != FLOATS) {
          throw mixed();
        }
        sum = sum.add(load(x, at[i] + c));
      }
      sum.mul(scale).intoMemorySegment(y, yAt + c, LE);
    }
    ScalarPoolLoops.averageFrom(end, x, at, count, y, yAt, channels, scale);
  }

  @Override
  public void averageBackward(
      MemorySegment dy,
      long yAt,
      MemorySegment dx,
      long[] at,
      int count,
      int channels,
      float scale) {
    dy = exact(dy);
    dx = exact(dx);
    long end = whole(channels);
    int step = VectorStep.bytes();
    for (long c = 0; c < end; c += step) {
      FloatVector g = load(dy, yAt + c).mul(scale);
      for (int i = 0; i < count; i++) {
        load(dx, at[i] + c).add(g).intoMemorySegment(dx, at[i] + c, LE);
      }
    }
    ScalarPoolLoops.averageBackwardFrom(end, dy, yAt, dx, at, count, channels, scale);
  }
}
