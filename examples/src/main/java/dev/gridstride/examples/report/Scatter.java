package dev.gridstride.examples.report;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.knowm.xchart.XYChart;

/** The picture of a regression: predictions over true values, and the line where they agree. */
public final class Scatter {
  private Scatter() {}

  /**
   * Draws a PNG file.
   *
   * @param unit of both values, as {@code 1,000 dollars}
   */
  public static void save(Path file, String title, String unit, double[] truth, double[] predicted)
      throws IOException {
    XYChart chart = Charts.chart(title, "true, " + unit, "predicted, " + unit);
    double low = Math.min(min(truth), min(predicted));
    double high = Math.max(max(truth), max(predicted));
    Charts.scatter(chart, "held-out samples", truth, predicted, Charts.BLUE);
    double[] ends = {low, high};
    Charts.line(chart, "predicted = true", ends, ends, Charts.ORANGE, 1.5f);
    Charts.save(file, chart);
  }

  private static double min(double[] v) {
    return Arrays.stream(v).min().orElse(0);
  }

  private static double max(double[] v) {
    return Arrays.stream(v).max().orElse(1);
  }
}
