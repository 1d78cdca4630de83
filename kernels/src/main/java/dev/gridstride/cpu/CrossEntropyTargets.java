package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.gridstride.device.DType;
import dev.gridstride.kernels.CrossEntropy;
import dev.gridstride.kernels.LossReduction;
import java.lang.foreign.MemorySegment;

/**
 * The targets and class weights of one run of cross-entropy, checked before anything is written.
 */
final class CrossEntropyTargets {
  private static final long GRAIN = 1 << 16;

  private final CrossEntropy op;
  private final CrossEntropyOperands o;
  private final Elements weightType;
  private final Partials valid = new Partials(this::validWeight);

  /** Sum of all class weights, or their number. */
  double weightSum;

  /** What the sum of the losses is divided by: 1 unless the mean is taken. */
  double divisor;

  CrossEntropyTargets(CrossEntropy op, CrossEntropyOperands o) {
    this.op = op;
    this.o = o;
    this.weightType = Elements.of(op.resultType());
  }

  /** Begins a run, whose operands are there; checks all targets. */
  void open() {
    double sum = 0;
    for (long c = 0; c < (o.weight() == null ? 0 : op.classes()); c++) {
      sum += weight(c);
    }
    weightSum = o.weight() == null ? op.classes() : sum;
    double total = op.hasClassTargets() ? valid.sum(op.positions(), GRAIN) : op.positions();
    divisor = op.reduction() == LossReduction.MEAN ? total : 1;
  }

  private double validWeight(long from, long to) {
    double sum = 0;
    for (long p = from; p < to; p++) {
      long t = target(p);
      if (t == op.ignoreIndex()) {
        continue;
      }
      if (t < 0 || t >= op.classes()) {
        throw op.targetOutOfRange(p, t);
      }
      sum += weight(t);
    }
    return sum;
  }

  /** The target class of a position. */
  long target(long position) {
    return op.targetType() == DType.I32
        ? o.targets().get(JAVA_INT_UNALIGNED, position * 4)
        : o.targets().get(JAVA_LONG_UNALIGNED, position * 8);
  }

  /** Whether a position is left out. */
  boolean ignored(long position) {
    return op.hasClassTargets() && target(position) == op.ignoreIndex();
  }

  /** The weight of a class, 1 without weights. */
  double weight(long c) {
    MemorySegment weight = o.weight();
    return weight == null ? 1 : weightType.get(weight, c);
  }
}
