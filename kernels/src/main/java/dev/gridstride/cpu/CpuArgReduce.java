package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.ArgReduce;
import java.lang.foreign.MemorySegment;

/**
 * Places of the largest keys: each output's elements block by block, or, where outputs lie side by
 * side and their elements don't, a block of outputs row by row.
 */
public final class CpuArgReduce implements ArgReduce.Kernel {
  /** Elements of a task, about: enough to outweigh its start. */
  private static final long GRAIN = 16384;

  /** Columns of a task: four arrays of them fit into the first-level cache. */
  private static final int COLUMNS = 256;

  private final ArgReduce op;
  private final Places kept;
  private final long size;
  private final long step;
  private final boolean columns;

  /** A kernel for {@code op}. */
  public CpuArgReduce(ArgReduce op) {
    this.op = op;
    this.kept = new Places(op.x(), i -> i != op.axis());
    this.size = op.x().dim(op.axis());
    this.step = op.x().stride(op.axis());
    this.columns = step != 1 && kept.step == 1 && kept.run > 1;
  }

  @Override
  public String details() {
    return columns ? "columns" : "rows";
  }

  @Override
  public void run(Stream stream, Buffer x, Buffer y) {
    MemorySegment xs = x.pinnedSegment();
    MemorySegment ys = y.pinnedSegment();
    if (columns) {
      columnTasks(xs, ys);
      return;
    }
    Parallel.forRange(
        kept.count,
        Math.max(1, GRAIN / size),
        (from, to) -> {
          var keys = new long[(int) Math.min(OrderKeys.BLOCK, size)];
          for (long o = from; o < to; o++) {
            ys.set(JAVA_LONG_UNALIGNED, o * 8, row(xs, kept.at(o), keys));
          }
        });
  }

  private void fill(MemorySegment x, long at, long stride, int n, long[] keys) {
    DType type = op.type();
    OrderKeys.fill(type, x, at, stride, n, keys);
    if (op.kind() == ArgReduce.Kind.MIN) {
      if (type.isFloating()) {
        OrderKeys.reverseKeepingNan(keys, n);
      } else {
        OrderKeys.reverse(keys, n);
      }
    }
  }

  private long row(MemorySegment x, long base, long[] keys) {
    long best = Long.MIN_VALUE;
    long place = op.last() ? size - 1 : 0; // right also where every key is the least there is
    for (long first = 0; first < size; first += keys.length) {
      int n = (int) Math.min(keys.length, size - first);
      fill(x, base + first * step, step, n, keys);
      long max = max(keys, n);
      if (max > best || (op.last() && max == best)) {
        best = max;
        place = first + (op.last() ? lastOf(keys, n, max) : firstOf(keys, max));
      }
    }
    return place;
  }

  private static long max(long[] keys, int n) {
    long max = Long.MIN_VALUE;
    for (int i = 0; i < n; i++) {
      max = Math.max(max, keys[i]);
    }
    return max;
  }

  private static int firstOf(long[] keys, long key) {
    int i = 0;
    while (keys[i] != key) {
      i++;
    }
    return i;
  }

  private static int lastOf(long[] keys, int n, long key) {
    int i = n - 1;
    while (keys[i] != key) {
      i--;
    }
    return i;
  }

  private void columnTasks(MemorySegment x, MemorySegment y) {
    if (kept.count == 0) {
      return;
    }
    long width = Math.min(kept.run, Math.max(16, Math.min(COLUMNS, GRAIN / size)));
    long blocks = Math.ceilDiv(kept.run, width);
    int tasks = Math.toIntExact(Math.multiplyExact(kept.count / kept.run, blocks));
    Parallel.forEach(
        tasks,
        task -> {
          long column = task % blocks * width;
          long o = task / blocks * kept.run + column;
          block(x, kept.at(o), (int) Math.min(width, kept.run - column), y, o);
        });
  }

  private void block(MemorySegment x, long base, int n, MemorySegment y, long o) {
    var keys = new long[n];
    var best = new long[n];
    var place = new long[n];
    fill(x, base, 1, n, best);
    for (long r = 1; r < size; r++) {
      fill(x, base + r * step, 1, n, keys);
      if (op.last()) {
        takeLast(keys, best, place, r);
      } else {
        takeFirst(keys, best, place, r);
      }
    }
    for (int j = 0; j < n; j++) {
      y.set(JAVA_LONG_UNALIGNED, (o + j) * 8, place[j]);
    }
  }

  private static void takeFirst(long[] keys, long[] best, long[] place, long r) {
    for (int j = 0; j < keys.length; j++) {
      boolean better = keys[j] > best[j];
      place[j] = better ? r : place[j];
      best[j] = Math.max(best[j], keys[j]);
    }
  }

  private static void takeLast(long[] keys, long[] best, long[] place, long r) {
    for (int j = 0; j < keys.length; j++) {
      boolean better = keys[j] >= best[j];
      place[j] = better ? r : place[j];
      best[j] = Math.max(best[j], keys[j]);
    }
  }
}
