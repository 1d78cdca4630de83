package dev.gridstride.kernels;

import static org.assertj.core.api.Assertions.fail;

import dev.gridstride.cpu.Elements;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * An operand of small integers that are a function of their index: an oracle asks for them again
 * instead of keeping them, so that operands of gigabytes can be checked.
 *
 * @param seed which function
 * @param magnitude the largest absolute value
 */
record IntegerOperand(long seed, int magnitude) {
  private static final int CHUNK = 1 << 18;

  /**
   * The largest magnitude up to 4 with which sums of {@code terms} products are integers below
   * 2^24, and so exact in f32 in any order.
   */
  static int magnitude(double terms) {
    for (int v = 4; v > 0; v--) {
      if (v * (double) v * terms + v <= 1 << 24) {
        return v;
      }
    }
    throw new AssertionError("sums of " + terms + " terms can't be exact in f32");
  }

  /** The element at this index. */
  int at(long index) {
    long z = (index + seed) * 0x9E3779B97F4A7C15L; // splitmix64's finalizer
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return (int) Math.multiplyHigh(z >>> 1, 2L * (2 * magnitude + 1)) - magnitude;
  }

  /** The elements from this index on. */
  void read(long from, int[] into) {
    for (int i = 0; i < into.length; i++) {
      into[i] = at(from + i);
    }
  }

  /** A new buffer that holds the first {@code count} elements. */
  Buffer buffer(Device device, DType type, long count) {
    var elements = Elements.of(type);
    Buffer buffer = device.allocate(type, count);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(type.bytes(CHUNK), 8);
      for (long from = 0; from < count; from += CHUNK) {
        int n = (int) Math.min(CHUNK, count - from);
        for (int i = 0; i < n; i++) {
          elements.set(host, i, at(from + i));
        }
        long bytes = type.bytes(n);
        buffer.slice(type.bytes(from), bytes).copyFrom(host.asSlice(0, bytes));
      }
    }
    return buffer;
  }

  /** Elements of a result from this index on, each of which must be an integer. */
  static long[] result(Buffer buffer, DType type, long from, int count) {
    var elements = Elements.of(type);
    var values = new long[count];
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate(Math.max(8, type.bytes(count)), 8);
      long bytes = type.bytes(count);
      buffer.slice(type.bytes(from), bytes).copyTo(host.asSlice(0, bytes));
      for (int i = 0; i < count; i++) {
        double v = elements.get(host, i);
        values[i] = (long) v;
        if (values[i] != v) {
          fail("element %d is %s, which is no integer", from + i, v);
        }
      }
    }
    return values;
  }
}
