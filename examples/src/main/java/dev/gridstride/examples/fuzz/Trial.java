package dev.gridstride.examples.fuzz;

import dev.gridstride.Tensor;
import java.util.function.Supplier;

/**
 * One op on operands that have been drawn, and what it must give.
 *
 * @param run computes on the device
 * @param exact the elements in double
 * @param scale what an error of one epsilon multiplies: the sum of the magnitudes that were added
 *     up; NaN where an element can't be judged
 * @param units how many epsilons of the type of the computation an error may have
 */
record Trial(Supplier<Tensor> run, double[] exact, double[] scale, double units) {
  /** A family of ops. */
  @FunctionalInterface
  interface Family {
    /** Draws an op and its operands. */
    Trial draw(Draw draw);
  }

  /** Of elements that are themselves what an error is measured by. */
  static Trial of(Supplier<Tensor> run, double[] exact, double units) {
    var scale = new double[exact.length];
    for (int i = 0; i < scale.length; i++) {
      scale[i] = Double.isFinite(exact[i]) ? Math.abs(exact[i]) : 0;
    }
    return new Trial(run, exact, scale, units);
  }
}
