package dev.gridstride.examples;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command line: {@code ./gridstride}. */
@Command(
    name = "gridstride",
    description = "GPU kernels for Java: trains, runs and measures the examples.",
    version = "gridstride 0.1.0-SNAPSHOT",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
public final class Main implements Runnable {

  private Main() {}

  /** Parses the arguments, runs the command and exits with its code. */
  public static void main(String[] args) {
    System.exit(new CommandLine(new Main()).execute(args));
  }

  @Override
  public void run() {
    CommandLine.usage(this, System.out);
  }
}
