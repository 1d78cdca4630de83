package dev.gridstride.examples.report;

import dev.gridstride.examples.Options;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Collects what a run achieves, tells it on the console while it happens, and writes it as JSON.
 */
public final class Report {
  private final PrintWriter console;
  private final boolean terminal;
  private final String name;
  private final Options options;
  private final Map<String, History> trainings = new LinkedHashMap<>();
  private String training = "";
  private final Map<String, @Nullable Object> results = new LinkedHashMap<>();
  private final List<Object> checks = new ArrayList<>();
  private boolean passed = true;

  private Report(PrintWriter console, boolean terminal, String name, Options options) {
    this.console = console;
    this.terminal = terminal;
    this.name = name;
    this.options = options;
  }

  /** A report on the run of the example {@code name}. */
  public static Report to(PrintWriter console, String name, Options options) {
    var system = System.console();
    return new Report(console, system != null && system.isTerminal(), name, options);
  }

  /** Prints a line. */
  public void line(String format, @Nullable Object... values) {
    console.println(String.format(Locale.ROOT, format, values));
    console.flush();
  }

  /** Begins a pass over {@code samples} training samples; at most one at a time. */
  public Epoch epoch(int epoch, int epochs, long samples) {
    return new Epoch(this, epoch, epochs, samples, terminal);
  }

  /**
   * Names the training whose epochs follow, where an example trains more than one model.
   *
   * @param name of the model; the empty name is that of an only training
   */
  public void training(String name) {
    training = name;
    line("%n%s", name);
  }

  /** What the epochs of the current training have brought so far. */
  public History history() {
    return trainings.computeIfAbsent(training, name -> new History());
  }

  /** Notes a result of the whole run under {@code name}, for the JSON file. */
  public void result(String name, double value) {
    results.put(name, value);
  }

  /**
   * Notes and prints whether a figure in 0..1 reaches its bar; only in runs that have one ({@link
   * Options#isJudged}).
   */
  public void atLeast(String figure, double value, double bar) {
    if (options.isJudged()) {
      check(String.format(Locale.ROOT, "%s of at least %.1f%%", figure, 100 * bar), value >= bar);
    }
  }

  /** Notes and prints whether something that must hold does; if not, the run has failed. */
  public void check(String what, boolean holds) {
    passed &= holds;
    checks.add(Json.object("check", what, "passed", holds));
    line("check: %s: %s", what, holds ? "passed" : "FAILED");
  }

  /** Whether all checks so far have held. */
  public boolean passed() {
    return passed;
  }

  /** The path of a result file in the output folder, which is made if need be; prints it. */
  public Path file(String file) throws IOException {
    Files.createDirectories(options.out());
    Path path = options.out().resolve(file);
    line("wrote %s", path);
    return path;
  }

  /** The report as one JSON object. */
  public String json() {
    var epochs = new ArrayList<Object>();
    trainings.forEach((model, history) -> epochs.addAll(history.json(model)));
    return Json.write(
        Json.object(
            "name",
            name,
            "device",
            options.device().name(),
            "threads",
            options.device().threads(),
            "seed",
            options.seed(),
            "quick",
            options.quick(),
            "epochs",
            epochs,
            "final",
            results,
            "checks",
            checks));
  }

  /** Writes {@link #json} into a file, making its folder if need be. */
  public void writeJson(Path file) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    if (folder != null) {
      Files.createDirectories(folder);
    }
    Files.writeString(file, json() + "\n");
  }
}
