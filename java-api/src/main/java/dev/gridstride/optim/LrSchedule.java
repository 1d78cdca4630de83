package dev.gridstride.optim;

import dev.gridstride.device.InvalidArgumentException;

/**
 * A learning rate as a function of the step (or epoch), from 0; without state, so that a run can be
 * taken up anywhere: {@code optimizer.learningRate(schedule.at(epoch))}.
 */
@FunctionalInterface
public interface LrSchedule {
  /** The learning rate of step {@code step}, from 0. */
  double at(long step);

  /** {@code lr * gamma^floor(step / every)}. */
  static LrSchedule step(double lr, long every, double gamma) {
    positive("every", every);
    return step -> lr * Math.pow(gamma, (double) (step / every));
  }

  /** {@code lr * gamma^(number of milestones <= step)}. */
  static LrSchedule multiStep(double lr, double gamma, long... milestones) {
    long[] at = milestones.clone();
    return step -> {
      double rate = lr;
      for (long m : at) {
        rate = step >= m ? rate * gamma : rate;
      }
      return rate;
    };
  }

  /** {@code lr * gamma^step}. */
  static LrSchedule exponential(double lr, double gamma) {
    return step -> lr * Math.pow(gamma, (double) step);
  }

  /** From {@code from} to {@code to} in a straight line over {@code steps}, then constant. */
  static LrSchedule linear(double from, double to, long steps) {
    positive("steps", steps);
    return step -> from + (to - from) * Math.min(1, step / (double) steps);
  }

  /**
   * Up from 0 to {@code lr} in a straight line over {@code warmup} steps, then down to {@code low}
   * by half a cosine until step {@code steps} (Loshchilov and Hutter, SGDR, 2017).
   */
  static LrSchedule cosine(double lr, double low, long warmup, long steps) {
    if (warmup < 0 || steps <= warmup) {
      throw InvalidArgumentException.of(
          "lrSchedule.cosine",
          "warmup",
          "must not be negative and must be below steps",
          "warmup=%d, steps=%d",
          warmup,
          steps);
    }
    return step ->
        step < warmup
            ? lr * (step + 1) / warmup
            : anneal(lr, low, Math.min(1, (step - warmup) / (double) (steps - warmup)));
  }

  /**
   * The one-cycle policy (Smith and Topin, 2018) as {@code torch.optim.lr_scheduler.OneCycleLR}
   * with its defaults: from {@code highest / 25} up to {@code highest} over the first 30% of the
   * steps, then down to {@code highest / 250,000}, both by half a cosine.
   */
  static LrSchedule oneCycle(double highest, long steps) {
    positive("steps", steps);
    double top = 0.3 * steps - 1;
    double start = highest / 25;
    double end = start / 1e4;
    return step ->
        step <= top
            ? anneal(start, highest, step / Math.max(top, 1e-9))
            : anneal(highest, end, Math.min(1, (step - top) / (steps - 1 - top)));
  }

  private static double anneal(double from, double to, double share) {
    return to + (from - to) * 0.5 * (1 + Math.cos(Math.PI * share));
  }

  private static void positive(String argument, long value) {
    if (value < 1) {
      throw InvalidArgumentException.of(
          "lrSchedule", argument, "must be at least 1", "%s=%d", argument, value);
    }
  }
}
