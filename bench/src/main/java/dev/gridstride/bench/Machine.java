package dev.gridstride.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import jdk.incubator.vector.FloatVector;

/** What the figures were measured on. */
final class Machine {
  private Machine() {}

  static Map<String, Object> describe() {
    var m = new LinkedHashMap<String, Object>();
    m.put("date", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    m.put("cpu", cpu());
    m.put("cores", Runtime.getRuntime().availableProcessors());
    m.put("os", System.getProperty("os.name") + " " + System.getProperty("os.version"));
    m.put("java", System.getProperty("java.vm.name") + " " + Runtime.version());
    m.put("load", ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage());
    m.put("vectorBits", FloatVector.SPECIES_PREFERRED.vectorBitSize());
    return m;
  }

  private static String cpu() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines
          .filter(l -> l.startsWith("model name"))
          .map(l -> l.substring(l.indexOf(':') + 1).strip())
          .findFirst()
          .orElse(System.getProperty("os.arch"));
    } catch (IOException e) {
      return System.getProperty("os.arch"); // not Linux
    }
  }

  /** The version in the file name of the library's jar: few libraries tell it themselves. */
  static String version(String artifact) {
    for (String entry : System.getProperty("java.class.path").split(java.io.File.pathSeparator)) {
      Path lib = Path.of(entry).toAbsolutePath().resolveSibling("lib");
      for (Path folder : new Path[] {Path.of(entry).toAbsolutePath().getParent(), lib}) {
        if (folder == null || !Files.isDirectory(folder)) {
          continue;
        }
        try (Stream<Path> files = Files.list(folder)) {
          var found =
              files
                  .map(f -> f.getFileName().toString())
                  .filter(f -> f.matches(artifact + "-[0-9].*\\.jar"))
                  .findFirst();
          if (found.isPresent()) {
            String name = found.get();
            return name.substring(artifact.length() + 1, name.length() - ".jar".length());
          }
        } catch (IOException e) {
          return "unknown";
        }
      }
    }
    return "unknown";
  }
}
