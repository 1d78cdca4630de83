package dev.gridstride.examples;

import dev.gridstride.Autograd;
import dev.gridstride.ConvOptions;
import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.examples.data.Digits;
import dev.gridstride.examples.report.Curves;
import dev.gridstride.examples.report.ImageSheet;
import dev.gridstride.examples.report.Report;
import dev.gridstride.io.Safetensors;
import dev.gridstride.metrics.Metrics;
import dev.gridstride.metrics.RunningMean;
import dev.gridstride.nn.Conv2d;
import dev.gridstride.nn.ConvTranspose2d;
import dev.gridstride.nn.Module;
import dev.gridstride.nn.ReLU;
import dev.gridstride.nn.Sequential;
import dev.gridstride.optim.Adam;
import dev.gridstride.optim.LrSchedule;
import java.io.IOException;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Repairs damaged pictures with a convolutional autoencoder.
 *
 * <p>The data are pictures and the same pictures damaged here: a third of the pixels is lost, the
 * others are noisy. The model squeezes the damaged picture through fewer and fewer places
 * (convolutions with stride) and unfolds it again (transposed convolutions): what does not fit
 * through is noise, what does is strokes. The objective is the mean squared error from the
 * undamaged picture; in decibels, {@code -10 log10(mse)}, it is the PSNR.
 */
public final class Denoise implements Example {
  private static final int CHANNELS = 32;
  private static final double LOST = 0.3;
  private static final double NOISE = 0.3;
  private static final double TOP_LEARNING_RATE = 3e-3;
  private static final int TEST_BATCH = 250;
  private static final int SHOWN = 10;

  @Override
  public String name() {
    return "denoise";
  }

  @Override
  public String description() {
    return "image restoration: a convolutional autoencoder repairs damaged digits";
  }

  @Override
  public void run(Options options, Report report) throws IOException {
    Device device = options.device();
    int epochs = options.epochs(options.pick(3, 4));
    int batch = options.batch(options.pick(64, 32));
    var generator = new Generator(options.seed());
    var random = new SplittableRandom(options.seed());
    Digits train =
        Digits.read(options, "train", Mnist.CLASSES).inFours().first(options.pick(12_000, 1_000));
    Digits test = Digits.read(options, "t10k", Mnist.CLASSES).first(options.pick(2_000, 250));
    try (Module model = autoencoder(device, generator)) {
      report.line(
          "%s: %,d images, %,d for testing; %,d parameters; on %s",
          name(), train.size(), test.size(), model.parameterCount(), device);
      int steps = epochs * Math.ceilDiv(train.size(), batch);
      var schedule = LrSchedule.oneCycle(TOP_LEARNING_RATE, steps);
      int step = 0;
      try (var algorithm = new Adam(model.parameters(), TOP_LEARNING_RATE)) {
        for (int epoch = 1; epoch <= epochs; epoch++) {
          try (var progress = report.epoch(epoch, epochs, train.size())) {
            int[] order = train.shuffled(random);
            for (int from = 0; from < train.size(); from += batch) {
              int to = Math.min(from + batch, train.size());
              algorithm.learningRate(schedule.at(step++));
              try (Scope scope = Scope.open()) {
                Tensor clean = train.batch(device, order, from, to, 0, 1).images();
                // Every epoch damages the pictures anew.
                Tensor loss = model.forward(damage(clean, generator)).mseLoss(clean);
                loss.backward();
                algorithm.step();
                model.zeroGrad();
                progress.step(to - from, loss.item());
              }
            }
            progress.end(errors(options, model, test)[1]);
          }
        }
      }
      double[] mse = errors(options, model, test);
      double before = decibels(mse[0]);
      double after = decibels(mse[1]);
      report.line("%nPSNR: damaged %.2f dB, repaired %.2f dB", before, after);
      report.result("psnrDamaged", before);
      report.result("psnrRepaired", after);
      report.result("gain", after - before);
      if (options.isJudged()) {
        double bar = options.pick(6, 4.5);
        report.check("gain of at least %.1f dB".formatted(bar), after - before >= bar);
      }
      Safetensors.write(report.file("denoise.safetensors"), model.state());
      Curves.save(report.file("curves.png"), name(), report.history());
      saveSheet(options, report, model, test);
    }
  }

  /** The model: 28 x 28 pixels to 7 x 7 places and back. */
  private static Module autoencoder(Device device, Generator g) {
    ConvOptions half = ConvOptions.DEFAULT.withStride(2).withPadding(1);
    return new Sequential(
        new Conv2d(device, g, 1, CHANNELS, 3, half, true),
        new ReLU(),
        new Conv2d(device, g, CHANNELS, CHANNELS, 3, half, true),
        new ReLU(),
        new ConvTranspose2d(device, g, CHANNELS, CHANNELS, 4, half, true),
        new ReLU(),
        new ConvTranspose2d(device, g, CHANNELS, 1, 4, half, true));
  }

  private static Tensor damage(Tensor clean, Generator g) {
    long[] shape = {clean.size(0), clean.size(1), clean.size(2), clean.size(3)};
    Tensor kept = g.bernoulli(clean.device(), DType.F32, 1 - LOST, shape);
    Tensor noise = g.normal(clean.device(), DType.F32, 0, NOISE, shape);
    return clean.add(noise).mul(kept).clamp(0, 1);
  }

  /** Mean squared errors of the damaged and of the repaired test images; the same damage always. */
  private static double[] errors(Options options, Module model, Digits test) {
    var generator = new Generator(options.seed() + 1);
    var damaged = new RunningMean();
    var repaired = new RunningMean();
    for (int from = 0; from < test.size(); from += TEST_BATCH) {
      int to = Math.min(from + TEST_BATCH, test.size());
      try (Scope scope = Scope.open()) {
        Tensor clean = test.batch(options.device(), test.order(), from, to, 0, 1).images();
        Tensor spoilt = damage(clean, generator);
        Tensor mended = Autograd.noGrad(() -> model.forward(spoilt).clamp(0, 1));
        damaged.add(Math.pow(Metrics.rmse(spoilt, clean), 2), to - from);
        repaired.add(Math.pow(Metrics.rmse(mended, clean), 2), to - from);
      }
    }
    return new double[] {damaged.mean(), repaired.mean()};
  }

  private static double decibels(double mse) {
    return -10 * Math.log10(mse);
  }

  private static void saveSheet(Options options, Report report, Module model, Digits test)
      throws IOException {
    int n = Math.min(SHOWN, test.size());
    int size = test.width() * test.height();
    var sheet = new ImageSheet("denoise: images that the model has not seen", n, 3);
    try (Scope scope = Scope.open()) {
      Tensor clean = test.batch(options.device(), test.order(), 0, n, 0, 1).images();
      Tensor spoilt = damage(clean, new Generator(options.seed() + 1));
      Tensor mended = Autograd.noGrad(() -> model.forward(spoilt).clamp(0, 1));
      String[] captions = {"damaged", "repaired", "original"};
      Tensor[] rows = {spoilt, mended, clean};
      for (int row = 0; row < rows.length; row++) {
        float[] pixels = rows[row].toFloatArray();
        for (int i = 0; i < n; i++) {
          float[] image = Arrays.copyOfRange(pixels, i * size, (i + 1) * size);
          sheet.add(image, test.width(), test.height(), captions[row]);
        }
      }
    }
    sheet.save(report.file("sheet.png"));
  }
}
