package dev.gridstride.examples.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code run NAME}: an example that does not train. */
@Command(
    name = "run",
    description = "Runs an example that does not train; ./gridstride list shows them.",
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class RunCommand implements Callable<Integer> {
  @Mixin private ExampleOptions options;

  @Override
  public Integer call() throws IOException {
    return options.run(false);
  }
}
