package dev.gridstride.examples;

import dev.gridstride.Autograd;
import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.examples.data.Digits;
import dev.gridstride.examples.report.Curves;
import dev.gridstride.examples.report.Report;
import dev.gridstride.io.Safetensors;
import dev.gridstride.metrics.RunningMean;
import dev.gridstride.optim.Adam;
import dev.gridstride.optim.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Draws digits that nobody wrote: a forger and a detective teach each other.
 *
 * <p>The data are pictures of digits. The model is two networks: the generator makes a picture of
 * random numbers and a wanted digit, the discriminator says whether a picture is a real one of that
 * digit. Each has an objective of its own: the discriminator's is to be right, the generator's that
 * the discriminator is wrong. The algorithm is gradient descent in turn, a step of one, a step of
 * the other. Goodfellow et al., "Generative Adversarial Nets", 2014; Mirza and Osindero,
 * "Conditional Generative Adversarial Nets", 2014; Radford et al., "Unsupervised Representation
 * Learning with Deep Convolutional Generative Adversarial Networks", 2016.
 */
public final class Gan implements Example {
  private static final double LEARNING_RATE = 5e-4;

  /** What the discriminator is told of real pictures: it shall not become too sure. */
  private static final double REAL = 0.9;

  private static final int DRAWN_BATCH = 100;

  @Override
  public String name() {
    return "gan";
  }

  @Override
  public String description() {
    return "image generation: a generator learns to deceive a discriminator; --resume goes on";
  }

  @Override
  public boolean resumes() {
    return true;
  }

  @Override
  public void run(Options options, Report report) throws IOException {
    Device device = options.device();
    int epochs = options.epochs(options.pick(6, 3));
    int batch = options.batch(options.pick(64, 16));
    var generator = new Generator(options.seed());
    Digits train =
        Digits.read(options, "train", Mnist.CLASSES).inFours().first(options.pick(60_000, 2_000));
    Digits test = Digits.read(options, "t10k", Mnist.CLASSES).first(options.pick(2_000, 250));
    try (DigitJudge judge = DigitJudge.train(options, report, train, test);
        var model = new GanPair(device, generator, train);
        // parameters without a gradient are left alone: one optimizer serves both in turn
        var algorithm = optimizer(model)) {
      report.training(name());
      report.line(
          "%s: %,d images; parameters: generator %,d, discriminator %,d; on %s",
          name(),
          train.size(),
          model.generator.trained().parameterCount(),
          model.discriminator.parameterCount(),
          device);
      Path checkpoint = options.out().resolve("checkpoint.safetensors");
      int done = 0;
      if (options.resume()) {
        done = (int) Checkpoint.load(checkpoint, device, model, algorithm, generator);
        report.line("goes on after epoch %d of %s", done, checkpoint);
      }
      long step = (long) done * Math.ceilDiv(train.size(), batch);
      for (int epoch = done + 1; epoch <= epochs; epoch++) {
        try (var progress = report.epoch(epoch, epochs, train.size())) {
          model.train();
          int[] order = train.shuffled(new SplittableRandom(31 * options.seed() + epoch));
          for (int from = 0; from < train.size(); from += batch) {
            int to = Math.min(from + batch, train.size());
            try (Scope scope = Scope.open()) {
              var real = train.batch(device, order, from, to, 0.5f, 0.5f);
              progress.step(to - from, learn(model, algorithm, real, generator));
              model.generator.update(step++);
            }
          }
          model.eval();
          progress.end(testLoss(options, model, test));
        }
        Files.createDirectories(options.out());
        Checkpoint.save(checkpoint, model, algorithm, generator, epoch);
        draw(options, report, model, judge, train, 100, "epoch-%02d".formatted(epoch));
      }
      Safetensors.write(report.file("gan.safetensors"), model.generator.average().state());
      Curves.save(report.file("curves.png"), name(), report.history());
      int n = options.limit(options.pick(1_000, 100));
      var verdict = draw(options, report, model, judge, train, n, "samples");
      verdict.tell(report);
      verdict.check(options, report, 0.3);
    }
  }

  private static Adam optimizer(GanPair model) {
    var all = new ArrayList<>(model.generator.trained().parameters());
    all.addAll(model.discriminator.parameters());
    // little memory of past gradients: the opponent has changed since
    return new Adam(
        all,
        LEARNING_RATE,
        t -> new dev.gridstride.kernels.Adam(t, 0.5, 0.999, 1e-8, 0, false, true, false));
  }

  /** A step of the discriminator, then one of the generator; the discriminator's loss. */
  private static double learn(GanPair model, Adam algorithm, Digits.Batch real, Generator g) {
    Device device = real.images().device();
    Tensor labels = oneHot(real.labels());
    Tensor made = model.make(noise(device, g, labels.size(0)), labels);
    Tensor loss = objective(model, real.images(), made.detach(), labels);
    loss.backward();
    algorithm.step();
    model.zeroGrad();

    Tensor wanted = Tensors.ones(device, DType.F32, labels.size(0));
    model.isReal(made, labels).binaryCrossEntropyWithLogits(wanted).backward();
    model.discriminator.zeroGrad(); // this step is the generator's
    algorithm.step();
    model.zeroGrad();
    return loss.item();
  }

  /** The discriminator's objective: ln 2 = 0.69 for one that cannot tell them apart. */
  private static Tensor objective(GanPair model, Tensor real, Tensor made, Tensor labels) {
    Tensor pictures = Tensors.concat(0, real, made);
    Tensor answers = model.isReal(pictures, Tensors.concat(0, labels, labels));
    Tensor yes = Tensors.full(real.device(), DType.F32, REAL, real.size(0));
    Tensor no = Tensors.zeros(real.device(), DType.F32, real.size(0));
    return answers.binaryCrossEntropyWithLogits(Tensors.concat(0, yes, no));
  }

  private static Tensor oneHot(Tensor labels) {
    return labels.oneHot(Mnist.CLASSES, DType.F32);
  }

  private static Tensor noise(Device device, Generator g, long n) {
    return g.normal(device, DType.F32, 0, 1, n, GanPair.NOISE);
  }

  /** The discriminator's loss on pictures that it has never seen, real and made ones. */
  private static double testLoss(Options options, GanPair model, Digits test) {
    var same = new Generator(options.seed() + 1);
    var loss = new RunningMean();
    for (int from = 0; from < test.size(); from += DRAWN_BATCH) {
      int to = Math.min(from + DRAWN_BATCH, test.size());
      try (Scope scope = Scope.open()) {
        var real = test.batch(options.device(), test.order(), from, to, 0.5f, 0.5f);
        Tensor labels = oneHot(real.labels());
        Tensor z = noise(options.device(), same, to - from);
        loss.add(
            Autograd.noGrad(
                () -> objective(model, real.images(), model.make(z, labels), labels).item()),
            to - from);
      }
    }
    return loss.mean();
  }

  /** Draws n pictures, of the same random numbers each time; saves a sheet of what is seen. */
  private static DigitJudge.Verdict draw(
      Options options,
      Report report,
      GanPair model,
      DigitJudge judge,
      Digits like,
      int n,
      String name)
      throws IOException {
    Device device = options.device();
    int size = like.width() * like.height();
    var generator = new Generator(options.seed() + 2);
    var drawn = new float[n * size];
    model.eval();
    for (int from = 0; from < n; from += DRAWN_BATCH) {
      int m = Math.min(DRAWN_BATCH, n - from);
      try (Scope scope = Scope.open()) {
        Tensor z = noise(device, generator, m);
        long[] digits = IntStream.range(from, from + m).mapToLong(DigitJudge::asked).toArray();
        Tensor labels = oneHot(Tensors.of(device, digits, m));
        Tensor made = Autograd.noGrad(() -> model.make(z, labels));
        System.arraycopy(made.toFloatArray(), 0, drawn, from * size, m * size);
      }
    }
    return judge.judge(
        drawn,
        n,
        like,
        device,
        "gan: what the judge takes the samples for",
        report.file(name + ".png"));
  }
}
