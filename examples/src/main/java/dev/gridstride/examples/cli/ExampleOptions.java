package dev.gridstride.examples.cli;

import dev.gridstride.device.Device;
import dev.gridstride.examples.Example;
import dev.gridstride.examples.Examples;
import dev.gridstride.examples.Options;
import dev.gridstride.examples.UsageException;
import dev.gridstride.examples.report.Report;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The options of {@code train} and {@code run}. */
final class ExampleOptions {
  private static final int MOST_THREADS = 1024;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @Parameters(paramLabel = "NAME", description = "The example's name.")
  private String name;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = "auto",
      description = "auto, cpu, cuda (or cuda:N) or emulator; default: ${DEFAULT-VALUE}.")
  private String device;

  @Option(names = "--epochs", paramLabel = "N", description = "Passes over the training data.")
  private @Nullable Integer epochs;

  @Option(names = "--batch", paramLabel = "N", description = "Samples in one step.")
  private @Nullable Integer batch;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "The same seed gives the same result; default: ${DEFAULT-VALUE}.")
  private long seed;

  @Option(
      names = "--limit",
      paramLabel = "N",
      description = "Uses only the first N samples of each data set.")
  private @Nullable Integer limit;

  @Option(
      names = "--quick",
      description = "The example's short form, under 20 seconds, with a lower bar.")
  private boolean quick;

  @Option(
      names = "--resume",
      description = "Goes on from the checkpoint that an earlier run left in --out.")
  private boolean resume;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "CPU threads; the result does not depend on it.")
  private @Nullable Integer threads;

  @Option(names = "--data", paramLabel = "DIR", description = "Your data instead of the bundled.")
  private @Nullable Path data;

  @Option(names = "--out", paramLabel = "DIR", description = "For results; default: out/NAME.")
  private @Nullable Path out;

  @Option(names = "--json", paramLabel = "FILE", description = "Writes the results as JSON.")
  private @Nullable Path json;

  /** Runs the example that the user named; the exit code. */
  int run(boolean train) throws IOException {
    Example example = example(train);
    Options options = options(example);
    var report = Report.to(spec.commandLine().getOut(), example.name(), options);
    example.run(options, report);
    if (json != null) {
      report.writeJson(json);
    }
    return report.passed() ? Gridstride.DONE : Gridstride.FAILED;
  }

  private Example example(boolean train) {
    Example example =
        Examples.find(name)
            .orElseThrow(() ->
                new UsageException(
                    "%s: there is no example '%s'; known: %s"
                        .formatted(
                            train ? "train" : "run",
                            name,
                            Examples.ALL.stream()
                                .filter(e -> e.trains() == train)
                                .map(Example::name)
                                .collect(Collectors.joining(", ")))));
    if (example.trains() != train) {
      throw new UsageException(
          "the example '%s' %s; start it with ./gridstride %s %s"
              .formatted(
                  name, train ? "does not train" : "trains", ListCommand.verb(example), name));
    }
    return example;
  }

  private Options options(Example example) {
    atLeastOne("--epochs", epochs);
    atLeastOne("--batch", batch);
    atLeastOne("--limit", limit);
    atLeastOne("--threads", threads);
    Device chosen = DeviceNames.find(device);
    if (threads != null) {
      if (threads > MOST_THREADS) {
        throw new UsageException(
            "--threads must be at most " + MOST_THREADS + "; given " + threads);
      }
      chosen.threads(threads);
    }
    if (data != null && !Files.isDirectory(data)) {
      throw new UsageException("--data must name a folder; there is none at " + data);
    }
    Path results = out == null ? Path.of("out", example.name()) : out;
    if (Files.exists(results) && !Files.isDirectory(results)) {
      throw new UsageException("--out must name a folder; " + results + " is a file");
    }
    if (resume && !example.resumes()) {
      throw new UsageException(
          "--resume: the example '%s' writes no checkpoints; those that do: %s"
              .formatted(
                  example.name(),
                  Examples.ALL.stream()
                      .filter(Example::resumes)
                      .map(Example::name)
                      .collect(Collectors.joining(", "))));
    }
    return new Options(chosen, epochs, batch, seed, limit, quick, resume, data, results);
  }

  private static void atLeastOne(String option, @Nullable Integer value) {
    if (value != null && value < 1) {
      throw new UsageException(option + " must be at least 1; given " + value);
    }
  }
}
