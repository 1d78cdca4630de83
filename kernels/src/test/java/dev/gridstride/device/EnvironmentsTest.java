package dev.gridstride.device;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.kernels.Gemm;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Poor environments, each in a JVM of its own: the program starts, computes on the CPU and says
 * what it does without in a line of its own. Those of native libraries are in {@code
 * LibrariesTest}.
 */
@Tag("vector-only") // JVMs of its own: once is enough
final class EnvironmentsTest {
  private static final String SCALAR =
      "gridstride: the CPU runs scalar code, many times slower: start java with --add-modules"
          + " jdk.incubator.vector";
  private static final String USING = "gridstride: using cpu";
  private static final String SUMS = "sums 32.5 to 32.5";

  @TempDir Path folder;

  /**
   * What is poor.
   *
   * @param name for the report
   * @param flags for java
   * @param change of the variables
   * @param lines beginnings of all lines that the program says
   */
  private record Poor(
      String name, List<String> flags, Consumer<Map<String, String>> change, List<String> lines) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Poor poor(String name, List<String> flags, String... lines) {
    return new Poor(name, flags, e -> {}, List.of(lines));
  }

  private static final String VECTOR = "--add-modules=jdk.incubator.vector";

  static List<Poor> environments() {
    return List.of(
        poor("no vector module", List.of(), SCALAR, USING, SUMS),
        poor("vectors switched off", List.of(VECTOR, "-Dgridstride.simd=off"), USING, SUMS),
        poor("no native access", List.of(VECTOR, "--illegal-native-access=deny"), USING, SUMS),
        poor("a heap of 6 MiB", List.of(VECTOR, "-Xmx6m"), USING, SUMS),
        poor("2 MiB of native memory", List.of(VECTOR, "-XX:MaxDirectMemorySize=2m"), USING, SUMS),
        poor(
            "a decimal comma",
            List.of(VECTOR, "-Duser.language=de", "-Duser.country=DE"),
            USING,
            SUMS),
        poor(
            "a Turkish i",
            List.of("-Duser.language=tr", "-Duser.country=TR", "-Dgridstride.simd=OFF"),
            USING,
            SUMS),
        poor(
            "Arabic digits",
            List.of(
                VECTOR, "-Duser.language=ar", "-Duser.country=EG", "-Duser.extensions=u-nu-arab"),
            USING,
            SUMS),
        poor("no temporary folder", List.of(VECTOR, "-Djava.io.tmpdir=/nowhere"), USING, SUMS),
        poor("one processor", List.of(VECTOR, "-XX:ActiveProcessorCount=1"), USING, SUMS),
        poor("no compiler", List.of(VECTOR, "-Xint"), USING, SUMS),
        poor(
            "only the modules that are needed",
            List.of("--limit-modules=java.base,jdk.incubator.vector", VECTOR),
            USING,
            SUMS),
        poor("no logging module", List.of("--limit-modules=java.base"), SCALAR, USING, SUMS),
        poor(
            "a number of threads that is none",
            List.of(VECTOR, "-Dgridstride.threads=many"),
            USING,
            "gridstride: -Dgridstride.threads must be in 1..1024; it is 'many', so ",
            SUMS),
        poor(
            "no threads",
            List.of(VECTOR, "-Dgridstride.threads=0"),
            USING,
            "gridstride: -Dgridstride.threads must be in 1..1024; it is '0', so ",
            SUMS),
        new Poor(
            "no home",
            List.of(VECTOR, "-Duser.home=/nowhere"),
            e -> e.remove("HOME"),
            List.of(USING, SUMS)),
        new Poor("no variables", List.of(VECTOR), Map::clear, List.of(USING, SUMS)),
        new Poor(
            "ASCII",
            List.of(VECTOR, "-Dfile.encoding=US-ASCII", "-Dstdout.encoding=US-ASCII"),
            e -> e.put("LC_ALL", "C"),
            List.of(USING, SUMS)),
        new Poor(
            "libraries of others on the loader's path",
            List.of(VECTOR),
            e -> e.put("LD_LIBRARY_PATH", "planted"),
            List.of(USING, SUMS)));
  }

  /** A product on the best device; its sums. */
  static final class Program {
    private Program() {}

    /** Says one line. */
    public static void main(String[] arguments) {
      Device device = Device.best();
      int n = 65;
      var values = new float[n * n];
      Arrays.fill(values, 0.5f);
      try (Buffer a = device.allocate(DType.F32, n * n);
          Buffer b = device.allocate(DType.F32, n * n);
          Buffer c = device.allocate(DType.F32, n * n)) {
        a.copyFrom(MemorySegment.ofArray(values));
        Arrays.fill(values, 1);
        b.copyFrom(MemorySegment.ofArray(values));
        device.plan(Gemm.of(n, n, n)).run(device.defaultStream(), 1, a, b, 0, c);
        c.copyTo(MemorySegment.ofArray(values));
      }
      Arrays.sort(values);
      System.out.println("sums " + values[0] + " to " + values[values.length - 1]);
    }
  }

  private static Path classes(Class<?> of) throws URISyntaxException {
    return Path.of(of.getProtectionDomain().getCodeSource().getLocation().toURI());
  }

  @ParameterizedTest
  @MethodSource("environments")
  void startsOnTheCpu(Poor poor) throws IOException, InterruptedException, URISyntaxException {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(poor.flags);
    // no library of this build, and none of another GPU's machine
    command.add("-Dgridstride.library.cuda=none");
    command.add("-cp");
    command.add(classes(Device.class) + File.pathSeparator + classes(EnvironmentsTest.class));
    command.add(Program.class.getName());
    Path planted = Files.createDirectory(folder.resolve("planted"));
    for (String library : List.of("libcuda.so.1", "libgridstride_cuda.so", "libcublasLt.so.13")) {
      Files.writeString(planted.resolve(library), "no library");
    }
    Path output = folder.resolve("output");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile());
    poor.change.accept(builder.environment());
    Process process = builder.start();
    assertThat(process.waitFor(100, TimeUnit.SECONDS)).isTrue();
    List<String> all = Files.readAllLines(output, StandardCharsets.ISO_8859_1);
    assertThat(process.exitValue()).as("%s", all).isZero();
    // before each line the JDK's logger says when and where; and java itself names the incubator
    List<String> said =
        all.stream()
            .filter(line -> !line.contains("incubator modules: jdk.incubator.vector"))
            .map(line -> line.substring(Math.max(0, line.indexOf("gridstride: "))))
            .filter(line -> line.startsWith("gridstride: ") || line.startsWith("sums "))
            .toList();
    assertThat(said).as("%s", all).hasSize(poor.lines.size());
    for (String line : poor.lines) {
      assertThat(said).as("%s", all).anyMatch(s -> s.startsWith(line));
    }
    assertThat(all).noneMatch(line -> line.contains("Exception") || line.startsWith("\tat "));
  }
}
