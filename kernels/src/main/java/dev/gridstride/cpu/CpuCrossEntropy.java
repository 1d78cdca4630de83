package dev.gridstride.cpu;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.CrossEntropy;
import dev.gridstride.kernels.LossReduction;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Cross-entropy by rows: tasks of about 16K logits, their losses added in double in row order.
 *
 * <p>Targets and class weights are read first: a bad target is refused before anything is written,
 * and the mean's divisor is known before the first gradient.
 */
public final class CpuCrossEntropy implements CrossEntropy.Kernel {
  private final CrossEntropy op;
  private final long perTask;

  /** Whether each position has its loss. */
  private final boolean each;

  private final Elements results;
  private final Reuse<Run> runs = new Reuse<>(Run::new);

  /** A kernel for {@code op}. */
  public CpuCrossEntropy(CrossEntropy op) {
    this.op = op;
    long grain = Parallel.grain(op.count());
    this.perTask = Math.max(1, grain / op.classes());
    this.each = op.reduction() == LossReduction.NONE;
    this.results = Elements.of(op.resultType());
  }

  @Override
  public String details() {
    if (op.type() == DType.F64) {
      return "rows in f64";
    }
    return CrossEntropyF32Rows.isDirect(op) ? "contiguous f32 rows" : "rows gathered to f32";
  }

  /** What a run works on, and the bodies of its loops. */
  private final class Run {
    final CrossEntropyOperands operands = new CrossEntropyOperands();
    final CrossEntropyTargets targets = new CrossEntropyTargets(op, operands);
    final CrossEntropyRows rows =
        op.type() == DType.F64
            ? new CrossEntropyF64Rows(op, targets, operands)
            : new CrossEntropyF32Rows(op, targets, operands);
    final Partials losses = new Partials(this::losses);
    final Parallel.Range gradients = this::gradients;

    /** The factor of all gradients. */
    private double scale;

    private MemorySegment loss = Tiles.ZEROS;
    private MemorySegment lse = Tiles.ZEROS;
    private MemorySegment dloss = Tiles.ZEROS;

    void open(
        Buffer logits,
        Buffer target,
        @Nullable Buffer weight,
        @Nullable Buffer lse,
        @Nullable Buffer dlogits) {
      operands.open(
          logits.pinnedSegment(),
          target.pinnedSegment(),
          segment(weight),
          segment(lse),
          segment(dlogits));
      targets.open();
      rows.open();
    }

    /** Keeps nothing alive. */
    void close() {
      operands.close();
      loss = Tiles.ZEROS;
      lse = Tiles.ZEROS;
      dloss = Tiles.ZEROS;
    }

    void forward(MemorySegment loss, double scale) {
      this.loss = loss;
      this.scale = scale;
      double sum = losses.sum(op.positions(), perTask);
      if (!each) {
        // with weights of 0 smoothing may leave a sum, which over 0 is an infinity
        results.set(loss, 0, targets.divisor == 0 ? Double.NaN : sum / targets.divisor);
      }
    }

    void backward(MemorySegment lse, MemorySegment dloss) {
      this.lse = lse;
      this.dloss = dloss;
      Parallel.forRange(op.positions(), perTask, gradients);
    }

    private double losses(long from, long to) {
      double part = 0;
      for (long p = from; p < to; p++) {
        double l = rows.forward(p, scale);
        part += l;
        if (each) {
          results.set(loss, p, l);
        }
      }
      return part;
    }

    private void gradients(long from, long to) {
      for (long p = from; p < to; p++) {
        double g = results.get(dloss, each ? p : 0) / targets.divisor;
        rows.backward(p, results.get(lse, p), g);
      }
    }
  }

  private static @Nullable MemorySegment segment(@Nullable Buffer buffer) {
    return buffer == null ? null : buffer.pinnedSegment();
  }

  private void give(Run run) {
    run.close();
    runs.give(run);
  }

  @Override
  public void forward(
      Stream stream,
      Buffer logits,
      Buffer targets,
      @Nullable Buffer weight,
      Buffer loss,
      @Nullable Buffer lse) {
    Run run = runs.take();
    run.open(logits, targets, weight, lse, null);
    run.forward(loss.pinnedSegment(), 0);
    give(run);
  }

  @Override
  public void forwardBackward(
      Stream stream,
      Buffer logits,
      Buffer targets,
      @Nullable Buffer weight,
      double scale,
      Buffer loss,
      Buffer dlogits) {
    Run run = runs.take();
    run.open(logits, targets, weight, null, dlogits);
    run.forward(loss.pinnedSegment(), scale / run.targets.divisor);
    give(run);
  }

  @Override
  public void backward(
      Stream stream,
      Buffer logits,
      Buffer targets,
      @Nullable Buffer weight,
      Buffer lse,
      Buffer dloss,
      Buffer dlogits) {
    Run run = runs.take();
    run.open(logits, targets, weight, null, dlogits);
    run.backward(lse.pinnedSegment(), dloss.pinnedSegment());
    give(run);
  }
}
