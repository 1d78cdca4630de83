package dev.gridstride.examples;

import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.device.Device;
import dev.gridstride.examples.data.Digits;
import dev.gridstride.examples.report.Classified;
import dev.gridstride.examples.report.Curves;
import dev.gridstride.examples.report.Report;
import dev.gridstride.io.Safetensors;
import dev.gridstride.nn.Dropout;
import dev.gridstride.nn.Flatten;
import dev.gridstride.nn.Linear;
import dev.gridstride.nn.Module;
import dev.gridstride.nn.ReLU;
import dev.gridstride.nn.Sequential;
import dev.gridstride.optim.Adam;
import dev.gridstride.optim.LrSchedule;
import java.io.IOException;
import java.util.SplittableRandom;

/**
 * Learns to read handwritten digits with a multi-layer perceptron: every pixel is a number, and the
 * network does not know which pixels are neighbours.
 *
 * <p>It is the step between {@link TwoClasses} (one logit) and {@link Mnist} (a network that looks
 * at neighbourhoods): ten logits, of which softmax makes probabilities, and cross-entropy, the mean
 * of {@code -log(probability of the truth)}, as the objective.
 */
public final class MnistMlp implements Example {
  private static final double TOP_LEARNING_RATE = 3e-3;

  @Override
  public String name() {
    return "mnist-mlp";
  }

  @Override
  public String description() {
    return "image classification: a multi-layer perceptron learns handwritten digits";
  }

  @Override
  public void run(Options options, Report report) throws IOException {
    Device device = options.device();
    int epochs = options.epochs(options.pick(6, 2));
    int batch = options.batch(128);
    var generator = new Generator(options.seed());
    var random = new SplittableRandom(options.seed());

    // Data: grey values, shifted and scaled to lie around 0, and what they show.
    int classes = Mnist.CLASSES;
    Digits train = Digits.read(options, "train", classes).first(options.pick(60_000, 6_000));
    Digits test = Digits.read(options, "t10k", classes).first(options.pick(10_000, 2_000));

    try (Module model = network(device, generator, train)) {
      report.line(
          "%s: %,d images, %,d for testing; %,d parameters; on %s",
          name(), train.size(), test.size(), model.parameterCount(), device);
      var classified = new Classified(classes);
      int steps = epochs * Math.ceilDiv(train.size(), batch);
      var schedule = LrSchedule.oneCycle(TOP_LEARNING_RATE, steps);
      int step = 0;
      try (var algorithm = new Adam(model.parameters(), TOP_LEARNING_RATE)) {
        for (int epoch = 1; epoch <= epochs; epoch++) {
          try (var progress = report.epoch(epoch, epochs, train.size())) {
            model.train();
            int[] order = train.shuffled(random);
            for (int from = 0; from < train.size(); from += batch) {
              int to = Math.min(from + batch, train.size());
              algorithm.learningRate(schedule.at(step++));
              try (Scope scope = Scope.open()) {
                var samples = train.batch(device, order, from, to, Mnist.MEAN, Mnist.STD);
                // Objective: cross-entropy. Algorithm: a step against its gradient.
                Tensor loss = model.forward(samples.images()).crossEntropy(samples.labels());
                loss.backward();
                algorithm.step();
                model.zeroGrad();
                progress.step(to - from, loss.item());
              }
            }
            classified = Mnist.classify(model, test, device);
            progress.end(classified.loss(), classified.accuracy());
          }
        }
      }
      report.line("%n%s", classified.confusion());
      report.result("loss", classified.loss());
      report.result("accuracy", classified.accuracy());
      report.atLeast("accuracy", classified.accuracy(), options.pick(0.978, 0.88));
      Safetensors.write(report.file("mnist-mlp.safetensors"), model.state());
      Curves.save(report.file("curves.png"), name(), report.history());
      classified.saveMistakes(
          report.file("mistakes.png"), 40, test.width(), test.height(), test::image);
    }
  }

  /** The model: 784 numbers in, two layers of features, ten logits out. */
  private static Module network(Device device, Generator g, Digits images) {
    return new Sequential(
        new Flatten(),
        new Linear(device, g, (long) images.height() * images.width(), 256),
        new ReLU(),
        new Dropout(g, 0.2),
        new Linear(device, g, 256, 128),
        new ReLU(),
        new Linear(device, g, 128, Mnist.CLASSES));
  }
}
