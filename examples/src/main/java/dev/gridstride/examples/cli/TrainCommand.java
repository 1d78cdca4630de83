package dev.gridstride.examples.cli;

import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code train NAME}: an example that trains. */
@Command(
    name = "train",
    description = "Trains an example; ./gridstride list shows them.",
    sortOptions = false,
    mixinStandardHelpOptions = true)
final class TrainCommand implements Callable<Integer> {
  @Mixin private ExampleOptions options;

  @Override
  public Integer call() throws IOException {
    return options.run(true);
  }
}
