package dev.gridstride.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gridstride.bench.Family.Work;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.junit.jupiter.api.Test;

/**
 * Kernels box no vectors in a program whose other vectors have several lengths, and in which the
 * JIT was wrong so often that it makes no guess any more: the worst that a program's history can do
 * to them.
 */
class AnyProgramTest {
  @Test
  void sumsOfLoopsAreNoObjects() throws IOException, InterruptedException {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-XX:PerMethodTrapLimit=0",
            "--add-modules",
            "jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            Driver.class.getName()));
    Process child = new ProcessBuilder(command).redirectErrorStream(true).start();
    List<String> lines;
    try (var output = child.inputReader(StandardCharsets.UTF_8)) {
      lines = output.readAllLines();
    }
    assertThat(child.waitFor()).as("%s", lines).isZero();
    assumeTrue(lines.contains(Driver.DONE), "this JVM does not count what it allocates");
    assertThat(lines).noneMatch(line -> line.startsWith(Driver.ALLOCATES));
  }

  /** Names what goes on allocating. */
  static final class Driver {
    static final String DONE = "done";
    static final String ALLOCATES = "allocates: ";

    /**
     * A run's own objects, if any; a vector is 100 bytes, and there is one for every few numbers.
     */
    private static final long FEW_BYTES = 1000;

    private static final int RUNS = 20;
    private static final long LONGEST_NANOS = 60_000_000_000L;

    private Driver() {}

    public static void main(String[] args) throws Exception {
      var bean = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
      if (!bean.isThreadAllocatedMemorySupported()) {
        return;
      }
      float[] floats = new float[FloatVector.SPECIES_MAX.length()];
      double[] doubles = new double[DoubleVector.SPECIES_MAX.length()];
      for (int i = 0; i < 20_000; i++) {
        floats(FloatVector.SPECIES_64, floats);
        floats(FloatVector.SPECIES_128, floats);
        floats(FloatVector.SPECIES_MAX, floats);
        doubles(DoubleVector.SPECIES_64, doubles);
        doubles(DoubleVector.SPECIES_128, doubles);
        doubles(DoubleVector.SPECIES_MAX, doubles);
      }
      check(bean, "gemm", new Work("product", "192"));
      check(bean, "conv", new Work("forward", "1x64x14x64x1x1x0"));
      check(bean, "conv", new Work("forward", "1x64x14x64x3x1x1"));
      check(bean, "softmax", new Work("forward", "64x512"));
      check(bean, "softmax", new Work("log-forward", "64x1000"));
      check(bean, "cross-entropy", new Work("forward-backward", "64x1000"));
      check(bean, "layer-norm", new Work("forward", "512x64"));
      check(bean, "reduce", new Work("sum-rows", "256x256"));
      check(bean, "reduce", new Work("sum-columns", "256x256"));
      System.out.println(DONE);
    }

    private static void check(com.sun.management.ThreadMXBean bean, String family, Work work)
        throws Exception {
      var c = new Case(family, work.op(), "f32", work.shape(), 1);
      long from = System.nanoTime();
      long bytes;
      try (Contender contender = new Gridstride().prepare(c, Family.named(family).problem(c))) {
        do {
          bytes = bean.getCurrentThreadAllocatedBytes();
          contender.run(RUNS);
          bytes = (bean.getCurrentThreadAllocatedBytes() - bytes) / RUNS;
        } while (bytes > FEW_BYTES && System.nanoTime() - from < LONGEST_NANOS);
      }
      if (bytes > FEW_BYTES) {
        System.out.println(ALLOCATES + c + ": " + bytes + " bytes a run");
      }
    }

    private static void floats(VectorSpecies<Float> s, float[] a) {
      FloatVector x = FloatVector.fromArray(s, a, 0);
      FloatVector y = FloatVector.broadcast(s, 2);
      FloatVector z = x.fma(y, x).add(y).mul(x);
      z.blend(x, x.compare(VectorOperators.GT, z)).intoArray(a, 0);
    }

    private static void doubles(VectorSpecies<Double> s, double[] a) {
      DoubleVector x = DoubleVector.fromArray(s, a, 0);
      DoubleVector y = DoubleVector.broadcast(s, 2);
      x.fma(y, x).add(y).mul(x).intoArray(a, 0);
    }
  }
}
