package dev.gridstride.examples;

import dev.gridstride.Autograd;
import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.TopKResult;
import dev.gridstride.device.Device;
import dev.gridstride.examples.data.Digits;
import dev.gridstride.examples.report.Classified;
import dev.gridstride.examples.report.ImageSheet;
import dev.gridstride.examples.report.Report;
import dev.gridstride.nn.Module;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Says whether made pictures are digits: what the network of {@link Mnist}, which has seen real
 * ones only, takes them for, and how sure it is.
 */
final class DigitJudge implements AutoCloseable {
  /** Above this the judge counts as sure. */
  static final double SURE = 0.9;

  private static final int COLUMNS = 10;

  private final Module model;

  private DigitJudge(Module model) {
    this.model = model;
  }

  /**
   * What the judge says about a number of pictures.
   *
   * @param digits what each picture shows most probably
   * @param confidences how probable that is
   */
  record Verdict(int[] digits, double[] confidences) {
    /** Whether the judge is sure that picture {@code i} shows a digit. */
    boolean isSure(int i) {
      return confidences[i] > SURE;
    }

    /** Share of the pictures that the judge is sure of. */
    double share() {
      return Arrays.stream(confidences).filter(p -> p > SURE).count() / (double) digits.length;
    }

    /** Number of pictures of each digit that the judge is sure of. */
    int[] counts() {
      var counts = new int[Mnist.CLASSES];
      for (int i = 0; i < digits.length; i++) {
        counts[digits[i]] += isSure(i) ? 1 : 0;
      }
      return counts;
    }

    /** Number of digits of which the judge has seen at least one picture for sure. */
    int classes() {
      return (int) Arrays.stream(counts()).filter(n -> n > 0).count();
    }

    /** Share of the pictures that show the digit {@link #asked} for. */
    double asAsked() {
      return IntStream.range(0, digits.length).filter(i -> digits[i] == asked(i)).count()
          / (double) digits.length;
    }

    /** Tells the figures. */
    void tell(Report report) {
      report.line(
          "%na digit for sure (more than %.0f%%) in %.1f%% of %,d samples",
          100 * SURE, 100 * share(), digits.length);
      int[] counts = counts();
      for (int c = 0; c < counts.length; c++) {
        report.line("%4d %,6d", c, counts[c]);
      }
      report.result("share", share());
      report.result("classes", classes());
      report.line("the digit that was asked for in %.1f%%", 100 * asAsked());
      report.result("asAsked", asAsked());
    }

    /**
     * Holds a run of an example to the bar of models that make digits.
     *
     * @param quickBar least share of the digits that were asked for in a short run, whose judge is
     *     hardly ever sure
     */
    void check(Options options, Report report, double quickBar) {
      if (options.quick()) {
        report.atLeast("share of the digits that were asked for", asAsked(), quickBar);
        return;
      }
      report.atLeast("share of sure samples", share(), 0.8);
      if (options.isJudged()) {
        report.check("10 of 10 digits", classes() == Mnist.CLASSES);
      }
    }
  }

  /** The digit that sample {@code i} is asked to show: as many of each. */
  static int asked(int i) {
    return i % Mnist.CLASSES;
  }

  /** Picture i of several of {@code size} numbers from -1 to 1, as one from 0 to 1. */
  static float[] grey(float[] pictures, int i, int size) {
    float[] image = Arrays.copyOfRange(pictures, i * size, (i + 1) * size);
    for (int p = 0; p < size; p++) {
      image[p] = (image[p] + 1) / 2;
    }
    return image;
  }

  /** Judges n pictures from -1 to 1, and draws a PNG file of the first hundred of them. */
  Verdict judge(float[] drawn, int n, Digits like, Device device, String title, Path file)
      throws IOException {
    Verdict verdict;
    try (Scope scope = Scope.open()) {
      verdict = judge(Tensors.of(device, drawn, n, 1, like.height(), like.width()));
    }
    var sheet = new ImageSheet(title, COLUMNS, 3);
    for (int i = 0; i < Math.min(n, COLUMNS * COLUMNS); i++) {
      float[] grey = grey(drawn, i, like.width() * like.height());
      String caption = "%d: %.1f%%".formatted(verdict.digits[i], 100 * verdict.confidences[i]);
      sheet.add(grey, like.width(), like.height(), caption);
    }
    sheet.save(file);
    return verdict;
  }

  /** Trains a judge on real pictures; the same for the same seed. */
  static DigitJudge train(Options options, Report report, Digits train, Digits test) {
    report.training("judge");
    Module model = Mnist.network(options.device(), new Generator(options.seed()), train);
    Classified last = Mnist.fit(model, train, test, 1, 64, options, report);
    report.result("judgeAccuracy", last.accuracy());
    model.eval();
    return new DigitJudge(model);
  }

  /**
   * Judges pictures.
   *
   * @param images f32 {@code [n, 1, height, width]}, from -1 (paper) to 1 (ink)
   */
  private Verdict judge(Tensor images) {
    try (Scope scope = Scope.open()) {
      TopKResult best =
          Autograd.noGrad(() -> {
            Tensor grey = images.add(1).div(2);
            return model.forward(grey.sub(Mnist.MEAN).div(Mnist.STD)).softmax(1).topK(1, 1);
          });
      int[] digits = Arrays.stream(best.indices().toLongArray()).mapToInt(i -> (int) i).toArray();
      return new Verdict(digits, best.values().toDoubleArray());
    }
  }

  @Override
  public void close() {
    model.close();
  }
}
