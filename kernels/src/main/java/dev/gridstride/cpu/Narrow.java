package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.gridstride.device.DType;
import java.lang.foreign.MemorySegment;

/** Copies rows of elements between their stored type and the type they are computed in. */
final class Narrow {
  /** Elements of one call. */
  private static final int MOST = 1 << 30;

  private Narrow() {}

  /**
   * Copies n elements to f32, or to f64 if they are f64.
   *
   * @param index first element in {@code from}
   * @param toOff first byte in {@code to}
   */
  static void load(
      DType type, MemorySegment from, long index, MemorySegment to, long toOff, long n) {
    if (!isNarrow(type)) {
      MemorySegment.copy(from, type.bytes(index), to, toOff, type.bytes(n));
      return;
    }
    for (long done = 0; done < n; ) {
      int some = (int) Math.min(n - done, MOST);
      long x = 2 * (index + done);
      long y = toOff + 4 * done;
      if (!isPlain(from) || !CopyLoops.BEST.convert(type, DType.F32, from, x, to, y, some)) {
        load(type, from, x, to, y, some);
      }
      done += some;
    }
  }

  private static void load(
      DType type, MemorySegment from, long x, MemorySegment to, long y, int n) {
    for (int i = 0; i < n; i++) {
      short s = from.get(JAVA_SHORT_UNALIGNED, x + 2L * i);
      float v = type == DType.BF16 ? DType.bf16ToFloat(s) : Float.float16ToFloat(s);
      to.set(JAVA_FLOAT_UNALIGNED, y + 4L * i, v);
    }
  }

  /** The other way, rounding to nearest even. */
  static void store(
      DType type, MemorySegment from, long off, MemorySegment to, long index, long n) {
    if (!isNarrow(type)) {
      MemorySegment.copy(from, off, to, type.bytes(index), type.bytes(n));
      return;
    }
    for (long done = 0; done < n; ) {
      int some = (int) Math.min(n - done, MOST);
      long x = off + 4 * done;
      long y = 2 * (index + done);
      if (!isPlain(to) || !CopyLoops.BEST.convert(DType.F32, type, from, x, to, y, some)) {
        store(type, from, x, to, y, some);
      }
      done += some;
    }
  }

  private static void store(
      DType type, MemorySegment from, long x, MemorySegment to, long y, int n) {
    for (int i = 0; i < n; i++) {
      float v = from.get(JAVA_FLOAT_UNALIGNED, x + 4L * i);
      short s = type == DType.BF16 ? DType.floatToBf16(v) : Float.floatToFloat16(v);
      to.set(JAVA_SHORT_UNALIGNED, y + 2L * i, s);
    }
  }

  /** Whether elements are computed in a wider type than they are stored in. */
  static boolean isNarrow(DType type) {
    return type == DType.BF16 || type == DType.F16;
  }

  /** Whether vector loops may meet this memory: they lose their speed by meeting several kinds. */
  static boolean isPlain(MemorySegment s) {
    return s.isNative() && !s.isMapped();
  }
}
