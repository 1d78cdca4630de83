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
import dev.gridstride.nn.Linear;
import dev.gridstride.nn.Module;
import dev.gridstride.optim.SGD;
import java.io.IOException;
import java.util.SplittableRandom;

/**
 * Learns to predict house prices with a linear function: the smallest learning system.
 *
 * <p>For a linear function the best answer can also be computed directly (least squares), so the
 * example shows that gradient descent, which knows nothing of linear algebra, finds the same.
 */
public final class Housing implements Example {
  private static final double LEARNING_RATE = 0.02;
  private static final double MOMENTUM = 0.9;
  private static final double HELD_OUT = 0.2;
  private static final double TOLERANCE = 0.02;

  @Override
  public String name() {
    return "housing";
  }

  @Override
  public String description() {
    return "regression: a linear function learns house prices, beside least squares";
  }

  @Override
  public void run(Options options, Report report) throws IOException {
    Device device = options.device();
    int epochs = options.epochs(400);
    var random = new SplittableRandom(options.seed());

    // Data: a random fifth is held out, to see how good the function is on what it has not seen.
    Table all = Table.read(options, "boston-housing.csv", "medv").shuffled(random);
    int cut = all.size() - (int) Math.round(HELD_OUT * all.size());
    if (cut == all.size()) {
      throw new UsageException("housing needs at least 3 samples; there are " + all.size());
    }
    Table train = all.part(0, cut).standardised(all.part(0, cut));
    Table test = all.part(cut, all.size()).standardised(all.part(0, cut));
    int batch = options.batch(train.size());
    report.line(
        "%s: %d districts, %d held out; %d features; on %s",
        name(), all.size(), test.size(), train.columns(), device);

    // Model: price = weights * features + constant, random at first. Algorithm: gradient descent.
    var generator = new Generator(options.seed());
    try (Module model = new Linear(device, generator, train.columns(), 1);
        var algorithm = new SGD(model.parameters(), LEARNING_RATE, MOMENTUM)) {
      for (int epoch = 1; epoch <= epochs; epoch++) {
        try (var progress = report.epoch(epoch, epochs, train.size())) {
          Table samples = train.shuffled(random);
          for (int from = 0; from < train.size(); from += batch) {
            Table part = samples.part(from, Math.min(from + batch, train.size()));
            try (Scope scope = Scope.open()) {
              Tensor predicted = model.forward(part.featureTensor(device));
              Tensor loss = meanSquaredError(predicted, part.targetTensor(device));
              loss.backward();
              algorithm.step();
              model.zeroGrad();
              progress.step(part.size(), loss.item());
            }
          }
          double rmse = Errors.of(test.targets(), predict(model, test, device)).rmse();
          progress.end(rmse * rmse);
        }
      }
      judge(options, report, model, train, test);
    }
  }

  /** The objective. */
  private static Tensor meanSquaredError(Tensor predicted, Tensor truth) {
    Tensor error = predicted.sub(truth);
    return error.mul(error).mean();
  }

  private static double[] predict(Module model, Table table, Device device) {
    try (Scope scope = Scope.open()) {
      return Autograd.noGrad(() -> model.forward(table.featureTensor(device)).toDoubleArray());
    }
  }

  private void judge(Options options, Report report, Module model, Table train, Table test)
      throws IOException {
    double[] predicted = predict(model, test, options.device());
    Errors learned = Errors.of(test.targets(), predicted);
    Errors exact = Errors.of(test.targets(), LeastSquares.fit(train).predict(test));
    report.line("%nheld-out districts, in 1,000 dollars   RMSE     MAE");
    report.line("learned by gradient descent          %6.3f  %6.3f", learned.rmse(), learned.mae());
    report.line("least squares, closed form           %6.3f  %6.3f%n", exact.rmse(), exact.mae());
    report.result("loss", learned.rmse() * learned.rmse());
    report.result("rmse", learned.rmse());
    report.result("mae", learned.mae());
    report.result("leastSquaresRmse", exact.rmse());
    report.result("leastSquaresMae", exact.mae());
    if (options.isDefaultRun()) {
      report.check(
          "RMSE within 2% of least squares",
          Math.abs(learned.rmse() - exact.rmse()) <= TOLERANCE * exact.rmse());
    }
    Safetensors.write(report.file("housing.safetensors"), model.state());
    Curves.save(report.file("curves.png"), name(), report.history());
    Scatter.save(
        report.file("predictions.png"),
        "housing: price of held-out districts",
        "1,000 dollars",
        test.targets(),
        predicted);
  }
}
