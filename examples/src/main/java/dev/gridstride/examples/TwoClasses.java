package dev.gridstride.examples;

import dev.gridstride.Autograd;
import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.Device;
import dev.gridstride.examples.data.Table;
import dev.gridstride.examples.report.Report;
import dev.gridstride.examples.report.RocPicture;
import dev.gridstride.metrics.ConfusionMatrix;
import dev.gridstride.metrics.Roc;
import dev.gridstride.metrics.RunningMean;
import dev.gridstride.nn.Dropout;
import dev.gridstride.nn.Linear;
import dev.gridstride.nn.Module;
import dev.gridstride.nn.ReLU;
import dev.gridstride.nn.Sequential;
import dev.gridstride.optim.AdamW;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.DoubleUnaryOperator;

/**
 * Learns to tell two classes apart: first by a weighted sum (logistic regression), then by a
 * network.
 *
 * <p>A model gives a number, its logit; the logistic function makes a probability of it; the
 * objective, binary cross-entropy, is small where the model gave the truth a high probability. With
 * few samples one held-out part says little, so each fifth is held out once (cross-validation) and
 * every sample is judged by a model that has not seen it.
 */
public final class TwoClasses implements Example {
  private static final int FOLDS = 5;
  private static final int HIDDEN = 32;

  /** What a model says of the samples that it has not seen: that they are of the second class. */
  private record Answers(float[] probabilities, RunningMean loss) {}

  private final String name;
  private final String description;
  private final String file;
  private final String target;
  private final List<String> classes;
  private final DoubleUnaryOperator feature;
  private final double bar;
  private final double quickBar;

  private TwoClasses(
      String name,
      String description,
      String file,
      String target,
      List<String> classes,
      DoubleUnaryOperator feature,
      double bar,
      double quickBar) {
    this.name = name;
    this.description = description;
    this.file = file;
    this.target = target;
    this.classes = classes;
    this.feature = feature;
    this.bar = bar;
    this.quickBar = quickBar;
  }

  /** Biopsies: is the tumour malignant? */
  public static TwoClasses cancer() {
    return new TwoClasses(
        "cancer",
        "two classes: is a tumour malignant? with precision, recall and ROC",
        "breast-cancer.csv",
        "Class",
        List.of("benign", "malignant"),
        x -> x,
        0.96,
        0.94);
  }

  /** E-mails: spam or not? Frequencies span orders of magnitude, so their logarithms are used. */
  public static TwoClasses spam() {
    return new TwoClasses(
        "spam",
        "two classes: is an e-mail spam? from the frequencies of its words",
        "spambase.csv",
        "type",
        List.of("nonspam", "spam"),
        x -> Math.log(x + 0.1),
        0.93,
        0.90);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public void run(Options options, Report report) throws IOException {
    Device device = options.device();
    var random = new SplittableRandom(options.seed());
    Table all =
        Table.readClasses(options, file, target, classes.getLast())
            .map(feature)
            .some(options, random);
    int folds = options.pick(FOLDS, 1);
    if (all.size() < 2 * FOLDS) {
      throw new UsageException(
          name + " needs at least " + 2 * FOLDS + " samples; there are " + all.size());
    }
    report.line(
        "%s: %,d samples, %.1f%% %s; %d features; on %s",
        name,
        all.size(),
        100 * Arrays.stream(all.targets()).average().orElse(0),
        classes.getLast(),
        all.columns(),
        device);

    var judged = Math.toIntExact((long) folds * all.size() / FOLDS);
    var logistic = new Answers(new float[judged], new RunningMean());
    var network = new Answers(new float[judged], new RunningMean());
    for (int fold = 0; fold < folds; fold++) {
      int from = fold * all.size() / FOLDS;
      int to = (fold + 1) * all.size() / FOLDS;
      Table seen = Table.join(all.part(0, from), all.part(to, all.size()));
      Table train = seen.standardised(seen);
      Table test = all.part(from, to).standardised(seen);
      var g = new Generator(options.seed() + fold);
      try (Module sum = new Linear(device, g, all.columns(), 1);
          Module net = network(device, g, all.columns())) {
        double sumLoss = train(options, sum, train, random);
        double netLoss = train(options, net, train, random);
        predict(device, sum, test, logistic, from);
        predict(device, net, test, network, from);
        report.line(
            "part %d/%d held out: training loss %.4f logistic, %.4f network",
            fold + 1, folds, sumLoss, netLoss);
      }
    }
    judge(options, report, all.part(0, judged), logistic, network);
  }

  private static Module network(Device device, Generator g, int features) {
    return new Sequential(
        new Linear(device, g, features, HIDDEN),
        new ReLU(),
        new Dropout(g, 0.3),
        new Linear(device, g, HIDDEN, 1));
  }

  /** The algorithm: gradient descent by Adam; the mean loss of the last epoch. */
  private static double train(Options options, Module model, Table train, SplittableRandom random) {
    int batch = options.batch(64);
    int epochs = options.epochs(options.pick(40, 10));
    double loss = Double.NaN;
    model.train();
    try (var algorithm = new AdamW(model.parameters(), 3e-3, 1e-2)) {
      for (int epoch = 0; epoch < epochs; epoch++) {
        Table samples = train.shuffled(random);
        loss = 0;
        for (int from = 0; from < train.size(); from += batch) {
          Table part = samples.part(from, Math.min(from + batch, train.size()));
          try (Scope scope = Scope.open()) {
            Tensor logits = model.forward(part.featureTensor(options.device()));
            Tensor objective =
                logits.binaryCrossEntropyWithLogits(part.targetTensor(options.device()));
            objective.backward();
            algorithm.step();
            model.zeroGrad();
            loss += objective.item() * part.size() / train.size();
          }
        }
      }
    }
    return loss;
  }

  private static void predict(Device device, Module model, Table test, Answers into, int at) {
    model.eval();
    try (Scope scope = Scope.open()) {
      Tensor x = test.featureTensor(device);
      Tensor logits = Autograd.noGrad(() -> model.forward(x));
      float[] p = logits.sigmoid().toFloatArray();
      System.arraycopy(p, 0, into.probabilities, at, p.length);
      Tensor loss = logits.binaryCrossEntropyWithLogits(test.targetTensor(device));
      into.loss.add(loss.item(), p.length);
    }
  }

  private void judge(
      Options options, Report report, Table judged, Answers logistic, Answers network)
      throws IOException {
    var curves = new LinkedHashMap<String, Roc>();
    double accuracy = 0;
    report.line("%nheld out, each once     accuracy  precision  recall  area under ROC    loss");
    for (String model : List.of("logistic", "network")) {
      Answers answers = model.equals("logistic") ? logistic : network;
      float[] p = answers.probabilities;
      var matrix = new ConfusionMatrix(classes);
      for (int i = 0; i < p.length; i++) {
        matrix.add((int) judged.targets()[i], p[i] > 0.5f ? 1 : 0);
      }
      try (Tensor scores = Tensors.of(Device.cpu(), p, p.length);
          Tensor truth = Tensors.of(Device.cpu(), truth(judged), p.length)) {
        curves.put(model, Roc.of(scores, truth));
      }
      double area = curves.get(model).area();
      accuracy = matrix.accuracy();
      report.line(
          "%-22s  %7.2f%%  %8.2f%%  %5.2f%%  %14.4f  %6.4f",
          model,
          100 * accuracy,
          100 * matrix.precision(1),
          100 * matrix.recall(1),
          area,
          answers.loss.mean());
      report.result(model + ".loss", answers.loss.mean());
      report.result(model + ".accuracy", accuracy);
      report.result(model + ".precision", matrix.precision(1));
      report.result(model + ".recall", matrix.recall(1));
      report.result(model + ".area", area);
      report.atLeast(model + ": accuracy", accuracy, options.pick(bar, quickBar));
    }
    RocPicture.save(report.file("roc.png"), name, classes.getLast(), curves);
  }

  private static long[] truth(Table table) {
    return Arrays.stream(table.targets()).mapToLong(t -> (long) t).toArray();
  }
}
