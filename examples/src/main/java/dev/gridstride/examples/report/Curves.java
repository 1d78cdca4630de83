package dev.gridstride.examples.report;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.style.Styler.LegendPosition;

/** The picture of a training: loss, and accuracy where there is one, over the epochs. */
public final class Curves {
  /** More points than this are not seen at the chart's size. */
  private static final int POINTS = 400;

  private Curves() {}

  /** Draws {@code history} into a PNG file. */
  public static void save(Path file, String name, History history) throws IOException {
    XYChart loss = loss(name, history);
    boolean hasAccuracy = history.rows().stream().anyMatch(r -> !Double.isNaN(r.accuracy()));
    if (hasAccuracy) {
      Charts.save(file, loss, accuracy(name, history));
    } else {
      Charts.save(file, loss);
    }
  }

  private static XYChart loss(String name, History history) {
    XYChart chart = Charts.chart(name + ": loss", "epoch", "loss");
    List<History.Step> steps = history.steps();
    int group = Math.max(1, (steps.size() + POINTS - 1) / POINTS);
    int n = (steps.size() + group - 1) / group;
    var x = new double[n];
    var y = new double[n];
    for (int i = 0; i < n; i++) {
      var part = steps.subList(i * group, Math.min(steps.size(), (i + 1) * group));
      x[i] = part.getLast().epoch();
      y[i] = part.stream().mapToDouble(History.Step::loss).average().orElse(Double.NaN);
    }
    if (n > 0) {
      Charts.line(
          chart,
          group == 1 ? "training" : "training, mean of " + group + " steps",
          x,
          y,
          Charts.BLUE,
          1.5f);
    }
    var rows = history.rows();
    if (!rows.isEmpty()) {
      Charts.points(
          chart,
          "test",
          rows.stream().mapToDouble(History.Row::epoch).toArray(),
          rows.stream().mapToDouble(History.Row::testLoss).toArray(),
          Charts.ORANGE);
    }
    // a loss that falls by orders of magnitude is only seen on a logarithmic axis
    chart.getStyler().setYAxisLogarithmic(spread(y) > 50);
    chart.getStyler().setXAxisMin(0.0);
    return chart;
  }

  private static double spread(double[] y) {
    double max = 0;
    double min = Double.POSITIVE_INFINITY;
    for (double v : y) {
      max = Math.max(max, v);
      min = Math.min(min, v);
    }
    return min > 0 ? max / min : 1;
  }

  private static XYChart accuracy(String name, History history) {
    XYChart chart = Charts.chart(name + ": accuracy", "epoch", "right on the test data, %");
    var rows = history.rows();
    Charts.points(
        chart,
        "test",
        rows.stream().mapToDouble(History.Row::epoch).toArray(),
        rows.stream().mapToDouble(r -> 100 * r.accuracy()).toArray(),
        Charts.ORANGE);
    chart.getStyler().setLegendPosition(LegendPosition.InsideSE);
    chart.getStyler().setXAxisMin(0.0);
    return chart;
  }
}
