package dev.gridstride.examples.readme;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The Java programs in README.md are the classes of this package, and they run. */
class ReadmeTest {
  private static final Path ROOT = Path.of("..");
  private static final Path SOURCES =
      Path.of("src", "main", "java", "dev", "gridstride", "examples", "readme");

  private static List<String> blocks() throws IOException {
    return Pattern.compile("(?ms)^```java\\R(.*?)^```$")
        .matcher(Files.readString(ROOT.resolve("README.md")))
        .results()
        .map(m -> m.group(1).strip())
        .toList();
  }

  /** The imports and the lines of main: what the README shows of a source file. */
  private static String shown(String source) {
    var imports = new StringBuilder();
    source
        .lines()
        .filter(l -> l.startsWith("import "))
        .forEach(l -> imports.append(l).append('\n'));
    int from = source.indexOf("(String[] args) {\n") + "(String[] args) {\n".length();
    int to = source.lastIndexOf("  }\n}");
    return (imports + "\n" + source.substring(from, to).stripTrailing().stripIndent()).strip();
  }

  @Test
  void everyBlockIsTheBodyOfAProgramHere() throws IOException {
    var programs = List.of("RawLevel", "OpLevel", "TensorLevel");
    List<String> blocks = blocks();
    assertThat(blocks).hasSize(programs.size());
    for (int i = 0; i < programs.size(); i++) {
      String source = Files.readString(SOURCES.resolve(programs.get(i) + ".java"));
      assertThat(blocks.get(i)).as(programs.get(i)).isEqualTo(shown(source));
    }
  }

  @Test
  void theProgramsRun() {
    RawLevel.main(new String[0]);
    OpLevel.main(new String[0]);
    TensorLevel.main(new String[0]);
  }
}
