package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.vector.VectorMath.F;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShuffle;

/**
 * Sums over the lanes of a vector, pairwise in a fixed order: {@code v.intoArray(lanes, 0)}, then
 * {@code sum(lanes)} for an array from {@link #floats} or {@link #doubles}.
 *
 * <p>{@code reduceLanes(ADD)} leaves the order open: interpreted and compiled code add differently,
 * so a program's bits would depend on when the JIT compiles. Nor do these methods take a vector:
 * the JIT does not inline what it has already compiled to long code, and an argument then is boxed,
 * about 100 bytes and 50 ns a sum, in programs that use several ops.
 *
 * <p>Where a sum is all that a short row costs, the same additions are written out on whole
 * vectors, a quarter of the instructions: {@code v = v.add(v.rearrange(SWAP_8))}, then {@link
 * #SWAP_4}, {@link #SWAP_2}, {@link #SWAP_1}, as far as a vector has as many lanes; each lane then
 * holds the sum.
 */
final class LaneSums {
  /** Exchanges the halves of 16 lanes. */
  static final VectorShuffle<Float> SWAP_8 = swap(8);

  /** Exchanges neighbouring fours, for at least 8 lanes. */
  static final VectorShuffle<Float> SWAP_4 = swap(4);

  /** Exchanges neighbouring pairs. */
  static final VectorShuffle<Float> SWAP_2 = swap(2);

  /** Exchanges neighbours. */
  static final VectorShuffle<Float> SWAP_1 = swap(1);

  private static final ThreadLocal<float[]> FLOATS =
      ThreadLocal.withInitial(() -> new float[FloatVector.SPECIES_PREFERRED.length()]);
  private static final ThreadLocal<double[]> DOUBLES =
      ThreadLocal.withInitial(() -> new double[DoubleVector.SPECIES_PREFERRED.length()]);

  private LaneSums() {}

  private static VectorShuffle<Float> swap(int distance) {
    return VectorShuffle.fromOp(F, i -> (i ^ distance) & (F.length() - 1));
  }

  /** This thread's array for the lanes of one vector. Get it before a loop that carries vectors. */
  static float[] floats() {
    return FLOATS.get();
  }

  /** As {@link #floats}. */
  static double[] doubles() {
    return DOUBLES.get();
  }

  /** The sum of at most 16 lanes. */
  static float sum(float[] t) {
    return switch (t.length) {
      case 16 -> pairwise(quarter(t, 0), quarter(t, 1), quarter(t, 2), quarter(t, 3));
      case 8 -> pairwise(t[0] + t[4], t[1] + t[5], t[2] + t[6], t[3] + t[7]);
      case 4 -> pairwise(t[0], t[1], t[2], t[3]);
      default -> t[0] + t[1];
    };
  }

  private static float quarter(float[] t, int i) {
    return (t[i] + t[i + 8]) + (t[i + 4] + t[i + 12]);
  }

  private static float pairwise(float a, float b, float c, float d) {
    return (a + c) + (b + d);
  }

  /** The sum of at most 8 lanes. */
  static double sum(double[] t) {
    return switch (t.length) {
      case 8 -> pairwise(t[0] + t[4], t[1] + t[5], t[2] + t[6], t[3] + t[7]);
      case 4 -> pairwise(t[0], t[1], t[2], t[3]);
      case 2 -> t[0] + t[1];
      default -> t[0];
    };
  }

  private static double pairwise(double a, double b, double c, double d) {
    return (a + c) + (b + d);
  }
}
