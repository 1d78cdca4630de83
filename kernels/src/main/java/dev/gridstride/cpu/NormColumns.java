package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Channels that lie side by side: an image is a matrix with a column for each channel.
 *
 * <p>A task takes a block of rows and columns. For sums the block is cut into blocks of {@link
 * NormLoops#ROWS} rows, whose sums are combined in double.
 */
final class NormColumns implements NormPasses {
  private static final Scratch TABLE = new Scratch();
  private static final ScratchDoubles MEANS = new ScratchDoubles();
  private static final ScratchDoubles SQUARES = new ScratchDoubles();
  private static final ScratchDoubles SUMS = new ScratchDoubles();
  private static final ScratchDoubles NUMBERS = new ScratchDoubles();

  /** Elements of a task: many times what its table costs. */
  private static final long GRAIN = 1 << 17;

  private final NormShape shape;
  private final NormLoops loops;
  private final int channels;
  private final int blocks;
  private final long rows;
  private final int pieces;
  private final int columns;
  private final Reuse<Moments> moments = new Reuse<>(Moments::new);
  private final Reuse<Affine> affine = new Reuse<>(Affine::new);
  private final Reuse<Sums> sums = new Reuse<>(Sums::new);
  private final Reuse<Gradient> gradients = new Reuse<>(Gradient::new);

  NormColumns(NormShape shape) {
    this.shape = shape;
    this.loops = NormRows.loops(shape.type());
    this.channels = Math.toIntExact(shape.channels());
    this.blocks = Math.ceilDiv(channels, NormLoops.COLS);
    long blocksOfRows = GRAIN / (Math.min(channels, NormLoops.COLS) * (long) NormLoops.ROWS);
    this.rows = Math.max(1, blocksOfRows) * NormLoops.ROWS;
    this.pieces = Math.toIntExact(Math.max(1, Math.ceilDiv(shape.spatial(), rows)));
    this.columns = Math.toIntExact(shape.images() * channels);
  }

  /** A pass, block by block. */
  private abstract class Pass extends NormPass implements Parallel.Task {
    final void run() {
      long tasks = Math.multiplyExact(shape.images() * pieces, (long) blocks);
      Parallel.forEach(Math.toIntExact(tasks), this);
    }

    @Override
    public final void run(int task) {
      long piece = task / blocks;
      int column = task % blocks * NormLoops.COLS;
      int cols = Math.min(NormLoops.COLS, channels - column);
      long image = piece / pieces;
      long row = piece % pieces * rows;
      MemorySegment table = TABLE.get(8L * 4 * NormLoops.COLS);
      if (numbers != null) {
        fill(table, numbers, image, column, cols);
      }
      block(
          Math.toIntExact(piece * channels + column),
          cols,
          (image * shape.spatial() + row) * channels + column,
          (int) Math.min(rows, shape.spatial() - row),
          table);
    }

    /**
     * Does one block.
     *
     * @param first number of the block's first column among those of all pieces
     * @param at the block's first element
     * @param count rows
     * @param table of the calling thread, with the columns' numbers
     */
    abstract void block(int first, int cols, long at, int count, MemorySegment table);
  }

  private final class Moments extends Pass {
    @Override
    void block(int first, int cols, long at, int count, MemorySegment table) {
      double[] m = into;
      double[] s = squares;
      var exact = NormMoments.of(loops, shape.type(), true);
      for (int r = 0; r < count; r += NormLoops.ROWS) {
        int n = Math.min(NormLoops.ROWS, count - r);
        long from = at + (long) r * channels;
        loops.columnMoments(x, from, channels, n, cols, table);
        double share = (double) n / (r + n);
        for (int j = 0; j < cols; j++) {
          double sum = loops.tableElements().get(table, cols + j);
          double mean = loops.tableElements().get(table, j) + sum / n;
          double square = loops.tableElements().get(table, 2L * cols + j);
          square = Math.max(0, square - sum * sum / n);
          if (!Double.isFinite(square)) { // squares beyond the range of f32
            exact.clear();
            exact.addExactly(x, from + j, channels, n);
            mean = exact.mean();
            square = exact.squares();
          }
          // as NormMoments.add; with r = 0 the mean and squares before are 0 and count nothing
          double delta = r == 0 ? mean : mean - m[first + j];
          m[first + j] = r == 0 ? mean : m[first + j] + delta * share;
          s[first + j] = r == 0 ? square : s[first + j] + square + delta * delta * r * share;
        }
      }
    }
  }

  private final class Affine extends Pass {
    @Override
    void block(int first, int cols, long at, int count, MemorySegment table) {
      loops.columnAffine(x, out, at, channels, count, cols, table);
    }
  }

  private final class Sums extends Pass {
    @Override
    void block(int first, int cols, long at, int count, MemorySegment table) {
      double[] parts = into;
      for (int r = 0; r < count; r += NormLoops.ROWS) {
        int n = Math.min(NormLoops.ROWS, count - r);
        loops.columnSums(x, dy, at + (long) r * channels, channels, n, cols, table);
        for (int j = 0; j < cols; j++) {
          for (int k = 0; k < 3; k++) {
            parts[3 * (first + j) + k] += loops.tableElements().get(table, (k + 1L) * cols + j);
          }
        }
      }
    }
  }

  private final class Gradient extends Pass {
    @Override
    void block(int first, int cols, long at, int count, MemorySegment table) {
      loops.columnGradient(x, dy, out, at, channels, count, cols, table);
    }
  }

  private void fill(MemorySegment table, Numbers numbers, long image, int column, int cols) {
    double[] v = NUMBERS.get(4);
    for (int j = 0; j < cols; j++) {
      numbers.of(image, column + j, v);
      for (int k = 0; k < 4; k++) {
        loops.tableElements().set(table, (long) k * cols + j, v[k]);
      }
    }
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
    int count = Math.multiplyExact(columns, pieces);
    double[] m = pieces == 1 ? means : MEANS.get(count);
    double[] s = pieces == 1 ? squares : SQUARES.get(count);
    if (shape.spatial() == 0) { // no blocks
      Arrays.fill(m, 0, count, 0);
      Arrays.fill(s, 0, count, 0);
    }
    run(moments, x, Tiles.ZEROS, Tiles.ZEROS, null, m, s);
    if (pieces > 1) {
      combine(m, s, means, squares);
    }
  }

  private void combine(double[] m, double[] s, double[] means, double[] squares) {
    var all = NormMoments.of(loops, shape.type(), true);
    for (int i = 0; i < columns; i++) {
      all.clear();
      for (int k = 0; k < pieces; k++) {
        int p = (i / channels * pieces + k) * channels + i % channels;
        all.add(Math.min(rows, shape.spatial() - k * rows), m[p], s[p]);
      }
      means[i] = all.mean();
      squares[i] = all.squares();
    }
  }

  @Override
  public void affine(MemorySegment x, MemorySegment y, Numbers numbers) {
    run(affine, x, Tiles.ZEROS, y, numbers, NormPass.NONE, NormPass.NONE);
  }

  @Override
  public void sums(MemorySegment x, MemorySegment dy, Numbers pivots, double[] sums) {
    int count = Math.multiplyExact(3 * columns, pieces);
    double[] parts = pieces == 1 ? sums : SUMS.get(count);
    Arrays.fill(parts, 0, count, 0);
    run(this.sums, x, dy, Tiles.ZEROS, pivots, parts, NormPass.NONE);
    if (pieces > 1) {
      Arrays.fill(sums, 0, 3 * columns, 0);
      int each = 3 * channels;
      for (int from = 0; from < count; from += each) {
        int to = from / each / pieces * each;
        for (int j = 0; j < each; j++) {
          sums[to + j] += parts[from + j];
        }
      }
    }
  }

  @Override
  public void gradient(MemorySegment x, MemorySegment dy, MemorySegment dx, Numbers numbers) {
    run(gradients, x, dy, dx, numbers, NormPass.NONE, NormPass.NONE);
  }
}
