package dev.gridstride.examples.cli;

import dev.gridstride.device.Device;
import dev.gridstride.examples.UsageException;
import dev.gridstride.examples.fuzz.Fuzzer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code fuzz}: random ops against plain loops in double. */
@Command(
    name = "fuzz",
    description = {
      "Runs random ops, shapes, strides, types and numbers and compares with plain loops in double.",
      "A failure is made small and printed with the command that repeats it."
    },
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class FuzzCommand implements Callable<Integer> {
  private static final int MOST_FAILURES = 20;

  @Spec private CommandSpec spec;

  @Option(
      names = "--ops",
      paramLabel = "OPS",
      split = ",",
      description = "Families of ops, with commas between; default: all.")
  private List<String> ops = List.of();

  @Option(
      names = "--cases",
      paramLabel = "N",
      defaultValue = "10000",
      description = "How many cases; default: ${DEFAULT-VALUE}.")
  private long cases;

  @Option(
      names = "--seed",
      paramLabel = "S",
      defaultValue = "1",
      description = "Case k is drawn from S + k; default: ${DEFAULT-VALUE}.")
  private long seed;

  @Option(
      names = "--size",
      paramLabel = "N",
      defaultValue = "" + Fuzzer.DEFAULT_SIZE,
      description = "The most elements along a dimension; default: ${DEFAULT-VALUE}.")
  private int size;

  @Option(names = "--contiguous", description = "No views as operands.")
  private boolean contiguous;

  @Option(names = "--ordinary", description = "No NaN, infinite, denormal and huge numbers.")
  private boolean ordinary;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = "auto",
      description = "auto, cpu, cuda (or cuda:N) or emulator; default: ${DEFAULT-VALUE}.")
  private String device;

  @Override
  public Integer call() {
    if (cases < 1 || size < 1) {
      throw new UsageException("--cases and --size must be at least 1");
    }
    List<String> families = new ArrayList<>(ops.isEmpty() ? Fuzzer.names() : ops);
    for (String name : families) {
      if (!Fuzzer.names().contains(name)) {
        throw new UsageException(
            "--ops: there is no '%s'; known: %s"
                .formatted(name, String.join(", ", Fuzzer.names())));
      }
    }
    Device chosen = DeviceNames.find(device);
    var fuzzer = new Fuzzer(chosen, size, !contiguous, !ordinary);
    var out = spec.commandLine().getOut();
    int failures = 0;
    long done = 0;
    while (done < cases && failures < MOST_FAILURES) {
      String family = families.get((int) Math.floorMod(seed + done, (long) families.size()));
      var failure = fuzzer.run(family, seed + done);
      done++;
      if (failure != null) {
        failures++;
        out.println(failure.command(chosen.name()));
        out.println("  " + failure.words() + ": " + failure.reason());
      }
    }
    out.printf(
        "%d cases on %s: %d failed, %d refused as not supported%n",
        done, chosen.name(), failures, fuzzer.refused());
    return failures == 0 ? Gridstride.DONE : Gridstride.FAILED;
  }
}
