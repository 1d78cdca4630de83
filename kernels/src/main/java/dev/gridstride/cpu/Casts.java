package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.gridstride.device.DType;
import java.lang.foreign.MemorySegment;

/**
 * Converts elements between any two types.
 *
 * <p>Floating sources are read as double and integers as long, both exact, and each target is
 * rounded once from that: two loops for each type instead of one for each pair.
 */
final class Casts {
  /** Elements converted at a time: 8 KiB, which stays in the first-level cache. */
  private static final int CHUNK = 1024;

  private static final Scratch WIDE = new Scratch();
  private static final Scratch PACKED = new Scratch();

  private Casts() {}

  /** Converts {@code n} neighbouring elements; places in bytes. */
  static void contiguous(
      DType from, MemorySegment x, long xAt, DType to, MemorySegment y, long yAt, int n) {
    MemorySegment wide = WIDE.get(8 * CHUNK);
    for (int i = 0; i < n; i += CHUNK) {
      int m = Math.min(CHUNK, n - i);
      long xi = xAt + (long) i * from.bytes();
      long yi = yAt + (long) i * to.bytes();
      if (from.isFloating()) {
        readFloating(from, x, xi, wide, m);
        writeFloating(to, wide, y, yi, m);
      } else {
        readInteger(from, x, xi, wide, m);
        writeInteger(to, wide, y, yi, m);
      }
    }
  }

  /** Converts {@code n} elements; places and steps in elements. */
  static void strided(
      CopyLoops loops,
      DType from,
      MemorySegment x,
      long xAt,
      long xStep,
      DType to,
      MemorySegment y,
      long yAt,
      long yStep,
      int n) {
    MemorySegment packed = PACKED.get(16 * CHUNK);
    for (int i = 0; i < n; i += CHUNK) {
      int m = Math.min(CHUNK, n - i);
      Moves.move(from.bytes(), x, xAt + i * xStep, xStep, packed, 0, 1, m);
      int half = 8 * CHUNK;
      if (!loops.convert(from, to, packed, 0, packed, half, m)) {
        contiguous(from, packed, 0, to, packed, half, m);
      }
      Moves.move(to.bytes(), packed, half / to.bytes(), 1, y, yAt + i * yStep, yStep, m);
    }
  }

  private static void readFloating(
      DType type, MemorySegment x, long at, MemorySegment wide, int n) {
    switch (type) {
      case F64 -> MemorySegment.copy(x, at, wide, 0, 8L * n);
      case F32 -> {
        for (int i = 0; i < n; i++) {
          wide.setAtIndex(JAVA_DOUBLE, i, x.get(JAVA_FLOAT_UNALIGNED, at + 4L * i));
        }
      }
      case BF16 -> {
        for (int i = 0; i < n; i++) {
          short v = x.get(JAVA_SHORT_UNALIGNED, at + 2L * i);
          wide.setAtIndex(JAVA_DOUBLE, i, DType.bf16ToFloat(v));
        }
      }
      default -> {
        for (int i = 0; i < n; i++) {
          short v = x.get(JAVA_SHORT_UNALIGNED, at + 2L * i);
          wide.setAtIndex(JAVA_DOUBLE, i, Float.float16ToFloat(v));
        }
      }
    }
  }

  private static void readInteger(DType type, MemorySegment x, long at, MemorySegment wide, int n) {
    switch (type) {
      case I64 -> MemorySegment.copy(x, at, wide, 0, 8L * n);
      case I32 -> {
        for (int i = 0; i < n; i++) {
          wide.setAtIndex(JAVA_LONG, i, x.get(JAVA_INT_UNALIGNED, at + 4L * i));
        }
      }
      case U8 -> {
        for (int i = 0; i < n; i++) {
          wide.setAtIndex(JAVA_LONG, i, x.get(JAVA_BYTE, at + i) & 0xFFL);
        }
      }
      default -> {
        for (int i = 0; i < n; i++) {
          wide.setAtIndex(JAVA_LONG, i, x.get(JAVA_BYTE, at + i) == 0 ? 0L : 1L);
        }
      }
    }
  }

  private static void writeFloating(
      DType type, MemorySegment wide, MemorySegment y, long at, int n) {
    switch (type) {
      case F64 -> MemorySegment.copy(wide, 0, y, at, 8L * n);
      case F32 -> {
        for (int i = 0; i < n; i++) {
          y.set(JAVA_FLOAT_UNALIGNED, at + 4L * i, (float) wide.getAtIndex(JAVA_DOUBLE, i));
        }
      }
      case BF16 -> {
        for (int i = 0; i < n; i++) {
          y.set(JAVA_SHORT_UNALIGNED, at + 2L * i, toBf16(wide.getAtIndex(JAVA_DOUBLE, i)));
        }
      }
      case F16 -> {
        for (int i = 0; i < n; i++) {
          y.set(JAVA_SHORT_UNALIGNED, at + 2L * i, toF16(wide.getAtIndex(JAVA_DOUBLE, i)));
        }
      }
      case I64 -> {
        for (int i = 0; i < n; i++) {
          y.set(JAVA_LONG_UNALIGNED, at + 8L * i, (long) wide.getAtIndex(JAVA_DOUBLE, i));
        }
      }
      case I32 -> {
        for (int i = 0; i < n; i++) {
          y.set(JAVA_INT_UNALIGNED, at + 4L * i, (int) wide.getAtIndex(JAVA_DOUBLE, i));
        }
      }
      case U8 -> {
        for (int i = 0; i < n; i++) {
          y.set(JAVA_BYTE, at + i, toU8(wide.getAtIndex(JAVA_DOUBLE, i)));
        }
      }
      case BOOL -> {
        for (int i = 0; i < n; i++) {
          y.set(JAVA_BYTE, at + i, (byte) (wide.getAtIndex(JAVA_DOUBLE, i) == 0 ? 0 : 1));
        }
      }
    }
  }

  private static void writeInteger(
      DType type, MemorySegment wide, MemorySegment y, long at, int n) {
    switch (type) {
      case F64 -> {
        for (int i = 0; i < n; i++) {
          y.set(JAVA_DOUBLE_UNALIGNED, at + 8L * i, (double) wide.getAtIndex(JAVA_LONG, i));
        }
      }
      case F32 -> {
        for (int i = 0; i < n; i++) {
          y.set(JAVA_FLOAT_UNALIGNED, at + 4L * i, (float) wide.getAtIndex(JAVA_LONG, i));
        }
      }
      case BF16 -> {
        for (int i = 0; i < n; i++) {
          short v = toBf16(oddDouble(wide.getAtIndex(JAVA_LONG, i)));
          y.set(JAVA_SHORT_UNALIGNED, at + 2L * i, v);
        }
      }
      case F16 -> {
        for (int i = 0; i < n; i++) {
          short v = toF16(oddDouble(wide.getAtIndex(JAVA_LONG, i)));
          y.set(JAVA_SHORT_UNALIGNED, at + 2L * i, v);
        }
      }
      case I64 -> MemorySegment.copy(wide, 0, y, at, 8L * n);
      case I32 -> {
        for (int i = 0; i < n; i++) {
          y.set(JAVA_INT_UNALIGNED, at + 4L * i, (int) wide.getAtIndex(JAVA_LONG, i));
        }
      }
      case U8 -> {
        for (int i = 0; i < n; i++) {
          y.set(JAVA_BYTE, at + i, (byte) wide.getAtIndex(JAVA_LONG, i));
        }
      }
      case BOOL -> {
        for (int i = 0; i < n; i++) {
          y.set(JAVA_BYTE, at + i, (byte) (wide.getAtIndex(JAVA_LONG, i) == 0 ? 0 : 1));
        }
      }
    }
  }

  /** Truncated and saturated. */
  static byte toU8(double v) {
    return (byte) Math.clamp((long) v, 0, 255);
  }

  /** Rounded once to nearest even. */
  static short toBf16(double v) {
    return DType.floatToBf16(oddFloat(v));
  }

  /** Rounded once to nearest even. */
  static short toF16(double v) {
    return Float.floatToFloat16(oddFloat(v));
  }

  /**
   * Rounds to odd: an inexact result is the neighbour whose last bit is 1, so that a second
   * rounding to a type with at least two bits less sees on which side of a tie the value lay
   * (Boldo, Melquiond 2008, "Emulation of FMA and correctly rounded sums").
   */
  private static float oddFloat(double v) {
    float f = (float) v;
    if (f == v || Double.isNaN(v)) {
      return f;
    }
    int bits = Float.floatToRawIntBits(f);
    int towardsZero = Math.abs((double) f) > Math.abs(v) ? bits - 1 : bits;
    return Float.intBitsToFloat(towardsZero | 1);
  }

  /** The same from long to double; exact below 2^53. */
  private static double oddDouble(long v) {
    if (Math.abs(v) >= 0 && Math.abs(v) <= 1L << 53) {
      return (double) v;
    }
    long low = 0x3FF;
    return (double) ((v & low) == 0 ? v : (v & ~low) | 0x400);
  }
}
