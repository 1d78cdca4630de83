package dev.gridstride.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.cpu.Elements;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;

/**
 * A buffer for one test operand, with guard bands on both sides that must stay as they are.
 *
 * <p>The operand starts 64 bytes into its allocation; everything around it holds a pattern.
 */
public final class TestArray implements AutoCloseable {
  private static final byte GUARD = (byte) 0xA5;
  private static final int BAND = 64;

  private final DType type;
  private final long count;
  private final Buffer whole;
  private final Buffer buffer;

  private TestArray(Device device, DType type, long count) {
    this.type = type;
    this.count = count;
    this.whole = device.allocate(type.bytes(count) + 2 * BAND);
    whole.fill(GUARD);
    this.buffer = whole.slice(BAND, type.bytes(count));
  }

  /** An output: every element is NaN (or a pattern, for integers) until it is written. */
  public static TestArray output(Device device, DType type, long count) {
    var array = new TestArray(device, type, count);
    if (type.isFloating()) {
      var v = new double[Math.toIntExact(count)];
      java.util.Arrays.fill(v, Double.NaN);
      array.set(v);
    }
    return array;
  }

  /** An input with these values, rounded to the type. */
  public static TestArray of(Device device, DType type, double... values) {
    var array = new TestArray(device, type, values.length);
    array.set(values);
    return array;
  }

  /** An input with values from the standard normal distribution, rounded to the type. */
  public static TestArray normal(Device device, DType type, long count, long seed) {
    return of(device, type, normal(count, seed));
  }

  /** Values from the standard normal distribution. */
  public static double[] normal(long count, long seed) {
    var random = new SplittableRandom(seed);
    var v = new double[Math.toIntExact(count)];
    java.util.Arrays.setAll(v, i -> random.nextGaussian());
    return v;
  }

  /**
   * Small integers, whose sums and products are exact in every floating type up to f32's limits.
   */
  public static double[] integers(long count, long seed) {
    var random = new SplittableRandom(seed);
    var v = new double[Math.toIntExact(count)];
    java.util.Arrays.setAll(v, i -> random.nextInt(-4, 5));
    return v;
  }

  /** The buffer to hand to a plan: exactly the operand. */
  public Buffer buffer() {
    return buffer;
  }

  /** Overwrites the operand. */
  public void set(double... values) {
    var e = Elements.of(type);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(Math.max(1, type.bytes(values.length)));
      for (int i = 0; i < values.length; i++) {
        e.set(host, i, values[i]);
      }
      buffer.copyFrom(host.asSlice(0, type.bytes(values.length)));
    }
  }

  /** The operand as doubles; checks the guard bands first. */
  public double[] get() {
    var e = Elements.of(type);
    var v = new double[Math.toIntExact(count)];
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(whole.bytes());
      whole.copyTo(host);
      for (long i = 0; i < BAND; i++) {
        assertThat(host.get(java.lang.foreign.ValueLayout.JAVA_BYTE, i))
            .as("guard before, byte %d", i)
            .isEqualTo(GUARD);
        long after = whole.bytes() - 1 - i;
        assertThat(host.get(java.lang.foreign.ValueLayout.JAVA_BYTE, after))
            .as("guard after, byte %d", after)
            .isEqualTo(GUARD);
      }
      MemorySegment data = host.asSlice(BAND, type.bytes(count));
      for (int i = 0; i < v.length; i++) {
        v[i] = e.get(data, i);
      }
    }
    return v;
  }

  @Override
  public void close() {
    whole.close();
  }
}
