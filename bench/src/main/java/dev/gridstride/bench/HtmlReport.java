package dev.gridstride.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Results as one page of HTML that needs nothing else: tables, rooflines, GPU against CPU. */
final class HtmlReport {
  private static final String HEAD =
      """
      <!doctype html><html lang='en'><meta charset='utf-8'><title>Gridstride: measurements</title>
      <style>
      body { font: 14px/1.4 sans-serif; margin: 2em; max-width: 1100px }
      table { border-collapse: collapse; margin: 1em 0 } td, th { padding: 2px 8px; text-align: right }
      th { border-bottom: 1px solid #888 } td:first-child, th:first-child { text-align: left }
      .low { color: #c62828 } .high { color: #2e7d32 } svg text { font: 11px sans-serif } svg .g { stroke: #ddd }
      pre { white-space: pre-wrap; font-size: 12px }
      </style>
      <h1>Gridstride: measurements</h1>
      <p>A ratio is the other library's time over ours in neighbouring blocks, the median and in brackets the 20th
      and 80th percentile: above 1 ours is faster. Limit: the share of the peak of fused multiply-adds, or of a
      copy's bandwidth, that was measured in the same run. Errors are against double precision.</p>
      """;

  private HtmlReport() {}

  /** Writes the page; returns the number of result files in it. */
  static int write(Results results, Path to) throws IOException {
    var page = new StringBuilder(HEAD);
    for (Results.Cpu file : results.cpu()) {
      cpu(file, page);
    }
    for (Results.Gpu file : results.gpu()) {
      gpu(file, page);
    }
    crossover(results, page);
    Report.createParent(to);
    Files.writeString(to, page.append("</html>\n"));
    return results.cpu().size() + results.gpu().size();
  }

  private static void title(String name, JsonNode machine, StringBuilder page) {
    page.append("<h2>").append(Plot.escape(name)).append("</h2>\n<p>");
    var facts = new ArrayList<String>();
    machine.properties().forEach(f -> facts.add(f.getKey() + " " + f.getValue().asText()));
    page.append(Plot.escape(String.join(", ", facts))).append("</p>\n");
  }

  private static void cpu(Results.Cpu file, StringBuilder page) {
    title(file.name(), file.machine(), page);
    if (!file.peaks().isEmpty()) {
      page.append("<table><tr><th>threads<th>f32 GFLOP/s<th>f64 GFLOP/s<th>copy GB/s</tr>\n");
      for (Peak p : file.peaks()) {
        page.append(
            format(
                "<tr><td>%d<td>%.1f<td>%.1f<td>%.1f</tr>%n",
                p.threads(), p.f32Gflops(), p.f64Gflops(), p.copyGbps()));
      }
      page.append("</table>\n");
    }
    Map<String, Double> means = Report.means(file.rows());
    if (!means.isEmpty()) {
      page.append("<table><tr><th>geometric mean<th>ratio</tr>\n");
      means.forEach((what, mean) ->
          page.append(format("<tr><td>%s%s</tr>%n", Plot.escape(what), ratioCell(mean, ""))));
      page.append("</table>\n");
    }
    for (Peak p : file.peaks()) {
      page.append(roofline(file.rows(), p));
    }
    table(file, page);
    if (!file.libraries().isEmpty()) {
      page.append("<details><summary>What the libraries say of themselves</summary><pre>")
          .append(Plot.escape(file.libraries().toPrettyString().replace("\\n", "\n")))
          .append("</pre></details>\n");
    }
  }

  /** One line for each case, a pair of columns for each library. */
  private static void table(Results.Cpu file, StringBuilder page) {
    var impls = new LinkedHashSet<String>();
    var cases = new LinkedHashMap<Case, Map<String, Row>>();
    for (Row r : file.rows()) {
      cases.computeIfAbsent(r.toCase(), c -> new LinkedHashMap<>()).put(r.impl(), r);
      if (!r.isOurs()) {
        impls.add(r.impl());
      }
    }
    page.append("<table><tr><th>case<th>ours<th>rate<th>limit<th>error<th>B/run");
    impls.forEach(i -> page.append("<th>").append(Plot.escape(i)));
    page.append("</tr>\n");
    cases.forEach((c, rows) -> {
      Row ours = rows.get(Gridstride.NAME);
      page.append("<tr><td>").append(Plot.escape(c.toString()));
      if (ours == null) {
        page.append("<td><td><td><td><td>");
      } else {
        page.append(
            format(
                "<td>%s<td>%s<td>%s<td>%.0e<td>%s",
                Report.time(ours.medianSeconds()),
                Report.rate(ours),
                Report.percent(Report.share(ours, file.peaks())),
                ours.maxError(),
                ours.allocatedBytes() == null ? "" : format("%.0f", ours.allocatedBytes())));
      }
      for (String impl : impls) {
        Row r = rows.get(impl);
        page.append(
            r == null
                ? "<td>"
                : r.ratio() == null
                    ? "<td>" + Report.time(r.medianSeconds())
                    : ratioCell(r.ratio(), format(" [%.2f, %.2f]", r.ratioP20(), r.ratioP80())));
      }
      page.append("</tr>\n");
    });
    page.append("</table>\n");
  }

  private static String ratioCell(double ratio, String more) {
    String kind = ratio < 0.95 ? " class='low'" : ratio > 1.05 ? " class='high'" : "";
    return format("<td%s>%.2f%s", kind, ratio, more);
  }

  /** Rates over operations a byte, below the machine's limits. */
  private static String roofline(List<Row> rows, Peak peak) {
    var plot = new Plot("operations a byte that must be moved", "GFLOP/s");
    for (Row r : rows) {
      if (r.isOurs()
          && r.threads() == peak.threads()
          && r.dtype().equals("f32")
          && r.gflops() != null
          && r.intensity() != null) {
        plot.point(r.family(), r.intensity(), r.gflops(), r.toCase() + ": " + Report.rate(r));
      }
    }
    double ridge = peak.f32Gflops() / peak.copyGbps();
    plot.line(
        "limit, " + peak.threads() + (peak.threads() == 1 ? " thread" : " threads"),
        new double[] {0.1, ridge, 10_000},
        new double[] {0.1 * peak.copyGbps(), peak.f32Gflops(), peak.f32Gflops()});
    return plot.svg();
  }

  private static void gpu(Results.Gpu file, StringBuilder page) {
    title(file.name(), file.machine(), page);
    page.append("<table><tr><th>case<th>ours<th>PyTorch<th>ratio</tr>\n");
    for (Results.GpuRow r : file.rows()) {
      page.append(
          format(
              "<tr><td>%s<td>%s<td>%s%s</tr>%n",
              Plot.escape(r.key()),
              Report.time(r.ours()),
              Report.time(r.theirs()),
              ratioCell(r.ratio(), "")));
    }
    page.append("</table>\n");
  }

  /** Cases that were measured on both: from which size on a GPU is faster. */
  private static void crossover(Results results, StringBuilder page) {
    var fastest = new LinkedHashMap<String, Row>(); // of all CPU files and threads
    for (Results.Cpu file : results.cpu()) {
      for (Row r : file.rows()) {
        String key = String.join(" ", r.family(), r.op(), r.dtype(), Results.square(r.shape()));
        if (r.isOurs()) {
          fastest.merge(key, r, (a, b) -> a.medianSeconds() <= b.medianSeconds() ? a : b);
        }
      }
    }
    var lines = new StringBuilder();
    var plot = new Plot("bytes or operations of one run", "times that the GPU is faster");
    for (Results.Gpu file : results.gpu()) {
      for (Results.GpuRow g : file.rows()) {
        Row c = fastest.get(g.key());
        if (c != null) {
          double gain = c.medianSeconds() / g.ours();
          double work = c.medianSeconds() * 1e9 * (c.gflops() != null ? c.gflops() : c.gbps());
          plot.point(g.family(), work, gain, g.key());
          lines.append(
              format(
                  "<tr><td>%s<td>%s (%d threads)<td>%s%s</tr>%n",
                  Plot.escape(g.key()),
                  Report.time(c.medianSeconds()),
                  c.threads(),
                  Report.time(g.ours()),
                  ratioCell(gain, "")));
        }
      }
    }
    if (!lines.isEmpty()) {
      page.append(
              "<h2>GPU against CPU</h2><p>Our kernels on both, operands already there. Below 1 the")
          .append(" CPU is faster.</p>\n")
          .append(plot.svg())
          .append("<table><tr><th>case<th>CPU<th>GPU<th>CPU / GPU</tr>\n")
          .append(lines)
          .append("</table>\n");
    }
  }

  private static String format(String form, Object... values) {
    return String.format(Locale.ROOT, form, values);
  }
}
