package dev.gridstride.cpu.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Elementary functions on f32 vectors of the preferred width. */
final class VectorMath {
  static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;

  // adding and subtracting 1.5 * 2^23 rounds to an integer, left in the low mantissa bits
  private static final float ROUND = 12582912f;
  private static final int ROUND_BITS = 0x4B400000;

  private VectorMath() {}

  /**
   * e^x with a relative error of about 2e-7; gradual underflow, +Inf above 88.73, NaN stays.
   *
   * <p>Cephes' polynomial on [-ln2/2, ln2/2] with a two-part ln 2. The scale is applied in two
   * halves, so that results near the ends of the range need no special case.
   */
  static FloatVector exp(FloatVector x) {
    x = x.blend(-104f, x.compare(VectorOperators.LT, -104f));
    x = x.blend(89f, x.compare(VectorOperators.GT, 89f));
    FloatVector biased = x.mul(1.44269504f).add(ROUND);
    FloatVector n = biased.sub(ROUND);
    FloatVector r = n.fma(FloatVector.broadcast(F, -0.693359375f), x);
    r = n.fma(FloatVector.broadcast(F, 2.12194440e-4f), r);
    FloatVector p = FloatVector.broadcast(F, 1.9875691500e-4f);
    p = p.fma(r, FloatVector.broadcast(F, 1.3981999507e-3f));
    p = p.fma(r, FloatVector.broadcast(F, 8.3334519073e-3f));
    p = p.fma(r, FloatVector.broadcast(F, 4.1665795894e-2f));
    p = p.fma(r, FloatVector.broadcast(F, 1.6666665459e-1f));
    p = p.fma(r, FloatVector.broadcast(F, 5.0000001201e-1f));
    p = p.fma(r.mul(r), r).add(1f);
    IntVector e = biased.viewAsIntegralLanes().sub(ROUND_BITS);
    IntVector half = e.lanewise(VectorOperators.ASHR, 1);
    return p.mul(power(half)).mul(power(e.sub(half)));
  }

  /** {@code 2^e} for {@code -126 <= e <= 127}. */
  private static FloatVector power(IntVector e) {
    return e.add(127).lanewise(VectorOperators.LSHL, 23).viewAsFloatingLanes();
  }

  /** The larger of each lane; a NaN in {@code b} stays. */
  static FloatVector max(FloatVector a, FloatVector b) {
    // Vector.max would add the handling of -0, which costs more than the comparison
    return a.blend(b, b.compare(VectorOperators.LE, a).not());
  }
}
