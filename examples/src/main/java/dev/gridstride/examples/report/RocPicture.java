package dev.gridstride.examples.report;

import dev.gridstride.metrics.Roc;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.knowm.xchart.XYChart;

/** The picture of classifiers of two classes: what is found against what is falsely accused. */
public final class RocPicture {
  private static final List<Color> COLOURS = List.of(Charts.BLUE, Charts.ORANGE);

  private RocPicture() {}

  /**
   * Draws a PNG file.
   *
   * @param positive the class that is to be found
   * @param curves at most two, by the models' names
   */
  public static void save(Path file, String name, String positive, Map<String, Roc> curves)
      throws IOException {
    XYChart chart =
        Charts.chart(
            name + ": ROC curve",
            "part of the others taken for " + positive,
            "part of " + positive + " found");
    int i = 0;
    for (var curve : curves.entrySet()) {
      Roc roc = curve.getValue();
      String label = String.format(Locale.ROOT, "%s, area %.4f", curve.getKey(), roc.area());
      double[] x = roc.falsePositiveRates();
      Charts.line(chart, label, x, roc.truePositiveRates(), COLOURS.get(i++), 2f);
    }
    // the point between lies on no grid: XChart makes its ticks of values that lie on one
    double[] ends = {0, 1 / Math.PI, 1};
    Charts.line(chart, "chance", ends, ends, Charts.GREY, 1f);
    Charts.save(file, chart);
  }
}
