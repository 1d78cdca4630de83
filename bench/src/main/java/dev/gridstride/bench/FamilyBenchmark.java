package dev.gridstride.bench;

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
 * The JMH benchmark: runs one library on one case, chosen by parameters, in a fork of its own. The
 * result is checked before timing.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class FamilyBenchmark {
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

  /** The library. */
  @Param("gridstride")
  public String impl = Gridstride.NAME;

  /** Threads that the library may use. */
  @Param("1")
  public int cores = 1;

  private Contender contender = new Loops(o -> () -> {});

  /** Prepares the contender and checks its result. */
  @Setup(Level.Trial)
  public void prepare() {
    var c = new Case(family, op, dtype, shape, cores);
    Problem problem = Family.named(family).problem(c);
    contender = Library.named(impl).prepare(c, problem);
    contender.run();
    double error = problem.error(contender::result);
    if (!(error < Case.tolerance(dtype))) {
      throw new IllegalStateException("wrong result: error " + error + " of " + impl + ": " + c);
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
