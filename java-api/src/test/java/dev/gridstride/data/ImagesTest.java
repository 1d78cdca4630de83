package dev.gridstride.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.TestDevice;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.io.FileException;
import dev.gridstride.io.FormatException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Pictures from folders, and pictures changed by chance. */
@ExtendWith(TestDevice.class)
class ImagesTest {
  private static final Device DEVICE = TestDevice.get();
  @TempDir Path folder;
  private Scope scope;

  @BeforeEach
  void open() {
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  /** Always the same number: 0.5 is the middle of every range, 1 - 2^-53 nearly its end. */
  private static RandomGenerator always(double value) {
    return new RandomGenerator() {
      @Override
      public long nextLong() {
        return -1;
      }

      @Override
      public double nextDouble() {
        return value;
      }
    };
  }

  private static Tensor counted(int height, int width) {
    return Tensors.arange(DEVICE, DType.F32, 2L * height * width).reshape(1, 2, height, width);
  }

  @Test
  void withoutBoundsNothingChanges() {
    Tensor x = counted(5, 4);
    Tensor y = new RandomAffine(0, 0, 0, 0, false).apply(x, new SplittableRandom(1));
    assertThat(y.shape()).isEqualTo(x.shape());
    assertThat(y.toFloatArray()).containsExactly(x.toFloatArray());
    Tensor middle = new RandomAffine(90, 0.5, 0.5, 0.5, false).apply(x, always(0.5));
    assertThat(middle.toFloatArray()).containsExactly(x.toFloatArray());
  }

  @Test
  void mirrorsMovesAndTurns() {
    Tensor x = counted(4, 4);
    Tensor mirrored = new RandomAffine(0, 0, 0, 0, true).apply(x, always(0.5));
    assertThat(mirrored.toFloatArray()).containsExactly(x.flip(3).toFloatArray());
    // a quarter of the side, down and to the right: one pixel
    Tensor moved = new RandomAffine(0, 0.25, 0, 0, false).apply(x, always(1));
    Tensor expected = x.pad(new long[] {0, 0, 1, 1}, new long[] {0, 0, -1, -1}, 0);
    assertThat(moved.toFloatArray()).containsExactly(expected.toFloatArray());
    float[] turned = new RandomAffine(180, 0, 0, 0, false).apply(x, always(1)).toFloatArray();
    float[] half = x.flip(2, 3).toFloatArray();
    for (int i = 0; i < half.length; i++) {
      assertThat(turned[i]).isCloseTo(half[i], within(1e-4f));
    }
  }

  @Test
  void interpolatesBetweenPixels() {
    Tensor x = Tensors.of(DEVICE, new float[] {0, 8, 0, 0}, 1, 1, 1, 4);
    // an eighth of 4 pixels to the right; the single row moves down by an eighth of itself
    float[] y = new RandomAffine(0, 0.125, 0, 0, false).apply(x, always(1)).toFloatArray();
    float[] expected = {0, 4 * 0.875f, 4 * 0.875f, 0};
    assertThat(y).containsExactly(expected);
  }

  @Test
  void theSameNumbersGiveTheSameImagesAndBadOnesAreRefused() {
    var affine = new RandomAffine(20, 0.1, 0.2, 0.3, true);
    Tensor x = counted(9, 7);
    float[] once = affine.apply(x, new SplittableRandom(4)).toFloatArray();
    assertThat(affine.apply(x, new SplittableRandom(4)).toFloatArray()).containsExactly(once);
    assertThat(affine.apply(x, new SplittableRandom(5)).toFloatArray()).isNotEqualTo(once);
    assertThatThrownBy(() -> new RandomAffine(0, 0, 1, 0, false))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageStartingWith("randomAffine: bounds must be in 0..180 for degrees");
    assertThatThrownBy(() -> affine.apply(x.to(DType.F64), new SplittableRandom(1)))
        .hasMessageStartingWith("randomAffine: images must be f32 [n, channels, height, width]");
  }

  private void picture(String name, int width, int height, int colour) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    var image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < width * height; i++) {
      image.setRGB(i % width, i / width, colour);
    }
    ImageIO.write(image, "png", file.toFile());
  }

  @Test
  void foldersAreClasses() throws IOException {
    picture("dog/b.png", 8, 4, 0xFF0033);
    picture("cat/a.PNG", 3, 6, 0x336699);
    picture("dog/a.png", 4, 4, 0x00FF00);
    Files.writeString(folder.resolve("dog/notes.txt"), "none");
    Files.createDirectories(folder.resolve("empty"));
    var data = new ImageFolder(DEVICE, folder, 4, 0.2, 0.5);
    assertThat(data.classes()).containsExactly("cat", "dog");
    assertThat(data.size()).isEqualTo(3);
    Batch batch = data.batch(new long[] {2, 0});
    assertThat(batch.y().toLongArray()).containsExactly(1, 0);
    assertThat(batch.x().shape().dims()).containsExactly(2, 3, 4, 4);
    float[] x = batch.x().toFloatArray();
    int[] bytes = {0xFF, 0, 0x33, 0x33, 0x66, 0x99};
    for (int i = 0; i < x.length; i++) {
      assertThat(x[i]).isCloseTo((bytes[i / 16] / 255f - 0.2f) / 0.5f, within(1e-6f));
    }
    assertThatThrownBy(() -> data.batch(new long[] {3}))
        .hasMessage("imageFolder.batch: index must be in 0..size; index=3, size=3");
  }

  @Test
  void whatIsNoPictureIsTold() throws IOException {
    Files.createDirectories(folder.resolve("a"));
    assertThatThrownBy(() -> new ImageFolder(DEVICE, folder, 4, 0, 1))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("holds no folders with pictures");
    Files.writeString(folder.resolve("a/x.png"), "no picture");
    var data = new ImageFolder(DEVICE, folder, 4, 0, 1);
    assertThatThrownBy(() -> data.batch(new long[] {0}))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("is no picture of a known format");
    assertThatThrownBy(() -> new ImageFolder(DEVICE, folder.resolve("none"), 4, 0, 1))
        .isInstanceOf(FileException.class);
    assertThatThrownBy(() -> new ImageFolder(DEVICE, folder, 0, 0, 1))
        .isInstanceOf(InvalidArgumentException.class);
  }
}
