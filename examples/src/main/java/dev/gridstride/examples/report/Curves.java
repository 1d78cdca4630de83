package dev.gridstride.examples.report;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.knowm.xchart.XYChart;

/** The picture of a training: loss, and accuracy where there is one, over the epochs. */
public final class Curves {
  /** More points than this are not seen at the chart's size. */
  private static final int POINTS = 150;

  private static final int MOST_MARKED = 40;

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
    test(chart, rows, rows.stream().mapToDouble(History.Row::testLoss).toArray());
    // a loss that falls by orders of magnitude is only seen on a logarithmic axis
    chart.getStyler().setYAxisLogarithmic(spread(y) > 10);
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
    XYChart chart = Charts.chart(name + ": " + history.measure(), "epoch", history.axis());
    var rows = history.rows();
    double[] percent = rows.stream().mapToDouble(r -> 100 * r.accuracy()).toArray();
    test(chart, rows, percent);
    double worst = Arrays.stream(percent).min().orElse(0);
    double top = Arrays.stream(percent).max().orElse(100);
    double room = Math.max(0.5, 0.2 * (top - worst));
    chart.getStyler().setYAxisMin(Math.max(0, worst - room));
    chart.getStyler().setYAxisMax(Math.min(100, top + room));
    chart.getStyler().setYAxisDecimalPattern("0.0");
    chart.getStyler().setXAxisMin(0.0);
    return chart;
  }

  /** Marked points as long as they can be told apart. */
  private static void test(XYChart chart, List<History.Row> rows, double[] y) {
    double[] x = rows.stream().mapToDouble(History.Row::epoch).toArray();
    if (x.length > MOST_MARKED) {
      Charts.line(chart, "test", x, y, Charts.ORANGE, 2f);
    } else if (x.length > 0) {
      Charts.points(chart, "test", x, y, Charts.ORANGE);
    }
  }
}
