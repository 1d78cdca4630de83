package dev.gridstride.optim;

/**
 * Lowers the learning rate when a value (a validation loss) has stopped falling, as {@code
 * torch.optim.lr_scheduler.ReduceLROnPlateau} with a relative threshold of 1e-4 in mode min.
 */
public final class ReduceOnPlateau {
  private static final double THRESHOLD = 1e-4;

  private final Optimizer optimizer;
  private final double factor;
  private final int patience;
  private final double lowest;
  private double best = Double.POSITIVE_INFINITY;
  private int bad;

  /**
   * For the groups of {@code optimizer}.
   *
   * @param factor what the learning rate is multiplied by
   * @param patience how many reports in a row may be no better than the best
   * @param lowest the smallest learning rate to set
   */
  public ReduceOnPlateau(Optimizer optimizer, double factor, int patience, double lowest) {
    this.optimizer = optimizer;
    this.factor = factor;
    this.patience = patience;
    this.lowest = lowest;
  }

  /** Takes note of a value; returns whether the learning rate was lowered. NaN counts as bad. */
  public boolean report(double value) {
    if (value < best - THRESHOLD * Math.abs(best) || (value < best && Double.isInfinite(best))) {
      best = value;
      bad = 0;
      return false;
    }
    if (++bad <= patience) {
      return false;
    }
    bad = 0;
    for (Optimizer.Group g : optimizer.groups()) {
      g.learningRate(Math.max(lowest, g.learningRate() * factor));
    }
    return true;
  }
}
