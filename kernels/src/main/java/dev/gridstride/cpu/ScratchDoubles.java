package dev.gridstride.cpu;

/**
 * An array of doubles that each thread has for itself, for partial sums and statistics: {@link
 * Scratch} for numbers that no vector loop reads from memory. What the collector would hand out
 * instead lies in no cache and is cleared first.
 *
 * <p>Make one static instance for each use. The tasks of a loop may write to the array of the
 * thread that runs the loop.
 */
final class ScratchDoubles {
  /** The longest array that is kept, 8 MB; of more numbers, to compute them takes much longer. */
  private static final int LONGEST = 1 << 20;

  private final ThreadLocal<double[]> array = ThreadLocal.withInitial(() -> new double[0]);

  /** At least {@code length} numbers, undefined; owned by this thread. */
  double[] get(int length) {
    double[] a = array.get();
    if (a.length < length) {
      a = new double[length];
      if (length <= LONGEST) {
        array.set(a);
      }
    }
    return a;
  }
}
