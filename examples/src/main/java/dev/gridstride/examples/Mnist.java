package dev.gridstride.examples;

import dev.gridstride.Autograd;
import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.device.Device;
import dev.gridstride.examples.data.Digits;
import dev.gridstride.examples.report.Classified;
import dev.gridstride.examples.report.Curves;
import dev.gridstride.examples.report.Report;
import dev.gridstride.io.Safetensors;
import dev.gridstride.nn.Conv2d;
import dev.gridstride.nn.Dropout;
import dev.gridstride.nn.Layer;
import dev.gridstride.nn.Linear;
import dev.gridstride.nn.Module;
import dev.gridstride.nn.Sequential;
import dev.gridstride.optim.Adam;
import dev.gridstride.optim.LrSchedule;
import java.io.IOException;
import java.util.SplittableRandom;

/**
 * Learns to read handwritten digits with a small convolutional network.
 *
 * <p>The four parts of every learning system, in this order below: the data (images and what they
 * show), the model (a function with many parameters, random at first), the objective (how wrong it
 * is: cross-entropy), and the algorithm (gradient descent: go a small step against the gradient of
 * the objective, again and again).
 */
public final class Mnist implements Example {
  static final int CLASSES = 10;

  /** Mean and standard deviation of MNIST's grey values: the network sees numbers around 0. */
  static final float MEAN = 0.1307f;

  static final float STD = 0.3081f;

  private static final double TOP_LEARNING_RATE = 2e-3;
  private static final int TEST_BATCH = 500;

  @Override
  public String name() {
    return "mnist";
  }

  @Override
  public String description() {
    return "image classification: a convolutional network learns handwritten digits";
  }

  @Override
  public void run(Options options, Report report) throws IOException {
    Device device = options.device();
    int epochs = options.epochs(options.pick(3, 1));
    int batch = options.batch(64);
    var generator = new Generator(options.seed());

    Digits train = Digits.read(options, "train", CLASSES).first(options.pick(60_000, 2_000));
    Digits test = Digits.read(options, "t10k", CLASSES).first(options.pick(10_000, 1_000));

    try (Module model = network(device, generator, train)) {
      report.line(
          "%s: %,d images, %,d for testing; %,d parameters; on %s",
          name(), train.size(), test.size(), model.parameterCount(), device);
      Classified classified = fit(model, train, test, epochs, batch, options, report);
      report.line("%n%s", classified.confusion());
      report.line(
          "accuracy %.2f%%, %d mistakes", 100 * classified.accuracy(), classified.mistakes());
      report.result("loss", classified.loss());
      report.result("accuracy", classified.accuracy());
      report.atLeast("accuracy", classified.accuracy(), options.pick(0.988, 0.8));
      Safetensors.write(report.file("mnist.safetensors"), model.state());
      Curves.save(report.file("curves.png"), name(), report.history());
      classified.saveMistakes(
          report.file("mistakes.png"), 40, test.width(), test.height(), test::image);
    }
  }

  /** The model: two convolutions find strokes and their combinations, two layers judge them. */
  static Module network(Device device, Generator g, Digits images) {
    long features = 64L * ((images.height() - 4) / 2) * ((images.width() - 4) / 2);
    return new Sequential(
        new Conv2d(device, g, 1, 32, 3),
        new Layer(Tensor::relu),
        new Conv2d(device, g, 32, 64, 3),
        new Layer(Tensor::relu),
        new Layer(x -> x.maxPool2d(2)),
        new Dropout(g, 0.25),
        new Layer(x -> x.flatten(1)),
        new Linear(device, g, features, 128),
        new Layer(Tensor::relu),
        new Dropout(g, 0.5),
        new Linear(device, g, 128, CLASSES));
  }

  /** The algorithm: gradient descent on the cross-entropy, and after each epoch the test images. */
  static Classified fit(
      Module model,
      Digits train,
      Digits test,
      int epochs,
      int batch,
      Options options,
      Report report) {
    Device device = options.device();
    var random = new SplittableRandom(options.seed());
    var classified = new Classified(CLASSES);
    try (var algorithm = new Adam(model.parameters(), TOP_LEARNING_RATE)) {
      // Large steps once the direction is clear, ever finer ones towards the end.
      int steps = epochs * Math.ceilDiv(train.size(), batch);
      var schedule = LrSchedule.oneCycle(TOP_LEARNING_RATE, steps);
      int step = 0;
      for (int epoch = 1; epoch <= epochs; epoch++) {
        try (var progress = report.epoch(epoch, epochs, train.size())) {
          model.train();
          int[] order = train.shuffled(random);
          for (int from = 0; from < train.size(); from += batch) {
            int to = Math.min(from + batch, train.size());
            algorithm.learningRate(schedule.at(step++));
            try (Scope scope = Scope.open()) {
              var samples = train.batch(device, order, from, to, MEAN, STD);
              Tensor loss = model.forward(samples.images()).crossEntropy(samples.labels());
              loss.backward();
              algorithm.step();
              model.zeroGrad();
              progress.step(to - from, loss.item());
            }
          }
          classified = classify(model, test, device);
          progress.end(classified.loss(), classified.accuracy());
        }
      }
    }
    return classified;
  }

  /** Asks the model about every test image. */
  static Classified classify(Module model, Digits test, Device device) {
    var result = new Classified(CLASSES);
    model.eval();
    int[] order = test.order();
    for (int from = 0; from < test.size(); from += TEST_BATCH) {
      int to = Math.min(from + TEST_BATCH, test.size());
      try (Scope scope = Scope.open()) {
        var samples = test.batch(device, order, from, to, MEAN, STD);
        Tensor p = Autograd.noGrad(() -> model.forward(samples.images()).softmax(1));
        result.add(p.toFloatArray(), samples.labels().toLongArray());
      }
    }
    return result;
  }
}
