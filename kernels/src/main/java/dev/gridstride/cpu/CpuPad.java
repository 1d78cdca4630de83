package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.Pad;
import dev.gridstride.kernels.PadAxis;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Pads row by row: the inside of a row is one move, the border element by element.
 *
 * <p>Trailing dimensions without a border form a block, which moves as one; other neighbours
 * without a border are merged. Backward gathers: each piece of dx sums the places of dy that hold
 * it, so no two tasks write to one place.
 */
public final class CpuPad implements Pad.Kernel {
  /** Elements of a task. */
  private static final long GRAIN = 1 << 14;

  private final DType type;
  private final Pad.Mode mode;
  private final Elements elements;
  private final long constant;

  /** The outer dimensions, then the innermost one with a border. */
  private final PadSources[] outer;

  private final PadSources last;
  private final long block;
  private final long inputs;

  /** A kernel for {@code op}. */
  public CpuPad(Pad op) {
    this.type = op.type();
    this.mode = op.mode();
    this.elements = Elements.of(type);
    MemorySegment one = MemorySegment.ofArray(new byte[8]);
    elements.set(one, 0, op.value());
    this.constant = Moves.bits(type.bytes(), one, 0);
    List<PadAxis> axes = op.axes();
    int n = axes.size();
    long product = 1;
    while (n > 0 && plain(axes.get(n - 1))) {
      product *= axes.get(--n).size();
    }
    this.block = product;
    var merged = new ArrayList<PadSources>();
    for (int i = 0; i < n; i++) {
      PadAxis a = axes.get(i);
      if (i > 0 && plain(a) && plain(axes.get(i - 1))) {
        long size = merged.removeLast().size() * a.size();
        merged.add(new PadSources(mode, size, 0, size));
      } else {
        merged.add(new PadSources(mode, a.size(), a.before(), a.out()));
      }
    }
    this.last = merged.isEmpty() ? new PadSources(mode, 1, 0, 1) : merged.removeLast();
    this.outer = merged.toArray(PadSources[]::new);
    this.inputs = Arrays.stream(op.inputDims()).reduce(1, (p, q) -> p * q);
  }

  private static boolean plain(PadAxis a) {
    return a.before() == 0 && a.after() == 0;
  }

  @Override
  public String details() {
    return (outer.length + 1) + " dimensions of blocks of " + block;
  }

  // ---- forward ----------------------------------------------------------------------------------

  @Override
  public void forward(Stream stream, Buffer x, Buffer y) {
    MemorySegment xs = x.pinnedSegment();
    MemorySegment ys = y.pinnedSegment();
    long rows = 1;
    for (PadSources a : outer) {
      rows *= a.out();
    }
    if (rows == 0 || last.out() == 0 || block == 0) {
      return;
    }
    long piece = Math.clamp(GRAIN / block, 1, last.out());
    long pieces = Math.ceilDiv(last.out(), piece);
    Parallel.forRange(
        rows * pieces,
        Math.max(1, GRAIN / (piece * block)),
        (from, to) -> {
          for (long task = from; task < to; task++) {
            long row = task / pieces;
            long begin = task % pieces * piece;
            long end = Math.min(last.out(), begin + piece);
            long at = (row * last.out() + begin) * block;
            long source = sourceRow(row);
            if (source < 0) {
              fill(ys, at, (end - begin) * block);
            } else {
              padRow(xs, source * last.size(), ys, at, begin, end);
            }
          }
        });
  }

  /** The row of x that a row of y holds; -1 for the constant. */
  private long sourceRow(long row) {
    long rest = row;
    long step = 1;
    long source = 0;
    for (int d = outer.length - 1; d >= 0; d--) {
      long i = outer[d].source(rest % outer[d].out());
      if (i < 0) {
        return -1;
      }
      source += i * step;
      step *= outer[d].size();
      rest /= outer[d].out();
    }
    return source;
  }

  /** Outputs begin..end of the last dimension; {@code first} is the row's first input. */
  private void padRow(MemorySegment x, long first, MemorySegment y, long at, long begin, long end) {
    long inside = Math.clamp(last.before(), begin, end);
    long behind = Math.clamp(last.before() + last.size(), inside, end);
    border(x, first, y, at, begin, begin, inside);
    if (behind > inside) {
      move(
          x,
          (first + inside - last.before()) * block,
          y,
          at + (inside - begin) * block,
          (behind - inside) * block);
    }
    border(x, first, y, at, begin, behind, end);
  }

  private void border(
      MemorySegment x, long first, MemorySegment y, long at, long begin, long from, long to) {
    if (mode == Pad.Mode.CONSTANT) {
      fill(y, at + (from - begin) * block, (to - from) * block);
      return;
    }
    for (long o = from; o < to; o++) {
      move(x, (first + last.source(o)) * block, y, at + (o - begin) * block, block);
    }
  }

  private void move(MemorySegment x, long xAt, MemorySegment y, long yAt, long n) {
    for (long i = 0; i < n; i += Integer.MAX_VALUE) {
      int part = (int) Math.min(Integer.MAX_VALUE, n - i);
      Moves.move(type.bytes(), x, xAt + i, 1, y, yAt + i, 1, part);
    }
  }

  private void fill(MemorySegment y, long at, long n) {
    for (long i = 0; i < n; i += Integer.MAX_VALUE) {
      int part = (int) Math.min(Integer.MAX_VALUE, n - i);
      Moves.repeat(type.bytes(), constant, y, at + i, part);
    }
  }

  // ---- backward ---------------------------------------------------------------------------------

  @Override
  public void backward(Stream stream, Buffer dy, Buffer dx) {
    MemorySegment dys = dy.pinnedSegment();
    MemorySegment dxs = dx.pinnedSegment();
    if (inputs == 0) {
      return;
    }
    long row = last.size() * block;
    long rows = inputs / row;
    int piece = (int) Math.min(row, GRAIN);
    long pieces = Math.ceilDiv(row, piece);
    Parallel.forRange(
        rows * pieces,
        Math.max(1, GRAIN / piece),
        (from, to) -> {
          var sums = new double[piece];
          for (long task = from; task < to; task++) {
            long begin = task % pieces * piece;
            int n = (int) Math.min(piece, row - begin);
            Arrays.fill(sums, 0, n, 0);
            addRows(dys, task / pieces, begin, n, sums);
            long at = task / pieces * row + begin;
            for (int i = 0; i < n; i++) {
              elements.set(dxs, at + i, sums[i]);
            }
          }
        });
  }

  /** Adds all rows of dy that hold row {@code row} of dx. */
  private void addRows(MemorySegment dy, long row, long begin, int n, double[] sums) {
    var index = new long[outer.length];
    long rest = row;
    for (int d = outer.length - 1; d >= 0; d--) {
      index[d] = rest % outer[d].size();
      rest /= outer[d].size();
    }
    addRows(dy, index, 0, 0, begin, n, sums);
  }

  private void addRows(
      MemorySegment dy, long[] index, int d, long target, long begin, int n, double[] sums) {
    if (d == outer.length) {
      addRow(dy, target * last.out(), begin, n, sums);
      return;
    }
    var ranges = new long[6];
    int count = outer[d].targets(index[d], ranges);
    for (int r = 0; r < count; r++) {
      for (long o = ranges[2 * r]; o < ranges[2 * r + 1]; o++) {
        addRows(dy, index, d + 1, target * outer[d].out() + o, begin, n, sums);
      }
    }
  }

  /** Adds one row of dy, which begins at {@code first} (in blocks), to a piece of a row of dx. */
  private void addRow(MemorySegment dy, long first, long begin, int n, double[] sums) {
    var ranges = new long[6];
    long inside = begin;
    while (inside < begin + n) {
      long i = inside / block;
      long b = inside % block;
      int part = (int) Math.min(block - b, begin + n - inside);
      int count = last.targets(i, ranges);
      for (int r = 0; r < count; r++) {
        for (long o = ranges[2 * r]; o < ranges[2 * r + 1]; o++) {
          add(dy, (first + o) * block + b, sums, (int) (inside - begin), part);
        }
      }
      inside += part;
    }
  }

  private void add(MemorySegment dy, long at, double[] sums, int to, int n) {
    switch (type) {
      case F32 -> {
        for (int i = 0; i < n; i++) {
          sums[to + i] += dy.get(JAVA_FLOAT_UNALIGNED, 4 * (at + i));
        }
      }
      case F64 -> {
        for (int i = 0; i < n; i++) {
          sums[to + i] += dy.get(JAVA_DOUBLE_UNALIGNED, 8 * (at + i));
        }
      }
      default -> {
        for (int i = 0; i < n; i++) {
          sums[to + i] += elements.get(dy, at + i);
        }
      }
    }
  }
}
