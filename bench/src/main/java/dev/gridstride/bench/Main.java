package dev.gridstride.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import org.openjdk.jmh.runner.RunnerException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The {@code bench} command: measures a family beside its peers. */
@Command(
    name = "gridstride bench",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = "Measures kernels beside other libraries, each contender in a JVM of its own.")
public final class Main implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "FAMILY",
      description = "What to measure: ${COMPLETION-CANDIDATES}, or all.",
      completionCandidates = FamilyNames.class)
  private String family;

  @Option(names = "--device", paramLabel = "D", description = "cpu (the only one so far).")
  private String device = "cpu";

  @Option(
      names = "--peers",
      paramLabel = "P",
      split = ",",
      description = "Whom to compare with, or none; without it, all that the family knows.")
  private List<String> peers;

  @Option(
      names = "--shapes",
      paramLabel = "S",
      description = "Shapes, separated by commas, or a file with one a line.")
  private String shapes;

  @Option(names = "--dtype", paramLabel = "T", description = "f32, f64, ...; default f32.")
  private String dtype;

  @Option(names = "--threads", paramLabel = "N", description = "Threads; default ${DEFAULT-VALUE}.")
  private int threads = 1;

  @Option(names = "--quick", description = "Fewer and shorter iterations: a look, not a result.")
  private boolean quick;

  @Option(names = "--json", paramLabel = "FILE", description = "Result file; see --help.")
  private Path json;

  @Option(names = "--plot", paramLabel = "FILE", description = "Picture (PNG).")
  private Path plot;

  /** Names for the help text. */
  static final class FamilyNames extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    FamilyNames() {
      super(Family.all().stream().map(Family::name).toList());
    }
  }

  /** Runs the command line and exits with its code: 0 done, 1 a check failed, 2 bad arguments. */
  public static void main(String[] args) {
    System.exit(commandLine().execute(args));
  }

  static CommandLine commandLine() {
    var line = new CommandLine(new Main());
    line.setExecutionExceptionHandler((e, c, r) -> {
      c.getErr().println("gridstride bench: " + e.getMessage());
      return e instanceof BadUsage ? 2 : 1;
    });
    line.setParameterExceptionHandler((e, args) -> {
      e.getCommandLine().getErr().println("gridstride bench: " + e.getMessage());
      return 2;
    });
    return line;
  }

  @Override
  public Integer call() throws IOException, RunnerException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    if (!device.equals("cpu") && !device.equals("auto")) {
      throw new BadUsage("--device must be cpu; given '" + device + "'");
    }
    if (threads < 1) {
      throw new BadUsage("--threads must be at least 1; given " + threads);
    }
    List<Family> families = family.equals("all") ? Family.all() : List.of(Family.named(family));
    var measurement = new Measurement(quick ? 1 : 3, quick ? 5 : 10, quick ? 200 : 500);
    var rows = new ArrayList<Row>();
    for (Family f : families) {
      List<Case> cases = cases(f);
      for (Case c : cases) {
        if (f.flops(c) + f.bytes(c) <= 0) { // a malformed shape is refused before anything runs
          throw new BadUsage("nothing to do for shape '" + c.shape() + "'");
        }
      }
      List<String> impls = impls(f);
      int total = cases.size() * impls.size();
      var done = new int[1];
      rows.addAll(
          measurement.measure(
              cases,
              impls,
              what -> {
                done[0]++;
                if (System.console() != null) {
                  err.printf("\r\033[K[%d/%d] %s", done[0], total, what);
                  err.flush();
                }
              }));
      if (System.console() != null) {
        err.print("\r\033[K");
        err.flush();
      }
    }
    Report.table(rows, out);
    Path base = Path.of("out", "bench");
    String name = family + "-" + (dtype == null ? "f32" : dtype) + "-t" + threads;
    Path jsonFile = json == null ? base.resolve(name + ".json") : json;
    Path plotFile = plot == null ? base.resolve(name + ".png") : plot;
    Report.json(rows, jsonFile);
    Report.plot(rows, plotFile);
    out.println("wrote " + jsonFile + " and " + plotFile);
    return 0;
  }

  private List<Case> cases(Family f) throws IOException {
    String type = dtype == null ? f.dtypes().getFirst() : dtype;
    if (!f.dtypes().contains(type)) {
      throw new BadUsage(
          "--dtype of " + f.name() + " is one of " + f.dtypes() + "; given '" + type + "'");
    }
    var cases = new ArrayList<Case>();
    for (String op : f.ops()) {
      for (String shape : shapeList(f)) {
        cases.add(new Case(f.name(), op, type, shape, threads));
      }
    }
    return cases;
  }

  private List<String> shapeList(Family f) throws IOException {
    if (shapes == null) {
      return f.shapes();
    }
    Path file = Path.of(shapes);
    var list =
        Files.isRegularFile(file) ? Files.readAllLines(file) : Arrays.asList(shapes.split(","));
    var clean =
        list.stream().map(String::strip).filter(s -> !s.isEmpty() && !s.startsWith("#")).toList();
    if (clean.isEmpty()) {
      throw new BadUsage(
          "--shapes names no shape; a shape of " + f.name() + " is " + f.shapeForm());
    }
    return clean;
  }

  private List<String> impls(Family f) {
    var impls = new ArrayList<String>();
    impls.add("gridstride");
    List<String> wanted = peers == null ? f.peers() : peers;
    for (String p : wanted) {
      if (p.equals("none")) {
        continue;
      }
      if (!f.peers().contains(p)) {
        throw new BadUsage("--peers of " + f.name() + " are " + f.peers() + "; given '" + p + "'");
      }
      impls.add(p);
    }
    return impls;
  }
}
