package dev.gridstride.bench;

import dev.gridstride.device.Device;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * The one JMH benchmark: runs a contender of a family, chosen by parameters.
 *
 * <p>Each combination of parameters runs in a fork of its own, so that no contender sees a type
 * profile, thread pool or environment of another. The result is checked before timing, and the
 * error is handed to the parent process through a file.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class FamilyBenchmark {
  /** Names the file that takes one line {@code key=error} for each fork. */
  static final String ERRORS = "gridstride.bench.errors";

  private static final Contender NONE =
      new Contender() {
        @Override
        public void run() {}

        @Override
        public double maxError() {
          return Double.NaN;
        }
      };

  /** Name of the family. */
  @Param("gemm")
  public String family = "gemm";

  /** Operation of the family. */
  @Param("product")
  public String op = "product";

  /** Element type. */
  @Param("f32")
  public String dtype = "f32";

  /** Shape in the family's form. */
  @Param("256")
  public String shape = "256";

  /** The contender. */
  @Param("gridstride")
  public String impl = "gridstride";

  /** Threads that the contender may use. */
  @Param("1")
  public int cores = 1;

  private Contender contender = NONE;

  static String key(Case c, String impl) {
    return String.join(" ", c.family(), c.op(), c.dtype(), c.shape(), "" + c.threads(), impl);
  }

  /** Prepares the contender and checks its result. */
  @Setup(Level.Trial)
  public void prepare() {
    Device.cpu().threads(cores);
    var c = new Case(family, op, dtype, shape, cores);
    contender = Family.named(family).prepare(impl, c);
    double error = contender.maxError();
    String file = System.getProperty(ERRORS);
    if (file != null) {
      try {
        Files.writeString(
            Path.of(file),
            String.format(Locale.ROOT, "%s=%.6e%n", key(c, impl), error),
            StandardOpenOption.APPEND);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    // generous: shows a wrong result, not the quality of a right one, which is reported
    if (!(error < (dtype.equals("f64") ? 1e-9 : 1e-2))) {
      throw new IllegalStateException("wrong result: error " + error + " of " + key(c, impl));
    }
  }

  /** Frees the contender. */
  @TearDown(Level.Trial)
  public void close() throws Exception {
    contender.close();
  }

  /** What is measured. */
  @Benchmark
  public void run() {
    contender.run();
  }
}
