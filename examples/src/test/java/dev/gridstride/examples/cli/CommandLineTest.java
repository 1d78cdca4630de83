package dev.gridstride.examples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.examples.Examples;
import dev.gridstride.examples.report.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CommandLineTest {
  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "--help",
        "info --help",
        "list --help",
        "train --help",
        "run --help",
        "verify --help",
        "fuzz --help"
      })
  void helpGoesToTheOutput(String line) {
    var outcome = Cli.run(line.isEmpty() ? new String[0] : line.split(" "));
    assertThat(outcome.code()).isZero();
    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.out()).contains("Usage: gridstride").doesNotContain("${");
  }

  @Test
  void trainHelpNamesEveryOption() {
    assertThat(Cli.run("train", "--help").out())
        .contains("NAME", "--device", "--epochs", "--batch", "--seed", "--limit", "--quick")
        .contains("--resume", "--threads", "--data", "--out", "--json");
  }

  @Test
  void versionIsTheBuilds() {
    assertThat(Cli.run("--version").out()).matches("gridstride \\d+\\.\\d+\\.\\d+\\S*\\R");
  }

  @Test
  void listHasALineForEachExample() {
    var outcome = Cli.run("list");
    assertThat(outcome.code()).isZero();
    List<String> lines = outcome.out().lines().toList();
    assertThat(lines).hasSize(Examples.ALL.size());
    for (int i = 0; i < lines.size(); i++) {
      var example = Examples.ALL.get(i);
      assertThat(lines.get(i)).contains(example.name(), example.description());
      assertThat(example.description()).doesNotContain("\n").hasSizeLessThan(100);
    }
  }

  @Test
  void infoSaysWhatRunsAndWhatNot() {
    var outcome = Cli.run("info");
    assertThat(outcome.code()).isZero();
    assertThat(outcome.out().lines().filter(l -> l.matches("(cuda|cpu|emulator) .*")))
        .hasSize(3)
        .allMatch(l -> l.matches("\\S+ +(usable|refused): \\S.*"));
    assertThat(
            outcome
                .out()
                .lines()
                .filter(l -> l.matches("(nvrtc|cublaslt|cudnn|jcublas|jcudnn) .*")))
        .hasSize(5)
        .allMatch(l -> l.matches("\\S+ +(usable|refused): \\S.*"));
    assertThat(outcome.out()).contains("gridstride  ", "java  ", "vectors  ", "threads  ");
  }

  @Test
  void infoAsJson() {
    Map<String, Object> info = JsonParser.object(Cli.run("info", "--json").out());
    assertThat(info)
        .containsKeys("version", "java", "system", "processors", "vectorBits", "threads", "auto");
    assertThat((List<?>) info.get("libraries"))
        .allMatch(line -> ((String) line).matches("\\w+: (usable|refused): .+"))
        .isNotEmpty();
    var backends = (List<?>) info.get("backends");
    assertThat(backends).hasSize(3);
    for (Object backend : backends) {
      var fields = (Map<?, ?>) backend;
      assertThat((String) fields.get("reason")).isNotBlank();
      assertThat(((List<?>) fields.get("devices")).isEmpty())
          .isEqualTo(!(boolean) fields.get("usable"));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "foo                        | there is no command 'foo'; known: bench, info, list, train, run, verify, fuzz",
        "--foo                      | Unknown option: '--foo'; see ./gridstride --help",
        "train                      | 'NAME'; see ./gridstride train --help",
        "train foo                  | train: there is no example 'foo'; known: housing, cancer, spam, mnist-mlp, mnist, denoise, identify, cifar10, alexnet, detect, gan, diffusion, recommend, reviews, speech, translate, gpt, gridworld, connect4",
        "run mnist                  | 'mnist' trains; start it with ./gridstride train mnist",
        "train mnist --epochs x     | '--epochs': 'x' is not an int; see ./gridstride train --help",
        "train mnist --epochs 0     | --epochs must be at least 1; given 0",
        "train mnist --batch -3     | --batch must be at least 1; given -3",
        "train mnist --limit 0      | --limit must be at least 1; given 0",
        "train mnist --threads 0    | --threads must be at least 1; given 0",
        "train mnist --threads 5000 | --threads must be at most 1024; given 5000",
        "train mnist --seed 1.5     | '--seed': '1.5' is not a long",
        "train mnist --device gpu   | --device must be auto, cpu, cuda, cuda:N or emulator; given"
            + " gpu",
        "train mnist --device cuda:99 | --device cuda:99: device cuda:99 is not available",
        "train mnist --bogus        | Unknown option: '--bogus'",
        "train mnist extra          | Unmatched argument at index 2: 'extra'",
        "train mnist --data /none   | --data must name a folder; there is none at /none",
        "verify                     | Missing required parameter: 'DIR'; see ./gridstride verify --help",
        "verify /none               | verify needs folders; there is none at /none",
        "verify src/main            | verify: there is no case.json at or under src/main",
        "verify src --rtol -1       | --rtol must be a number that is not negative; given -1.0",
        "verify src --device gpu    | --device must be auto, cpu, cuda, cuda:N or emulator; given"
            + " gpu",
        "fuzz --cases 0             | --cases and --size must be at least 1",
        "fuzz --ops none            | --ops: there is no 'none'; known: attention, binary, cast, conv,",
        "list extra                 | Unmatched argument at index 1: 'extra'",
      })
  void badArgumentsGiveOneLineAndCode2(String line, String message) {
    var outcome = Cli.run(line.strip().split(" +"));
    assertThat(outcome.err()).startsWith("gridstride: ").contains(message);
    assertThat(outcome.err().lines()).hasSize(1);
    assertThat(outcome.out()).isEmpty();
    assertThat(outcome.code()).isEqualTo(2);
  }

  @Test
  void aFolderWithoutTheDataIsABadArgument() {
    var outcome = Cli.run("train", "mnist", "--data", folder.toString());
    assertThat(outcome.code()).isEqualTo(2);
    assertThat(outcome.err().lines()).hasSize(1);
    assertThat(outcome.err()).contains("must hold train-images-idx3-ubyte");
  }

  @Test
  void aFileCannotBeTheOutputFolder() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    var outcome = Cli.run("train", "housing", "--out", file.toString());
    assertThat(outcome.code()).isEqualTo(2);
    assertThat(outcome.err()).contains("--out must name a folder").contains(file.toString());
  }
}
