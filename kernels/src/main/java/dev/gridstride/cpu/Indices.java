package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.gridstride.device.DType;
import dev.gridstride.device.IndexOutOfRangeException;
import java.lang.foreign.MemorySegment;

/**
 * Reads and checks an operand of indices.
 *
 * @param op name for messages
 * @param type i64 or i32
 * @param size length of the dimension that is indexed
 * @param fromEnd whether negative indices count from the end
 */
record Indices(String op, DType type, long size, boolean fromEnd) {
  private long raw(MemorySegment indices, long k) {
    return type == DType.I64
        ? indices.get(JAVA_LONG_UNALIGNED, 8 * k)
        : indices.get(JAVA_INT_UNALIGNED, 4 * k);
  }

  /** The entry that index k names; indices have been checked. */
  long at(MemorySegment indices, long k) {
    long i = raw(indices, k);
    return i < 0 ? i + size : i;
  }

  /** Refuses the first of {@code count} indices that is out of range. */
  void check(MemorySegment indices, long count) {
    long least = fromEnd ? -size : 0;
    for (long k = 0; k < count; k++) {
      long i = raw(indices, k);
      if (i < least || i >= size) {
        throw IndexOutOfRangeException.of(op, k, i, least, size);
      }
    }
  }
}
