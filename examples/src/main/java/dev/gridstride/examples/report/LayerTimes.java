package dev.gridstride.examples.report;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.knowm.xchart.CategoryChart;

/** How long each layer of a network takes, forward and backward: a table and a picture. */
public final class LayerTimes {
  private record Row(
      String name, String shape, double forward, double backward, double flops, double back) {}

  private final List<Row> rows = new ArrayList<>();

  /**
   * Adds a layer.
   *
   * @param shape of its result
   * @param forward seconds of each run
   * @param backward seconds of each run
   * @param flops multiplications and additions of a forward run; 0 when there are none to speak of
   * @param backwardFlops the same of a backward run
   */
  public void add(
      String name,
      String shape,
      double[] forward,
      double[] backward,
      double flops,
      double backwardFlops) {
    rows.add(new Row(name, shape, median(forward), median(backward), flops, backwardFlops));
  }

  private static double median(double[] seconds) {
    double[] sorted = seconds.clone();
    Arrays.sort(sorted);
    int n = sorted.length;
    return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
  }

  /** Prints a line for each layer and the sum, and notes the sums as results. */
  public void print(Report report) {
    report.line(
        "%n%-18s %-18s %11s %9s %11s %9s",
        "layer", "result", "forward ms", "GFLOP/s", "backward ms", "GFLOP/s");
    var sum = new double[4];
    for (Row r : rows) {
      line(report, r);
      double[] more = {r.forward, r.backward, r.flops, r.back};
      Arrays.setAll(sum, i -> sum[i] + more[i]);
    }
    line(report, new Row("all", "", sum[0], sum[1], sum[2], sum[3]));
    report.result("forwardSeconds", sum[0]);
    report.result("backwardSeconds", sum[1]);
    report.result("forwardGflops", sum[2] / sum[0] / 1e9);
    report.result("backwardGflops", sum[3] / sum[1] / 1e9);
  }

  private static void line(Report report, Row r) {
    report.line(
        "%-18s %-18s %11.2f %9s %11.2f %9s",
        r.name,
        r.shape,
        1e3 * r.forward,
        rate(r.flops, r.forward),
        1e3 * r.backward,
        rate(r.back, r.backward));
  }

  private static String rate(double flops, double seconds) {
    return flops == 0 ? "-" : String.format(Locale.ROOT, "%.1f", flops / seconds / 1e9);
  }

  /** Draws bars of the times into a PNG file. */
  public void save(Path file, String title) throws IOException {
    CategoryChart chart = Charts.bars(title, "milliseconds");
    List<String> names = rows.stream().map(Row::name).toList();
    chart
        .addSeries("forward", names, rows.stream().map(r -> 1e3 * r.forward).toList())
        .setFillColor(Charts.BLUE);
    chart
        .addSeries("backward", names, rows.stream().map(r -> 1e3 * r.backward).toList())
        .setFillColor(Charts.ORANGE);
    chart.getStyler().setXAxisLabelRotation(90);
    chart.getStyler().setXAxisMaxLabelCount(rows.size());
    Charts.save(file, chart);
  }
}
