package dev.gridstride.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A picture with two logarithmic axes as SVG, for the report: lines, points that tell what they
 * are.
 */
final class Plot {
  private static final int WIDTH = 760;
  private static final int HEIGHT = 360;
  private static final int LEFT = 60;
  private static final int BOTTOM = 40;
  private static final String[] COLORS = {"#1565c0", "#c62828", "#2e7d32", "#ef6c00", "#6a1b9a"};

  private record Point(double x, double y, String text, int series) {}

  private final String xTitle;
  private final String yTitle;
  private final List<Point> points = new ArrayList<>();
  private final List<List<Point>> lines = new ArrayList<>();
  private final List<String> series = new ArrayList<>();

  Plot(String xTitle, String yTitle) {
    this.xTitle = xTitle;
    this.yTitle = yTitle;
  }

  private int series(String name) {
    if (!series.contains(name)) {
      series.add(name);
    }
    return series.indexOf(name);
  }

  /** A point of a series; {@code text} is shown where the pointer rests on it. */
  void point(String name, double x, double y, String text) {
    points.add(new Point(x, y, text, series(name)));
  }

  /** A line of a series through {@code x[i], y[i]}. */
  void line(String name, double[] x, double[] y) {
    var line = new ArrayList<Point>();
    for (int i = 0; i < x.length; i++) {
      line.add(new Point(x[i], y[i], "", series(name)));
    }
    lines.add(line);
  }

  /** The picture; empty without points. */
  String svg() {
    if (points.isEmpty()) {
      return "";
    }
    var all = new ArrayList<>(points);
    lines.forEach(all::addAll);
    double x0 = Math.floor(all.stream().mapToDouble(p -> Math.log10(p.x)).min().orElse(0));
    double x1 = Math.ceil(all.stream().mapToDouble(p -> Math.log10(p.x)).max().orElse(1) + 1e-9);
    double y0 = Math.floor(all.stream().mapToDouble(p -> Math.log10(p.y)).min().orElse(0));
    double y1 = Math.ceil(all.stream().mapToDouble(p -> Math.log10(p.y)).max().orElse(1) + 1e-9);
    var s = new StringBuilder();
    s.append(format("<svg viewBox='0 0 %d %d' width='%d' role='img'>", WIDTH, HEIGHT, WIDTH));
    for (int e = (int) x0; e <= x1; e++) {
      double x = x(e, x0, x1);
      s.append(
          format("<line class='g' x1='%.1f' y1='10' x2='%.1f' y2='%d'/>", x, x, HEIGHT - BOTTOM));
      s.append(format("<text x='%.1f' y='%d' text-anchor='middle'>1e%d</text>", x, HEIGHT - 24, e));
    }
    for (int e = (int) y0; e <= y1; e++) {
      double y = y(e, y0, y1);
      s.append(
          format("<line class='g' x1='%d' y1='%.1f' x2='%d' y2='%.1f'/>", LEFT, y, WIDTH - 150, y));
      s.append(format("<text x='%d' y='%.1f' text-anchor='end'>1e%d</text>", LEFT - 5, y + 4, e));
    }
    s.append(format("<text x='%d' y='%d'>%s</text>", LEFT, HEIGHT - 6, escape(xTitle)));
    s.append(format("<text x='4' y='9'>%s</text>", escape(yTitle)));
    for (List<Point> line : lines) {
      s.append(format("<polyline fill='none' stroke='%s' points='", color(line.getFirst().series)));
      for (Point p : line) {
        s.append(format("%.1f,%.1f ", x(Math.log10(p.x), x0, x1), y(Math.log10(p.y), y0, y1)));
      }
      s.append("'/>");
    }
    for (Point p : points) {
      s.append(
          format(
              "<circle cx='%.1f' cy='%.1f' r='4' fill='%s'><title>%s</title></circle>",
              x(Math.log10(p.x), x0, x1),
              y(Math.log10(p.y), y0, y1),
              color(p.series),
              escape(p.text)));
    }
    for (int i = 0; i < series.size(); i++) {
      s.append(
          format(
              "<text x='%d' y='%d' fill='%s'>%s</text>",
              WIDTH - 140, 24 + 18 * i, color(i), escape(series.get(i))));
    }
    return s.append("</svg>\n").toString();
  }

  private static double x(double log, double from, double to) {
    return LEFT + (WIDTH - 150 - LEFT) * (log - from) / (to - from);
  }

  private static double y(double log, double from, double to) {
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - 10) * (log - from) / (to - from);
  }

  private static String color(int i) {
    return COLORS[i % COLORS.length];
  }

  private static String format(String form, Object... values) {
    return String.format(Locale.ROOT, form, values);
  }

  static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("'", "&#39;");
  }
}
