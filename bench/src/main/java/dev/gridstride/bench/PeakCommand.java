package dev.gridstride.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The {@code bench peak} command: the machine's limits. */
@Command(
    name = "peak",
    mixinStandardHelpOptions = true,
    description =
        "Measures the machine's limits: fused multiply-adds a second, bytes a copy moves.")
final class PeakCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(names = "--threads", paramLabel = "N", description = "Threads; default: all cores.")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(names = "--json", paramLabel = "FILE", description = "Result file.")
  private @Nullable Path json;

  @Override
  public Integer call() throws IOException {
    if (threads < 1) {
      throw new BadUsage("--threads must be at least 1; given " + threads);
    }
    var out = spec.commandLine().getOut();
    List<Peak> peaks = Peak.upTo(threads, 1500);
    out.printf(
        "%s, %s bits%n", Machine.describe().get("cpu"), Machine.describe().get("vectorBits"));
    out.printf("%7s %14s %14s %12s%n", "threads", "f32 GFLOP/s", "f64 GFLOP/s", "copy GB/s");
    for (Peak p : peaks) {
      out.printf(
          Locale.ROOT,
          "%7d %14.1f %14.1f %12.1f%n",
          p.threads(),
          p.f32Gflops(),
          p.f64Gflops(),
          p.copyGbps());
    }
    out.flush();
    if (json != null) {
      Report.json(List.of(), peaks, Map.of(), json);
    }
    return 0;
  }
}
