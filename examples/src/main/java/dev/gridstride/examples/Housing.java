package dev.gridstride.examples;

import dev.gridstride.Autograd;
import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.device.Device;
import dev.gridstride.examples.data.LeastSquares;
import dev.gridstride.examples.data.Table;
import dev.gridstride.examples.report.Curves;
import dev.gridstride.examples.report.Errors;
import dev.gridstride.examples.report.Report;
import dev.gridstride.examples.report.Scatter;
import dev.gridstride.io.Safetensors;
import dev.gridstride.nn.Dropout;
import dev.gridstride.nn.Linear;
import dev.gridstride.nn.Module;
import dev.gridstride.nn.ReLU;
import dev.gridstride.nn.Sequential;
import dev.gridstride.optim.AdamW;
import dev.gridstride.optim.Optimizer;
import dev.gridstride.optim.SGD;
import java.io.IOException;
import java.util.SplittableRandom;

/**
 * Learns to predict house prices: the smallest learning system, and then a better one.
 *
 * <p>The loop is that of all deep learning: begin with random numbers, measure the loss, go a step
 * against its gradient, repeat. For a linear function the best answer can also be computed directly
 * (least squares), so the example shows that gradient descent, which knows nothing of linear
 * algebra, finds the same. The network after it bends where the prices do, and errs less.
 */
public final class Housing implements Example {
  private static final double LEARNING_RATE = 0.02;
  private static final double MOMENTUM = 0.9;
  private static final double HELD_OUT = 0.2;
  private static final double TOLERANCE = 0.02;
  private static final int HIDDEN = 64;

  /** Everything that both trainings share. */
  private record Lesson(
      Options options, Report report, SplittableRandom random, Table train, Table test) {}

  @Override
  public String name() {
    return "housing";
  }

  @Override
  public String description() {
    return "regression: a linear function, then a network, learn house prices";
  }

  @Override
  public void run(Options options, Report report) throws IOException {
    Device device = options.device();
    var random = new SplittableRandom(options.seed());

    // Data: a random fifth is held out, to see how good a model is on what it has not seen.
    Table all = Table.read(options, "boston-housing.csv", "medv").some(options, random);
    int cut = all.size() - (int) Math.round(HELD_OUT * all.size());
    if (cut == all.size()) {
      throw new UsageException("housing needs at least 3 samples; there are " + all.size());
    }
    Table train = all.part(0, cut).standardised(all.part(0, cut));
    Table test = all.part(cut, all.size()).standardised(all.part(0, cut));
    var lesson = new Lesson(options, report, random, train, test);
    report.line(
        "%s: %d districts, %d held out; %d features; on %s",
        name(), all.size(), test.size(), train.columns(), device);

    // Models: price = weights * features + constant; then two layers of 64 bends each.
    var generator = new Generator(options.seed());
    try (Module linear = new Linear(device, generator, train.columns(), 1);
        Module network = network(device, generator, train.columns())) {
      // Algorithm: gradient descent, with all samples in one step; then Adam, with 32 at a time.
      report.training("linear");
      try (var descent = new SGD(linear.parameters(), LEARNING_RATE, MOMENTUM)) {
        train(lesson, linear, descent, options.epochs(400), options.batch(train.size()));
      }
      Curves.save(report.file("curves.png"), "housing, linear", report.history());
      report.training("network");
      try (var adam = new AdamW(network.parameters(), 3e-3, 1e-2)) {
        train(lesson, network, adam, options.epochs(options.pick(150, 60)), options.batch(32));
      }
      Curves.save(report.file("curves-network.png"), "housing, network", report.history());
      judge(lesson, linear, network);
      Safetensors.write(report.file("housing.safetensors"), linear.state());
      Safetensors.write(report.file("housing-network.safetensors"), network.state());
    }
  }

  private static Module network(Device device, Generator g, int features) {
    return new Sequential(
        new Linear(device, g, features, HIDDEN),
        new ReLU(),
        new Dropout(g, 0.1),
        new Linear(device, g, HIDDEN, HIDDEN),
        new ReLU(),
        new Linear(device, g, HIDDEN, 1));
  }

  private static void train(
      Lesson lesson, Module model, Optimizer algorithm, int epochs, int batch) {
    Device device = lesson.options().device();
    Table train = lesson.train();
    for (int epoch = 1; epoch <= epochs; epoch++) {
      try (var progress = lesson.report().epoch(epoch, epochs, train.size())) {
        model.train();
        Table samples = train.shuffled(lesson.random());
        for (int from = 0; from < train.size(); from += batch) {
          Table part = samples.part(from, Math.min(from + batch, train.size()));
          try (Scope scope = Scope.open()) {
            Tensor predicted = model.forward(part.featureTensor(device));
            // Objective: the mean squared error.
            Tensor loss = predicted.mseLoss(part.targetTensor(device));
            loss.backward();
            algorithm.step();
            model.zeroGrad();
            progress.step(part.size(), loss.item());
          }
        }
        double rmse = Errors.of(lesson.test().targets(), predict(lesson, model)).rmse();
        progress.end(rmse * rmse);
      }
    }
  }

  private static double[] predict(Lesson lesson, Module model) {
    model.eval();
    try (Scope scope = Scope.open()) {
      Tensor features = lesson.test().featureTensor(lesson.options().device());
      return Autograd.noGrad(() -> model.forward(features).toDoubleArray());
    }
  }

  private static void judge(Lesson lesson, Module linear, Module network) throws IOException {
    Report report = lesson.report();
    double[] truth = lesson.test().targets();
    Errors learned = Errors.of(truth, predict(lesson, linear));
    Errors exact = Errors.of(truth, LeastSquares.fit(lesson.train()).predict(lesson.test()));
    Errors better = Errors.of(truth, predict(lesson, network));
    report.line("%nheld-out districts, in 1,000 dollars   RMSE     MAE");
    report.line("linear, by gradient descent          %6.3f  %6.3f", learned.rmse(), learned.mae());
    report.line("least squares, closed form           %6.3f  %6.3f", exact.rmse(), exact.mae());
    report.line("network                              %6.3f  %6.3f%n", better.rmse(), better.mae());
    report.result("loss", learned.rmse() * learned.rmse());
    report.result("rmse", learned.rmse());
    report.result("mae", learned.mae());
    report.result("leastSquaresRmse", exact.rmse());
    report.result("leastSquaresMae", exact.mae());
    report.result("networkRmse", better.rmse());
    report.result("networkMae", better.mae());
    if (lesson.options().isJudged()) {
      report.check(
          "RMSE within 2% of least squares",
          Math.abs(learned.rmse() - exact.rmse()) <= TOLERANCE * exact.rmse());
      report.check("the network's RMSE is lower", better.rmse() < learned.rmse());
    }
    Scatter.save(
        report.file("predictions.png"),
        "housing: price of held-out districts, linear",
        "1,000 dollars",
        truth,
        predict(lesson, linear));
    Scatter.save(
        report.file("predictions-network.png"),
        "housing: price of held-out districts, network",
        "1,000 dollars",
        truth,
        predict(lesson, network));
  }
}
