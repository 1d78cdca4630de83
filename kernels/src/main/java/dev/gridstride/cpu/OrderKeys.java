package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.gridstride.device.DType;
import java.lang.foreign.MemorySegment;

/**
 * Maps elements of any numeric type to 64-bit integers of the same order, exactly: what compares
 * them then knows nothing of types.
 *
 * <p>Of floating types, both zeros have one key, and every NaN has the greatest of all.
 */
final class OrderKeys {
  /** Number of elements that callers take at a time: the keys stay in the first-level cache. */
  static final int BLOCK = 1024;

  /** The key of NaN. */
  static final long NAN = Long.MAX_VALUE;

  private OrderKeys() {}

  /** The keys of {@code n} elements from element {@code at} on, {@code step} elements apart. */
  static void fill(DType type, MemorySegment x, long at, long step, int n, long[] keys) {
    switch (type) {
      case F32 -> floats(x, at, step, n, keys);
      case F64 -> doubles(x, at, step, n, keys);
      case BF16, F16 -> halves(type == DType.BF16, x, at, step, n, keys);
      case I64 -> {
        for (int i = 0; i < n; i++) {
          keys[i] = x.get(JAVA_LONG_UNALIGNED, (at + i * step) * 8);
        }
      }
      case I32 -> {
        for (int i = 0; i < n; i++) {
          keys[i] = x.get(JAVA_INT_UNALIGNED, (at + i * step) * 4);
        }
      }
      case U8, BOOL -> throw new IllegalArgumentException("no keys for " + type);
    }
  }

  /** Reverses the order of keys. */
  static void reverse(long[] keys, int n) {
    for (int i = 0; i < n; i++) {
      keys[i] = ~keys[i];
    }
  }

  /** Reverses the order of keys of floating elements, but leaves NaN the greatest. */
  static void reverseKeepingNan(long[] keys, int n) {
    for (int i = 0; i < n; i++) {
      long key = keys[i];
      keys[i] = key == NAN ? NAN : ~key;
    }
  }

  private static void floats(MemorySegment x, long at, long step, int n, long[] keys) {
    if (step == 1) { // a constant step lets the compiler use vectors
      long first = at * 4;
      for (int i = 0; i < n; i++) {
        keys[i] = key(x.get(JAVA_FLOAT_UNALIGNED, first + 4L * i));
      }
      return;
    }
    for (int i = 0; i < n; i++) {
      keys[i] = key(x.get(JAVA_FLOAT_UNALIGNED, (at + i * step) * 4));
    }
  }

  private static void doubles(MemorySegment x, long at, long step, int n, long[] keys) {
    for (int i = 0; i < n; i++) {
      double v = x.get(JAVA_DOUBLE_UNALIGNED, (at + i * step) * 8) + 0.0; // -0 becomes 0
      long bits = Double.doubleToRawLongBits(v);
      // of negative numbers a greater magnitude is less: their magnitude bits are turned over
      keys[i] = Double.isNaN(v) ? NAN : bits ^ (bits >> 63 & Long.MAX_VALUE);
    }
  }

  private static void halves(
      boolean bf16, MemorySegment x, long at, long step, int n, long[] keys) {
    for (int i = 0; i < n; i++) {
      short bits = x.get(JAVA_SHORT_UNALIGNED, (at + i * step) * 2);
      keys[i] = key(bf16 ? DType.bf16ToFloat(bits) : Float.float16ToFloat(bits));
    }
  }

  private static long key(float value) {
    float v = value + 0.0f; // -0 becomes 0
    int bits = Float.floatToRawIntBits(v);
    return Float.isNaN(v) ? NAN : bits ^ (bits >> 31 & Integer.MAX_VALUE);
  }
}
