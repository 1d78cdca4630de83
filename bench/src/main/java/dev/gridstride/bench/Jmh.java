package dev.gridstride.bench;

import java.io.PrintWriter;
import java.util.Locale;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * One case after another through JMH, a fork for each, with its profiler of allocations: for the
 * bytes that a run allocates and for times of a fresh JVM. Not for ratios: a fork meets another
 * machine than the one before it.
 */
final class Jmh {
  private Jmh() {}

  static void measure(Case c, String impl, boolean quick, PrintWriter out) throws RunnerException {
    var options =
        new OptionsBuilder()
            .include(FamilyBenchmark.class.getName().replace(".", "\\.") + "\\.run$")
            .param("family", c.family())
            .param("op", c.op())
            .param("dtype", c.dtype())
            .param("shape", c.shape())
            .param("cores", "" + c.threads())
            .param("impl", impl)
            .addProfiler(GCProfiler.class)
            .forks(quick ? 1 : 3)
            .warmupIterations(quick ? 4 : 6)
            .warmupTime(TimeValue.milliseconds(quick ? 300 : 500))
            .measurementIterations(quick ? 3 : 10)
            .measurementTime(TimeValue.milliseconds(quick ? 200 : 500))
            .shouldFailOnError(true)
            .verbosity(VerboseMode.SILENT)
            .build();
    RunResult run = new Runner(options).runSingle();
    Result<?> allocated = run.getSecondaryResults().get("gc.alloc.rate.norm");
    out.printf(
        Locale.ROOT,
        "%-60s %-12s %12s +- %-12s %12.1f B/op%n",
        c,
        impl,
        Report.time(run.getPrimaryResult().getScore() * 1e-9),
        Report.time(run.getPrimaryResult().getScoreError() * 1e-9),
        allocated == null ? Double.NaN : allocated.getScore());
    out.flush();
  }
}
