package dev.gridstride.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.device.Op;
import java.io.IOException;
import java.lang.reflect.Executable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The pages on numerics and security name every op, and only tests that exist. */
final class NumericsTest {
  private static final Path ROOT = Path.of("..");

  private static String page(String name) throws IOException {
    return Files.readString(ROOT.resolve("docs").resolve(name));
  }

  @Test
  void everyOpIsInTheTable() throws IOException {
    String table =
        page("numerics.md").lines().filter(l -> l.startsWith("| `")).collect(Collectors.joining());
    var missing = new TreeSet<String>();
    for (Executable e : PublicSurface.all()) {
      Class<?> c = e.getDeclaringClass();
      if (Op.class.isAssignableFrom(c) && c.isRecord() && !table.contains(c.getSimpleName())) {
        missing.add(c.getSimpleName());
      }
    }
    assertThat(missing).isEmpty();
  }

  @Test
  void namedTestsExist() throws IOException {
    var tests = new TreeSet<String>();
    for (String module : List.of("kernels", "java-api")) {
      try (var files = Files.walk(ROOT.resolve(module).resolve("src/test/java"))) {
        files.forEach(f -> tests.add(f.getFileName().toString().replace(".java", "")));
      }
    }
    for (String name : List.of("numerics.md", "security.md")) {
      var named = Pattern.compile("`([A-Za-z]+Test)`").matcher(page(name));
      int found = 0;
      while (named.find()) {
        found++;
        assertThat(tests).as(name).contains(named.group(1));
      }
      assertThat(found).isGreaterThan(5);
    }
  }
}
