package dev.gridstride.examples.report;

import dev.gridstride.metrics.ConfusionMatrix;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.IntFunction;

/** What a classifier said about a set of samples, and how right it was. */
public final class Classified {
  private record Guess(int sample, int truth, int guess, double confidence) {}

  private final int classes;
  private final ConfusionMatrix confusion;
  private final List<Guess> mistakes = new ArrayList<>();
  private double lossSum;
  private int count;

  /** Nothing yet. */
  public Classified(int classes) {
    this.classes = classes;
    this.confusion = new ConfusionMatrix(classes);
  }

  /**
   * Adds the next samples.
   *
   * @param probabilities row-major, a row for each sample, a column for each class
   * @param labels the true classes
   */
  public void add(float[] probabilities, long[] labels) {
    for (int i = 0; i < labels.length; i++) {
      int truth = (int) labels[i];
      int row = i * classes;
      int guess = 0;
      for (int c = 1; c < classes; c++) {
        if (probabilities[row + c] > probabilities[row + guess]) {
          guess = c;
        }
      }
      // a probability that f32 rounds to 0 counts as the smallest one that it does not
      lossSum -= Math.log(Math.max(probabilities[row + truth], Float.MIN_NORMAL));
      confusion.add(truth, guess);
      if (guess != truth) {
        mistakes.add(new Guess(count, truth, guess, probabilities[row + guess]));
      }
      count++;
    }
  }

  /** Mean cross-entropy. */
  public double loss() {
    return lossSum / count;
  }

  /** Share of right guesses, 0 to 1. */
  public double accuracy() {
    return confusion.accuracy();
  }

  /** Number of wrong guesses. */
  public int mistakes() {
    return mistakes.size();
  }

  /** Which class was taken for which. */
  public ConfusionMatrix confusion() {
    return confusion;
  }

  /**
   * Draws the mistakes in which the classifier was surest of itself, into a PNG file.
   *
   * @param most number of images at most
   * @param pixels grey values of a sample, from 0 to 1
   */
  public void saveMistakes(Path file, int most, int width, int height, IntFunction<float[]> pixels)
      throws IOException {
    var worst =
        mistakes.stream()
            .sorted(Comparator.comparingDouble(Guess::confidence).reversed())
            .limit(most)
            .toList();
    var sheet =
        new ImageSheet(
            mistakes.isEmpty()
                ? "No mistakes among " + count + " images"
                : "The %d surest of %d mistakes among %,d images"
                    .formatted(worst.size(), mistakes.size(), count),
            10,
            3);
    for (Guess g : worst) {
      sheet.add(
          pixels.apply(g.sample()),
          width,
          height,
          "true " + g.truth(),
          String.format(Locale.ROOT, "guess %d, %.1f%%", g.guess(), 100 * g.confidence()));
    }
    sheet.save(file);
  }
}
