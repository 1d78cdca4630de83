package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.gridstride.device.DType;
import dev.gridstride.kernels.Reduce;
import java.lang.foreign.MemorySegment;

/** Sum, product, maximum and minimum of integers, in 64 bits that wrap around. */
final class IntegerReduce {
  private IntegerReduce() {}

  static void run(Reduce op, Places kept, Places reduced, MemorySegment x, MemorySegment y) {
    Parallel.forRange(
        kept.count,
        Math.max(1, 16384 / Math.max(1, reduced.count)),
        (from, to) -> {
          for (long o = from; o < to; o++) {
            set(op.type(), y, o, one(op, reduced, x, kept.at(o)));
          }
        });
  }

  private static long one(Reduce op, Places reduced, MemorySegment x, long base) {
    long v =
        switch (op.kind()) {
          case MAX -> Long.MIN_VALUE;
          case MIN -> Long.MAX_VALUE;
          case PROD -> 1;
          default -> 0;
        };
    for (long r = 0; r < reduced.count; r++) {
      long e = get(op.type(), x, base + reduced.at(r));
      v =
          switch (op.kind()) {
            case MAX -> Math.max(v, e);
            case MIN -> Math.min(v, e);
            case PROD -> v * e;
            default -> v + e;
          };
    }
    return v;
  }

  private static long get(DType type, MemorySegment x, long i) {
    return switch (type) {
      case I64 -> x.get(JAVA_LONG_UNALIGNED, i * 8);
      case I32 -> x.get(JAVA_INT_UNALIGNED, i * 4);
      default -> x.get(JAVA_BYTE, i) & 0xFF;
    };
  }

  private static void set(DType type, MemorySegment y, long i, long v) {
    switch (type) {
      case I64 -> y.set(JAVA_LONG_UNALIGNED, i * 8, v);
      case I32 -> y.set(JAVA_INT_UNALIGNED, i * 4, (int) v);
      default -> y.set(JAVA_BYTE, i, (byte) v);
    }
  }
}
