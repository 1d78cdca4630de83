package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.function.Supplier;

/** Channels that lie one after the other: a channel of an image is a run of neighbours. */
final class NormPlanes implements NormPasses {
  private static final ScratchDoubles MEANS = new ScratchDoubles();
  private static final ScratchDoubles SQUARES = new ScratchDoubles();
  private static final ScratchDoubles SUMS = new ScratchDoubles();

  /** Longest piece of a channel that is one task's work. */
  private static final long PIECE = 1 << 16;

  private final NormShape shape;
  private final NormLoops loops;
  private final int pieces;
  private final int planes;

  NormPlanes(NormShape shape) {
    this.shape = shape;
    this.loops = NormRows.loops(shape.type());
    this.pieces = Math.toIntExact(Math.max(1, Math.ceilDiv(shape.spatial(), PIECE)));
    this.planes = Math.toIntExact(shape.images() * shape.channels());
  }

  private interface Body {
    void run(int plane, int piece, long at, long n);
  }

  /** Each piece of each channel of each image; a task makes a body with memory of its own. */
  private void pieces(Supplier<Body> bodies) {
    long each = Math.max(1, Math.min(PIECE, shape.spatial()));
    long count = (long) planes * pieces;
    Parallel.forRange(
        count,
        Math.max(1, Parallel.grain(count * each) / each),
        (from, to) -> {
          Body body = bodies.get();
          for (long p = from; p < to; p++) {
            long first = p % pieces * PIECE;
            long n = Math.min(PIECE, shape.spatial() - first);
            long plane = p / pieces;
            body.run((int) plane, (int) p, plane * shape.spatial() + first, n);
          }
        });
  }

  private static int run(long n, long i) {
    return (int) Math.min(NormLoops.RUN, n - i);
  }

  @Override
  public void moments(MemorySegment x, double[] means, double[] squares) {
    int count = Math.multiplyExact(planes, pieces);
    double[] m = pieces == 1 ? means : MEANS.get(count);
    double[] s = pieces == 1 ? squares : SQUARES.get(count);
    pieces(() -> {
      var moments = new NormMoments(loops, shape.type(), shape.centered());
      return (plane, piece, at, n) -> {
        moments.clear();
        moments.addRun(x, at, n);
        m[piece] = moments.mean();
        s[piece] = moments.squares();
      };
    });
    if (pieces == 1) {
      return;
    }
    var all = new NormMoments(loops, shape.type(), shape.centered());
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
    pieces(() -> {
      var v = new double[4];
      return (plane, piece, at, n) -> {
        numbers.of(plane / shape.channels(), plane % shape.channels(), v);
        for (long i = 0; i < n; i += NormLoops.RUN) {
          loops.affine(x, y, at + i, run(n, i), v[0], v[1], v[2]);
        }
      };
    });
  }

  @Override
  public void sums(MemorySegment x, MemorySegment dy, Numbers pivots, double[] sums) {
    int count = Math.multiplyExact(3 * planes, pieces);
    double[] parts = pieces == 1 ? sums : SUMS.get(count);
    pieces(() -> {
      var v = new double[4];
      return (plane, piece, at, n) -> {
        pivots.of(plane / shape.channels(), plane % shape.channels(), v);
        double pivot = v[0];
        v[0] = 0;
        v[1] = 0;
        v[2] = 0;
        for (long i = 0; i < n; i += NormLoops.RUN) {
          loops.gradientSums(x, dy, at + i, run(n, i), pivot, null, 0, v);
        }
        System.arraycopy(v, 0, parts, 3 * piece, 3);
      };
    });
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
    pieces(() -> {
      var v = new double[4];
      return (plane, piece, at, n) -> {
        numbers.of(plane / shape.channels(), plane % shape.channels(), v);
        for (long i = 0; i < n; i += NormLoops.RUN) {
          loops.gradient(x, dy, dx, at + i, run(n, i), v[0], v[1], v[2], v[3], null, 0);
        }
      };
    });
  }
}
