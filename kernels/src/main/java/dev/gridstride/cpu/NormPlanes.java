package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Channels that lie one after the other: a channel of an image is a run of neighbours. */
final class NormPlanes implements NormPasses {
  private static final ScratchDoubles MEANS = new ScratchDoubles();
  private static final ScratchDoubles SQUARES = new ScratchDoubles();
  private static final ScratchDoubles SUMS = new ScratchDoubles();
  private static final ScratchDoubles NUMBERS = new ScratchDoubles();

  /** Longest piece of a channel that is one task's work. */
  private static final long PIECE = 1 << 16;

  private final NormShape shape;
  private final NormLoops loops;
  private final int pieces;
  private final int planes;
  private final Reuse<Moments> moments = new Reuse<>(Moments::new);
  private final Reuse<Affine> affine = new Reuse<>(Affine::new);
  private final Reuse<Sums> sums = new Reuse<>(Sums::new);
  private final Reuse<Gradient> gradients = new Reuse<>(Gradient::new);

  NormPlanes(NormShape shape) {
    this.shape = shape;
    this.loops = NormRows.loops(shape.type());
    this.pieces = Math.toIntExact(Math.max(1, Math.ceilDiv(shape.spatial(), PIECE)));
    this.planes = Math.toIntExact(shape.images() * shape.channels());
  }

  /**
   * A pass over each piece of each channel of each image. Each kind asks for its numbers itself: a
   * call in common would have a body of each kind, and the JIT would inline none.
   */
  private abstract class Pass extends NormPass implements Parallel.Range {
    final void run() {
      long each = Math.max(1, Math.min(PIECE, shape.spatial()));
      long count = (long) planes * pieces;
      Parallel.forRange(count, Math.max(1, Parallel.grain(count * each) / each), this);
    }

    @Override
    public final void run(long from, long to) {
      var moments = NormMoments.of(loops, shape.type(), shape.centered());
      double[] v = NUMBERS.get(4);
      for (long p = from; p < to; p++) {
        long first = p % pieces * PIECE;
        long n = Math.min(PIECE, shape.spatial() - first);
        long plane = p / pieces;
        piece(plane, (int) p, plane * shape.spatial() + first, n, moments, v);
      }
    }

    /**
     * Does one piece.
     *
     * @param at its first element
     * @param moments of the calling thread
     * @param v four numbers of the calling thread
     */
    abstract void piece(long plane, int piece, long at, long n, NormMoments moments, double[] v);
  }

  private final class Moments extends Pass {
    @Override
    void piece(long plane, int piece, long at, long n, NormMoments moments, double[] v) {
      moments.clear();
      moments.addRun(x, at, n);
      into[piece] = moments.mean();
      squares[piece] = moments.squares();
    }
  }

  private final class Affine extends Pass {
    @Override
    void piece(long plane, int piece, long at, long n, NormMoments moments, double[] v) {
      Objects.requireNonNull(numbers).of(plane / shape.channels(), plane % shape.channels(), v);
      for (long i = 0; i < n; i += NormLoops.RUN) {
        loops.affine(x, out, at + i, length(n, i), v[0], v[1], v[2]);
      }
    }
  }

  private final class Sums extends Pass {
    @Override
    void piece(long plane, int piece, long at, long n, NormMoments moments, double[] v) {
      Objects.requireNonNull(numbers).of(plane / shape.channels(), plane % shape.channels(), v);
      double pivot = v[0];
      v[0] = 0;
      v[1] = 0;
      v[2] = 0;
      for (long i = 0; i < n; i += NormLoops.RUN) {
        loops.gradientSums(x, dy, at + i, length(n, i), pivot, null, 0, v);
      }
      System.arraycopy(v, 0, into, 3 * piece, 3);
    }
  }

  private final class Gradient extends Pass {
    @Override
    void piece(long plane, int piece, long at, long n, NormMoments moments, double[] v) {
      Objects.requireNonNull(numbers).of(plane / shape.channels(), plane % shape.channels(), v);
      for (long i = 0; i < n; i += NormLoops.RUN) {
        int m = length(n, i);
        loops.gradient(x, dy, out, at + i, m, v[0], v[1], v[2], v[3], null, 0);
      }
    }
  }

  private static int length(long n, long i) {
    return (int) Math.min(NormLoops.RUN, n - i);
  }

  private static <P extends Pass> void run(
      Reuse<P> kept,
      MemorySegment x,
      MemorySegment dy,
      MemorySegment out,
      @Nullable Numbers numbers,
      double[] into,
      double[] squares) {
    P pass = kept.take();
    pass.open(x, dy, out, numbers, into, squares);
    pass.run();
    pass.close();
    kept.give(pass);
  }

  @Override
  public void moments(MemorySegment x, double[] means, double[] squares) {
    int count = Math.multiplyExact(planes, pieces);
    double[] m = pieces == 1 ? means : MEANS.get(count);
    double[] s = pieces == 1 ? squares : SQUARES.get(count);
    run(moments, x, Tiles.ZEROS, Tiles.ZEROS, null, m, s);
    if (pieces == 1) {
      return;
    }
    var all = NormMoments.of(loops, shape.type(), shape.centered());
    for (int plane = 0; plane < planes; plane++) {
      all.clear();
      for (int k = 0; k < pieces; k++) {
        int i = plane * pieces + k;
        all.add(Math.min(PIECE, shape.spatial() - k * PIECE), m[i], s[i]);
      }
      means[plane] = all.mean();
      squares[plane] = all.squares();
    }
  }

  @Override
  public void affine(MemorySegment x, MemorySegment y, Numbers numbers) {
    run(affine, x, Tiles.ZEROS, y, numbers, NormPass.NONE, NormPass.NONE);
  }

  @Override
  public void sums(MemorySegment x, MemorySegment dy, Numbers pivots, double[] sums) {
    int count = Math.multiplyExact(3 * planes, pieces);
    double[] parts = pieces == 1 ? sums : SUMS.get(count);
    run(this.sums, x, dy, Tiles.ZEROS, pivots, parts, NormPass.NONE);
    if (pieces > 1) {
      Arrays.fill(sums, 0, 3 * planes, 0);
      for (int i = 0; i < planes * pieces; i++) {
        for (int j = 0; j < 3; j++) {
          sums[3 * (i / pieces) + j] += parts[3 * i + j];
        }
      }
    }
  }

  @Override
  public void gradient(MemorySegment x, MemorySegment dy, MemorySegment dx, Numbers numbers) {
    run(gradients, x, dy, dx, numbers, NormPass.NONE, NormPass.NONE);
  }
}
