package dev.gridstride.cpu;

import dev.gridstride.cpu.scalar.ScalarRowLoops;
import dev.gridstride.cpu.vector.VectorRowLoops;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.Softmax;
import java.lang.foreign.MemorySegment;

/**
 * Softmax by rows: each row is one task's work, in a fixed order.
 *
 * <p>Contiguous f32 rows go through the vector loops, in runs whose sums are added in double; what
 * is below e^-87 of the largest counts as 0. Other types and strided rows go through loops in
 * double.
 */
public final class CpuSoftmax implements Softmax.Kernel {
  private static final RowLoops LOOPS = Simd.ENABLED ? new VectorRowLoops() : new ScalarRowLoops();

  private final Softmax op;
  private final boolean fast;
  private final Elements elements;
  private final long rowsOfTask;
  private final Apart.Ternary forward;
  private final Apart.Ternary backward;

  /** A kernel for {@code op}. */
  public CpuSoftmax(Softmax op) {
    this.op = op;
    this.fast = op.inner() == 1 && op.type() == DType.F32;
    this.elements = Elements.of(op.type());
    this.rowsOfTask = Math.max(1, Parallel.grain(op.count()) / Math.max(1, op.size()));
    if (!fast) {
      this.forward = this::forwardGeneral;
      this.backward = this::backwardGeneral;
    } else {
      this.forward = LOOPS.hasSoftmaxRows(op.size()) ? this::forwardWhole : this::forwardRows;
      boolean whole = !op.log() && LOOPS.hasSoftmaxGradients(op.size());
      this.backward = whole ? this::backwardWhole : this::backwardRows;
    }
  }

  @Override
  public String details() {
    return fast ? "contiguous f32 rows" : "general rows in double";
  }

  @Override
  public void forward(Stream stream, Buffer x, Buffer y) {
    MemorySegment xs = x.pinnedSegment();
    Parallel.forRange(
        op.outer() * op.inner(), rowsOfTask, forward, xs, y.pinnedSegment(), Tiles.ZEROS);
  }

  @Override
  public void backward(Stream stream, Buffer y, Buffer dy, Buffer dx) {
    MemorySegment ys = y.pinnedSegment();
    Parallel.forRange(
        op.outer() * op.inner(), rowsOfTask, backward, ys, dy.pinnedSegment(), dx.pinnedSegment());
  }

  // ---- a task: rows from to to (excluded)

  private void forwardWhole(
      MemorySegment x, MemorySegment y, MemorySegment none, long from, long to) {
    int n = (int) op.size();
    LOOPS.softmaxRows(x, y, from * n, (int) (to - from), n, op.log());
  }

  private void forwardRows(
      MemorySegment x, MemorySegment y, MemorySegment none, long from, long to) {
    for (long r = from; r < to; r++) {
      forwardRow(x, y, r * op.size());
    }
  }

  private void forwardGeneral(
      MemorySegment x, MemorySegment y, MemorySegment none, long from, long to) {
    for (long r = from; r < to; r++) {
      forwardRowGeneral(x, y, start(r), op.inner());
    }
  }

  private void backwardWhole(
      MemorySegment y, MemorySegment dy, MemorySegment dx, long from, long to) {
    int n = (int) op.size();
    LOOPS.softmaxGradients(y, dy, dx, from * n, (int) (to - from), n);
  }

  private void backwardRows(
      MemorySegment y, MemorySegment dy, MemorySegment dx, long from, long to) {
    for (long r = from; r < to; r++) {
      backwardRow(y, dy, dx, r * op.size());
    }
  }

  private void backwardGeneral(
      MemorySegment y, MemorySegment dy, MemorySegment dx, long from, long to) {
    for (long r = from; r < to; r++) {
      backwardRowGeneral(y, dy, dx, start(r), op.inner());
    }
  }

  // ---- a row

  private long start(long row) {
    return row / op.inner() * op.size() * op.inner() + row % op.inner();
  }

  private static int run(long first, long end) {
    return (int) Math.min(RowLoops.RUN, end - first);
  }

  private void forwardRow(MemorySegment x, MemorySegment y, long at) {
    long end = at + op.size();
    float max = Float.NEGATIVE_INFINITY;
    for (long i = at; i < end; i += RowLoops.RUN) {
      max = Math.max(max, LOOPS.max(x, i, run(i, end)));
    }
    double sum = 0;
    for (long i = at; i < end; i += RowLoops.RUN) {
      int n = run(i, end);
      sum += op.log() ? LOOPS.sumExp(x, i, n, max) : LOOPS.storeExp(x, i, y, i, n, max);
    }
    float logSum = (float) Math.log(sum);
    float factor = (float) (1 / sum);
    for (long i = at; i < end; i += RowLoops.RUN) {
      int n = run(i, end);
      if (op.log()) {
        LOOPS.subtract(x, y, i, n, max, logSum);
      } else {
        LOOPS.scale(y, i, n, factor, 0);
      }
    }
  }

  private void backwardRow(MemorySegment y, MemorySegment dy, MemorySegment dx, long at) {
    long end = at + op.size();
    double sum = 0;
    for (long i = at; i < end; i += RowLoops.RUN) {
      int n = run(i, end);
      sum += op.log() ? LOOPS.sum(dy, i, n) : LOOPS.dot(y, dy, i, n);
    }
    for (long i = at; i < end; i += RowLoops.RUN) {
      int n = run(i, end);
      if (op.log()) {
        LOOPS.logSoftmaxGradient(y, dy, dx, i, n, (float) sum);
      } else {
        LOOPS.softmaxGradient(y, dy, dx, i, n, (float) sum);
      }
    }
  }

  private void forwardRowGeneral(MemorySegment x, MemorySegment y, long at, long step) {
    double max = Double.NEGATIVE_INFINITY;
    for (long i = 0; i < op.size(); i++) {
      max = Math.max(max, elements.get(x, at + i * step));
    }
    double sum = 0;
    for (long i = 0; i < op.size(); i++) {
      sum += Math.exp(elements.get(x, at + i * step) - max);
    }
    double logSum = Math.log(sum);
    for (long i = 0; i < op.size(); i++) {
      double d = elements.get(x, at + i * step) - max;
      elements.set(y, at + i * step, op.log() ? d - logSum : Math.exp(d) / sum);
    }
  }

  private void backwardRowGeneral(
      MemorySegment y, MemorySegment dy, MemorySegment dx, long at, long step) {
    double sum = 0;
    for (long i = 0; i < op.size(); i++) {
      double g = elements.get(dy, at + i * step);
      sum += op.log() ? g : g * elements.get(y, at + i * step);
    }
    for (long i = 0; i < op.size(); i++) {
      double g = elements.get(dy, at + i * step);
      double v = elements.get(y, at + i * step);
      elements.set(dx, at + i * step, op.log() ? g - Math.exp(v) * sum : v * (g - sum));
    }
  }
}
