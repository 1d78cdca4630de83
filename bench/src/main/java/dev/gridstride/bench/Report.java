package dev.gridstride.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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
  private Report() {}

  /** One line for each row, with the ratio to ours and how much of the machine's limit it is. */
  static void table(List<Row> rows, List<Peak> peaks, PrintWriter out) {
    String form = "%-13s %-16s %-5s %-24s %2s %-10s %10s %11s %6s %9s %7s %-13s %8s  %s%n";
    out.printf(
        form,
        "family",
        "op",
        "dtype",
        "shape",
        "t",
        "impl",
        "median",
        "rate",
        "limit",
        "error",
        "ours/it",
        "p20..p80",
        "B/run",
        "note");
    for (Row r : rows) {
      out.printf(
          Locale.ROOT,
          form,
          r.family(),
          r.op(),
          r.dtype(),
          r.shape(),
          r.threads(),
          r.impl(),
          time(r.medianSeconds()),
          rate(r),
          percent(share(r, peaks)),
          String.format(Locale.ROOT, "%.1e", r.maxError()),
          r.ratio() == null ? "" : String.format(Locale.ROOT, "%.2fx", r.ratio()),
          r.ratio() == null
              ? ""
              : String.format(Locale.ROOT, "%.2f..%.2f", r.ratioP20(), r.ratioP80()),
          r.allocatedBytes() == null ? "" : String.format(Locale.ROOT, "%.0f", r.allocatedBytes()),
          r.note() == null ? "" : r.note());
    }
    means(rows).forEach((what, mean) -> out.printf(Locale.ROOT, "%-70s %.2fx%n", what, mean));
    out.flush();
  }

  /** Geometric means of the ratios, by family, type, threads and peer. */
  static Map<String, Double> means(List<Row> rows) {
    var logs = new LinkedHashMap<String, List<Double>>();
    for (Row r : rows) {
      if (r.ratio() != null) {
        String what =
            String.join(
                " ",
                r.family(),
                r.dtype(),
                r.threads() == 1 ? "1 thread" : r.threads() + " threads",
                "against",
                r.impl());
        logs.computeIfAbsent(what, w -> new ArrayList<>()).add(Math.log(r.ratio()));
      }
    }
    var means = new LinkedHashMap<String, Double>();
    logs.forEach((what, values) ->
        means.put(
            what, Math.exp(values.stream().mapToDouble(Double::doubleValue).average().orElse(0))));
    return means;
  }

  /** The share of the measured limit that a row reaches: of the FMA peak, or of copying. */
  static double share(Row r, List<Peak> peaks) {
    for (Peak p : peaks) {
      if (p.threads() == r.threads()) {
        return r.gflops() != null
            ? r.gflops() * 1e9 / p.flops(r.dtype())
            : r.gbps() == null ? Double.NaN : r.gbps() / p.copyGbps();
      }
    }
    return Double.NaN;
  }

  static String percent(double share) {
    return Double.isNaN(share) ? "" : String.format(Locale.ROOT, "%.0f%%", 100 * share);
  }

  static String rate(Row r) {
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

  /** The result file: machine, its limits, the libraries' own words, rows. */
  static void json(List<Row> rows, List<Peak> peaks, Map<String, ?> more, Path file)
      throws IOException {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("machine", Machine.describe());
    all.put("peaks", peaks.stream().map(Peak::describe).toList());
    all.putAll(more);
    all.put("rows", rows);
    createParent(file);
    new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValue(file.toFile(), all);
  }

  static void createParent(Path file) throws IOException {
    Path parent = file.toAbsolutePath().getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
  }

  /** A bar for each contender at each shape, of the rows of one family. */
  static void plot(List<Row> rows, Path file) throws IOException {
    Row first = rows.getFirst();
    boolean flops = first.gflops() != null;
    CategoryChart chart =
        new CategoryChartBuilder()
            .width(Math.clamp(60 + 60L * rows.size(), 900, 6000))
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
    createParent(file);
    ImageIO.write(BitmapEncoder.getBufferedImage(chart), "png", file.toFile());
  }

  private static String label(Row r) {
    return r.op() + " " + r.dtype() + " " + r.shape();
  }
}
