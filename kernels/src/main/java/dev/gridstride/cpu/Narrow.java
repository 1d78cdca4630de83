package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.gridstride.device.DType;
import java.lang.foreign.MemorySegment;

/** Copies rows of elements between their stored type and the type they are computed in. */
final class Narrow {
  private Narrow() {}

  /**
   * Copies n elements to f32, or to f64 if they are f64.
   *
   * @param index first element in {@code from}
   * @param toOff first byte in {@code to}
   */
  static void load(
      DType type, MemorySegment from, long index, MemorySegment to, long toOff, long n) {
    switch (type) {
      case BF16 -> {
        for (long i = 0; i < n; i++) {
          short s = from.get(JAVA_SHORT_UNALIGNED, 2 * (index + i));
          to.set(JAVA_FLOAT_UNALIGNED, toOff + 4 * i, DType.bf16ToFloat(s));
        }
      }
      case F16 -> {
        for (long i = 0; i < n; i++) {
          short s = from.get(JAVA_SHORT_UNALIGNED, 2 * (index + i));
          to.set(JAVA_FLOAT_UNALIGNED, toOff + 4 * i, Float.float16ToFloat(s));
        }
      }
      default -> MemorySegment.copy(from, type.bytes(index), to, toOff, type.bytes(n));
    }
  }

  /** The other way, rounding to nearest even. */
  static void store(
      DType type, MemorySegment from, long off, MemorySegment to, long index, long n) {
    switch (type) {
      case BF16 -> {
        for (long i = 0; i < n; i++) {
          float v = from.get(JAVA_FLOAT_UNALIGNED, off + 4 * i);
          to.set(JAVA_SHORT_UNALIGNED, 2 * (index + i), DType.floatToBf16(v));
        }
      }
      case F16 -> {
        for (long i = 0; i < n; i++) {
          float v = from.get(JAVA_FLOAT_UNALIGNED, off + 4 * i);
          to.set(JAVA_SHORT_UNALIGNED, 2 * (index + i), Float.floatToFloat16(v));
        }
      }
      default -> MemorySegment.copy(from, off, to, type.bytes(index), type.bytes(n));
    }
  }
}
