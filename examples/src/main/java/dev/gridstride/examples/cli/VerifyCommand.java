package dev.gridstride.examples.cli;

import dev.gridstride.examples.UsageException;
import dev.gridstride.examples.report.Json;
import dev.gridstride.examples.verify.Verdict;
import dev.gridstride.examples.verify.Verdict.Status;
import dev.gridstride.examples.verify.Verifier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code verify DIR...}: runs conformance cases of ONNX operators. */
@Command(
    name = "verify",
    description = {
      "Runs conformance cases of ONNX operators: folders with case.json and npy files, at and under"
          + " each DIR.",
      "Prints a line of JSON for each, then one with the counts."
    },
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class VerifyCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "DIR", arity = "1..*", description = "Folders of cases.")
  private List<Path> folders = List.of();

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = "auto",
      description = "auto, cpu, cuda (or cuda:N) or emulator; default: ${DEFAULT-VALUE}.")
  private String device;

  @Option(
      names = "--rtol",
      paramLabel = "X",
      description = "Relative tolerance; default: 1e-5, more for types narrower than f32.")
  private @Nullable Double relative;

  @Option(
      names = "--atol",
      paramLabel = "X",
      description = "Absolute tolerance; default: 1e-6, more for types narrower than f32.")
  private @Nullable Double absolute;

  @Override
  public Integer call() throws IOException {
    notNegative("--rtol", relative);
    notNegative("--atol", absolute);
    List<Path> cases = new ArrayList<>();
    for (Path folder : folders) {
      if (!Files.isDirectory(folder)) {
        throw new UsageException("verify needs folders; there is none at " + folder);
      }
      List<Path> found = Verifier.cases(folder);
      if (found.isEmpty()) {
        throw new UsageException("verify: there is no case.json at or under " + folder);
      }
      cases.addAll(found);
    }
    var verifier = new Verifier(DeviceNames.find(device), relative, absolute);
    var counts = new EnumMap<Status, Integer>(Status.class);
    for (Status status : Status.values()) {
      counts.put(status, 0);
    }
    var out = spec.commandLine().getOut();
    for (Path folder : cases) {
      Verdict verdict = verifier.run(folder);
      counts.merge(verdict.status(), 1, Integer::sum);
      out.println(verdict.json());
    }
    var line = Json.object();
    counts.forEach((status, count) -> line.put(status.toString(), count));
    out.println(Json.line(line));
    return counts.getOrDefault(Status.FAIL, 0) == 0 ? Gridstride.DONE : Gridstride.FAILED;
  }

  private static void notNegative(String option, @Nullable Double value) {
    if (value != null && !(value >= 0)) {
      throw new UsageException(option + " must be a number that is not negative; given " + value);
    }
  }
}
