package dev.gridstride.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.examples.cli.Cli;
import dev.gridstride.examples.report.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The short form of every example reaches its bar.
 *
 * <p>With the Vector API only: without it the same arithmetic takes several times as long, and the
 * kernels' own tests compare the two.
 */
@Tag("vector-only")
class QuickTest {
  @TempDir Path folder;

  static Stream<Example> examples() {
    return Examples.ALL.stream();
  }

  @ParameterizedTest
  @MethodSource("examples")
  void reachesItsBar(Example example) throws IOException {
    Path json = folder.resolve("result.json");
    Path out = folder.resolve("out");
    var run =
        Cli.run(
            example.trains() ? "train" : "run",
            example.name(),
            "--quick",
            "--device",
            "cpu",
            "--out",
            out.toString(),
            "--json",
            json.toString());
    assertThat(run.err()).isEmpty();
    assertThat(run.out()).doesNotContain("NaN");
    assertThat(run.code()).as(run.out()).isZero();
    Map<String, Object> report = JsonParser.object(Files.readString(json));
    assertThat(report).containsEntry("name", example.name()).containsEntry("quick", true);
    assertThat((List<?>) report.get("checks"))
        .isNotEmpty()
        .allMatch(check -> Boolean.TRUE.equals(((Map<?, ?>) check).get("passed")));
    assertThat((Map<?, ?>) report.get("final")).isNotEmpty();
    try (var files = Files.list(out)) {
      assertThat(files.filter(f -> f.toString().endsWith(".png"))).isNotEmpty();
    }
  }

  @Test
  void theSameSeedGivesTheSameResult() throws IOException {
    for (String run : List.of("one", "two")) {
      Cli.run(
          "train",
          "cancer",
          "--quick",
          "--seed",
          "3",
          "--out",
          folder.resolve(run).toString(),
          "--json",
          folder.resolve(run + ".json").toString());
    }
    assertThat(Files.readString(folder.resolve("two.json")))
        .isEqualTo(Files.readString(folder.resolve("one.json")));
  }

  @Test
  void aColumnOfOneClassIsABadArgument() throws IOException {
    Files.writeString(folder.resolve("breast-cancer.csv"), "a,Class\n1,benign\n2,benign\nNA,x\n");
    var run = Cli.run("train", "cancer", "--data", folder.toString());
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err())
        .contains("the column Class must name two classes, one of them malignant; it has [benign]");
  }

  @Test
  void fewerThanTenSamplesAreABadArgument() throws IOException {
    Files.writeString(folder.resolve("spambase.csv"), "a,type\n1,spam\n2,nonspam\n");
    var run = Cli.run("train", "spam", "--data", folder.toString());
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("spam needs at least 10 samples; there are 2");
  }
}
