package dev.gridstride.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.examples.cli.Cli;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What examples that draw digits have in common: repeatability, pictures, what they refuse. */
abstract class DrawnDigitsTest {
  @TempDir Path folder;

  private final String example;
  private final List<String> pictures;

  /**
   * The tests of one example.
   *
   * @param pictures files that a run of two epochs saves beside the curves and the samples
   */
  DrawnDigitsTest(String example, String... pictures) {
    this.example = example;
    this.pictures = List.of(pictures);
  }

  private Cli.Outcome train(String out, String... more) {
    var args =
        new ArrayList<>(
            List.of(
                "train",
                example,
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
    assertThat(file("whole", "curves.png")).isNotEmpty();
    assertThat(file("whole", "samples.png")).isNotEmpty();
    for (String picture : pictures) {
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
    byte[] one = file("one", example + ".safetensors");
    assertThat(file("two", example + ".safetensors")).isEqualTo(one);
    assertThat(file("two", "samples.png")).isEqualTo(file("one", "samples.png"));
    assertThat(file("other", example + ".safetensors")).isNotEqualTo(one).hasSameSizeAs(one);
  }

  @Test
  void imagesOfAnotherSizeAreABadArgument() throws IOException {
    byte[] image = {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 6, 0, 0, 0, 6};
    for (String set : List.of("train", "t10k")) {
      Files.write(folder.resolve(set + "-images-idx3-ubyte"), Arrays.copyOf(image, 52));
      Files.write(
          folder.resolve(set + "-labels-idx1-ubyte"), new byte[] {0, 0, 8, 1, 0, 0, 0, 1, 1});
    }
    var run = train("d", "--data", folder.toString());
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err().lines()).hasSize(1);
    assertThat(run.err()).contains("sides that are multiples of 4; these are 6 x 6");
  }
}
