package dev.gridstride.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * The {@code bench guard} command: measures a short list again, as shares of the machine's limits,
 * and names what has fallen. The JIT can turn a kernel a hundred times slower for a change that
 * looks harmless; no test of results sees that.
 */
@Command(
    name = "guard",
    mixinStandardHelpOptions = true,
    description = {
      "Measures the kernels of a list again and names those that fell by more than a fifth.",
      "The list has a line for each: family, op, dtype, shape, threads, and the share of the peak",
      "(of fused multiply-adds or of a copy) that it had, separated by tabs."
    })
final class GuardCommand implements Callable<Integer> {
  /** Below this part of its former share a kernel has fallen. */
  private static final double LEAST = 0.8;

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "LIST", description = "The list, as bench/guard.tsv.")
  private Path list = Path.of("bench", "guard.tsv");

  @Option(names = "--update", description = "Write the shares of today into the list.")
  private boolean update;

  @Override
  public Integer call() throws IOException {
    var out = spec.commandLine().getOut();
    var comments = new ArrayList<String>();
    var expected = new LinkedHashMap<Case, Double>();
    for (String line : Files.readAllLines(list)) {
      if (line.startsWith("#") || line.isBlank()) {
        comments.add(line);
        continue;
      }
      String[] f = line.split("\t");
      if (f.length != 6) {
        throw new BadUsage(list + ": a line must have 6 fields; given '" + line + "'");
      }
      var c = new Case(f[0], f[1], f[2], f[3], Integer.parseInt(f[4]));
      expected.put(c, Double.parseDouble(f[5]));
    }
    var measured = new LinkedHashMap<Case, Double>();
    var pairs = new Pairs(9, 400, 40);
    for (Case c : expected.keySet()) {
      Peak peak = Peak.measure(c.threads(), 300); // beside each: the clock may change
      List<Row> rows = pairs.measure(List.of(c), List.of(Gridstride.NAME), x -> {});
      if (!rows.isEmpty()) {
        // the best fifth: what else ran takes time from a kernel, and gives none
        Row r = rows.getFirst();
        double best = Report.share(r, List.of(peak)) * r.medianSeconds() / r.p20();
        measured.put(c, best);
      }
    }
    int fallen = 0;
    for (Case c : expected.keySet()) {
      double was = expected.get(c);
      Double is = measured.get(c);
      boolean fell = is == null || is < LEAST * was;
      fallen += fell ? 1 : 0;
      out.printf(
          Locale.ROOT,
          "%-60s %6s %6s %s%n",
          c,
          Report.percent(was),
          is == null ? "failed" : Report.percent(is),
          fell && !update ? "FELL" : "");
    }
    pairs.refused.forEach(out::println);
    if (update) {
      var lines = new ArrayList<>(comments);
      measured.forEach((c, share) ->
          lines.add(
              String.join(
                  "\t",
                  c.family(),
                  c.op(),
                  c.dtype(),
                  c.shape(),
                  "" + c.threads(),
                  String.format(Locale.ROOT, "%.3f", share))));
      Files.write(list, lines);
      return 0;
    }
    out.println(fallen == 0 ? "none fell" : fallen + " fell by more than a fifth");
    out.flush();
    return fallen == 0 ? 0 : 1;
  }
}
