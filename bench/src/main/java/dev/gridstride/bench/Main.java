package dev.gridstride.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.runner.RunnerException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The {@code bench} command: measures families beside their peers. */
@Command(
    name = "gridstride bench",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    subcommands = {PeakCommand.class, HtmlCommand.class, GuardCommand.class},
    description = {
      "Measures kernels beside other libraries, each in a JVM of its own, in short blocks in turn.",
      "Ratios above 1: ours is faster. `limit` is the share of the measured peak of fused"
          + " multiply-adds, or of a copy's bandwidth.",
      "Peers outside of this build are built, with a download, by: ./gridstride bench peers"
    })
public final class Main implements Callable<Integer> {
  private static final List<String> PEERS =
      List.of("java", "ejml", "ojalgo", "openblas", "pytorch", "djl", "nd4j");

  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "FAMILY",
      arity = "0..*",
      description = "What to measure: ${COMPLETION-CANDIDATES}, or all.",
      completionCandidates = FamilyNames.class)
  private List<String> names = List.of();

  @Option(names = "--device", paramLabel = "D", description = "cpu; GPUs: see bench/gpu.")
  private String device = "cpu";

  @Option(
      names = "--peers",
      paramLabel = "P",
      split = ",",
      description = "Whom to compare with, or none; without it, all that are built.")
  private @Nullable List<String> peers;

  @Option(
      names = "--shapes",
      paramLabel = "S",
      description =
          "Shapes, separated by commas, a file with one a line, or a set: deepbench,"
              + " bert, resnet-50, vgg-19, alexnet, mobilenet, ...")
  private @Nullable String shapes;

  @Option(names = "--ops", paramLabel = "O", split = ",", description = "Only these operations.")
  private @Nullable List<String> ops;

  @Option(
      names = "--dtype",
      paramLabel = "T",
      split = ",",
      description = "f32, f64, bf16; default f32.")
  private List<String> dtypes = List.of("f32");

  @Option(
      names = "--threads",
      paramLabel = "N",
      split = ",",
      description = "Threads; several are measured one after the other; default 1.")
  private List<Integer> threads = List.of(1);

  @Option(names = "--quick", description = "Fewer shapes and shorter: a look, not a result.")
  private boolean quick;

  @Option(
      names = "--jmh",
      description =
          "Through JMH, a fresh fork for each case and library, with allocations; only"
              + " for libraries of this build.")
  private boolean jmh;

  @Option(names = "--json", paramLabel = "FILE", description = "Result file.")
  private @Nullable Path json;

  @Option(names = "--plot", paramLabel = "FILE", description = "Picture (PNG), one a family.")
  private @Nullable Path plot;

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
    if (!device.equals("cpu") && !device.equals("auto")) {
      throw new BadUsage("--device must be cpu; given '" + device + "'");
    }
    if (names.isEmpty()) {
      throw new BadUsage("name a family: " + String.join(", ", new FamilyNames()) + ", or all");
    }
    for (int t : threads) {
      if (t < 1) {
        throw new BadUsage("--threads must be at least 1; given " + t);
      }
    }
    List<Family> families =
        names.contains("all") ? Family.all() : names.stream().map(Family::named).toList();
    List<String> libraries = libraries();
    var runs = new ArrayList<List<Case>>(); // of one family and number of threads
    for (Family f : families) {
      for (int t : threads) {
        runs.add(cases(f, t));
      }
    }
    if (jmh) {
      for (List<Case> cases : runs) {
        for (Case c : cases) {
          for (String library : libraries) {
            if (Library.named(library).offers(c)) {
              Jmh.measure(c, library, quick, out);
            }
          }
        }
      }
      return 0;
    }
    return pairs(runs, libraries, out) ? 0 : 1;
  }

  private boolean pairs(List<List<Case>> runs, List<String> libraries, PrintWriter out)
      throws IOException {
    int most = threads.stream().mapToInt(Integer::intValue).max().orElse(1);
    String name = String.join("-", names) + "-" + String.join("-", dtypes) + "-t" + most;
    Path jsonFile = json == null ? Path.of("out", "bench", name + ".json") : json;
    var pairs = quick ? new Pairs(7, 150, 25) : new Pairs(15, 500, 50);
    var rows = new ArrayList<Row>();
    List<Peak> peaks;
    int total = runs.stream().mapToInt(List::size).sum();
    try (var progress = new Progress(total, spec.commandLine().getErr())) {
      progress.say("measuring the machine's limits");
      peaks = Peak.upTo(most, quick ? 300 : 1000);
      for (List<Case> cases : runs) {
        rows.addAll(pairs.measure(cases, libraries, progress));
        // after each family: a run that is cut off leaves what it measured
        Report.json(rows, peaks, more(pairs), jsonFile);
      }
    }
    Report.table(rows, peaks, out);
    pairs.refused.forEach(line -> out.println("not measured: " + line));
    var files = new LinkedHashSet<Path>();
    files.add(jsonFile);
    for (List<Case> cases : runs) {
      Case first = cases.getFirst();
      var own =
          rows.stream()
              .filter(r -> r.family().equals(first.family()) && r.threads() == first.threads())
              .toList();
      String base = jsonFile.toString().replaceAll("\\.json$", "");
      String suffix = runs.size() == 1 ? "" : "-" + first.family() + "-t" + first.threads();
      Path file = plot != null && runs.size() == 1 ? plot : Path.of(base + suffix + ".png");
      if (!own.isEmpty()) {
        Report.plot(own, file);
        files.add(file);
      }
    }
    out.println("wrote " + String.join(", ", files.stream().map(Path::toString).toList()));
    out.flush();
    return pairs.refused.stream().noneMatch(l -> l.startsWith(Gridstride.NAME + ":"));
  }

  private LinkedHashMap<String, Object> more(Pairs pairs) {
    var more = new LinkedHashMap<String, Object>();
    more.put("quick", quick);
    more.put("libraries", pairs.libraries());
    more.put("notMeasured", pairs.refused);
    return more;
  }

  private List<Case> cases(Family f, int t) throws IOException {
    var cases = new ArrayList<Case>();
    for (String type : dtypes) {
      if (!f.dtypes().contains(type)) {
        if (names.contains("all") || dtypes.size() > 1) {
          continue;
        }
        throw new BadUsage(
            "--dtype of " + f.name() + " is one of " + f.dtypes() + "; given '" + type + "'");
      }
      for (Family.Work w : works(f)) {
        if (ops == null || ops.contains(w.op())) {
          cases.add(new Case(f.name(), w.op(), type, w.shape(), t));
        }
      }
    }
    for (Case c : cases) {
      if (f.flops(c) + f.bytes(c) <= 0) { // a malformed shape is refused before anything runs
        throw new BadUsage("nothing to do for shape '" + c.shape() + "'");
      }
    }
    if (cases.isEmpty()) {
      throw new BadUsage("--ops of " + f.name() + " are " + f.ops() + "; given " + ops);
    }
    return cases;
  }

  private List<Family.Work> works(Family f) throws IOException {
    if (shapes == null) {
      return quick ? f.quick() : f.full();
    }
    List<Family.Work> set = Shapes.of(f.name(), shapes);
    if (!set.isEmpty()) {
      return set;
    }
    Path file = Path.of(shapes);
    var list =
        Files.isRegularFile(file) ? Files.readAllLines(file) : Arrays.asList(shapes.split(","));
    String[] clean =
        list.stream()
            .map(String::strip)
            .filter(s -> !s.isEmpty() && !s.startsWith("#"))
            .toArray(String[]::new);
    if (clean.length == 0) {
      throw new BadUsage(
          "--shapes names no shape; a shape of " + f.name() + " is " + f.shapeForm());
    }
    return Family.each(f.ops(), clean);
  }

  private List<String> libraries() {
    var libraries = new ArrayList<String>();
    libraries.add(Gridstride.NAME);
    if (peers == null) {
      PEERS.stream()
          .filter(p -> jmh ? List.of("java", "ejml").contains(p) : Fork.isBuilt(p))
          .forEach(libraries::add);
      return libraries;
    }
    for (String p : peers) {
      if (p.equals("none")) {
        continue;
      }
      if (!PEERS.contains(p)) {
        throw new BadUsage("--peers are " + String.join(", ", PEERS) + "; given '" + p + "'");
      }
      if (!Fork.isBuilt(p)) {
        throw new BadUsage(p + " is not built; run: ./gridstride bench peers");
      }
      libraries.add(p);
    }
    return libraries;
  }
}
