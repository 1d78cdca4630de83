package dev.gridstride.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gridstride.examples.cli.Cli;
import dev.gridstride.examples.report.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HousingTest {
  @TempDir Path folder;

  @Test
  void gradientDescentFindsLeastSquares() throws IOException {
    Path json = folder.resolve("housing.json");
    Path out = folder.resolve("out");
    var run =
        Cli.run("train", "housing", "--quick", "--out", out.toString(), "--json", json.toString());
    assertThat(run.err()).isEmpty();
    assertThat(run.code()).isZero();
    assertThat(run.out()).contains("least squares, closed form", "check: RMSE within 2%");
    Map<String, Object> report = JsonParser.object(Files.readString(json));
    assertThat(report).containsEntry("name", "housing").containsEntry("device", "cpu");
    var result = (Map<?, ?>) report.get("final");
    double rmse = (double) result.get("rmse");
    assertThat(rmse / (double) result.get("leastSquaresRmse")).isCloseTo(1, within(0.02));
    assertThat(rmse).isBetween(3.0, 8.0);
    assertThat((double) result.get("networkRmse")).isBetween(1.0, rmse);
    var epochs =
        ((List<?>) report.get("epochs"))
            .stream().filter(e -> "linear".equals(((Map<?, ?>) e).get("model"))).toList();
    assertThat((double) ((Map<?, ?>) epochs.getFirst()).get("loss"))
        .isGreaterThan(4 * (double) ((Map<?, ?>) epochs.getLast()).get("loss"));
    assertThat(out).isDirectoryContaining("glob:**/housing.safetensors");
    assertThat(out).isDirectoryContaining("glob:**/predictions.png");
    assertThat(out).isDirectoryContaining("glob:**/curves.png");
  }

  @Test
  void aTableWithoutTheTargetIsABadArgument() throws IOException {
    Files.writeString(folder.resolve("boston-housing.csv"), "a,b\n1,2\n");
    var run = Cli.run("train", "housing", "--data", folder.toString());
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("must have a column medv and others; it has [a, b]");
  }

  @Test
  void aBrokenTableGivesOneLine() throws IOException {
    Files.writeString(folder.resolve("boston-housing.csv"), "a,medv\n1,2\nx,3\n");
    var run = Cli.run("train", "housing", "--data", folder.toString());
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err().lines()).hasSize(1);
    assertThat(run.err()).contains("line 3", "column a must be a number");
  }
}
