package dev.gridstride.cpu;

import static dev.gridstride.cpu.CpuNorm.segment;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.Attention;
import dev.gridstride.kernels.Gemm;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Attention by tiles of queries and keys: the products of a tile are matrix products, its softmax
 * runs over rows in scratch memory.
 *
 * <p>Forward and dq have a task for each tile of queries, dk and dv one for each tile of keys; a
 * task goes through the other side's tiles in order.
 */
public final class CpuAttention implements Attention.Kernel {
  /** Queries of a tile. */
  private static final int QUERIES = 64;

  /** Keys of a tile: with the queries, scores that stay in the second-level cache. */
  private static final int KEYS = 256;

  private static final Scratch SCORES = new Scratch();
  private static final Scratch GRADIENTS = new Scratch();
  private static final Scratch SUMS = new Scratch();
  private static final Scratch VALUE_SUMS = new Scratch();

  private final Attention op;
  private final DType type;
  private final DType wide;
  private final AttentionRows loops;
  private final Elements elements;
  private final Elements statistics;

  /** A kernel for {@code op}. */
  public CpuAttention(Attention op) {
    this.op = op;
    this.type = op.type();
    this.wide = op.statType();
    this.loops = AttentionRows.of(type);
    this.elements = Elements.of(type);
    this.statistics = Elements.of(wide);
  }

  @Override
  public String details() {
    return "tiles of " + QUERIES + " queries and " + KEYS + " keys";
  }

  /** One operand: its rows' width and memory. */
  private record Rows(MemorySegment memory, DType type, long width) {
    MemorySegment from(long row) {
      return memory.asSlice(type.bytes(row * width));
    }
  }

  private Rows rows(Buffer buffer, long width) {
    return new Rows(buffer.pinnedSegment(), type, width);
  }

  /** C [m, n] in scratch memory, rows n apart; op(A) and op(B) as {@code spec} says. */
  private static void multiply(
      Gemm spec, double alpha, MemorySegment a, MemorySegment b, double beta, MemorySegment c) {
    new CpuGemm(spec).run(alpha, a, b, beta, c, null, null);
  }

  /** A tile: queries {@code [q, q + m)} of a product and keys {@code [k, k + n)}. */
  private record Tile(long product, long q, int m, long k, int n) {}

  private int visible(Tile t, int row) {
    return op.causal() ? Math.clamp(t.q() + row + 1 - t.k(), 0, t.n()) : t.n();
  }

  private long queryRow(Tile t) {
    return t.product() * op.queries() + t.q();
  }

  private long keyRow(Tile t) {
    return t.product() / op.sharing() * op.keys() + t.k();
  }

  private static int length(long from, long end, int most) {
    return (int) Math.min(most, end - from);
  }

  /** {@code into = factor a b^T}, rows of queries with rows of keys. */
  private void scores(Tile t, double factor, Rows a, Rows b, MemorySegment into) {
    var spec = Gemm.of(t.m(), t.n(), a.width()).types(type, type, wide).transB();
    multiply(spec, factor, a.from(queryRow(t)), b.from(keyRow(t)), 0, into);
  }

  /** The task's queries and the keys that any of them looks at. */
  @FunctionalInterface
  private interface QueryTask {
    void run(long product, long q, int m, long keys);
  }

  private void eachQueryTile(QueryTask task) {
    long tiles = Math.ceilDiv(op.queries(), QUERIES);
    Parallel.forRange(
        op.products() * tiles,
        1,
        (from, to) -> {
          for (long i = from; i < to; i++) {
            long q = i % tiles * QUERIES;
            int m = length(q, op.queries(), QUERIES);
            task.run(i / tiles, q, m, op.causal() ? Math.min(op.keys(), q + m) : op.keys());
          }
        });
  }

  @Override
  public void forward(Stream stream, Buffer q, Buffer k, Buffer v, Buffer y, @Nullable Buffer lse) {
    Rows qs = rows(q, op.depth());
    Rows ks = rows(k, op.depth());
    Rows vs = rows(v, op.valueDepth());
    MemorySegment ys = y.pinnedSegment();
    MemorySegment ls = segment(lse);
    eachQueryTile(
        (product, first, m, keys) -> forward(qs, ks, vs, ys, ls, product, first, m, keys));
  }

  private void forward(
      Rows q,
      Rows k,
      Rows v,
      MemorySegment y,
      @Nullable MemorySegment lse,
      long product,
      long first,
      int m,
      long keys) {
    int width = Math.toIntExact(op.valueDepth());
    MemorySegment scores = SCORES.get(wide.bytes((long) QUERIES * KEYS));
    MemorySegment sums = SUMS.get(wide.bytes((long) QUERIES * width));
    sums.asSlice(0, wide.bytes((long) m * width)).fill((byte) 0);
    var max = new double[m];
    var sum = new double[m];
    Arrays.fill(max, Double.NEGATIVE_INFINITY);
    for (long key = 0; key < keys; key += KEYS) {
      var t = new Tile(product, first, m, key, length(key, keys, KEYS));
      scores(t, op.scale(), q, k, scores);
      for (int r = 0; r < m; r++) {
        weigh(t, r, scores, sums, width, max, sum);
      }
      var spec = Gemm.of(m, width, t.n()).types(wide, type, wide);
      multiply(spec, 1, scores, v.from(keyRow(t)), 1, sums);
    }
    long row = product * op.queries() + first;
    for (int r = 0; r < m; r++) {
      scaleRow(sums, (long) r * width, width, keys == 0 ? 0 : 1 / sum[r]);
      if (lse != null) {
        statistics.set(lse, row + r, keys == 0 ? max[r] : max[r] + Math.log(sum[r]));
      }
    }
    Narrow.store(type, sums, 0, y, row * width, (long) m * width);
  }

  /** A row's scores become weights relative to its largest score so far. */
  private void weigh(
      Tile t,
      int r,
      MemorySegment scores,
      MemorySegment sums,
      int width,
      double[] max,
      double[] sum) {
    long at = (long) r * t.n();
    int n = visible(t, r);
    double before = max[r];
    max[r] = Math.max(before, loops.max(scores, at, n));
    if (max[r] > before) {
      double factor = Math.exp(before - max[r]);
      sum[r] *= factor;
      scaleRow(sums, (long) r * width, width, factor);
    }
    if (max[r] == Double.NEGATIVE_INFINITY) { // so far -Inf alone, or NaN
      for (int i = 0; i < n; i++) {
        double weight = Double.isNaN(statistics.get(scores, at + i)) ? Double.NaN : 0;
        statistics.set(scores, at + i, weight);
        sum[r] += weight;
      }
    } else {
      sum[r] += loops.exp(scores, at, n, max[r]);
    }
    clear(scores, at + n, t.n() - n);
  }

  private void scaleRow(MemorySegment x, long at, int n, double factor) {
    for (int i = 0; i < n; i += RowLoops.RUN) {
      loops.scale(x, at + i, Math.min(RowLoops.RUN, n - i), factor);
    }
  }

  private void clear(MemorySegment x, long at, int n) {
    x.asSlice(wide.bytes(at), wide.bytes(n)).fill((byte) 0);
  }

  /** The backward pass' operands; delta is {@code sum(dy y)} of each query. */
  private record Operands(Rows q, Rows k, Rows v, Rows dy, MemorySegment lse, double[] delta) {}

  @Override
  public void backward(
      Stream stream,
      Buffer q,
      Buffer k,
      Buffer v,
      Buffer y,
      Buffer lse,
      Buffer dy,
      @Nullable Buffer dq,
      @Nullable Buffer dk,
      @Nullable Buffer dv) {
    var delta = new double[Math.toIntExact(op.products() * op.queries())];
    Rows dys = rows(dy, op.valueDepth());
    var o =
        new Operands(
            rows(q, op.depth()),
            rows(k, op.depth()),
            rows(v, op.valueDepth()),
            dys,
            lse.pinnedSegment(),
            delta);
    MemorySegment ys = y.pinnedSegment();
    eachQueryTile((product, first, m, keys) -> delta(ys, dys, delta, product, first, m));
    MemorySegment dqs = segment(dq);
    if (dqs != null) {
      eachQueryTile((product, first, m, keys) -> queries(o, dqs, product, first, m, keys));
    }
    MemorySegment dks = segment(dk);
    MemorySegment dvs = segment(dv);
    if (dks != null || dvs != null) {
      long tiles = Math.ceilDiv(op.keys(), KEYS);
      Parallel.forRange(
          op.products() / op.sharing() * tiles,
          1,
          (from, to) -> {
            for (long i = from; i < to; i++) {
              keys(o, dks, dvs, i / tiles, i % tiles * KEYS);
            }
          });
    }
  }

  private void delta(MemorySegment y, Rows dy, double[] delta, long product, long first, int m) {
    long row = product * op.queries() + first;
    for (long r = row; r < row + m; r++) {
      double sum = 0;
      for (long i = r * dy.width(); i < (r + 1) * dy.width(); i++) {
        sum += elements.get(y, i) * elements.get(dy.memory(), i);
      }
      delta[(int) r] = sum;
    }
  }

  /** A tile's weights and the gradients of its scores, before the scale. */
  private void gradients(Operands o, Tile t, MemorySegment weights, MemorySegment gradients) {
    scores(t, op.scale(), o.q(), o.k(), weights);
    scores(t, 1, o.dy(), o.v(), gradients);
    for (int r = 0; r < t.m(); r++) {
      long at = (long) r * t.n();
      int n = visible(t, r);
      long row = queryRow(t) + r;
      double unused = loops.exp(weights, at, n, statistics.get(o.lse(), row));
      loops.gradient(weights, gradients, at, n, o.delta()[(int) row]);
      clear(weights, at + n, t.n() - n);
      clear(gradients, at + n, t.n() - n);
    }
  }

  private void queries(Operands o, MemorySegment dq, long product, long first, int m, long keys) {
    long width = op.depth();
    MemorySegment weights = SCORES.get(wide.bytes((long) QUERIES * KEYS));
    MemorySegment gradients = GRADIENTS.get(wide.bytes((long) QUERIES * KEYS));
    MemorySegment sums = SUMS.get(wide.bytes(QUERIES * width));
    sums.asSlice(0, wide.bytes(m * width)).fill((byte) 0);
    for (long key = 0; key < keys; key += KEYS) {
      var t = new Tile(product, first, m, key, length(key, keys, KEYS));
      gradients(o, t, weights, gradients);
      var spec = Gemm.of(m, width, t.n()).types(wide, type, wide);
      multiply(spec, op.scale(), gradients, o.k().from(keyRow(t)), 1, sums);
    }
    Narrow.store(type, sums, 0, dq, (product * op.queries() + first) * width, m * width);
  }

  private void keys(
      Operands o, @Nullable MemorySegment dk, @Nullable MemorySegment dv, long group, long key) {
    int n = length(key, op.keys(), KEYS);
    long width = op.depth();
    long valueWidth = op.valueDepth();
    MemorySegment weights = SCORES.get(wide.bytes((long) QUERIES * KEYS));
    MemorySegment gradients = GRADIENTS.get(wide.bytes((long) QUERIES * KEYS));
    MemorySegment sums = SUMS.get(wide.bytes(KEYS * width));
    MemorySegment valueSums = VALUE_SUMS.get(wide.bytes(KEYS * valueWidth));
    sums.asSlice(0, wide.bytes(n * width)).fill((byte) 0);
    valueSums.asSlice(0, wide.bytes(n * valueWidth)).fill((byte) 0);
    for (long p = group * op.sharing(); p < (group + 1) * op.sharing(); p++) {
      for (long q = op.causal() ? key : 0; q < op.queries(); q += QUERIES) {
        var t = new Tile(p, q, length(q, op.queries(), QUERIES), key, n);
        gradients(o, t, weights, gradients);
        var spec = Gemm.of(n, width, t.m()).types(wide, type, wide).transA();
        multiply(spec, op.scale(), gradients, o.q().from(queryRow(t)), 1, sums);
        var values = Gemm.of(n, valueWidth, t.m()).types(wide, type, wide).transA();
        multiply(values, 1, weights, o.dy().from(queryRow(t)), 1, valueSums);
      }
    }
    long row = group * op.keys() + key;
    if (dk != null) {
      Narrow.store(type, sums, 0, dk, row * width, n * width);
    }
    if (dv != null) {
      Narrow.store(type, valueSums, 0, dv, row * valueWidth, n * valueWidth);
    }
  }
}
