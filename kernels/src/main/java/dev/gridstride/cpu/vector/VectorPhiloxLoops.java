package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.gridstride.cpu.PhiloxLoops;
import dev.gridstride.cpu.scalar.ScalarPhiloxLoops;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Random words and what is made of them by the Vector API: bit for bit as the scalar twin.
 *
 * <p>A block's four words are the low halves of four long lanes, because 32 x 32 bit products with
 * 64-bit results exist only there.
 */
public final class VectorPhiloxLoops implements PhiloxLoops {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final VectorSpecies<Long> L = LongVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int BLOCKS = L.length();
  private static final int LANES = I.length();
  private static final long LOW = 0xFFFFFFFFL;
  private static final long M0 = 0xD2511F53L;
  private static final long M1 = 0xCD9E8D57L;

  private static final VectorShuffle<Long> LOWER = interleave(0);
  private static final VectorShuffle<Long> UPPER = interleave(BLOCKS / 2);
  private static final VectorShuffle<Integer> EVEN = VectorShuffle.fromOp(I, i -> i & ~1);
  private static final VectorShuffle<Integer> ODD = VectorShuffle.fromOp(I, i -> i | 1);

  private static final ScalarPhiloxLoops TAIL = new ScalarPhiloxLoops();

  /** Takes lanes from two vectors in turn, beginning with lane {@code first} of both. */
  private static VectorShuffle<Long> interleave(int first) {
    return VectorShuffle.fromOp(L, i -> first + i / 2 + (i & 1) * BLOCKS);
  }

  @Override
  public void words(long seed, long first, int blocks, MemorySegment out) {
    int b = 0;
    for (; b + BLOCKS <= blocks; b += BLOCKS) {
      someBlocks(seed, first + b, out, 16L * b);
    }
    if (b < blocks) {
      TAIL.words(seed, first + b, blocks - b, out.asSlice(16L * b));
    }
  }

  private static void someBlocks(long seed, long first, MemorySegment out, long at) {
    out = exact(out);
    LongVector counter = LongVector.broadcast(L, first).addIndex(1);
    LongVector c0 = counter.and(LOW);
    LongVector c1 = counter.lanewise(VectorOperators.LSHR, 32);
    LongVector c2 = LongVector.zero(L);
    LongVector c3 = c2;
    int k0 = (int) seed;
    int k1 = (int) (seed >>> 32);
    for (int round = 0; round < 10; round++) {
      LongVector p0 = c0.and(LOW).mul(M0);
      LongVector p1 = c2.and(LOW).mul(M1);
      c0 = p1.lanewise(VectorOperators.LSHR, 32).lanewise(VectorOperators.XOR, c1);
      c0 = c0.lanewise(VectorOperators.XOR, k0 & LOW);
      c2 = p0.lanewise(VectorOperators.LSHR, 32).lanewise(VectorOperators.XOR, c3);
      c2 = c2.lanewise(VectorOperators.XOR, k1 & LOW);
      c1 = p1.and(LOW);
      c3 = p0.and(LOW);
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
    LongVector front = c0.or(c1.lanewise(VectorOperators.LSHL, 32));
    LongVector back = c2.or(c3.lanewise(VectorOperators.LSHL, 32));
    front.rearrange(LOWER, back).intoMemorySegment(out, at, LE);
    front.rearrange(UPPER, back).intoMemorySegment(out, at + 8L * BLOCKS, LE);
  }

  @Override
  public void uniform(MemorySegment words, int n, float low, float span, float last) {
    words = exact(words);
    FloatVector lows = FloatVector.broadcast(F, low);
    FloatVector spans = FloatVector.broadcast(F, span);
    int i = 0;
    for (; i + LANES <= n; i += LANES) {
      IntVector w = IntVector.fromMemorySegment(I, words, 4L * i, LE);
      FloatVector v = toFloat(w.lanewise(VectorOperators.LSHR, 8)).fma(spans, lows);
      v.blend(last, v.compare(VectorOperators.GT, last)).intoMemorySegment(words, 4L * i, LE);
    }
    if (i < n) {
      TAIL.uniform(words.asSlice(4L * i), n - i, low, span, last);
    }
  }

  private static FloatVector toFloat(IntVector v) {
    return (FloatVector) v.convert(VectorOperators.I2F, 0);
  }

  private static FloatVector c(float v) {
    return FloatVector.broadcast(F, v);
  }

  @Override
  public void normal(MemorySegment words, int n, float mean, float std) {
    words = exact(words);
    int i = 0;
    for (; i + LANES <= n; i += LANES) {
      // both lanes of a pair compute the radius and the angle: the even one takes the cosine
      IntVector w = IntVector.fromMemorySegment(I, words, 4L * i, LE);
      w = w.lanewise(VectorOperators.LSHR, 8);
      FloatVector r = radius(w.rearrange(EVEN));
      FloatVector z = r.mul(cosine(w.rearrange(ODD)));
      z.fma(c(std), c(mean)).intoMemorySegment(words, 4L * i, LE);
    }
    if (i < n) {
      TAIL.normal(words.asSlice(4L * i), n - i, mean, std);
    }
  }

  private static FloatVector radius(IntVector bits) {
    IntVector u = toFloat(bits.add(1)).mul(0x1p-24f).viewAsIntegralLanes().sub(0x3F3504F3);
    FloatVector e = toFloat(u.lanewise(VectorOperators.ASHR, 23));
    FloatVector f = u.and(0x7FFFFF).add(0x3F3504F3).viewAsFloatingLanes().sub(1f);
    FloatVector z = f.mul(f);
    FloatVector p = c(7.0376836292e-2f);
    p = p.fma(f, c(-1.1514610310e-1f));
    p = p.fma(f, c(1.1676998740e-1f));
    p = p.fma(f, c(-1.2420140846e-1f));
    p = p.fma(f, c(1.4249322787e-1f));
    p = p.fma(f, c(-1.6668057665e-1f));
    p = p.fma(f, c(2.0000714765e-1f));
    p = p.fma(f, c(-2.4999993993e-1f));
    p = p.fma(f, c(3.3333331174e-1f));
    FloatVector y = p.mul(f).mul(z);
    y = e.fma(c(-2.12194440e-4f), y);
    y = z.fma(c(-0.5f), y);
    FloatVector log = e.fma(c(0.693359375f), f.add(y));
    return log.mul(-2f).abs().sqrt();
  }

  /** Cosine in even lanes, sine in odd ones. */
  private static FloatVector cosine(IntVector bits) {
    IntVector quarter = bits.add(1 << 21).lanewise(VectorOperators.ASHR, 22);
    FloatVector t =
        toFloat(bits.sub(quarter.lanewise(VectorOperators.LSHL, 22))).mul(3.7450702e-7f);
    IntVector parity = IntVector.zero(I).addIndex(1).and(1);
    IntVector q = quarter.add(parity.mul(3));
    FloatVector z = t.mul(t);
    FloatVector p = c(2.443315711809948e-5f).fma(z, c(-1.388731625493765e-3f));
    p = p.fma(z, c(4.166664568298827e-2f));
    FloatVector even = p.mul(z).fma(z, z.fma(c(-0.5f), c(1f)));
    p = c(-1.9515295891e-4f).fma(z, c(8.3321608736e-3f));
    p = p.fma(z, c(-1.6666654611e-1f));
    FloatVector odd = p.mul(z).fma(t, t);
    VectorMask<Float> isOdd = q.and(1).compare(VectorOperators.EQ, 1).cast(F);
    IntVector sign = q.add(1).and(2).lanewise(VectorOperators.LSHL, 30);
    return even.blend(odd, isOdd)
        .viewAsIntegralLanes()
        .lanewise(VectorOperators.XOR, sign)
        .viewAsFloatingLanes();
  }

  @Override
  public void dropout(
      MemorySegment words,
      long wordsAt,
      int threshold,
      float scale,
      MemorySegment x,
      MemorySegment y,
      long at,
      int n) {
    words = exact(words);
    x = exact(x);
    y = exact(y);
    // signed comparison of both sides shifted by half the range is the unsigned one
    int limit = threshold ^ Integer.MIN_VALUE;
    int step = VectorStep.lanes();
    int i = 0;
    for (; i + LANES <= n; i += step) {
      IntVector w =
          IntVector.fromMemorySegment(I, words, wordsAt + 4L * i, LE)
              .lanewise(VectorOperators.XOR, Integer.MIN_VALUE);
      VectorMask<Float> drop = w.compare(VectorOperators.LT, limit).cast(F);
      FloatVector v = FloatVector.fromMemorySegment(F, x, at + 4L * i, LE).mul(scale);
      v.blend(0f, drop).intoMemorySegment(y, at + 4L * i, LE);
    }
    for (; i < n; i++) {
      boolean drop = (words.get(JAVA_INT, wordsAt + 4L * i) ^ Integer.MIN_VALUE) < limit;
      float v = x.get(JAVA_FLOAT_UNALIGNED, at + 4L * i) * scale;
      y.set(JAVA_FLOAT_UNALIGNED, at + 4L * i, drop ? 0 : v);
    }
  }
}
