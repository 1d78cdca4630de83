package dev.gridstride.cpu.vector;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Sums over the lanes of a vector, pairwise in a fixed order.
 *
 * <p>{@code reduceLanes(ADD)} leaves the order open: interpreted and compiled code add differently,
 * so a program's bits would depend on when the JIT compiles.
 */
final class LaneSums {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Double> D = DoubleVector.SPECIES_PREFERRED;
  private static final int FL = F.length();
  private static final int DL = D.length();

  // each lane's partner at a distance; meaningless, and unused, where the vector is shorter
  private static final VectorShuffle<Float> F8 = VectorShuffle.fromOp(F, i -> (i ^ 8) & (FL - 1));
  private static final VectorShuffle<Float> F4 = VectorShuffle.fromOp(F, i -> (i ^ 4) & (FL - 1));
  private static final VectorShuffle<Float> F2 = VectorShuffle.fromOp(F, i -> (i ^ 2) & (FL - 1));
  private static final VectorShuffle<Float> F1 = VectorShuffle.fromOp(F, i -> (i ^ 1) & (FL - 1));
  private static final VectorShuffle<Double> D4 = VectorShuffle.fromOp(D, i -> (i ^ 4) & (DL - 1));
  private static final VectorShuffle<Double> D2 = VectorShuffle.fromOp(D, i -> (i ^ 2) & (DL - 1));
  private static final VectorShuffle<Double> D1 = VectorShuffle.fromOp(D, i -> (i ^ 1) & (DL - 1));

  private LaneSums() {}

  /** The sum of the lanes of a vector of at most 16. */
  static float sum(FloatVector v) {
    FloatVector s = v;
    if (FL >= 16) {
      s = s.add(s.rearrange(F8));
    }
    if (FL >= 8) {
      s = s.add(s.rearrange(F4));
    }
    if (FL >= 4) {
      s = s.add(s.rearrange(F2));
    }
    return s.add(s.rearrange(F1)).lane(0);
  }

  /** The sum of the lanes of a vector of at most 8. */
  static double sum(DoubleVector v) {
    DoubleVector s = v;
    if (DL >= 8) {
      s = s.add(s.rearrange(D4));
    }
    if (DL >= 4) {
      s = s.add(s.rearrange(D2));
    }
    return s.add(s.rearrange(D1)).lane(0);
  }
}
