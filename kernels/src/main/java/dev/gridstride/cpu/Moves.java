package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** Moves elements of 1, 2, 4 or 8 bytes, bit for bit, with any strides. */
final class Moves {
  /** Below this many bytes a loop is quicker than a bulk copy. */
  private static final int BULK = 64;

  private Moves() {}

  /** Moves {@code n} elements of {@code size} bytes; places and steps are in elements. */
  static void move(
      int size,
      MemorySegment x,
      long xAt,
      long xStep,
      MemorySegment y,
      long yAt,
      long yStep,
      int n) {
    if (xStep == 1 && yStep == 1 && (long) n * size >= BULK) {
      MemorySegment.copy(x, xAt * size, y, yAt * size, (long) n * size);
    } else if (xStep == 0 && yStep == 1) {
      repeat(size, bits(size, x, xAt), y, yAt, n);
    } else {
      switch (size) {
        case 1 -> move1(x, xAt, xStep, y, yAt, yStep, n);
        case 2 -> move2(x, xAt, xStep, y, yAt, yStep, n);
        case 4 -> move4(x, xAt, xStep, y, yAt, yStep, n);
        default -> move8(x, xAt, xStep, y, yAt, yStep, n);
      }
    }
  }

  /** The bits of one element, in the low bits. */
  static long bits(int size, MemorySegment x, long at) {
    return switch (size) {
      case 1 -> x.get(JAVA_BYTE, at);
      case 2 -> x.get(JAVA_SHORT_UNALIGNED, 2 * at);
      case 4 -> x.get(JAVA_INT_UNALIGNED, 4 * at);
      default -> x.get(JAVA_LONG_UNALIGNED, 8 * at);
    };
  }

  /** Writes one element {@code n} times. */
  static void repeat(int size, long bits, MemorySegment y, long at, int n) {
    switch (size) {
      case 1 -> y.asSlice(at, n).fill((byte) bits);
      case 2 -> {
        for (int i = 0; i < n; i++) {
          y.set(JAVA_SHORT_UNALIGNED, 2 * (at + i), (short) bits);
        }
      }
      case 4 -> {
        for (int i = 0; i < n; i++) {
          y.set(JAVA_INT_UNALIGNED, 4 * (at + i), (int) bits);
        }
      }
      default -> {
        for (int i = 0; i < n; i++) {
          y.set(JAVA_LONG_UNALIGNED, 8 * (at + i), bits);
        }
      }
    }
  }

  private static void move1(
      MemorySegment x, long xAt, long xStep, MemorySegment y, long yAt, long yStep, int n) {
    for (int i = 0; i < n; i++) {
      y.set(JAVA_BYTE, yAt + i * yStep, x.get(JAVA_BYTE, xAt + i * xStep));
    }
  }

  private static void move2(
      MemorySegment x, long xAt, long xStep, MemorySegment y, long yAt, long yStep, int n) {
    for (int i = 0; i < n; i++) {
      short v = x.get(JAVA_SHORT_UNALIGNED, 2 * (xAt + i * xStep));
      y.set(JAVA_SHORT_UNALIGNED, 2 * (yAt + i * yStep), v);
    }
  }

  private static void move4(
      MemorySegment x, long xAt, long xStep, MemorySegment y, long yAt, long yStep, int n) {
    for (int i = 0; i < n; i++) {
      int v = x.get(JAVA_INT_UNALIGNED, 4 * (xAt + i * xStep));
      y.set(JAVA_INT_UNALIGNED, 4 * (yAt + i * yStep), v);
    }
  }

  private static void move8(
      MemorySegment x, long xAt, long xStep, MemorySegment y, long yAt, long yStep, int n) {
    for (int i = 0; i < n; i++) {
      long v = x.get(JAVA_LONG_UNALIGNED, 8 * (xAt + i * xStep));
      y.set(JAVA_LONG_UNALIGNED, 8 * (yAt + i * yStep), v);
    }
  }
}
