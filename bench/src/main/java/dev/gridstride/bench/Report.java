package dev.gridstride.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.imageio.ImageIO;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.style.Styler;

/** Shows rows as a table, a JSON file and a picture. */
final class Report {
  private static final String OURS = "gridstride";

  private Report() {}

  /** One line for each row, with the ratio of the peer's time to ours. */
  static void table(List<Row> rows, PrintWriter out) {
    out.printf(
        Locale.ROOT,
        "%-14s %-16s %-5s %-22s %7s  %-10s %12s %23s %10s %9s %8s%n",
        "family",
        "op",
        "dtype",
        "shape",
        "threads",
        "impl",
        "median",
        "p20..p80",
        "rate",
        "max error",
        "ours/it");
    for (Row r : rows) {
      String ratio = r.impl().equals(OURS) ? "" : ratio(rows, r);
      out.printf(
          Locale.ROOT,
          "%-14s %-16s %-5s %-22s %7d  %-10s %12s %23s %10s %9.1e %8s%n",
          r.family(),
          r.op(),
          r.dtype(),
          r.shape(),
          r.threads(),
          r.impl(),
          time(r.medianSeconds()),
          time(r.p20()) + ".." + time(r.p80()),
          rate(r),
          r.maxError(),
          ratio);
    }
    out.flush();
  }

  /** How many times faster ours is, for the same case; empty when ours was not measured. */
  private static String ratio(List<Row> rows, Row peer) {
    return rows.stream()
        .filter(r -> r.impl().equals(OURS) && r.toCase().equals(peer.toCase()))
        .findFirst()
        .map(r -> String.format(Locale.ROOT, "%.2fx", peer.medianSeconds() / r.medianSeconds()))
        .orElse("");
  }

  private static String rate(Row r) {
    if (r.gflops() != null) {
      return String.format(Locale.ROOT, "%.1f GF/s", r.gflops());
    }
    return r.gbps() == null ? "" : String.format(Locale.ROOT, "%.1f GB/s", r.gbps());
  }

  static String time(double seconds) {
    if (seconds < 1e-6) {
      return String.format(Locale.ROOT, "%.1f ns", seconds * 1e9);
    }
    if (seconds < 1e-3) {
      return String.format(Locale.ROOT, "%.2f us", seconds * 1e6);
    }
    if (seconds < 1) {
      return String.format(Locale.ROOT, "%.3f ms", seconds * 1e3);
    }
    return String.format(Locale.ROOT, "%.3f s", seconds);
  }

  /** The result file: machine, versions, rows. */
  static void json(List<Row> rows, Path file) throws IOException {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("machine", Machine.describe());
    all.put("versions", Machine.versions());
    all.put("rows", rows);
    Path parent = file.toAbsolutePath().getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValue(file.toFile(), all);
  }

  /** A bar for each contender at each shape. */
  static void plot(List<Row> rows, Path file) throws IOException {
    Row first = rows.getFirst();
    boolean flops = first.gflops() != null;
    CategoryChart chart =
        new CategoryChartBuilder()
            .width(Math.max(900, 60 + 90 * rows.size()))
            .height(520)
            .title(
                first.family()
                    + " on "
                    + Machine.describe().get("cpu")
                    + ", "
                    + first.threads()
                    + (first.threads() == 1 ? " thread" : " threads"))
            .xAxisTitle("shape")
            .yAxisTitle(flops ? "GFLOP/s" : "GB/s")
            .build();
    chart.getStyler().setLegendPosition(Styler.LegendPosition.OutsideE);
    chart.getStyler().setXAxisLabelRotation(30);
    var labels = rows.stream().map(Report::label).distinct().toList();
    for (String impl : rows.stream().map(Row::impl).distinct().toList()) {
      var values =
          labels.stream()
              .map(label ->
                  rows.stream()
                      .filter(r -> r.impl().equals(impl) && label(r).equals(label))
                      .findFirst()
                      .map(r -> (Number) (flops ? r.gflops() : r.gbps()))
                      .orElse(0))
              .toList();
      chart.addSeries(impl, labels, values);
    }
    Path parent = file.toAbsolutePath().getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    ImageIO.write(BitmapEncoder.getBufferedImage(chart), "png", file.toFile());
  }

  private static String label(Row r) {
    return r.op() + " " + r.dtype() + " " + r.shape();
  }
}
