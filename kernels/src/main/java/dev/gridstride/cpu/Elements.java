package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.gridstride.device.DType;
import java.lang.foreign.MemorySegment;

/**
 * Reads and writes elements of one type as double, by index: for code where clarity counts more
 * than speed (f64, rare types, edges).
 *
 * <p>f32, bf16 and f16 are rounded to nearest even on writing; integers are truncated towards zero
 * and saturate, as Java's casts do, and i64 is exact only up to 2^53 through this interface.
 */
public interface Elements {
  /** The element at {@code index}. */
  double get(MemorySegment memory, long index);

  /** Sets the element at {@code index}. */
  void set(MemorySegment memory, long index, double value);

  /** The accessor for a type. */
  static Elements of(DType type) {
    return switch (type) {
      case F64 -> ElementsOf.F64;
      case F32 -> ElementsOf.F32;
      case BF16 -> ElementsOf.BF16;
      case F16 -> ElementsOf.F16;
      case I64 -> ElementsOf.I64;
      case I32 -> ElementsOf.I32;
      case U8 -> ElementsOf.U8;
      case BOOL -> ElementsOf.BOOL;
    };
  }

  /** One accessor for each type. */
  enum ElementsOf implements Elements {
    /** f64. */
    F64 {
      @Override
      public double get(MemorySegment memory, long index) {
        return memory.get(JAVA_DOUBLE_UNALIGNED, index * 8);
      }

      @Override
      public void set(MemorySegment memory, long index, double value) {
        memory.set(JAVA_DOUBLE_UNALIGNED, index * 8, value);
      }
    },
    /** f32. */
    F32 {
      @Override
      public double get(MemorySegment memory, long index) {
        return memory.get(JAVA_FLOAT_UNALIGNED, index * 4);
      }

      @Override
      public void set(MemorySegment memory, long index, double value) {
        memory.set(JAVA_FLOAT_UNALIGNED, index * 4, (float) value);
      }
    },
    /** bf16. */
    BF16 {
      @Override
      public double get(MemorySegment memory, long index) {
        return DType.bf16ToFloat(memory.get(JAVA_SHORT_UNALIGNED, index * 2));
      }

      @Override
      public void set(MemorySegment memory, long index, double value) {
        memory.set(JAVA_SHORT_UNALIGNED, index * 2, DType.floatToBf16((float) value));
      }
    },
    /** f16. */
    F16 {
      @Override
      public double get(MemorySegment memory, long index) {
        return Float.float16ToFloat(memory.get(JAVA_SHORT_UNALIGNED, index * 2));
      }

      @Override
      public void set(MemorySegment memory, long index, double value) {
        memory.set(JAVA_SHORT_UNALIGNED, index * 2, Float.floatToFloat16((float) value));
      }
    },
    /** i64. */
    I64 {
      @Override
      public double get(MemorySegment memory, long index) {
        return memory.get(JAVA_LONG_UNALIGNED, index * 8);
      }

      @Override
      public void set(MemorySegment memory, long index, double value) {
        memory.set(JAVA_LONG_UNALIGNED, index * 8, (long) value);
      }
    },
    /** i32. */
    I32 {
      @Override
      public double get(MemorySegment memory, long index) {
        return memory.get(JAVA_INT_UNALIGNED, index * 4);
      }

      @Override
      public void set(MemorySegment memory, long index, double value) {
        memory.set(JAVA_INT_UNALIGNED, index * 4, (int) value);
      }
    },
    /** u8. */
    U8 {
      @Override
      public double get(MemorySegment memory, long index) {
        return memory.get(JAVA_BYTE, index) & 0xFF;
      }

      @Override
      public void set(MemorySegment memory, long index, double value) {
        memory.set(JAVA_BYTE, index, (byte) Math.clamp((long) value, 0, 255));
      }
    },
    /** bool: anything but 0 is true. */
    BOOL {
      @Override
      public double get(MemorySegment memory, long index) {
        return memory.get(JAVA_BYTE, index) == 0 ? 0 : 1;
      }

      @Override
      public void set(MemorySegment memory, long index, double value) {
        memory.set(JAVA_BYTE, index, (byte) (value == 0 ? 0 : 1));
      }
    }
  }
}
