package dev.gridstride.kernels;

/** Cross-entropy by PyTorch's formulas, in double, one position after the other. */
final class CrossEntropyOracle {
  final double[] losses;
  final double[] lse;
  double loss;
  double divisor;
  private final CrossEntropy op;
  private final double[] x;
  private final double[] t;
  private final double[] w;

  /** Targets are class indices or probabilities, as op says; weights may be null. */
  CrossEntropyOracle(CrossEntropy op, double[] x, double[] t, double[] w) {
    this.op = op;
    this.x = x;
    this.t = t;
    this.w = w;
    int positions = (int) op.positions();
    losses = new double[positions];
    lse = new double[positions];
    for (int p = 0; p < positions; p++) {
      double max = Double.NEGATIVE_INFINITY;
      for (int c = 0; c < op.classes(); c++) {
        max = Math.max(max, x[at(p, c)]);
      }
      double sum = 0;
      for (int c = 0; c < op.classes(); c++) {
        sum += Math.exp(x[at(p, c)] - max);
      }
      lse[p] = max + Math.log(sum);
      for (int c = 0; c < op.classes(); c++) {
        double q = q(p, c);
        if (q != 0) {
          losses[p] += q * (Math.log(sum) - (x[at(p, c)] - max));
        }
      }
      loss += losses[p];
      if (!op.hasClassTargets()) {
        divisor++;
      } else if (t[p] != op.ignoreIndex()) {
        divisor += w == null ? 1 : w[(int) t[p]];
      }
    }
    divisor = op.reduction() == LossReduction.MEAN ? divisor : 1;
    loss /= divisor;
  }

  int at(int p, int c) {
    int inner = (int) op.inner();
    return (p / inner * (int) op.classes() + c) * inner + p % inner;
  }

  private double q(int p, int c) {
    double s = op.labelSmoothing();
    double wc = w == null ? 1 : w[c];
    if (!op.hasClassTargets()) {
      return wc * (t[at(p, c)] * (1 - s) + s / op.classes());
    }
    if (t[p] == op.ignoreIndex()) {
      return 0;
    }
    return (c == t[p] ? (1 - s) * wc : 0) + s / op.classes() * wc;
  }

  /** Gradient for an upstream gradient of each position's loss, after the reduction. */
  double[] gradient(double[] upstream) {
    var dx = new double[x.length];
    for (int p = 0; p < losses.length; p++) {
      double total = 0;
      for (int c = 0; c < op.classes(); c++) {
        total += q(p, c);
      }
      if (op.hasClassTargets() && t[p] == op.ignoreIndex()) {
        continue;
      }
      double max = Double.NEGATIVE_INFINITY;
      for (int c = 0; c < op.classes(); c++) {
        max = Math.max(max, x[at(p, c)]);
      }
      double sum = 0;
      for (int c = 0; c < op.classes(); c++) {
        sum += Math.exp(x[at(p, c)] - max);
      }
      double g = (upstream.length == 1 ? upstream[0] : upstream[p]) / divisor;
      for (int c = 0; c < op.classes(); c++) {
        dx[at(p, c)] = g * (total * Math.exp(x[at(p, c)] - max) / sum - q(p, c));
      }
    }
    return dx;
  }
}
