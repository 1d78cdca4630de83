package dev.gridstride.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.device.Device;
import dev.gridstride.examples.cli.Cli;
import dev.gridstride.examples.report.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MnistTest {
  @TempDir Path folder;

  private Cli.Outcome train(String out, String... more) {
    var args = new ArrayList<>(List.of("train", "mnist", "--out", folder.resolve(out).toString()));
    args.addAll(List.of(more));
    return Cli.run(args.toArray(String[]::new));
  }

  @Test
  void aShortTrainingLearnsAndWritesItsResults() throws IOException {
    Path json = folder.resolve("deep/er/mnist.json");
    var run =
        train("a", "--limit", "256", "--epochs", "3", "--batch", "32", "--json", json.toString());
    assertThat(run.err()).isEmpty();
    assertThat(run.code()).isZero();
    assertThat(run.out())
        .contains(
            "256 images", "epoch 1/3: loss ", "epoch 3/3: loss ", "recall  precision", "accuracy ");
    Map<String, Object> report = JsonParser.object(Files.readString(json));
    assertThat(report).containsEntry("name", "mnist").containsEntry("device", "cpu");
    var epochs = (List<?>) report.get("epochs");
    assertThat(epochs).hasSize(3);
    for (int i = 0; i < 3; i++) {
      var epoch = (Map<?, ?>) epochs.get(i);
      assertThat(epoch.get("epoch")).isEqualTo(i + 1.0);
      assertThat((double) epoch.get("accuracy")).isBetween(0.0, 1.0);
      assertThat((double) epoch.get("seconds")).isPositive();
      assertThat((double) epoch.get("samplesPerSecond")).isPositive();
    }
    double first = (double) ((Map<?, ?>) epochs.getFirst()).get("loss");
    double last = (double) ((Map<?, ?>) epochs.getLast()).get("loss");
    assertThat(first).isBetween(1.0, 3.5);
    assertThat(last).isBetween(0.1, 0.8 * first);
    var result = (Map<?, ?>) report.get("final");
    assertThat((double) result.get("accuracy")).isBetween(0.3, 1.0);
    assertThat((double) result.get("loss")).isPositive();
    for (String file : List.of("mnist.safetensors", "curves.png", "mistakes.png")) {
      assertThat(folder.resolve("a").resolve(file)).isNotEmptyFile();
    }
  }

  @Test
  void theSameCommandGivesTheSameBits() throws IOException {
    String[] command = {"--limit", "96", "--epochs", "1", "--batch", "32", "--seed", "7"};
    train("one", command);
    train("two", command);
    int threads = Device.cpu().threads();
    try {
      var more = new ArrayList<>(List.of(command));
      more.addAll(List.of("--threads", "1"));
      train("three", more.toArray(String[]::new));
    } finally {
      Device.cpu().threads(threads);
    }
    train("other", "--limit", "96", "--epochs", "1", "--batch", "32", "--seed", "8");
    assertThat(weights("two")).isEqualTo(weights("one"));
    assertThat(weights("three")).isEqualTo(weights("one"));
    assertThat(weights("other")).isNotEqualTo(weights("one")).hasSameSizeAs(weights("one"));
  }

  private byte[] weights(String out) throws IOException {
    return Files.readAllBytes(folder.resolve(out).resolve("mnist.safetensors"));
  }

  @Test
  void aDamagedImageFileGivesOneLine() throws IOException {
    for (String set : List.of("train", "t10k")) {
      Files.write(folder.resolve(set + "-images-idx3-ubyte"), new byte[] {0, 0, 8, 3, 0, 0});
      Files.write(folder.resolve(set + "-labels-idx1-ubyte"), new byte[] {0, 0, 8, 1, 0, 0, 0, 0});
    }
    var run = train("d", "--data", folder.toString());
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err().lines()).hasSize(1);
    assertThat(run.err()).contains("train-images-idx3-ubyte");
  }

  @Test
  void labelsMustFitTheImages() throws IOException {
    byte[] image = {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 6, 0, 0, 0, 6};
    Files.write(folder.resolve("train-images-idx3-ubyte"), java.util.Arrays.copyOf(image, 52));
    Files.write(
        folder.resolve("train-labels-idx1-ubyte"), new byte[] {0, 0, 8, 1, 0, 0, 0, 2, 1, 1});
    var run = train("d", "--data", folder.toString());
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("must hold a u8 label for each of 1 images; it holds u8[2]");
    Files.write(folder.resolve("train-labels-idx1-ubyte"), new byte[] {0, 0, 8, 1, 0, 0, 0, 1, 10});
    assertThat(train("d", "--data", folder.toString()).err())
        .contains("must hold labels below 10; it holds 10");
  }
}
