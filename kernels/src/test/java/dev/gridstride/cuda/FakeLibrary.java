package dev.gridstride.cuda;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.gridstride.testing.Emulator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.opentest4j.TestAbortedException;

/** Builds libraries that pretend to be ours or a vendor's, from {@code src/test/native}. */
public final class FakeLibrary {
  private static final Path HEADERS = Path.of("..", "native", "include");
  private static final Path SOURCE = Path.of("src", "test", "native", "fake_cuda.cpp");

  private static final Map<String, Path> BUILT = new HashMap<>();

  private FakeLibrary() {}

  /**
   * Compiles one, or gives the one that has been compiled so before: a second load of it shares its
   * state with the first.
   *
   * @param macros as {@code FAKE_ABI=2}
   * @param missing functions that it does not have
   * @throws TestAbortedException where there is no g++, or over a GPU no source: its host may have
   *     only the tests
   */
  static synchronized Path build(Set<String> missing, String... macros)
      throws IOException, InterruptedException {
    String key = missing + Arrays.toString(macros);
    Path built = BUILT.get(key);
    if (built == null) {
      built = compile(missing, macros);
      BUILT.put(key, built);
    }
    return built;
  }

  private static Path compile(Set<String> missing, String... macros)
      throws IOException, InterruptedException {
    demand(SOURCE);
    Path folder = Files.createTempDirectory("gridstride-fake-");
    folder.toFile().deleteOnExit();
    String text = Files.readString(HEADERS.resolve("gridstride.h"));
    // weak, so that those of fake_cuda.cpp take their place
    String others =
        Header.parse(text).functions().keySet().stream()
            .filter(name -> !missing.contains(name))
            .map(name ->
                "extern \"C\" __attribute__((weak, visibility(\"default\"))) int "
                    + name
                    + "() { return 0; }\n")
            .collect(Collectors.joining());
    Path stubs = Files.writeString(folder.resolve("stubs.cpp"), others);
    Path library = folder.resolve("libfake.so");
    var command = new ArrayList<>(List.of("g++", "-shared", "-fPIC", "-std=c++17"));
    for (String macro : macros) {
      command.add("-D" + macro);
    }
    command.addAll(
        List.of("-I" + HEADERS, SOURCE.toString(), stubs.toString(), "-o", library.toString()));
    run(command);
    stubs.toFile().deleteOnExit();
    library.toFile().deleteOnExit();
    return library;
  }

  /** Compiles another library of the folder of sources. */
  public static synchronized Path compile(String source, String... macros)
      throws IOException, InterruptedException {
    String key = source + Arrays.toString(macros);
    if (!BUILT.containsKey(key)) {
      Path folder = Files.createTempDirectory("gridstride-fake-");
      folder.toFile().deleteOnExit();
      Path library = folder.resolve("libfake.so");
      library.toFile().deleteOnExit();
      compile(
          source, library, Arrays.stream(macros).map(macro -> "-D" + macro).toArray(String[]::new));
      BUILT.put(key, library);
    }
    return BUILT.get(key);
  }

  /** Compiles one to a file, with options of the compiler's. */
  public static void compile(String source, Path library, String... options)
      throws IOException, InterruptedException {
    Path file = SOURCE.resolveSibling(source);
    demand(file);
    var command = new ArrayList<>(List.of("g++", "-shared", "-fPIC", "-std=c++17"));
    command.addAll(List.of(options));
    command.addAll(List.of(file.toString(), "-o", library.toString()));
    run(command);
  }

  private static void demand(Path source) {
    if (Emulator.isForGpu() && !Files.exists(source)) {
      throw new TestAbortedException("there is no " + source);
    }
  }

  private static void run(List<String> command) throws IOException, InterruptedException {
    Process process;
    try {
      process = new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException absent) {
      throw new TestAbortedException("no g++: " + absent.getMessage());
    }
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    if (process.waitFor() != 0) {
      throw new IllegalStateException(String.join(" ", command) + ": " + output);
    }
  }
}
