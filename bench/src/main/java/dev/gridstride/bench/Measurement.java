package dev.gridstride.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Runs cases through JMH, one fork for each contender, contenders of a case one after another. */
final class Measurement {
  private final int forks;
  private final int iterations;
  private final TimeValue time;

  Measurement(int forks, int iterations, long millis) {
    this.forks = forks;
    this.iterations = iterations;
    this.time = TimeValue.milliseconds(millis);
  }

  List<Row> measure(List<Case> cases, List<String> impls, Consumer<String> progress)
      throws RunnerException, IOException {
    Path errors = Files.createTempFile("gridstride-bench", ".errors");
    try {
      var rows = new ArrayList<Row>();
      for (Case c : cases) {
        for (String impl : impls) {
          progress.accept(FamilyBenchmark.key(c, impl));
          rows.add(row(c, impl, run(c, impl, errors), errors));
        }
      }
      return rows;
    } finally {
      Files.delete(errors);
    }
  }

  private double[] run(Case c, String impl, Path errors) throws RunnerException {
    var options =
        new OptionsBuilder()
            .include(FamilyBenchmark.class.getName().replace(".", "\\.") + "\\.run$")
            .param("family", c.family())
            .param("op", c.op())
            .param("dtype", c.dtype())
            .param("shape", c.shape())
            .param("cores", "" + c.threads())
            .param("impl", impl)
            .forks(forks)
            .warmupIterations(Math.max(4, iterations / 2))
            .warmupTime(time)
            .measurementIterations(iterations)
            .measurementTime(time)
            .jvmArgsAppend("-D" + FamilyBenchmark.ERRORS + "=" + errors)
            .shouldFailOnError(true)
            .verbosity(VerboseMode.SILENT)
            .build();
    RunResult result = new Runner(options).runSingle();
    var seconds = new ArrayList<Double>();
    result
        .getBenchmarkResults()
        .forEach(fork ->
            fork.getIterationResults()
                .forEach(i -> seconds.add(i.getPrimaryResult().getScore() * 1e-9)));
    double[] sorted = seconds.stream().mapToDouble(Double::doubleValue).toArray();
    Arrays.sort(sorted);
    return sorted;
  }

  private static Row row(Case c, String impl, double[] sorted, Path errors) throws IOException {
    Family family = Family.named(c.family());
    double median = percentile(sorted, 0.5);
    double flops = family.flops(c);
    double bytes = family.bytes(c);
    return new Row(
        c.family(),
        c.op(),
        c.dtype(),
        c.shape(),
        "cpu",
        c.threads(),
        impl,
        median,
        percentile(sorted, 0.2),
        percentile(sorted, 0.8),
        flops > 0 ? flops / median * 1e-9 : null,
        bytes > 0 ? bytes / median * 1e-9 : null,
        errors(errors).getOrDefault(FamilyBenchmark.key(c, impl), Double.NaN));
  }

  private static Map<String, Double> errors(Path file) throws IOException {
    var found = new HashMap<String, Double>();
    for (String line : Files.readAllLines(file)) {
      int at = line.lastIndexOf('=');
      found.merge(line.substring(0, at), Double.valueOf(line.substring(at + 1)), Math::max);
    }
    return found;
  }

  /** Between the two nearest samples, linearly. */
  static double percentile(double[] sorted, double p) {
    double at = p * (sorted.length - 1);
    int low = (int) Math.floor(at);
    int high = (int) Math.ceil(at);
    return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
  }
}
