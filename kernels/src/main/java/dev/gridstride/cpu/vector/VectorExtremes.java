package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static dev.gridstride.cpu.vector.Carried.INTS;
import static dev.gridstride.cpu.vector.Carried.mixed;

import dev.gridstride.cpu.Scratch;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * The largest or smallest f32 of rows of at least a vector; NaN wins.
 *
 * <p>Method: numbers' bits are compared as integers, an instruction each, that know zeros' signs.
 * The largest number is the largest integer or, if all are negative, the smallest one. With the
 * signs turned, the largest integer is the negative number of the largest magnitude. A NaN is
 * beyond an infinity in one of the two.
 *
 * <p>Each lane's number becomes a key in the order that is wanted. Lanes of as many rows as a
 * vector has lanes are then joined by pairs of vectors, which gives a vector of one number a row.
 */
final class VectorExtremes {
  private static final VectorSpecies<Integer> S = IntVector.SPECIES_PREFERRED;
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final int L = S.length();
  private static final int V = 4 * L;
  private static final int INFINITY_BITS = 0x7F800000;
  private static final VectorShuffle<Integer> EVEN = VectorShuffle.fromOp(S, i -> every(2 * i));
  private static final VectorShuffle<Integer> ODD = VectorShuffle.fromOp(S, i -> every(2 * i + 1));

  private static final Scratch KEYS = new Scratch();

  private VectorExtremes() {}

  /** Lane {@code i} of two vectors, as a shuffle of two names it. */
  private static int every(int i) {
    return i < L ? i : i - 2 * L;
  }

  /** Of one row of {@code n >= L} elements. */
  static float one(MemorySegment x, long at, int n, boolean largest) {
    MemorySegment keys = KEYS.get((long) L * V);
    keys(x, at, 0, 1, n, largest, keys);
    int key = IntVector.fromMemorySegment(S, keys, 0, LE).reduceLanes(VectorOperators.MAX);
    int k = largest ? key : ~key;
    return Float.intBitsToFloat(k ^ ((k >> 31) & Integer.MAX_VALUE));
  }

  /** Of each of {@code rows} rows of {@code n >= L} elements, whose distance is {@code step}. */
  static void rows(
      MemorySegment x, long at, long step, int rows, int n, boolean largest, double[] results) {
    MemorySegment keys = KEYS.get((long) L * V);
    for (int r = 0; r < rows; r += L) {
      int count = Math.min(L, rows - r);
      keys(x, at + r * step, step, count, n, largest, keys);
      join(keys, largest);
      for (int i = 0; i < count; i++) {
        results[r + i] = keys.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4L * i);
      }
    }
  }

  /** A vector of keys for each of at most L rows: a larger key is what is looked for. */
  private static void keys(
      MemorySegment x, long at, long step, int rows, int n, boolean largest, MemorySegment keys) {
    x = exact(x);
    keys = exact(keys);
    IntVector sign = IntVector.broadcast(S, Integer.MIN_VALUE);
    for (int r = 0; r < rows; r++) {
      long p = at + r * step;
      IntVector most = sign;
      IntVector turned = sign;
      IntVector least = sign.not();
      int i = 0;
      for (; i + 2 * L <= n; i += 2 * L) { // not counted, see VectorReduceLoops
        if (most.getClass() != INTS || turned.getClass() != INTS || least.getClass() != INTS) {
          throw mixed();
        }
        IntVector v = IntVector.fromMemorySegment(S, x, p + 4L * i, LE);
        IntVector w = IntVector.fromMemorySegment(S, x, p + 4L * i + V, LE);
        most = most.max(v).max(w);
        least = least.min(v).min(w);
        turned = turned.max(v.lanewise(VectorOperators.XOR, sign));
        turned = turned.max(w.lanewise(VectorOperators.XOR, sign));
      }
      for (; i < n; i += L) { // the last vector may have elements that were there before
        if (most.getClass() != INTS || turned.getClass() != INTS || least.getClass() != INTS) {
          throw mixed();
        }
        long q = p + 4L * Math.min(i, n - L);
        IntVector v = IntVector.fromMemorySegment(S, x, q, LE);
        most = most.max(v);
        least = least.min(v);
        turned = turned.max(v.lanewise(VectorOperators.XOR, sign));
      }
      key(most, least, turned, largest).intoMemorySegment(keys, (long) r * V, LE);
    }
  }

  /** Of each of a vector of columns, whose rows are {@code step} apart. */
  static void column(
      MemorySegment x, long at, long step, int rows, boolean largest, float[] numbers) {
    x = exact(x);
    IntVector sign = IntVector.broadcast(S, Integer.MIN_VALUE);
    IntVector most = sign;
    IntVector turned = sign;
    IntVector least = sign.not();
    for (int r = 0; r < rows; r++) {
      if (most.getClass() != INTS || turned.getClass() != INTS || least.getClass() != INTS) {
        throw mixed();
      }
      IntVector v = IntVector.fromMemorySegment(S, x, at + r * step, LE);
      most = most.max(v);
      least = least.min(v);
      turned = turned.max(v.lanewise(VectorOperators.XOR, sign));
    }
    IntVector k = key(most, least, turned, largest);
    ordered(largest ? k : k.not()).reinterpretAsFloats().intoArray(numbers, 0);
  }

  /** The key of what is looked for, of the largest, the smallest and the largest turned integer. */
  private static IntVector key(IntVector most, IntVector least, IntVector turned, boolean largest) {
    VectorMask<Integer> nan = most.max(turned).compare(VectorOperators.GT, INFINITY_BITS);
    IntVector key;
    if (largest) {
      key = ordered(most.blend(least, most.compare(VectorOperators.LT, 0)));
    } else {
      IntVector negative = turned.lanewise(VectorOperators.XOR, Integer.MIN_VALUE);
      key = ordered(least.blend(negative, least.compare(VectorOperators.LT, 0))).not();
    }
    return key.blend(Integer.MAX_VALUE, nan);
  }

  /** Bits of numbers as integers in the numbers' order, and back. */
  private static IntVector ordered(IntVector bits) {
    IntVector negative = bits.lanewise(VectorOperators.ASHR, 31).and(Integer.MAX_VALUE);
    return bits.lanewise(VectorOperators.XOR, negative);
  }

  /** The largest key of each of L vectors as a number, all of them in the first vector. */
  private static void join(MemorySegment keys, boolean largest) {
    keys = exact(keys);
    for (int vectors = L / 2; vectors > 0; vectors /= 2) {
      for (int i = 0; i < vectors; i++) {
        IntVector a = IntVector.fromMemorySegment(S, keys, 2L * V * i, LE);
        IntVector b = IntVector.fromMemorySegment(S, keys, 2L * V * i + V, LE);
        a.rearrange(EVEN, b).max(a.rearrange(ODD, b)).intoMemorySegment(keys, (long) V * i, LE);
      }
    }
    IntVector k = IntVector.fromMemorySegment(S, keys, 0, LE);
    ordered(largest ? k : k.not()).intoMemorySegment(keys, 0, LE);
  }
}
