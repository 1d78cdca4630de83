package dev.gridstride.bench;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The {@code bench report} command: result files as one page. */
@Command(
    name = "report",
    mixinStandardHelpOptions = true,
    description = "Turns the result files of a folder, of CPU and GPU, into one HTML page.")
final class HtmlCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "DIR", description = "The folder, as bench/results.")
  private Path folder = Path.of("bench", "results");

  @Option(names = "--out", paramLabel = "FILE", description = "Default: report.html in DIR.")
  private @Nullable Path file;

  @Override
  public Integer call() throws Exception {
    Path to = file == null ? folder.resolve("report.html") : file;
    int files = HtmlReport.write(Results.read(folder), to);
    spec.commandLine().getOut().println("wrote " + to + " from " + files + " result files");
    spec.commandLine().getOut().flush();
    return 0;
  }
}
