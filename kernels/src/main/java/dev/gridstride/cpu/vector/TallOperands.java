package dev.gridstride.cpu.vector;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * How tall tiles read and write their operands: by constant method handles, which the second
 * compiler (C2) inlines and the first (C1) doesn't.
 *
 * <p>Written out, a tile of more than 6 rows needs more virtual registers than C1 has when it adds
 * profiling. A method that C1 has compiled without, and can't compile with, stays in that form, a
 * hundred times slower, for ever. C1 inlines no method of so deep an operand stack as these, unless
 * it is annotated within the JDK, while C2 would inline them in a small method but not in so large
 * a one ({@code NodeCountInliningCutoff}). Behind a method handle it does.
 */
final class TallOperands {
  /** {@code splatF32}. */
  static final MethodHandle F32_SPLAT;

  /** {@code loadF32}. */
  static final MethodHandle F32_LOAD;

  /** {@code storeF32}. */
  static final MethodHandle F32_STORE;

  /** {@code splatF64}. */
  static final MethodHandle F64_SPLAT;

  /** {@code loadF64}. */
  static final MethodHandle F64_LOAD;

  /** {@code storeF64}. */
  static final MethodHandle F64_STORE;

  static {
    MethodHandles.Lookup lookup = MethodHandles.lookup();
    try {
      F32_SPLAT = lookup.findStatic(TallOperands.class, "splatF32", type(FloatVector.class));
      F32_LOAD = lookup.findStatic(TallOperands.class, "loadF32", type(FloatVector.class));
      F64_SPLAT = lookup.findStatic(TallOperands.class, "splatF64", type(DoubleVector.class));
      F64_LOAD = lookup.findStatic(TallOperands.class, "loadF64", type(DoubleVector.class));
      F32_STORE = lookup.findStatic(TallOperands.class, "storeF32", storing(FloatVector.class));
      F64_STORE = lookup.findStatic(TallOperands.class, "storeF64", storing(DoubleVector.class));
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private static final VectorSpecies<Float> F = F32Tiles.S;
  private static final VectorSpecies<Double> D = F64Tiles.S;
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
  private static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED;

  private TallOperands() {}

  private static MethodType type(Class<?> result) {
    return MethodType.methodType(
        result, MemorySegment.class, long.class, int.class, long.class, int.class, long.class);
  }

  private static MethodType storing(Class<?> vector) {
    return type(void.class).insertParameterTypes(0, vector);
  }

  /** The element at {@code off + i * stepI + j * stepJ} in all lanes. */
  static FloatVector splatF32(MemorySegment m, long off, int i, long stepI, int j, long stepJ) {
    return FloatVector.broadcast(F, m.get(FLOAT, off + i * stepI + j * stepJ));
  }

  /** The vector at {@code off + i * stepI + j * stepJ}. */
  static FloatVector loadF32(MemorySegment m, long off, int i, long stepI, int j, long stepJ) {
    return FloatVector.fromMemorySegment(F, m, off + i * stepI + j * stepJ, LE);
  }

  /** The element at {@code off + i * stepI + j * stepJ} in all lanes. */
  static DoubleVector splatF64(MemorySegment m, long off, int i, long stepI, int j, long stepJ) {
    return DoubleVector.broadcast(D, m.get(DOUBLE, off + i * stepI + j * stepJ));
  }

  /** The vector at {@code off + i * stepI + j * stepJ}. */
  static DoubleVector loadF64(MemorySegment m, long off, int i, long stepI, int j, long stepJ) {
    return DoubleVector.fromMemorySegment(D, m, off + i * stepI + j * stepJ, LE);
  }

  /** Stores the vector at {@code off + i * stepI + j * stepJ}. */
  static void storeF32(
      FloatVector v, MemorySegment m, long off, int i, long stepI, int j, long stepJ) {
    v.intoMemorySegment(m, off + i * stepI + j * stepJ, LE);
  }

  /** Stores the vector at {@code off + i * stepI + j * stepJ}. */
  static void storeF64(
      DoubleVector v, MemorySegment m, long off, int i, long stepI, int j, long stepJ) {
    v.intoMemorySegment(m, off + i * stepI + j * stepJ, LE);
  }

  /** What a tile threw, as something that needs no declaration: it calls nothing that does. */
  static RuntimeException unchecked(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return e instanceof RuntimeException r ? r : new IllegalStateException(e);
  }
}
