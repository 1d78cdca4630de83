package dev.gridstride.cpu.scalar;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gridstride.cpu.PoolLoops;
import java.lang.foreign.MemorySegment;

/** Pooling windows in plain Java, in the same order of operations as the vector loops. */
public final class ScalarPoolLoops implements PoolLoops {
  private static float get(MemorySegment m, long at) {
    return m.get(JAVA_FLOAT_UNALIGNED, at);
  }

  private static void add(MemorySegment m, long at, float v) {
    m.set(JAVA_FLOAT_UNALIGNED, at, m.get(JAVA_FLOAT_UNALIGNED, at) + v);
  }

  @Override
  public void max(MemorySegment x, long[] at, int count, MemorySegment y, long yAt, int channels) {
    maxFrom(0, x, at, count, y, yAt, channels);
  }

  /** The channels from byte {@code from}: the tail of the vector loop. */
  public static void maxFrom(
      long from, MemorySegment x, long[] at, int count, MemorySegment y, long yAt, int channels) {
    for (long c = from; c < 4L * channels; c += 4) {
      float m = Float.NEGATIVE_INFINITY;
      for (int i = 0; i < count; i++) {
        float v = get(x, at[i] + c);
        m = v > m || Float.isNaN(v) ? v : m;
      }
      y.set(JAVA_FLOAT_UNALIGNED, yAt + c, m);
    }
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
    maxBackwardFrom(0, x, at, count, y, dy, yAt, dx, channels);
  }

  /** The channels from byte {@code from}: the tail of the vector loop. */
  public static void maxBackwardFrom(
      long from,
      MemorySegment x,
      long[] at,
      int count,
      MemorySegment y,
      MemorySegment dy,
      long yAt,
      MemorySegment dx,
      int channels) {
    for (long c = from; c < 4L * channels; c += 4) {
      float m = get(y, yAt + c);
      for (int i = 0; i < count; i++) {
        float v = get(x, at[i] + c);
        if (v == m || (Float.isNaN(v) && Float.isNaN(m))) {
          add(dx, at[i] + c, get(dy, yAt + c));
          break;
        }
      }
    }
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
    maxBackwardAloneFrom(0, x, at, count, y, dy, yAt, dx, channels);
  }

  /** The channels from byte {@code from}: the tail of the vector loop. */
  public static void maxBackwardAloneFrom(
      long from,
      MemorySegment x,
      long[] at,
      int count,
      MemorySegment y,
      MemorySegment dy,
      long yAt,
      MemorySegment dx,
      int channels) {
    for (long c = from; c < 4L * channels; c += 4) {
      float m = get(y, yAt + c);
      boolean open = true;
      for (int i = 0; i < count; i++) {
        float v = get(x, at[i] + c);
        boolean hit = open && (v == m || (Float.isNaN(v) && Float.isNaN(m)));
        dx.set(JAVA_FLOAT_UNALIGNED, at[i] + c, hit ? get(dy, yAt + c) : 0);
        open &= !hit;
      }
    }
  }

  @Override
  public void average(
      MemorySegment x, long[] at, int count, MemorySegment y, long yAt, int channels, float scale) {
    averageFrom(0, x, at, count, y, yAt, channels, scale);
  }

  /** The channels from byte {@code from}: the tail of the vector loop. */
  public static void averageFrom(
      long from,
      MemorySegment x,
      long[] at,
      int count,
      MemorySegment y,
      long yAt,
      int channels,
      float scale) {
    for (long c = from; c < 4L * channels; c += 4) {
      float sum = 0;
      for (int i = 0; i < count; i++) {
        sum += get(x, at[i] + c);
      }
      y.set(JAVA_FLOAT_UNALIGNED, yAt + c, sum * scale);
    }
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
    averageBackwardFrom(0, dy, yAt, dx, at, count, channels, scale);
  }

  /** The channels from byte {@code from}: the tail of the vector loop. */
  public static void averageBackwardFrom(
      long from,
      MemorySegment dy,
      long yAt,
      MemorySegment dx,
      long[] at,
      int count,
      int channels,
      float scale) {
    for (long c = from; c < 4L * channels; c += 4) {
      float g = get(dy, yAt + c) * scale;
      for (int i = 0; i < count; i++) {
        add(dx, at[i] + c, g);
      }
    }
  }
}
