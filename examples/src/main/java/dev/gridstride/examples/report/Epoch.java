package dev.gridstride.examples.report;

import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/**
 * A pass over the training data: shows progress, measures time, averages the loss.
 *
 * <p>On a terminal a bar with loss, samples/s and remaining time; elsewhere one line at the end.
 */
public final class Epoch implements AutoCloseable {
  /** Weight of the past in the loss that the bar shows. */
  private static final double SMOOTHING = 0.95;

  /** Long trainings print about so many lines. */
  private static final int MOST_LINES = 20;

  private final Report report;
  private final int epoch;
  private final int epochs;
  private final long samples;
  private final @Nullable ProgressBar bar;
  private final long start = System.nanoTime();
  private long trained = System.nanoTime();
  private long done;
  private double lossSum;
  private double shown = Double.NaN;

  Epoch(Report report, int epoch, int epochs, long samples, boolean terminal) {
    this.report = report;
    this.epoch = epoch;
    this.epochs = epochs;
    this.samples = samples;
    this.bar = terminal ? bar() : null;
  }

  private ProgressBar bar() {
    return new ProgressBarBuilder()
        .setTaskName("epoch %d/%d".formatted(epoch, epochs))
        .setInitialMax(samples)
        .setStyle(ProgressBarStyle.ASCII)
        .setUpdateIntervalMillis(200)
        .setMaxRenderedLength(100)
        .showSpeed()
        .clearDisplayOnFinish()
        .build();
  }

  /** Notes a training step. */
  public void step(long batch, double loss) {
    done += batch;
    lossSum += batch * loss;
    shown = Double.isNaN(shown) ? loss : SMOOTHING * shown + (1 - SMOOTHING) * loss;
    trained = System.nanoTime();
    report.history().add(new History.Step(epoch - 1 + (double) done / samples, loss));
    if (bar != null) {
      bar.setExtraMessage("loss %.4f".formatted(shown));
      bar.stepTo(done);
    }
  }

  /** Ends the epoch with the loss on the test samples. */
  public void end(double testLoss) {
    end(testLoss, Double.NaN);
  }

  /**
   * Ends the epoch with loss and accuracy (0 to 1), or what else the history measures, in tests.
   */
  public void end(double testLoss, double accuracy) {
    close();
    double seconds = (System.nanoTime() - start) / 1e9;
    double speed = done / Math.max(1e-9, (trained - start) / 1e9);
    double loss = lossSum / Math.max(1, done);
    report.history().add(new History.Row(epoch, loss, testLoss, accuracy, seconds, speed));
    int every = Math.max(1, epochs / MOST_LINES);
    if (epoch % every != 0 && epoch != epochs && epoch != 1) {
      return;
    }
    report.line(
        "epoch %d/%d: loss %.4f, test loss %.4f%s, %.1f s, %,.0f samples/s",
        epoch,
        epochs,
        loss,
        testLoss,
        Double.isNaN(accuracy)
            ? ""
            : ", %s %.2f%%".formatted(report.history().measure(), 100 * accuracy),
        seconds,
        speed);
  }

  /** Takes the bar off the screen. */
  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
