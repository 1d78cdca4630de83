package dev.gridstride.cpu;

import dev.gridstride.cpu.vector.VectorUnary;
import org.jspecify.annotations.Nullable;

/**
 * An elementwise function of one argument and up to two parameters, as the CPU computes it.
 *
 * <p>Implementations have no state: the loops are specialised by class.
 */
public interface UnaryForm {
  /** {@code f(x)} in double. */
  double apply(double x, double a, double b);

  /**
   * {@code dy f'(x)} in double.
   *
   * @param saved x, or y = f(x), as the function's definition says
   */
  default double gradient(double saved, double dy, double a, double b) {
    throw new UnsupportedOperationException("not differentiable");
  }

  /** {@code f(x)} on integers; overflow wraps around. */
  default long apply(long x, long a, long b) {
    throw new UnsupportedOperationException("not a function of integers");
  }

  /** The f32 vector form, or null; called only when the vector module is present. */
  default @Nullable VectorUnary vector() {
    return null;
  }
}
