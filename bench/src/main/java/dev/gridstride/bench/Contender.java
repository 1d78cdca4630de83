package dev.gridstride.bench;

/** One implementation, prepared for one case: its operands are allocated and filled. */
public interface Contender extends AutoCloseable {
  /** Does the work once, the way a user of the library would. */
  void run();

  /**
   * Runs once on fresh operands and returns the largest error against a double-precision reference,
   * relative to the largest value of the reference.
   */
  double maxError();

  /** Frees the operands. */
  @Override
  default void close() {}
}
