package dev.gridstride.bench;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** A JVM of its own for one library, at the settings that are best for it. */
final class Fork implements AutoCloseable {
  private static final Path TASKSET = Path.of("/usr/bin/taskset");

  private static final Duration REST = Duration.ofMillis(30);

  private static final int MOST_RESTS = 15;

  private final String library;
  private final Process process;
  private final PrintWriter to;
  private final BufferedReader from;

  /** The settings that were changed, for the result file. */
  final Map<String, String> environment;

  Fork(String library, String family, int threads, Path log) throws IOException {
    this.library = library;
    var command = new ArrayList<String>(threads == 1 ? pinned() : List.of());
    String cpu = command.isEmpty() ? "" : command.getLast();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(List.of("-cp", classPath(library), Worker.class.getName(), library));
    var builder = new ProcessBuilder(command);
    environment = settings(builder.environment(), library, family, threads);
    if (!cpu.isEmpty()) {
      environment.put("taskset", cpu);
    }
    builder.redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()));
    process = builder.start();
    to = new PrintWriter(process.outputWriter(StandardCharsets.UTF_8), true);
    from =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  /**
   * The command before java that keeps a library with one thread on the last processor, where all
   * others with one thread run too: a processor may be slower than its neighbour for minutes, on a
   * virtual machine by what others run on the same core. Empty where Linux's taskset is missing.
   */
  private static List<String> pinned() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.isExecutable(TASKSET) || !Files.isReadable(status)) {
      return List.of();
    }
    for (String line : Files.readAllLines(status)) {
      if (line.startsWith("Cpus_allowed_list:")) {
        // as 0-3,7
        return List.of(TASKSET.toString(), "-c", line.replaceFirst(".*[^0-9]", ""));
      }
    }
    return List.of();
  }

  /** Where the libraries lie that are built only for comparisons. */
  static Path peers() {
    return Path.of(System.getProperty("gridstride.home", "."), "bench", "peers");
  }

  /** Whether a peer outside of this module has been built; the others are always there. */
  static boolean isBuilt(String library) {
    return module(library).isEmpty()
        || Files.isDirectory(peers().resolve(module(library)).resolve("target").resolve("lib"));
  }

  private static String module(String library) {
    return switch (library) {
      case "openblas", "pytorch" -> "bytedeco";
      case "ojalgo", "djl", "nd4j" -> library;
      default -> "";
    };
  }

  private static String classPath(String library) {
    String own = System.getProperty("java.class.path");
    if (module(library).isEmpty()) {
      return own;
    }
    Path target = peers().resolve(module(library)).resolve("target");
    return String.join(
        File.pathSeparator,
        target.resolve("gridstride-bench-" + module(library) + ".jar").toString(),
        target.resolve("lib") + File.separator + "*",
        own);
  }

  /**
   * Some machines force OpenBLAS to an older core, which halves it: removed. PyTorch's convolutions
   * run in OpenMP's threads: OpenBLAS's own threads beside them, which spin while they wait, would
   * make it several times slower. All, ours too, get memory on huge pages, by glibc's setting and
   * by PyTorch's own, where Linux gives them to those who ask: small ones cost what memory bounds 5
   * to 25%, more or less by where the pages happen to lie. glibc asks for them in its first arena
   * only, and a thread of Java has another unless there is but one.
   */
  private static Map<String, String> settings(
      Map<String, String> env, String library, String family, int threads) {
    var changed = new TreeMap<String, String>();
    for (String name : List.of("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")) {
      String was = env.remove(name);
      if (was != null) {
        changed.put(name, "removed, was " + was);
      }
    }
    boolean alone = library.equals("djl") || (library.equals("pytorch") && !family.equals("gemm"));
    changed.put("OMP_NUM_THREADS", "" + threads);
    changed.put("OPENBLAS_NUM_THREADS", alone ? "1" : "" + threads);
    if (library.equals("nd4j")) {
      changed.put("OPENBLAS_CORETYPE", "SkylakeX"); // its old OpenBLAS does not know newer cores
    }
    changed.put("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1:glibc.malloc.arena_max=1");
    changed.put("THP_MEM_ALLOC_ENABLE", "1");
    changed.forEach((name, value) -> {
      if (!value.startsWith("removed")) {
        env.put(name, value);
      }
    });
    return changed;
  }

  /** Asks and waits for the answer. */
  String ask(String question) throws IOException {
    to.println(question);
    for (String line = from.readLine(); line != null; line = from.readLine()) {
      if (line.startsWith(Worker.MARK)) {
        return line.substring(Worker.MARK.length());
      }
    }
    throw new IOException("the JVM of " + library + " has ended while asked: " + question);
  }

  /**
   * Waits until its threads have stopped to spin, which takes the next one a processor: those of
   * GNU OpenMP spin for 10 ms after their work, those of OpenBLAS for 100.
   */
  void rest() {
    try {
      Duration before = cpuTime();
      for (int i = 0; i < MOST_RESTS; i++) {
        Thread.sleep(REST);
        Duration now = cpuTime();
        if (now.minus(before).compareTo(REST.dividedBy(2)) < 0) {
          return;
        }
        before = now;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** In steps of 10 ms; 0 where the system does not say. */
  private Duration cpuTime() {
    return process.info().totalCpuDuration().orElse(Duration.ZERO);
  }

  /** What the library says of itself. */
  Map<String, String> about() throws IOException {
    String answer = ask("about");
    // as of a library that can't load what no case has asked for
    if (answer.startsWith(Worker.REFUSED)) {
      return Map.of("unknown", answer.substring(Worker.REFUSED.length()).strip());
    }
    return new ObjectMapper().readValue(answer, new TypeReference<>() {});
  }

  @Override
  public void close() {
    to.close(); // the end of its input ends it
    try {
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
