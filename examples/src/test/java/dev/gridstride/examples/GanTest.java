package dev.gridstride.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gridstride.device.Device;
import dev.gridstride.device.DeviceKind;
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

class GanTest {
  @TempDir Path folder;

  private Cli.Outcome train(String out, String... more) {
    var args =
        new ArrayList<>(
            List.of(
                "train",
                "gan",
                "--quick",
                "--limit",
                "24",
                "--batch",
                "8",
                "--out",
                folder.resolve(out).toString()));
    args.addAll(List.of(more));
    return Cli.run(args.toArray(String[]::new));
  }

  private byte[] file(String out, String name) throws IOException {
    return Files.readAllBytes(folder.resolve(out).resolve(name));
  }

  @Test
  void aResumedTrainingHasTheBitsOfOneThatNeverStopped() throws IOException {
    var whole = train("whole", "--epochs", "2");
    assertThat(whole.err()).isEmpty();
    assertThat(whole.code()).isZero();
    assertThat(whole.out()).contains("24 images", "epoch 2/2: loss ", "a digit for sure");
    for (String picture : List.of("curves.png", "samples.png", "epoch-01.png", "epoch-02.png")) {
      assertThat(file("whole", picture)).isNotEmpty();
    }
    train("cut", "--epochs", "1");
    assertThat(file("cut", "checkpoint.safetensors"))
        .isNotEqualTo(file("whole", "checkpoint.safetensors"));
    var resumed = train("cut", "--epochs", "2", "--resume");
    assertThat(resumed.out())
        .contains("goes on after epoch 1 of ", "epoch 2/2: loss ")
        .doesNotContain("epoch 1/2");
    assertThat(file("cut", "checkpoint.safetensors"))
        .isEqualTo(file("whole", "checkpoint.safetensors"));
    assertThat(file("cut", "samples.png")).isEqualTo(file("whole", "samples.png"));
  }

  @Test
  void theSameSeedGivesTheSameBits() throws IOException {
    for (String run : List.of("one 5", "two 5", "other 6")) {
      String[] parts = run.split(" ");
      train(parts[0], "--epochs", "1", "--seed", parts[1]);
    }
    byte[] one = file("one", "gan.safetensors");
    assertThat(file("two", "gan.safetensors")).isEqualTo(one);
    assertThat(file("two", "samples.png")).isEqualTo(file("one", "samples.png"));
    assertThat(file("other", "gan.safetensors")).isNotEqualTo(one).hasSameSizeAs(one);
  }

  /** Where the emulator has been built: the same kernels as on a GPU, over a few steps. */
  @Test
  void theEmulatorTrainsAsTheCpuDoes() throws IOException {
    assumeTrue(
        Device.all().stream().anyMatch(d -> d.kind() == DeviceKind.EMULATOR),
        "the emulator's library has not been built");
    List<Double> cpu = losses("cpu");
    List<Double> emulator = losses("emulator");
    assertThat(cpu).hasSize(2).allMatch(loss -> loss > 0);
    for (int i = 0; i < cpu.size(); i++) {
      // sums of f32 in another order, through two steps
      assertThat(emulator.get(i)).isCloseTo(cpu.get(i), within(1e-4 * cpu.get(i)));
    }
  }

  /** Of training and of the test images. */
  private List<Double> losses(String device) throws IOException {
    Path json = folder.resolve(device + ".json");
    var run =
        Cli.run(
            "train",
            "gan",
            "--quick",
            "--device",
            device,
            "--limit",
            "4",
            "--batch",
            "2",
            "--epochs",
            "1",
            "--out",
            folder.resolve(device).toString(),
            "--json",
            json.toString());
    assertThat(run.err()).isEmpty();
    assertThat(run.code()).isZero();
    Map<String, Object> report = JsonParser.object(Files.readString(json));
    var epoch = (Map<?, ?>) ((List<?>) report.get("epochs")).getLast();
    assertThat(epoch.get("model")).isEqualTo("gan");
    return List.of((double) epoch.get("loss"), (double) epoch.get("testLoss"));
  }

  @Test
  void imagesOfAnotherSizeAreABadArgument() throws IOException {
    byte[] image = {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 6, 0, 0, 0, 6};
    for (String set : List.of("train", "t10k")) {
      Files.write(folder.resolve(set + "-images-idx3-ubyte"), java.util.Arrays.copyOf(image, 52));
      Files.write(
          folder.resolve(set + "-labels-idx1-ubyte"), new byte[] {0, 0, 8, 1, 0, 0, 0, 1, 1});
    }
    var run = train("d", "--data", folder.toString());
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err().lines()).hasSize(1);
    assertThat(run.err()).contains("sides that are multiples of 4; these are 6 x 6");
  }
}
