package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.gridstride.cpu.CopyLoops;
import dev.gridstride.device.DType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Conversions among f32, bf16, f16 and f64, and transposition in registers: square blocks of whole
 * vectors, then of 4 x 4.
 */
public final class VectorCopyLoops implements CopyLoops {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
  private static final int LANES = I.length();
  private static final VectorSpecies<Short> HALF =
      VectorSpecies.of(short.class, VectorShape.forBitSize(I.vectorBitSize() / 2));

  private static final VectorSpecies<Integer> Q = IntVector.SPECIES_128;
  private static final VectorShuffle<Integer> X1 = VectorShuffle.fromValues(Q, 1, 0, 3, 2);
  private static final VectorShuffle<Integer> X2 = VectorShuffle.fromValues(Q, 2, 3, 0, 1);
  private static final VectorMask<Integer> K1 = VectorMask.fromLong(Q, 0b1010);
  private static final VectorMask<Integer> K2 = VectorMask.fromLong(Q, 0b1100);

  @Override
  public boolean convert(
      DType from, DType to, MemorySegment x, long xAt, MemorySegment y, long yAt, int n) {
    if (from == DType.F32 && to == DType.BF16) {
      toBf16(x, xAt, y, yAt, n);
    } else if (from == DType.BF16 && to == DType.F32) {
      fromBf16(x, xAt, y, yAt, n);
    } else if (from == DType.F32 && to == DType.F16) {
      toF16(x, xAt, y, yAt, n);
    } else if (from == DType.F16 && to == DType.F32) {
      fromF16(x, xAt, y, yAt, n);
    } else if (from == DType.F32 && to == DType.F64) {
      toF64(x, xAt, y, yAt, n);
    } else if (from == DType.F64 && to == DType.F32) {
      fromF64(x, xAt, y, yAt, n);
    } else {
      return false;
    }
    return true;
  }

  private static void toBf16(MemorySegment x, long xAt, MemorySegment y, long yAt, int n) {
    x = exact(x);
    y = exact(y);
    int i = 0;
    for (; i + LANES <= n; i += LANES) {
      IntVector bits = IntVector.fromMemorySegment(I, x, xAt + 4L * i, LE);
      IntVector upper = bits.lanewise(VectorOperators.LSHR, 16);
      IntVector rounded = bits.add(0x7FFF).add(upper.and(1)).lanewise(VectorOperators.LSHR, 16);
      // a NaN's exponent and mantissa exceed those of infinity
      var nan = bits.and(0x7FFFFFFF).compare(VectorOperators.GT, 0x7F800000);
      ShortVector v =
          (ShortVector)
              rounded.blend(upper.or(0x40), nan).convertShape(VectorOperators.I2S, HALF, 0);
      v.intoMemorySegment(y, yAt + 2L * i, LE);
    }
    for (; i < n; i++) {
      short v = DType.floatToBf16(x.get(JAVA_FLOAT_UNALIGNED, xAt + 4L * i));
      y.set(JAVA_SHORT_UNALIGNED, yAt + 2L * i, v);
    }
  }

  private static void fromBf16(MemorySegment x, long xAt, MemorySegment y, long yAt, int n) {
    x = exact(x);
    y = exact(y);
    int i = 0;
    for (; i + LANES <= n; i += LANES) {
      IntVector v =
          (IntVector)
              ShortVector.fromMemorySegment(HALF, x, xAt + 2L * i, LE)
                  .convertShape(VectorOperators.S2I, I, 0);
      v.lanewise(VectorOperators.LSHL, 16).intoMemorySegment(y, yAt + 4L * i, LE);
    }
    for (; i < n; i++) {
      float v = DType.bf16ToFloat(x.get(JAVA_SHORT_UNALIGNED, xAt + 2L * i));
      y.set(JAVA_FLOAT_UNALIGNED, yAt + 4L * i, v);
    }
  }

  // the JIT has instructions for these four, and turns the loops into vectors by itself

  private static void toF16(MemorySegment x, long xAt, MemorySegment y, long yAt, int n) {
    x = exact(x);
    y = exact(y);
    for (int i = 0; i < n; i++) {
      short v = Float.floatToFloat16(x.get(JAVA_FLOAT_UNALIGNED, xAt + 4L * i));
      y.set(JAVA_SHORT_UNALIGNED, yAt + 2L * i, v);
    }
  }

  private static void fromF16(MemorySegment x, long xAt, MemorySegment y, long yAt, int n) {
    x = exact(x);
    y = exact(y);
    for (int i = 0; i < n; i++) {
      float v = Float.float16ToFloat(x.get(JAVA_SHORT_UNALIGNED, xAt + 2L * i));
      y.set(JAVA_FLOAT_UNALIGNED, yAt + 4L * i, v);
    }
  }

  private static void toF64(MemorySegment x, long xAt, MemorySegment y, long yAt, int n) {
    x = exact(x);
    y = exact(y);
    for (int i = 0; i < n; i++) {
      y.set(JAVA_DOUBLE_UNALIGNED, yAt + 8L * i, x.get(JAVA_FLOAT_UNALIGNED, xAt + 4L * i));
    }
  }

  private static void fromF64(MemorySegment x, long xAt, MemorySegment y, long yAt, int n) {
    x = exact(x);
    y = exact(y);
    for (int i = 0; i < n; i++) {
      float v = (float) x.get(JAVA_DOUBLE_UNALIGNED, xAt + 8L * i);
      y.set(JAVA_FLOAT_UNALIGNED, yAt + 4L * i, v);
    }
  }

  @Override
  public void transpose4(
      MemorySegment x,
      long xAt,
      long xRow,
      MemorySegment y,
      long yAt,
      long yRow,
      int rows,
      int cols) {
    x = exact(x);
    y = exact(y);
    int blockRows = rows - rows % LANES;
    int blockCols = cols - cols % LANES;
    for (int c = 0; c < blockCols; c += LANES) {
      for (int r = 0; r < blockRows; r += LANES) {
        // as floats: the bits are only moved
        F32Transpose.block(
            x, xAt + r * xRow + 4L * c, xRow, LANES, y, yAt + c * yRow + 4L * r, yRow);
      }
    }
    int fullRows = rows & ~3;
    int fullCols = cols & ~3;
    for (int c = 0; c < fullCols; c += 4) {
      for (int r = c < blockCols ? blockRows : 0; r < fullRows; r += 4) {
        tile(x, xAt + r * xRow + 4L * c, xRow, y, yAt + c * yRow + 4L * r, yRow);
      }
    }
    for (int c = 0; c < cols; c++) {
      for (int r = c < fullCols ? fullRows : 0; r < rows; r++) {
        int v = x.get(JAVA_INT_UNALIGNED, xAt + r * xRow + 4L * c);
        y.set(JAVA_INT_UNALIGNED, yAt + c * yRow + 4L * r, v);
      }
    }
  }

  /** Two rounds of exchange. A shuffle of two vectors at once would be boxed. */
  private static void tile(
      MemorySegment x, long xAt, long xRow, MemorySegment y, long yAt, long yRow) {
    x = exact(x);
    y = exact(y);
    IntVector a0 = IntVector.fromMemorySegment(Q, x, xAt, LE);
    IntVector a1 = IntVector.fromMemorySegment(Q, x, xAt + xRow, LE);
    IntVector a2 = IntVector.fromMemorySegment(Q, x, xAt + 2 * xRow, LE);
    IntVector a3 = IntVector.fromMemorySegment(Q, x, xAt + 3 * xRow, LE);
    IntVector b0 = a0.blend(a1.rearrange(X1), K1);
    IntVector b1 = a0.rearrange(X1).blend(a1, K1);
    IntVector b2 = a2.blend(a3.rearrange(X1), K1);
    IntVector b3 = a2.rearrange(X1).blend(a3, K1);
    b0.blend(b2.rearrange(X2), K2).intoMemorySegment(y, yAt, LE);
    b1.blend(b3.rearrange(X2), K2).intoMemorySegment(y, yAt + yRow, LE);
    b0.rearrange(X2).blend(b2, K2).intoMemorySegment(y, yAt + 2 * yRow, LE);
    b1.rearrange(X2).blend(b3, K2).intoMemorySegment(y, yAt + 3 * yRow, LE);
  }
}
