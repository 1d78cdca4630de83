package dev.gridstride.cpu;

import dev.gridstride.kernels.Layout;
import dev.gridstride.kernels.Reduce;
import java.lang.foreign.MemorySegment;

/** Gradients of reductions, in double, output by output. */
final class ReduceBackward {
  private final Reduce op;
  private final Places kept;
  private final Places reduced;
  private final Places keptOut;
  private final Places reducedOut;
  private final Elements e;
  private final MemorySegment x;
  private final MemorySegment y;
  private final MemorySegment dy;
  private final MemorySegment dx;

  ReduceBackward(
      Reduce op,
      Places kept,
      Places reduced,
      MemorySegment x,
      MemorySegment y,
      MemorySegment dy,
      MemorySegment dx) {
    this.op = op;
    this.kept = kept;
    this.reduced = reduced;
    Layout out = Layout.contiguous(op.x().dims());
    this.keptOut = new Places(out, i -> !op.reduces(i));
    this.reducedOut = new Places(out, op::reduces);
    this.e = Elements.of(op.type());
    this.x = x;
    this.y = y;
    this.dy = dy;
    this.dx = dx;
  }

  void run() {
    Parallel.forRange(
        kept.count,
        Math.max(1, 4096 / Math.max(1, reduced.count)),
        (from, to) -> {
          for (long o = from; o < to; o++) {
            output(kept.at(o), keptOut.at(o), e.get(y, o), e.get(dy, o));
          }
        });
  }

  private void output(long from, long to, double result, double g) {
    double share =
        switch (op.kind()) {
          case MEAN -> g / reduced.count;
          case MAX, MIN -> g / equal(from, result);
          default -> g;
        };
    long zeros = op.kind() == Reduce.Kind.PROD ? equal(from, 0) : 0;
    double others = op.kind() == Reduce.Kind.PROD ? productOfOthers(from) : 0;
    for (long r = 0; r < reduced.count; r++) {
      double v = e.get(x, from + reduced.at(r));
      double d =
          switch (op.kind()) {
            case SUM, MEAN -> share;
            case MAX, MIN -> v == result || (Double.isNaN(v) && Double.isNaN(result)) ? share : 0;
            case SUM_SQUARES -> 2 * v * g;
            case L1 -> Math.signum(v) * g;
            case L2 -> result == 0 ? 0 : v / result * g;
            case LOG_SUM_EXP -> Math.exp(v - result) * g;
            case PROD -> zeros == 0 ? others / v * g : v == 0 && zeros == 1 ? others * g : 0;
          };
      e.set(dx, to + reducedOut.at(r), d);
    }
  }

  private long equal(long from, double value) {
    long n = 0;
    for (long r = 0; r < reduced.count; r++) {
      double v = e.get(x, from + reduced.at(r));
      n += v == value || (Double.isNaN(v) && Double.isNaN(value)) ? 1 : 0;
    }
    return n;
  }

  /** The product of the elements that are not 0. */
  private double productOfOthers(long from) {
    double p = 1;
    for (long r = 0; r < reduced.count; r++) {
      double v = e.get(x, from + reduced.at(r));
      p *= v == 0 ? 1 : v;
    }
    return p;
  }
}
