package dev.gridstride.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.Scope;
import dev.gridstride.data.RandomAffine;
import dev.gridstride.device.Device;
import dev.gridstride.examples.cli.Cli;
import dev.gridstride.examples.data.Digits;
import dev.gridstride.examples.data.MadeKinds;
import dev.gridstride.examples.report.Pairs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.SplittableRandom;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example {@code identify}: its kinds, its pairs, its repeatability, what it refuses. */
class IdentifyTest {
  private static final RandomAffine AS_THEY_ARE = new RandomAffine(0, 0, 0, 0, false);

  @TempDir Path folder;

  private Cli.Outcome train(String out, String... more) {
    var args =
        new ArrayList<>(
            List.of(
                "train",
                "identify",
                "--limit",
                "96",
                "--batch",
                "32",
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
    var whole = train("whole", "--epochs", "2");
    assertThat(whole.err()).isEmpty();
    assertThat(whole.code()).as(whole.out()).isZero();
    assertThat(whole.out()).contains("epoch 2/2: loss ", "equal error rate").doesNotContain("NaN");
    train("cut", "--epochs", "1");
    assertThat(checkpoint("cut")).isNotEqualTo(checkpoint("whole"));
    var resumed = train("cut", "--epochs", "2", "--resume");
    assertThat(resumed.out()).contains("goes on after epoch 1").doesNotContain("epoch 1/2");
    assertThat(checkpoint("cut")).isEqualTo(checkpoint("whole"));
    train("other", "--epochs", "2", "--seed", "2");
    assertThat(checkpoint("other")).isNotEqualTo(checkpoint("whole"));
    for (String file : List.of("identify.safetensors", "roc.png", "pairs.png", "map.png")) {
      assertThat(folder.resolve("whole").resolve(file)).isNotEmptyFile();
    }
  }

  @Test
  void kindsAreMadeOfHalvesAndLieInEightWays() throws IOException {
    Digits digits = digits(new int[] {5, 5, 7}, 4, 4);
    var kinds = new MadeKinds(digits, AS_THEY_ARE);
    var random = new SplittableRandom(3);
    var seen = new HashSet<Long>();
    try (Scope scope = Scope.open()) {
      for (int time = 0; time < 100; time++) {
        var batch = kinds.batch(Device.cpu(), 4, 2, random);
        assertThat(batch.images().shape().dims()).containsExactly(8, 1, 4, 4);
        float[] pixels = batch.images().toFloatArray();
        long[] kind = batch.labels().toLongArray();
        var halves = new HashSet<Long>();
        for (int i = 0; i < kind.length; i++) {
          assertThat(kind[i]).isEqualTo(kind[i / 2 * 2]);
          seen.add(kind[i]);
          halves.add(kind[i] / 8);
          int upper = (int) (kind[i] / 8 / 2);
          int lower = (int) (kind[i] / 8 % 2);
          float[] upright = upright(Arrays.copyOfRange(pixels, 16 * i, 16 * (i + 1)), kind[i] % 8);
          int a = halfOf(digits, upright, 0, upper == 0 ? 5 : 7);
          int b = halfOf(digits, upright, 8, lower == 0 ? 5 : 7);
          assertThat(upper == lower).as("halves of one picture").isEqualTo(a == b);
          assertThat(i >= 4 || upper == lower).as("whole ones first").isTrue();
        }
        assertThat(halves).as("none twice before all").hasSize(4);
      }
    }
    assertThat(seen).hasSize(2 * 2 * 8);
  }

  /** Which picture of this class the eight pixels from {@code at} on are of. */
  private static int halfOf(Digits digits, float[] pixels, int at, int label) {
    for (int i = 0; i < digits.size(); i++) {
      if (digits.label(i) == label
          && Arrays.equals(pixels, at, at + 8, digits.image(i), at, at + 8)) {
        return i;
      }
    }
    throw new AssertionError("no half of a " + label);
  }

  /** Undoes a way of lying: exchanges rows and columns back, then turns each around. */
  private static float[] upright(float[] pixels, long way) {
    var y = new float[16];
    for (int r = 0; r < 4; r++) {
      for (int c = 0; c < 4; c++) {
        int p = way % 2 == 1 ? 3 - r : r;
        int q = way / 2 % 2 == 1 ? 3 - c : c;
        y[way / 4 == 1 ? q * 4 + p : p * 4 + q] = pixels[r * 4 + c];
      }
    }
    return y;
  }

  @Test
  void pairsAreJudgedByTheirAngles() throws IOException {
    Digits three = digits(new int[] {1, 1, 2}, 6, 5);
    // the two of one class are farther from each other than one of them is from the third
    var pairs = new Pairs(three, new double[] {1, 0.5, 0.7, 0.5, 1, 0.2, 0.7, 0.2, 1});
    assertThat(pairs.count()).isEqualTo(3);
    assertThat(pairs.roc().area()).isEqualTo(0.5);
    pairs.saveHardest(folder.resolve("pairs.png"), "hard", 7);
    assertThat(ImageIO.read(folder.resolve("pairs.png").toFile()).getHeight()).isGreaterThan(100);
    var perfect = new Pairs(three, new double[] {1, 0.9, 0.7, 0.9, 1, 0.2, 0.7, 0.2, 1});
    assertThat(perfect.roc().equalErrorRate()).isZero();
  }

  @Test
  void tooFewImagesAreABadArgument() throws IOException {
    digits(new int[] {0, 0, 0, 0, 0, 3}, 8, 8);
    var run = train("few", "--data", folder.toString());
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err().lines()).hasSize(1);
    assertThat(run.err()).contains("at least 4 test images of two of the digits [0, 1, 2]");
    digits(new int[] {0, 0, 1, 2, 2, 3}, 8, 6);
    run = train("oblong", "--data", folder.toString());
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("kinds are made from square pictures; given 1 of 8 x 6");
  }

  /** Pictures of these classes in files, all different; the folder then holds them twice. */
  private Digits digits(int[] labels, int height, int width) throws IOException {
    int n = labels.length;
    var images = new byte[16 + n * height * width];
    System.arraycopy(
        new byte[] {0, 0, 8, 3, 0, 0, 0, (byte) n, 0, 0, 0, (byte) height, 0, 0, 0, (byte) width},
        0,
        images,
        0,
        16);
    for (int i = 16; i < images.length; i++) {
      images[i] = (byte) (31 * i % 251);
    }
    var classes = new byte[8 + n];
    System.arraycopy(new byte[] {0, 0, 8, 1, 0, 0, 0, (byte) n}, 0, classes, 0, 8);
    for (int i = 0; i < n; i++) {
      classes[8 + i] = (byte) labels[i];
    }
    for (String set : List.of("train", "t10k")) {
      Files.write(folder.resolve(set + "-images-idx3-ubyte"), images);
      Files.write(folder.resolve(set + "-labels-idx1-ubyte"), classes);
    }
    var options = new Options(Device.cpu(), null, null, 1, null, false, false, folder, folder);
    return Digits.read(options, "train", 10);
  }
}
