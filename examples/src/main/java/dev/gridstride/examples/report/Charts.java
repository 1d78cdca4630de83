package dev.gridstride.examples.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.XYSeries.XYSeriesRenderStyle;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * Charts of one look: white, readable at half size, colours that colour-blind people tell apart.
 */
public final class Charts {
  /** The first colour. */
  public static final Color BLUE = new Color(0x0072B2);

  /** The second colour. */
  public static final Color ORANGE = new Color(0xD55E00);

  /** For what stands behind. */
  public static final Color GREY = new Color(0xB0B0B0);

  private static final List<Color> GROUPS =
      List.of(
          BLUE,
          ORANGE,
          new Color(0x009E73),
          new Color(0xE69F00),
          new Color(0xCC79A7),
          new Color(0x56B4E9),
          new Color(0x000000),
          new Color(0xC8B900),
          new Color(0x7A4DB0),
          new Color(0x8C6D46));

  private static final int WIDTH = 640;
  private static final int HEIGHT = 440;

  private Charts() {}

  /** An empty chart with a title and the names of its axes. */
  public static XYChart chart(String title, String x, String y) {
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title)
            .xAxisTitle(x)
            .yAxisTitle(y)
            .build();
    style(chart.getStyler());
    return chart;
  }

  /** An empty chart of bars in groups, with a title and the name of its value axis. */
  public static CategoryChart bars(String title, String y) {
    CategoryChart chart =
        new CategoryChartBuilder().width(WIDTH).height(HEIGHT).title(title).yAxisTitle(y).build();
    style(chart.getStyler());
    return chart;
  }

  private static void style(AxesChartStyler style) {
    style.setChartBackgroundColor(Color.WHITE);
    style.setChartPadding(14);
    style.setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 17));
    style.setChartTitleBoxVisible(false);
    style.setAxisTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, 14));
    style.setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
    style.setLegendFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
    // below the plot: inside it lies over curves
    style.setLegendPosition(LegendPosition.OutsideS);
    style.setLegendLayout(LegendLayout.Horizontal);
    style.setLegendBorderColor(GREY);
    style.setPlotBorderColor(GREY);
    style.setPlotGridLinesColor(new Color(0xE4E4E4));
    style.setPlotGridLinesStroke(new BasicStroke(1f));
    style.setMarkerSize(7);
    style.setXAxisMaxLabelCount(11);
  }

  /** Adds a line without markers. */
  public static void line(
      XYChart chart, String name, double[] x, double[] y, Color color, float width) {
    XYSeries series = chart.addSeries(name, x, y);
    series.setLineColor(color).setLineStyle(new BasicStroke(width));
    series.setMarker(SeriesMarkers.NONE);
  }

  /** Adds a line through marked points. */
  public static void points(XYChart chart, String name, double[] x, double[] y, Color color) {
    XYSeries series = chart.addSeries(name, x, y);
    series.setLineColor(color).setLineStyle(new BasicStroke(2f));
    series.setMarker(SeriesMarkers.CIRCLE).setMarkerColor(color);
  }

  /** Adds points that no line joins. */
  public static void scatter(XYChart chart, String name, double[] x, double[] y, Color color) {
    XYSeries series = chart.addSeries(name, x, y);
    series.setXYSeriesRenderStyle(XYSeriesRenderStyle.Scatter);
    series.setMarker(SeriesMarkers.CIRCLE).setMarkerColor(color);
  }

  /** The colour of group {@code i}; there are ten. */
  public static Color colour(int i) {
    return GROUPS.get(i);
  }

  /** Writes charts side by side as a PNG file. */
  public static void save(Path file, Chart<?, ?>... charts) throws IOException {
    if (Pictures.impossible(file)) {
      return;
    }
    var images = List.of(charts).stream().map(BitmapEncoder::getBufferedImage).toList();
    Pictures.save(file, Pictures.row(images));
  }
}
