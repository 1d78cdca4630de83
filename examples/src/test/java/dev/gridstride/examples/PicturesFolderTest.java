package dev.gridstride.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.examples.cli.Cli;
import dev.gridstride.examples.data.MadePictures;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The examples that learn from pictures of the user's: their files, and a training taken up again.
 */
class PicturesFolderTest {
  @TempDir Path folder;

  private Cli.Outcome cifar(String out, String... more) {
    var args =
        new ArrayList<>(
            List.of(
                "train",
                "cifar10",
                "--device",
                "cpu",
                "--batch",
                "16",
                "--out",
                folder.resolve(out).toString()));
    args.addAll(List.of(more));
    return Cli.run(args.toArray(String[]::new));
  }

  private byte[] checkpoint(String out) throws IOException {
    return Files.readAllBytes(folder.resolve(out).resolve("checkpoint.safetensors"));
  }

  @Test
  void aResumedTrainingHasTheBitsOfOneThatNeverStopped() throws IOException {
    Path data = folder.resolve("data");
    var random = new SplittableRandom(1);
    for (int i = 1; i <= 5; i++) {
      MadePictures.write(data.resolve("data_batch_" + i + ".bin"), 10, random);
    }
    MadePictures.write(data.resolve("test_batch.bin"), 10, random);
    var whole = cifar("whole", "--data", data.toString(), "--epochs", "3");
    assertThat(whole.err()).isEmpty();
    assertThat(whole.code()).isZero();
    assertThat(whole.out()).contains("50 images, 10 for testing", "epoch 3/3: loss ");
    cifar("cut", "--data", data.toString(), "--epochs", "1");
    assertThat(checkpoint("cut")).isNotEqualTo(checkpoint("whole"));
    var resumed = cifar("cut", "--data", data.toString(), "--epochs", "3", "--resume");
    assertThat(resumed.out())
        .contains("goes on after epoch 1", "epoch 2/3: loss ")
        .doesNotContain("epoch 1/3");
    assertThat(checkpoint("cut")).isEqualTo(checkpoint("whole"));
  }

  @Test
  void oneLineSaysWhereTheDataAre() {
    var run = cifar("none");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err().lines()).hasSize(1);
    assertThat(run.err()).contains("https://www.cs.toronto.edu/", "--data", "--quick");
    assertThat(cifar("none", "--data", folder.toString()).err())
        .contains("must hold test_batch.bin");
    var resumed = cifar("none", "--quick", "--resume");
    assertThat(resumed.code()).isEqualTo(2);
    assertThat(resumed.err()).contains("checkpoint.safetensors", "no such file");
    var other = Cli.run("train", "mnist", "--resume");
    assertThat(other.code()).isEqualTo(2);
    assertThat(other.err()).contains("'mnist' writes no checkpoints; those that do: ", "cifar10");
  }

  @Test
  @Tag("vector-only")
  void alexnetLearnsFromFolders() throws IOException {
    for (int i = 0; i < 2; i++) {
      Path kind = Files.createDirectories(folder.resolve("kind" + i));
      var image = new BufferedImage(240, 230, BufferedImage.TYPE_INT_RGB);
      for (int p = 0; p < 240 * 230; p++) {
        image.setRGB(p % 240, p / 240, i == 0 ? 0x803010 : 0x104080);
      }
      ImageIO.write(image, "png", kind.resolve("a.png").toFile());
    }
    Path out = folder.resolve("out");
    var run =
        Cli.run(
            "train",
            "alexnet",
            "--batch",
            "1",
            "--epochs",
            "1",
            "--data",
            folder.toString(),
            "--out",
            out.toString());
    assertThat(run.err()).isEmpty();
    assertThat(run.code()).isZero();
    assertThat(run.out())
        .contains("2 images of 224 x 224, 2 classes", "[1, 96, 55, 55]", "22 Linear");
    assertThat(out.resolve("alexnet.safetensors")).isNotEmptyFile();
    assertThat(out.resolve("layers.png")).isNotEmptyFile();
  }
}
