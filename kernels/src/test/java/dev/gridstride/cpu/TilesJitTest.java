package dev.gridstride.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gridstride.device.Device;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
    assumeTrue(Simd.ENABLED, "scalar code has no tiles");
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-XX:MaxVectorSize=" + 4 * Tiles.BEST.lanesF32(),
            "-Xbatch",
            "-XX:CompileThresholdScaling=0.1",
            "-XX:+UnlockDiagnosticVMOptions",
            "-XX:+PrintCompilation",
            "-XX:+PrintInlining",
            "--add-modules",
            "jdk.incubator.vector",
            "-cp",
            location(Device.class) + File.pathSeparator + location(TilesJitTest.class),
            Driver.class.getName()));
    Process child = new ProcessBuilder(command).redirectErrorStream(true).start();
    var compiled = new TreeSet<String>();
    var refused = new ArrayList<String>();
    try (var output = child.inputReader(StandardCharsets.UTF_8)) {
      for (String line = output.readLine(); line != null; line = output.readLine()) {
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
    }
    assertThat(child.waitFor()).isZero();
    assertThat(refused).isEmpty();
    assertThat(compiled).containsAll(expected());
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
    private static final int TERMS = 24;

    private Driver() {}

    public static void main(String[] args) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment m = arena.allocate(1 << 20, 64);
        for (int i = 0; i < 800; i++) {
          for (int rows = 1; rows <= Tiles.MAX_ROWS; rows++) {
            // one run of many terms, and as many of one; one tile, and a pair
            for (int runs = 1; runs <= TERMS; runs += TERMS - 1) {
              for (int tiles = 1; tiles <= 2; tiles++) {
                tile(m, tiles, rows, runs, TERMS / runs);
              }
            }
          }
          for (GemmLoops loops : List.of(GemmLoops.F32, GemmLoops.F64)) {
            for (int high = 1; high <= (Tiles.BEST.pairs() ? 2 : 1); high++) {
              loops.row(high, 2, TERMS, m, 0, m, 1 << 16, m, 1 << 18, 1 << 10);
            }
          }
        }
      }
    }

    private static void tile(MemorySegment m, int tiles, int rows, int runs, int length) {
      int[] table = Tiles.table(runs);
      long b = 1 << 16;
      long c = 1 << 18;
      long ld = 1 << 10;
      MemorySegment zeros = Tiles.ZEROS;
      Tiles.BEST.f32(
          tiles, rows, 2, runs, length, m, 0, table, 0, 4, 256, m, b, 128, 64, m, c, ld, 64, zeros,
          0, 0, 0);
      Tiles.BEST.f64(
          tiles, rows, 2, runs, length, m, 0, table, 0, 8, 256, m, b, 128, 64, m, c, ld, 64, zeros,
          0, 0, 0);
    }
  }
}
