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
  private final Elements results;

  /** A kernel for {@code op}. */
  public CpuCrossEntropy(CrossEntropy op) {
    this.op = op;
    long grain = Parallel.grain(op.count());
    this.perTask = Math.max(1, grain / op.classes());
    this.results = Elements.of(op.resultType());
  }

  @Override
  public String details() {
    if (op.type() == DType.F64) {
      return "rows in f64";
    }
    return CrossEntropyF32Rows.isDirect(op) ? "contiguous f32 rows" : "rows gathered to f32";
  }

  private CrossEntropyRows rows(
      CrossEntropyTargets targets,
      Buffer logits,
      Buffer target,
      @Nullable Buffer weight,
      @Nullable Buffer lse,
      @Nullable Buffer dlogits) {
    var o =
        new CrossEntropyOperands(
            logits.segment(), target.segment(), segment(weight), segment(lse), segment(dlogits));
    return op.type() == DType.F64
        ? new CrossEntropyF64Rows(op, targets, o)
        : new CrossEntropyF32Rows(op, targets, o);
  }

  private static @Nullable MemorySegment segment(@Nullable Buffer buffer) {
    return buffer == null ? null : buffer.segment();
  }

  @Override
  public void forward(
      Stream stream,
      Buffer logits,
      Buffer targets,
      @Nullable Buffer weight,
      Buffer loss,
      @Nullable Buffer lse) {
    var t = new CrossEntropyTargets(op, targets.segment(), segment(weight));
    losses(rows(t, logits, targets, weight, lse, null), t, 0, loss.segment());
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
    var t = new CrossEntropyTargets(op, targets.segment(), segment(weight));
    CrossEntropyRows rows = rows(t, logits, targets, weight, null, dlogits);
    losses(rows, t, scale / t.divisor, loss.segment());
  }

  private void losses(
      CrossEntropyRows rows, CrossEntropyTargets targets, double g, MemorySegment loss) {
    boolean each = op.reduction() == LossReduction.NONE;
    double sum =
        Partials.sum(
            op.positions(),
            perTask,
            (from, to) -> {
              double part = 0;
              for (long p = from; p < to; p++) {
                double l = rows.forward(p, g);
                part += l;
                if (each) {
                  results.set(loss, p, l);
                }
              }
              return part;
            });
    if (!each) {
      // with weights of 0 smoothing may leave a sum, which over 0 is an infinity
      results.set(loss, 0, targets.divisor == 0 ? Double.NaN : sum / targets.divisor);
    }
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
    var t = new CrossEntropyTargets(op, targets.segment(), segment(weight));
    CrossEntropyRows rows = rows(t, logits, targets, weight, null, dlogits);
    MemorySegment l = lse.segment();
    MemorySegment d = dloss.segment();
    boolean each = op.reduction() == LossReduction.NONE;
    Parallel.forRange(
        op.positions(),
        perTask,
        (from, to) -> {
          for (long p = from; p < to; p++) {
            rows.backward(p, results.get(l, p), results.get(d, each ? p : 0) / t.divisor);
          }
        });
  }
}
