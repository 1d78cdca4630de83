package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;

import dev.gridstride.kernels.CrossEntropy;
import java.lang.foreign.MemorySegment;

/** Positions of f64 logits, at any stride, in plain loops. */
final class CrossEntropyF64Rows implements CrossEntropyRows {
  private final CrossEntropy op;
  private final CrossEntropyTargets targets;
  private final CrossEntropyOperands o;
  private final long step;
  private final double keep;
  private final double spread;

  CrossEntropyF64Rows(CrossEntropy op, CrossEntropyTargets targets, CrossEntropyOperands o) {
    this.op = op;
    this.targets = targets;
    this.o = o;
    this.step = op.inner() * 8;
    this.keep = 1 - op.labelSmoothing();
    this.spread = op.labelSmoothing() / op.classes();
  }

  @Override
  public void open() {}

  /** Byte offset of a position's first logit. */
  private long offset(long position) {
    return (position / op.inner() * op.classes() * op.inner() + position % op.inner()) * 8;
  }

  private double logit(long at, long c) {
    return o.logits().get(JAVA_DOUBLE_UNALIGNED, at + c * step);
  }

  /** Coefficient of class c; t is the target class, or -1 for probabilities. */
  private double q(long at, long t, long c) {
    double share = t < 0 ? o.targets().get(JAVA_DOUBLE_UNALIGNED, at + c * step) : c == t ? 1 : 0;
    return targets.weight(c) * (keep * share + spread);
  }

  @Override
  public double forward(long position, double g) {
    long at = offset(position);
    boolean ignored = targets.ignored(position);
    double max = Double.NEGATIVE_INFINITY;
    for (long c = 0; c < op.classes(); c++) {
      max = Math.max(max, logit(at, c));
    }
    double shift = max == Double.NEGATIVE_INFINITY ? 0 : max;
    double sum = sumExp(at, shift);
    MemorySegment lse = o.lse();
    if (lse != null) {
      lse.setAtIndex(JAVA_DOUBLE_UNALIGNED, position, max + Math.log(sum));
    }
    if (ignored) {
      gradient(position, shift, sum, g);
      return 0;
    }
    long t = op.hasClassTargets() ? targets.target(position) : -1;
    double logSum = Math.log(sum);
    double loss = 0;
    for (long c = 0; c < op.classes(); c++) {
      double q = q(at, t, c);
      if (q != 0) {
        loss += q * (logSum - (logit(at, c) - max));
      }
    }
    gradient(position, shift, sum, g);
    return loss;
  }

  private double sumExp(long at, double shift) {
    double sum = 0;
    for (long c = 0; c < op.classes(); c++) {
      sum += Math.exp(logit(at, c) - shift);
    }
    return sum;
  }

  @Override
  public void backward(long position, double lse, double g) {
    gradient(position, lse, sumExp(offset(position), lse), g);
  }

  private void gradient(long position, double shift, double sum, double g) {
    MemorySegment dx = o.dlogits();
    if (dx == null) {
      return;
    }
    long at = offset(position);
    if (targets.ignored(position)) {
      for (long c = 0; c < op.classes(); c++) {
        dx.set(JAVA_DOUBLE_UNALIGNED, at + c * step, 0);
      }
      return;
    }
    long t = op.hasClassTargets() ? targets.target(position) : -1;
    double total = 0;
    for (long c = 0; c < op.classes(); c++) {
      total += q(at, t, c);
    }
    for (long c = 0; c < op.classes(); c++) {
      double p = Math.exp(logit(at, c) - shift) / sum;
      dx.set(JAVA_DOUBLE_UNALIGNED, at + c * step, g * (total * p - q(at, t, c)));
    }
  }
}
