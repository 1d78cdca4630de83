package dev.gridstride.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import dev.gridstride.device.Device;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.net.URISyntaxException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import org.junit.jupiter.api.Test;

/**
 * Both of the JIT's compilers must take every tile whole: a tile that the first refuses may stay
 * slow for ever, one in which the second leaves a call runs at a fifth of its speed.
 */
final class TilesJitTest {
  /** A method that C2 compiled, not only a loop of it. */
  private static final Pattern COMPILED =
      Pattern.compile("\\d+ +\\d+ +[!bns ]*4 +\\S+\\.(F(?:32|64)(?:Tall)?Tiles::\\w+) ");

  @Test
  void bothCompilersTakeEveryTile() throws IOException, InterruptedException, URISyntaxException {
    var compiled = new TreeSet<String>();
    var refused = new ArrayList<String>();
    List<String> output =
        run(
            Driver.class,
            "-XX:+UnlockDiagnosticVMOptions",
            "-XX:+PrintCompilation",
            "-XX:+PrintInlining");
    for (String line : output) {
      Matcher m = COMPILED.matcher(line);
      if (m.find()) {
        compiled.add(m.group(1));
      }
      boolean skipped = line.contains("COMPILE SKIPPED") && line.contains("Tiles::");
      boolean read = line.contains("Unaligned") || line.contains("TallOperands::");
      boolean left = read && line.contains("NodeCountInliningCutoff");
      if (skipped || left) {
        refused.add(line.strip());
      }
    }
    assertThat(refused).isEmpty();
    assertThat(compiled).containsAll(expected());
  }

  /**
   * In a program whose other vectors have several lengths, and in which C2 was wrong so often that
   * it relies on no guess any more.
   */
  @Test
  void sumsStayInRegistersInAnyProgram()
      throws IOException, InterruptedException, URISyntaxException {
    assertThat(run(LaterDriver.class, "-XX:PerMethodTrapLimit=0"))
        .filteredOn(line -> line.startsWith(LaterDriver.ALLOCATES))
        .isEmpty();
  }

  /** What a JVM of its own prints, which compiles early and waits for it. */
  private static List<String> run(Class<?> main, String... options)
      throws IOException, InterruptedException, URISyntaxException {
    assumeTrue(Simd.ENABLED, "scalar code has no tiles");
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(options));
    command.addAll(
        List.of(
            "-XX:MaxVectorSize=" + 4 * Tiles.BEST.lanesF32(),
            "-Xbatch",
            "-XX:CompileThresholdScaling=0.1",
            "--add-modules",
            "jdk.incubator.vector",
            "-cp",
            location(Device.class) + File.pathSeparator + location(TilesJitTest.class),
            main.getName()));
    Process child = new ProcessBuilder(command).redirectErrorStream(true).start();
    List<String> lines;
    try (var output = child.inputReader(StandardCharsets.UTF_8)) {
      lines = output.readAllLines();
    }
    assertThat(child.waitFor()).as("%s", lines).isZero();
    return lines;
  }

  private static Set<String> expected() {
    var all = new TreeSet<String>();
    for (String type : List.of("F32", "F64")) {
      for (int rows = 1; rows <= Tiles.MAX_ROWS; rows++) {
        all.add(type + "Tiles::table" + rows + "x2");
        all.add(type + "Tiles::runs" + rows + "x2");
      }
      for (int rows = 8; Tiles.BEST.pairs() && rows <= 12; rows += 2) {
        all.add(type + "TallTiles::table" + rows + "x2");
        all.add(type + "TallTiles::runs" + rows + "x2");
      }
      all.add(type + "Tiles::row");
      if (Tiles.BEST.pairs()) {
        all.add(type + "TallTiles::row12");
      }
    }
    return all;
  }

  private static String location(Class<?> c) throws URISyntaxException {
    return Path.of(c.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
  }

  /** Runs every tile until C2 has compiled it. */
  static final class Driver {
    private Driver() {}

    public static void main(String[] args) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment m = arena.allocate(1 << 20, 64);
        List<Form> forms = forms(m);
        for (int i = 0; i < 800; i++) {
          forms.forEach(f -> f.run.run());
        }
      }
    }
  }

  /** Names each form of a tile that goes on allocating, after vectors of several lengths. */
  static final class LaterDriver {
    static final String ALLOCATES = "allocates: ";
    private static final int CALLS = 100;
    private static final long LONGEST_NANOS = 30_000_000_000L;

    private LaterDriver() {}

    public static void main(String[] args) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment m = arena.allocate(1 << 20, 64);
        for (int i = 0; i < 20_000; i++) {
          floats(FloatVector.SPECIES_64, m);
          floats(FloatVector.SPECIES_128, m);
          floats(FloatVector.SPECIES_PREFERRED, m);
          doubles(DoubleVector.SPECIES_64, m);
          doubles(DoubleVector.SPECIES_128, m);
          doubles(DoubleVector.SPECIES_PREFERRED, m);
        }
        m.fill((byte) 0);
        for (Form form : forms(m)) {
          check(form);
        }
      }
    }

    private static void check(Form form) {
      var bean = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      long from = System.nanoTime();
      long bytes;
      do {
        bytes = bean.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < CALLS; i++) {
          form.run.run();
        }
        bytes = bean.getCurrentThreadAllocatedBytes() - bytes;
      } while (bytes >= CALLS && System.nanoTime() - from < LONGEST_NANOS);
      if (bytes >= CALLS) {
        System.out.println(ALLOCATES + form.name + ": " + bytes / CALLS + " bytes a call");
      }
    }

    private static void floats(VectorSpecies<Float> s, MemorySegment m) {
      FloatVector x = FloatVector.fromMemorySegment(s, m, 0, ByteOrder.LITTLE_ENDIAN);
      FloatVector y = FloatVector.broadcast(s, 2);
      x.fma(y, x).add(y).intoMemorySegment(m, 0, ByteOrder.LITTLE_ENDIAN);
    }

    private static void doubles(VectorSpecies<Double> s, MemorySegment m) {
      DoubleVector x = DoubleVector.fromMemorySegment(s, m, 0, ByteOrder.LITTLE_ENDIAN);
      DoubleVector y = DoubleVector.broadcast(s, 2);
      x.fma(y, x).add(y).intoMemorySegment(m, 0, ByteOrder.LITTLE_ENDIAN);
    }
  }

  /** A form of a tile, and what runs it. */
  private record Form(String name, Runnable run) {}

  private static final int TERMS = 24;

  /** A column's tiles have 12 rows from some length on. */
  private static final int COLUMN_TERMS = 72;

  private static List<Form> forms(MemorySegment m) {
    var all = new ArrayList<Form>();
    for (int rows = 1; rows <= Tiles.MAX_ROWS; rows++) {
      // one run of many terms, and as many of one; one tile, and a pair
      for (int runs = 1; runs <= TERMS; runs += TERMS - 1) {
        for (int tiles = 1; tiles <= 2; tiles++) {
          all.addAll(tile(m, tiles, rows, runs, TERMS / runs));
        }
      }
    }
    for (GemmLoops loops : List.of(GemmLoops.F32, GemmLoops.F64)) {
      for (int high = 1; high <= (Tiles.BEST.pairs() ? 2 : 1); high++) {
        int rows = high;
        all.add(
            new Form(
                loops.getClass().getSimpleName() + ".row, " + rows + " high",
                () -> loops.row(rows, 2, TERMS, m, 0, m, 1 << 16, m, 1 << 18, 1 << 10)));
      }
      for (int tiles = 1; tiles <= 2; tiles++) {
        int count = tiles;
        all.add(
            new Form(
                loops.getClass().getSimpleName() + ".column of " + tiles,
                () ->
                    loops.column(
                        2,
                        count,
                        COLUMN_TERMS,
                        m,
                        0,
                        1 << 10,
                        m,
                        1 << 16,
                        128,
                        m,
                        1 << 18,
                        1 << 10)));
      }
    }
    return all;
  }

  private static List<Form> tile(MemorySegment m, int tiles, int rows, int runs, int length) {
    int[] table = Tiles.table(runs);
    long b = 1 << 16;
    long c = 1 << 18;
    long ld = 1 << 10;
    MemorySegment zeros = Tiles.ZEROS;
    String name = tiles + " of " + rows + " rows, " + runs + " runs of " + length;
    return List.of(
        new Form(
            "f32 " + name,
            () ->
                Tiles.BEST.f32(
                    tiles, rows, 2, runs, length, m, 0, table, 0, 4, 256, m, b, 128, 64, m, c, ld,
                    64, zeros, 0, 0, 0)),
        new Form(
            "f64 " + name,
            () ->
                Tiles.BEST.f64(
                    tiles, rows, 2, runs, length, m, 0, table, 0, 8, 256, m, b, 128, 64, m, c, ld,
                    64, zeros, 0, 0, 0)));
  }
}
