package dev.gridstride.examples.report;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;

/** Pictures of points that belong to groups, each group in its colour; at most ten groups. */
public final class Groups {
  private Groups() {}

  /**
   * A chart of points in the plane.
   *
   * @param names of the groups
   * @param groups the group of each point
   * @param x first coordinate of each
   * @param y second coordinate of each
   */
  public static XYChart scatter(
      String title,
      String xName,
      String yName,
      List<String> names,
      long[] groups,
      double[] x,
      double[] y) {
    XYChart chart = Charts.chart(title, xName, yName);
    chart.getStyler().setMarkerSize(groups.length > 1000 ? 3 : 5);
    chart.getStyler().setLegendPosition(LegendPosition.OutsideE);
    chart.getStyler().setLegendLayout(LegendLayout.Vertical);
    for (int g = 0; g < names.size(); g++) {
      int group = g;
      int[] members = IntStream.range(0, groups.length).filter(i -> groups[i] == group).toArray();
      if (members.length > 0) {
        double[] xs = IntStream.of(members).mapToDouble(i -> x[i]).toArray();
        double[] ys = IntStream.of(members).mapToDouble(i -> y[i]).toArray();
        Charts.scatter(chart, names.get(g), xs, ys, Charts.colour(g));
      }
    }
    return chart;
  }

  /**
   * Draws a group's values as bars beside the others', into a PNG file.
   *
   * @param names of the groups
   * @param features names of the values
   * @param values a row for each group, a column for each feature
   */
  public static void saveProfiles(
      Path file,
      String title,
      String yName,
      List<String> names,
      List<String> features,
      double[][] values)
      throws IOException {
    CategoryChart chart = Charts.bars(title, yName);
    chart.getStyler().setLegendPosition(LegendPosition.OutsideE);
    chart.getStyler().setLegendLayout(LegendLayout.Vertical);
    for (int g = 0; g < names.size(); g++) {
      List<Double> bars = Arrays.stream(values[g]).boxed().toList();
      chart.addSeries(names.get(g), features, bars).setFillColor(Charts.colour(g));
    }
    Charts.save(file, chart);
  }
}
