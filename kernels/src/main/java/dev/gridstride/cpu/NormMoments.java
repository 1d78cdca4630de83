package dev.gridstride.cpu;

import dev.gridstride.cpu.scalar.ScalarNormLoops;
import dev.gridstride.device.DType;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Mean and sum of squared deviations of elements that come in pieces; the pieces are combined in
 * double, in the order given (Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm
 * for Computing Sample Variances", 1979).
 */
final class NormMoments {
  private static final ThreadLocal<@Nullable NormMoments> OF_THREAD = new ThreadLocal<>();

  private final NormLoops loops;
  private final ScalarNormLoops exact;
  private final DType type;
  private final boolean centered;
  private final double[] piece = new double[2];
  private long count;
  private double mean;
  private double squares;

  private NormMoments(NormLoops loops, DType type, boolean centered) {
    this.loops = loops;
    this.exact = new ScalarNormLoops(type);
    this.type = type;
    this.centered = centered;
  }

  /** The calling thread's, until it asks for the next; loops are those of the type. */
  static NormMoments of(NormLoops loops, DType type, boolean centered) {
    NormMoments m = OF_THREAD.get();
    if (m == null || m.type != type || m.centered != centered) {
      m = new NormMoments(loops, type, centered);
      OF_THREAD.set(m);
    }
    return m;
  }

  void clear() {
    count = 0;
    mean = 0;
    squares = 0;
  }

  /** Adds a piece of n elements; not centered, a mean is 0 and the deviations are the elements. */
  void add(long n, double pieceMean, double pieceSquares) {
    if (count == 0) {
      mean = pieceMean;
      squares = pieceSquares;
    } else if (n > 0) {
      double share = (double) n / (count + n);
      double delta = pieceMean - mean;
      mean += delta * share;
      squares += pieceSquares + delta * delta * count * share;
    }
    count += n;
  }

  /** Adds n neighbours. */
  void addRun(MemorySegment x, long at, long n) {
    for (long i = 0; i < n; i += NormLoops.RUN) {
      int m = (int) Math.min(NormLoops.RUN, n - i);
      loops.moments(x, at + i, m, centered, piece);
      if (!Double.isFinite(piece[1])) {
        exact.moments(x, at + i, m, centered, piece); // squares beyond the range of f32
      }
      add(m, piece[0], piece[1]);
    }
  }

  /** Adds elements that are {@code step} apart, in double. */
  void addExactly(MemorySegment x, long at, long step, int n) {
    exact.moments(x, at, step, n, centered, piece);
    add(n, piece[0], piece[1]);
  }

  /** The mean; 0 of no elements. */
  double mean() {
    return mean;
  }

  /** Sum of the squared deviations. */
  double squares() {
    return squares;
  }

  /** The biased variance; 0 of no elements. */
  double variance() {
    return count == 0 ? 0 : squares / count;
  }
}
