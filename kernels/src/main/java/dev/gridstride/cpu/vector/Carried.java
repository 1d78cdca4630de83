package dev.gridstride.cpu.vector;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * The classes of the vectors that loops carry from step to step (sums, maxima), to say them to the
 * second compiler (C2): {@code if (sum.getClass() != FLOATS) throw mixed();} heads such a loop's
 * body.
 *
 * <p>To C2 a sum from the step before is a vector of any length, and the next operation on it
 * compares its class with that of the other operand. C2 leaves out what is to happen when they
 * differ, but only as long as the methods that it has inlined so far were wrong in such guesses
 * less than a hundred times in all ({@code PerMethodTrapLimit}). That count is the history of the
 * program, not of the loop: each access to a segment adds how often its methods were wrong for
 * anybody. Beyond the limit the exception's code stays, and as it names the vector, each step makes
 * an object of it: a product is up to a hundred times slower then, and nothing compiles it again.
 * After a comparison in the loop itself, whose exception names no vector, C2 knows the class, so
 * that both comparisons leave no code.
 *
 * <p>The comparison is written out in each loop: a method for it is a call with a vector, wherever
 * C2 inlines no more. {@code TilesJitTest} runs tiles in a JVM that makes no such guess.
 */
final class Carried {
  /** Of {@code FloatVector.SPECIES_PREFERRED}. */
  static final Class<?> FLOATS = FloatVector.zero(FloatVector.SPECIES_PREFERRED).getClass();

  /** Of {@code DoubleVector.SPECIES_PREFERRED}. */
  static final Class<?> DOUBLES = DoubleVector.zero(DoubleVector.SPECIES_PREFERRED).getClass();

  /** Of {@code IntVector.SPECIES_PREFERRED}. */
  static final Class<?> INTS = IntVector.zero(IntVector.SPECIES_PREFERRED).getClass();

  private Carried() {}

  /** What nobody sees: all vectors of a loop are of one species. */
  static IllegalStateException mixed() {
    return new IllegalStateException("vectors of another length");
  }
}
