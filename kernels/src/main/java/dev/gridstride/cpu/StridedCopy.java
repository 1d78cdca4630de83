package dev.gridstride.cpu;

import dev.gridstride.device.DType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * A nest of loops that moves elements from one set of strides to another.
 *
 * <p>Dimensions are put in the order of the target's strides and joined where both sides allow it;
 * what remains is a block of memory, rows, or a transposition done in square blocks, so that both
 * sides use each cache line while they have it.
 */
final class StridedCopy {
  /** Elements that make a task worth its hand-over, and the longest row of one task. */
  private static final int GRAIN = 1 << 15;

  /** Side of a transposition's blocks: 16 KiB of f32 on each side. */
  private static final int BLOCK = 64;

  private static final int SHORT_ROW = 8;

  private final DType from;
  private final DType to;
  private final long first;
  private long[] dims;
  private long[] xs;
  private long[] ys;

  /** Length of the innermost loop and its strides. */
  private final int inner;

  private final long innerX;
  private final long innerY;

  private final boolean transposed;

  /** Length of the last row when the inner loop was cut, else 0. */
  private int shortRow;

  /**
   * Prepares the loops.
   *
   * @param first where the source begins
   * @param xs strides of the source; may be negative or 0
   * @param ys strides of the target; positive, each element named once
   */
  StridedCopy(DType from, long first, long[] xs, DType to, long[] ys, long[] dims) {
    this.from = from;
    this.to = to;
    this.first = first;
    this.dims = dims;
    this.xs = xs;
    this.ys = ys;
    for (long d : dims) {
      if (d == 0) {
        this.dims = new long[] {0};
        this.xs = new long[] {1};
        this.ys = new long[] {1};
        break;
      }
    }
    join(this.dims, this.xs, this.ys);
    int last = this.dims.length - 1;
    int rows = transposedWith(last);
    this.transposed = rows >= 0;
    if (transposed) {
      moveTo(rows, last - 1); // the last two loops are now rows and columns of the transposition
    } else if (this.dims[last] < SHORT_ROW) {
      int longest = last;
      for (int i = 0; i < last; i++) {
        longest = this.dims[i] >= 4 * this.dims[longest] ? i : longest;
      }
      moveTo(longest, last);
    }
    if (!transposed) {
      splitInner();
    }
    last = this.dims.length - 1;
    this.inner = (int) Math.min(this.dims[last], Integer.MAX_VALUE);
    this.innerX = this.xs[last];
    this.innerY = this.ys[last];
  }

  /** Sorts by the target's strides, outermost first; joins neighbours; leaves at least one. */
  private void join(long[] d, long[] x, long[] y) {
    Integer[] order = new Integer[d.length];
    Arrays.setAll(order, i -> i);
    Arrays.sort(
        order,
        (a, b) ->
            y[a] != y[b] ? Long.compare(y[b], y[a]) : Long.compare(Math.abs(x[b]), Math.abs(x[a])));
    var nd = new long[Math.max(1, d.length)];
    var nx = nd.clone();
    var ny = nd.clone();
    int n = 0;
    for (int i : order) {
      if (d[i] == 1) {
        continue;
      }
      if (n > 0 && nx[n - 1] == x[i] * d[i] && ny[n - 1] == y[i] * d[i]) {
        nd[n - 1] *= d[i];
        nx[n - 1] = x[i];
        ny[n - 1] = y[i];
      } else {
        nd[n] = d[i];
        nx[n] = x[i];
        ny[n] = y[i];
        n++;
      }
    }
    if (n == 0) {
      nd[0] = 1;
      nx[0] = 1;
      ny[0] = 1;
      n = 1;
    }
    dims = Arrays.copyOf(nd, n);
    xs = Arrays.copyOf(nx, n);
    ys = Arrays.copyOf(ny, n);
  }

  /** The loop along which the source is contiguous, when the target is along {@code last}. */
  private int transposedWith(int last) {
    if (from != to || from.bytes() != 4 || ys[last] != 1 || xs[last] <= 1 || dims[last] < 4) {
      return -1;
    }
    for (int i = 0; i < last; i++) {
      if (xs[i] == 1 && dims[i] >= 4) {
        return i;
      }
    }
    return -1;
  }

  private void moveTo(int i, int place) {
    for (long[] a : new long[][] {dims, xs, ys}) {
      long v = a[i];
      System.arraycopy(a, i + 1, a, i, place - i);
      a[place] = v;
    }
  }

  /** Cuts an inner loop that is longer than one task into an outer loop and an inner one. */
  private void splitInner() {
    int last = dims.length - 1;
    long n = dims[last];
    if (n > GRAIN) {
      // the rest that does not fill a row is a row of its own, shorter: see row()
      dims = Arrays.copyOf(dims, last + 2);
      xs = Arrays.copyOf(xs, last + 2);
      ys = Arrays.copyOf(ys, last + 2);
      dims[last] = (n + GRAIN - 1) / GRAIN;
      dims[last + 1] = GRAIN;
      xs[last + 1] = xs[last];
      ys[last + 1] = ys[last];
      xs[last] *= GRAIN;
      ys[last] *= GRAIN;
      shortRow = (int) (n - (dims[last] - 1) * GRAIN);
    }
  }

  @Override
  public String toString() {
    String how =
        transposed
            ? "transposition by blocks"
            : innerX == 1 && innerY == 1
                ? dims.length == 1 || (shortRow > 0 && dims.length == 2) ? "one block" : "rows"
                : innerX == 0 && innerY == 1 ? "repeated elements" : "strided elements";
    return from == to ? how : how + ", " + from + " to " + to;
  }

  void run(MemorySegment x, MemorySegment y) {
    if (inner == 0) {
      return;
    }
    if (transposed) {
      transposition(x, y);
    } else {
      rows(x, y);
    }
  }

  private long outer(int loops) {
    long n = 1;
    for (int i = 0; i < loops; i++) {
      n *= dims[i];
    }
    return n;
  }

  private void rows(MemorySegment x, MemorySegment y) {
    int loops = dims.length - 1;
    Parallel.forRange(
        outer(loops),
        Math.max(1, GRAIN / inner),
        (begin, end) -> {
          var index = new long[loops];
          long xAt = first;
          long yAt = 0;
          long rest = begin;
          for (int i = loops - 1; i >= 0; i--) {
            index[i] = rest % dims[i];
            rest /= dims[i];
            xAt += index[i] * xs[i];
            yAt += index[i] * ys[i];
          }
          for (long r = begin; r < end; r++) {
            int n = shortRow > 0 && index[loops - 1] == dims[loops - 1] - 1 ? shortRow : inner;
            row(x, xAt, y, yAt, n);
            for (int i = loops - 1; i >= 0; i--) {
              xAt += xs[i];
              yAt += ys[i];
              if (++index[i] < dims[i]) {
                break;
              }
              index[i] = 0;
              xAt -= xs[i] * dims[i];
              yAt -= ys[i] * dims[i];
            }
          }
        });
  }

  private void row(MemorySegment x, long xAt, MemorySegment y, long yAt, int n) {
    if (from == to) {
      Moves.move(from.bytes(), x, xAt, innerX, y, yAt, innerY, n);
    } else if (innerX == 1 && innerY == 1) {
      convert(x, xAt * from.bytes(), y, yAt * to.bytes(), n);
    } else {
      Casts.strided(CopyLoops.BEST, from, x, xAt, innerX, to, y, yAt, innerY, n);
    }
  }

  private void convert(MemorySegment x, long xAt, MemorySegment y, long yAt, int n) {
    if (!CopyLoops.BEST.convert(from, to, x, xAt, y, yAt, n)) {
      Casts.contiguous(from, x, xAt, to, y, yAt, n);
    }
  }

  private void transposition(MemorySegment x, MemorySegment y) {
    int loops = dims.length - 2;
    long rows = dims[loops + 1]; // along which y is contiguous
    long cols = dims[loops]; // along which x is contiguous
    long rowBlocks = (rows + BLOCK - 1) / BLOCK;
    long colBlocks = (cols + BLOCK - 1) / BLOCK;
    long perTask = Math.max(1, GRAIN / (Math.min(rows, BLOCK) * Math.min(cols, BLOCK)));
    Parallel.forRange(
        outer(loops) * rowBlocks * colBlocks,
        perTask,
        (begin, end) -> {
          for (long b = begin; b < end; b++) {
            long r = b % rowBlocks * BLOCK;
            long c = b / rowBlocks % colBlocks * BLOCK;
            long rest = b / rowBlocks / colBlocks;
            long xAt = first + r * xs[loops + 1] + c;
            long yAt = r + c * ys[loops];
            for (int i = loops - 1; i >= 0; i--) {
              long index = rest % dims[i];
              rest /= dims[i];
              xAt += index * xs[i];
              yAt += index * ys[i];
            }
            CopyLoops.BEST.transpose4(
                x,
                4 * xAt,
                4 * xs[loops + 1],
                y,
                4 * yAt,
                4 * ys[loops],
                (int) Math.min(BLOCK, rows - r),
                (int) Math.min(BLOCK, cols - c));
          }
        });
  }
}
