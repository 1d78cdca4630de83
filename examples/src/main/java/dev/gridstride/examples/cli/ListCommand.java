package dev.gridstride.examples.cli;

import dev.gridstride.examples.Example;
import dev.gridstride.examples.Examples;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code list}: the examples, one line each. */
@Command(
    name = "list",
    description = "Lists the examples that train and run know, one line each.",
    mixinStandardHelpOptions = true)
final class ListCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    var out = spec.commandLine().getOut();
    int width = Examples.ALL.stream().mapToInt(e -> e.name().length()).max().orElse(0);
    for (Example e : Examples.ALL) {
      out.printf("%-5s  %-" + width + "s  %s%n", verb(e), e.name(), e.description());
    }
  }

  static String verb(Example e) {
    return e.trains() ? "train" : "run";
  }
}
