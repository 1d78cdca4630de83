package dev.gridstride.examples;

import dev.gridstride.Autograd;
import dev.gridstride.ConvOptions;
import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.analysis.RandomizedSvd;
import dev.gridstride.data.RandomAffine;
import dev.gridstride.device.Device;
import dev.gridstride.examples.data.Digits;
import dev.gridstride.examples.data.MadeKinds;
import dev.gridstride.examples.report.Charts;
import dev.gridstride.examples.report.Curves;
import dev.gridstride.examples.report.Groups;
import dev.gridstride.examples.report.Pairs;
import dev.gridstride.examples.report.Report;
import dev.gridstride.examples.report.RocPicture;
import dev.gridstride.io.Safetensors;
import dev.gridstride.nn.BatchNorm2d;
import dev.gridstride.nn.Conv2d;
import dev.gridstride.nn.Flatten;
import dev.gridstride.nn.Linear;
import dev.gridstride.nn.MaxPool2d;
import dev.gridstride.nn.Module;
import dev.gridstride.nn.ReLU;
import dev.gridstride.nn.Sequential;
import dev.gridstride.optim.Adam;
import dev.gridstride.optim.Checkpoint;
import dev.gridstride.optim.LrSchedule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Tells whether two pictures show the same, of kinds that it has never seen: recognition as at a
 * face check-in, where nobody trains a network anew for each guest.
 *
 * <p>The data are digits, of which the first three are kept back altogether. Seven kinds of shapes
 * are too few to learn from what makes two shapes the same, so halves of digits are put together to
 * new ones, turned and mirrored: {@link MadeKinds}. The model makes of a picture a point on a
 * sphere, its embedding. The objective, contrastive, compares all pairs of a batch: the same kind
 * shall lie together, others apart. The algorithm is gradient descent. Then two pictures of digits
 * that were kept back count as the same when their points are near; the equal error rate, where as
 * many of the same are refused as others are taken for the same, says how well that goes.
 */
public final class Identify implements Example {
  /** Digits that are kept back; what is set below was chosen with others kept back. */
  private static final List<Integer> UNSEEN = List.of(0, 1, 2);

  private static final RandomAffine LOOKS = new RandomAffine(12, 0.06, 0.15, 0.25, false);

  /** Pictures of a kind in a batch. */
  private static final int EACH = 8;

  private static final int SIZE = 96;
  private static final double TEMPERATURE = 0.1;
  private static final double TOP_LEARNING_RATE = 2e-3;
  private static final int TEST_BATCH = 250;
  private static final int SHOWN = 12;

  @Override
  public String name() {
    return "identify";
  }

  @Override
  public String description() {
    return "recognition: do two pictures show the same, of a kind that was never learnt?";
  }

  @Override
  public boolean resumes() {
    return true;
  }

  @Override
  public void run(Options options, Report report) throws IOException {
    Device device = options.device();
    int usual = options.pick(10, 1);
    int epochs = options.epochs(usual);
    Digits train =
        Digits.read(options, "train", Mnist.CLASSES)
            .only(d -> !UNSEEN.contains(d))
            .first(options.pick(60_000, 10_000));
    Digits fresh = Digits.read(options, "t10k", Mnist.CLASSES);
    Digits test = fresh.only(UNSEEN::contains).first(options.pick(1_000, 300));
    if (test.size() < 4 || test.only(d -> d != test.label(0)).size() == 0) {
      throw new UsageException(
          "identify needs at least 4 test images of two of the digits %s".formatted(UNSEEN));
    }
    var kinds = new MadeKinds(train, LOOKS);
    var known = new MadeKinds(fresh.only(d -> !UNSEEN.contains(d)), LOOKS);
    // An epoch draws as many pictures as there are to draw from.
    int samples = Math.max(2, options.batch(256) / EACH) * EACH;
    int steps = Math.ceilDiv(train.size(), samples);
    var generator = new Generator(options.seed());
    try (Module model = network(device, generator, train);
        var algorithm = new Adam(model.parameters(), TOP_LEARNING_RATE)) {
      report.line(
          "%s: %,d images to learn from, %,d of the unseen digits %s; %,d parameters; on %s",
          name(), train.size(), test.size(), UNSEEN, model.parameterCount(), device);
      // It depends on nothing but the step, so that a training may be cut and continued anywhere.
      var schedule = LrSchedule.oneCycle(TOP_LEARNING_RATE, usual * (long) steps);
      Path checkpoint = options.out().resolve("checkpoint.safetensors");
      int done = 0;
      if (options.resume()) {
        done = (int) Checkpoint.load(checkpoint, device, model, algorithm, generator);
        report.line("goes on after epoch %d of %s", done, checkpoint);
      }
      for (int epoch = done + 1; epoch <= epochs; epoch++) {
        try (var progress = report.epoch(epoch, epochs, (long) samples * steps)) {
          var random = new SplittableRandom(31 * options.seed() + epoch);
          model.train();
          for (int step = 0; step < steps; step++) {
            algorithm.learningRate(schedule.at((epoch - 1L) * steps + step));
            try (Scope scope = Scope.open()) {
              var batch = kinds.batch(device, samples / EACH, EACH, random);
              Tensor z = model.forward(batch.images());
              Tensor loss = z.contrastiveLoss(batch.labels(), TEMPERATURE);
              loss.backward();
              algorithm.step();
              model.zeroGrad();
              progress.step(samples, loss.item());
            }
          }
          progress.end(testLoss(options, model, known, samples));
        }
        Files.createDirectories(options.out());
        Checkpoint.save(checkpoint, model, algorithm, generator, epoch);
      }
      Safetensors.write(report.file("identify.safetensors"), model.state());
      Curves.save(report.file("curves.png"), name(), report.history());
      judge(options, report, model, test);
    }
  }

  /** All pairs of unseen pictures: the same when their points are near? */
  private static void judge(Options options, Report report, Module model, Digits test)
      throws IOException {
    try (Scope scope = Scope.open()) {
      Tensor z = embeddings(model, test, options.device());
      var pairs = new Pairs(test, z.matmul(z.transpose()).toDoubleArray());
      double rate = pairs.roc().equalErrorRate();
      report.line(
          "%n%,d pairs of unseen digits: equal error rate %.2f%%, area under the curve %.4f",
          pairs.count(), 100 * rate, pairs.roc().area());
      report.result("equalErrorRate", rate);
      report.result("area", pairs.roc().area());
      if (options.isJudged()) {
        double bar = options.pick(0.08, 0.15);
        report.check("equal error rate of at most %.0f%%".formatted(100 * bar), rate <= bar);
      }
      RocPicture.save(
          report.file("roc.png"), "identify", "the same", Map.of("unseen digits", pairs.roc()));
      pairs.saveHardest(report.file("pairs.png"), "identify: the hardest pairs", SHOWN);
      saveMap(options, report, z, test);
    }
  }

  /**
   * The points {@code [n, ways * size]} of pictures: what the model makes of each as it lies,
   * turned and mirrored, one beside the other, so that it judges by several looks at the same. Of
   * length 1: their products are the cosines of the angles between them.
   */
  private static Tensor embeddings(Module model, Digits images, Device device) {
    model.eval();
    var parts = new Tensor[Math.ceilDiv(images.size(), TEST_BATCH)];
    for (int i = 0; i < parts.length; i++) {
      int from = i * TEST_BATCH;
      int to = Math.min(images.size(), from + TEST_BATCH);
      var looks = new ArrayList<Tensor>();
      for (int way = 0; way < MadeKinds.WAYS; way++) {
        Tensor x = MadeKinds.lying(device, images, from, to, way);
        looks.add(Autograd.noGrad(() -> model.forward(x).normalize(1)));
      }
      parts[i] = Tensors.concat(1, looks.toArray(Tensor[]::new)).normalize(1);
    }
    return Tensors.concat(0, parts);
  }

  /** On new pictures of known kinds, the same at each time; made as in training, to compare. */
  private static double testLoss(Options options, Module model, MadeKinds kinds, int samples) {
    var random = new SplittableRandom(options.seed());
    model.eval();
    try (Scope scope = Scope.open()) {
      var batch = kinds.batch(options.device(), samples / EACH, EACH, random);
      return Autograd.noGrad(
          () -> model.forward(batch.images()).contrastiveLoss(batch.labels(), TEMPERATURE).item());
    }
  }

  /** The model: three convolutions, then a point of as many numbers as an embedding has. */
  private static Module network(Device device, Generator g, Digits images) {
    ConvOptions same = ConvOptions.DEFAULT.withPadding(1);
    long places = ((images.height() + 1L) / 2 / 2) * ((images.width() + 1) / 2 / 2);
    return new Sequential(
        new Conv2d(device, g, 1, 32, 5, ConvOptions.DEFAULT.withStride(2).withPadding(2), false),
        new BatchNorm2d(device, 32),
        new ReLU(),
        new Conv2d(device, g, 32, 64, 3, same, false),
        new BatchNorm2d(device, 64),
        new ReLU(),
        new MaxPool2d(2),
        new Conv2d(device, g, 64, 64, 3, same, false),
        new BatchNorm2d(device, 64),
        new ReLU(),
        new Flatten(),
        new Linear(device, g, 64 * places, SIZE));
  }

  /** The points on paper: the plane through them that shows most of how they differ. */
  private static void saveMap(Options options, Report report, Tensor z, Digits test)
      throws IOException {
    Tensor centred = z.sub(z.mean(true, 0));
    try (var svd = RandomizedSvd.of(centred, 2, new Generator(options.seed()))) {
      Tensor shadow = centred.matmul(svd.vectors());
      Charts.save(
          report.file("map.png"),
          Groups.scatter(
              "identify: unseen digits",
              "first component",
              "second component",
              UNSEEN.stream().map(d -> "digit " + d).toList(),
              IntStream.range(0, test.size())
                  .mapToLong(i -> UNSEEN.indexOf(test.label(i)))
                  .toArray(),
              shadow.select(1, 0).toDoubleArray(),
              shadow.select(1, 1).toDoubleArray()));
    }
  }
}
