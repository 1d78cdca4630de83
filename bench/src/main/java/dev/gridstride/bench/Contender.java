package dev.gridstride.bench;

/** One implementation, prepared for one case: its operands are allocated and filled. */
public interface Contender extends AutoCloseable {
  /** Does the work once, the way a user of the library would. */
  void run();

  /** Does the work this many times; a library that can repeat it without a call for each may. */
  default void run(long times) {
    for (long i = 0; i < times; i++) {
      run();
    }
  }

  /** A result of the last run as {@link Problem} names it, row-major. */
  double[] result(String name);

  /** What it chose for itself, as a memory format; empty for nothing to tell. */
  default String note() {
    return "";
  }

  /** Frees the operands. */
  @Override
  default void close() {}
}
