package dev.gridstride.examples.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PicturesTest {
  @TempDir Path folder;

  private static History history(int epochs, int stepsEach) {
    var history = new History();
    for (int e = 1; e <= epochs; e++) {
      for (int s = 1; s <= stepsEach; s++) {
        double at = e - 1 + (double) s / stepsEach;
        history.add(new History.Step(at, 2.3 * Math.exp(-2 * at)));
      }
      history.add(new History.Row(e, 0.3 / e, 0.2 / e, 1 - 0.05 / e, 10, 6000));
    }
    return history;
  }

  @Test
  void curvesShowLossAndAccuracy() throws IOException {
    Curves.save(folder.resolve("both.png"), "mnist", history(3, 900));
    assertThat(read("both.png").getWidth()).isEqualTo(1280);
  }

  @Test
  void aShortRunHasCurvesToo() throws IOException {
    Curves.save(folder.resolve("short.png"), "mnist", history(1, 1));
    assertThat(read("short.png").getHeight()).isPositive();
  }

  @Test
  void aRunWithoutStepsHasAnEmptyPicture() throws IOException {
    var history = new History();
    history.add(new History.Row(1, 0.5, 0.6, Double.NaN, 1, 1));
    Curves.save(folder.resolve("loss.png"), "housing", history);
    assertThat(read("loss.png").getWidth()).isEqualTo(640);
  }

  @Test
  void scatterHoldsEveryPoint() throws IOException {
    var random = new Random(5);
    double[] truth = random.doubles(100, 5, 50).toArray();
    double[] guess = truth.clone();
    for (int i = 0; i < guess.length; i++) {
      guess[i] += 4 * random.nextGaussian();
    }
    Scatter.save(folder.resolve("s.png"), "housing: price", "1,000 dollars", truth, guess);
    assertThat(read("s.png").getWidth()).isEqualTo(640);
  }

  @Test
  void sheetGrowsWithItsCells() throws IOException {
    var sheet = new ImageSheet("worst mistakes", 4, 2);
    for (int i = 0; i < 6; i++) {
      var pixels = new float[28 * 20];
      pixels[i] = 1;
      sheet.add(pixels, 20, 28, "truth " + i, "guess 9, 100.0%");
    }
    sheet.save(folder.resolve("sheet.png"));
    BufferedImage image = read("sheet.png");
    assertThat(image.getHeight()).isBetween(2 * 56, 400);
    assertThat(image.getWidth()).isBetween(4 * 60, 800);
    var empty = new ImageSheet("no mistakes at all", 4, 2);
    empty.save(folder.resolve("empty.png"));
    assertThat(read("empty.png").getWidth()).isBetween(100, 400);
  }

  private BufferedImage read(String name) throws IOException {
    return ImageIO.read(folder.resolve(name).toFile());
  }
}
