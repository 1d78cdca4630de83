package dev.gridstride.cpu.vector;

import jdk.incubator.vector.FloatVector;

/** The f32 vector form of an elementwise function of one argument; see {@code UnaryForm}. */
public interface VectorUnary {
  /** {@code f(x)}. */
  FloatVector apply(FloatVector x, float a, float b);

  /** {@code dy f'(x)} from x or y. */
  default FloatVector gradient(FloatVector saved, FloatVector dy, float a, float b) {
    throw new UnsupportedOperationException("not differentiable");
  }

  /** The largest magnitude of x, or of the saved operand, that this form handles. */
  default float limit() {
    return Float.POSITIVE_INFINITY;
  }
}
