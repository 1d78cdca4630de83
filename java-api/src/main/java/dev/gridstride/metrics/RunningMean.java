package dev.gridstride.metrics;

/** A mean of values that come one by one, with weights. Not thread-safe. */
public final class RunningMean {
  private double sum;
  private double weights;

  /** Adds a value with weight 1. */
  public void add(double value) {
    add(value, 1);
  }

  /** Adds a value, as the mean loss of a batch with the number of its examples as the weight. */
  public void add(double value, double weight) {
    sum += value * weight;
    weights += weight;
  }

  /** The mean so far; NaN before the first value. */
  public double mean() {
    return sum / weights;
  }

  /** Sum of the weights so far. */
  public double weight() {
    return weights;
  }

  /** Forgets everything. */
  public void reset() {
    sum = 0;
    weights = 0;
  }
}
