package dev.gridstride.examples;

import dev.gridstride.Autograd;
import dev.gridstride.ConvOptions;
import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.data.Batch;
import dev.gridstride.data.DataLoader;
import dev.gridstride.data.Dataset;
import dev.gridstride.data.RandomAffine;
import dev.gridstride.data.TensorDataset;
import dev.gridstride.device.Device;
import dev.gridstride.examples.data.MadePictures;
import dev.gridstride.examples.report.Classified;
import dev.gridstride.examples.report.Curves;
import dev.gridstride.examples.report.Report;
import dev.gridstride.io.Cifar10;
import dev.gridstride.nn.BatchNorm2d;
import dev.gridstride.nn.Conv2d;
import dev.gridstride.nn.Layer;
import dev.gridstride.nn.Linear;
import dev.gridstride.nn.Module;
import dev.gridstride.nn.ReLU;
import dev.gridstride.nn.Sequential;
import dev.gridstride.optim.Checkpoint;
import dev.gridstride.optim.LrSchedule;
import dev.gridstride.optim.SGD;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Learns to recognise small colour pictures with a residual network, and can be interrupted.
 *
 * <p>The data are CIFAR-10's 50,000 pictures, each slightly moved and perhaps mirrored anew in
 * every epoch, so that the network can't learn them by heart. The model adds to what comes into a
 * block what the block makes of it: gradients find a way past every layer (He et al., "Deep
 * Residual Learning for Image Recognition", 2016). The objective is cross-entropy, the algorithm
 * gradient descent with momentum. After every epoch all that a training consists of is written to a
 * checkpoint, from which {@code --resume} goes on with the same bits.
 */
public final class Cifar10Net implements Example {
  private static final String SOURCE = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz";
  private static final double[] MEAN = {0.4914, 0.4822, 0.4465};
  private static final double[] STD = {0.2470, 0.2435, 0.2616};
  private static final RandomAffine LOOKS = new RandomAffine(0, 4.0 / 32, 0, 0, true);
  private static final double TOP_LEARNING_RATE = 0.1;
  private static final double WEIGHT_DECAY = 5e-4;
  private static final int TEST_BATCH = 500;

  @Override
  public String name() {
    return "cifar10";
  }

  @Override
  public String description() {
    return "image classification: a small ResNet learns CIFAR-10; --resume goes on";
  }

  @Override
  public boolean resumes() {
    return true;
  }

  @Override
  public void run(Options options, Report report) throws IOException {
    Device device = options.device();
    int usual = options.pick(10, 3);
    int epochs = options.epochs(usual);
    int batch = options.batch(options.pick(128, 32));
    Path folder = data(options);
    var generator = new Generator(options.seed());
    try (Scope scope = Scope.open();
        Module model = network(device, generator)) {
      List<String> names =
          IntStream.rangeClosed(1, 5).mapToObj(i -> "data_batch_" + i + ".bin").toList();
      Dataset train = read(options, names.stream().map(folder::resolve).toList());
      Dataset test = read(options, List.of(folder.resolve("test_batch.bin")));
      DataLoader loader = DataLoader.of(train, batch).shuffled(options.seed()).prefetching(2);
      report.line(
          "%s: %,d images, %,d for testing; %,d parameters; on %s",
          name(), train.size(), test.size(), model.parameterCount(), device);
      // It depends on nothing but the step, so that a training may be cut and continued anywhere.
      var schedule =
          LrSchedule.cosine(TOP_LEARNING_RATE, 0, loader.batches(), usual * loader.batches());
      var classified = new Classified(Cifar10.CLASSES.size());
      try (var algorithm =
          new SGD(
              model.parameters(),
              TOP_LEARNING_RATE,
              t -> new dev.gridstride.kernels.Sgd(t, 0.9, 0, true, WEIGHT_DECAY, false, false))) {
        Path checkpoint = options.out().resolve("checkpoint.safetensors");
        int done = 0;
        if (options.resume()) {
          done = (int) Checkpoint.load(checkpoint, device, model, algorithm, generator);
          report.line("goes on after epoch %d of %s", done, checkpoint);
          classified = classify(model, test);
        }
        for (int epoch = done + 1; epoch <= epochs; epoch++) {
          try (var progress = report.epoch(epoch, epochs, train.size());
              var batches = loader.epoch(epoch)) {
            var random = new SplittableRandom(31 * options.seed() + epoch);
            model.train();
            for (long step = (epoch - 1) * loader.batches(); batches.hasNext(); step++) {
              algorithm.learningRate(schedule.at(step));
              try (Scope inner = Scope.open()) {
                Batch b = batches.next();
                Tensor loss = model.forward(LOOKS.apply(b.x(), random)).crossEntropy(b.y());
                loss.backward();
                algorithm.step();
                model.zeroGrad();
                progress.step(b.size(), loss.item());
              }
            }
            classified = classify(model, test);
            progress.end(classified.loss(), classified.accuracy());
          }
          Files.createDirectories(options.out());
          Checkpoint.save(checkpoint, model, algorithm, generator, epoch);
        }
      }
      report.line("%n%s", classified.confusion());
      for (int c = 0; c < Cifar10.CLASSES.size(); c++) {
        report.line("%2d %s", c, Cifar10.CLASSES.get(c));
      }
      report.result("loss", classified.loss());
      report.result("accuracy", classified.accuracy());
      report.atLeast("accuracy", classified.accuracy(), 0.6);
      Curves.save(report.file("curves.png"), name(), report.history());
    }
  }

  /** The user's folder; made pictures for the short form. */
  private static Path data(Options options) throws IOException {
    Path given = options.data();
    if (given == null && !options.quick()) {
      throw new UsageException(
          "cifar10 needs its data, which are not bundled: unpack "
              + SOURCE
              + " and name the folder with --data; or try --quick, with made pictures");
    }
    if (given != null) {
      options.dataFile("", "test_batch.bin"); // says what is missing
      return given;
    }
    Path folder = options.out().resolve("made");
    var random = new SplittableRandom(options.seed());
    for (int i = 1; i <= 5; i++) {
      MadePictures.write(folder.resolve("data_batch_" + i + ".bin"), 160, random);
    }
    MadePictures.write(folder.resolve("test_batch.bin"), 200, random);
    return folder;
  }

  private static Dataset read(Options options, List<Path> files) {
    var pictures = Cifar10.read(options.device(), files);
    int n = options.limit((int) pictures.labels().size(0));
    Tensor images = pictures.images().slice(0, 0, n);
    return TensorDataset.images(images, pictures.labels().slice(0, 0, n), MEAN, STD);
  }

  /** The model: three stages, each of half the size and twice the channels of the one before. */
  private static Module network(Device device, Generator g) {
    return new Sequential(
        convolution(device, g, 3, 16, 1),
        new ReLU(),
        new Residual(device, g, 16, 16, 1),
        new Residual(device, g, 16, 32, 2),
        new Residual(device, g, 32, 64, 2),
        new Layer(Tensor::globalAvgPool),
        new Linear(device, g, 64, Cifar10.CLASSES.size()));
  }

  private static Module convolution(Device device, Generator g, long in, long out, long stride) {
    ConvOptions options = ConvOptions.DEFAULT.withStride(stride).withPadding(1);
    return new Sequential(
        new Conv2d(device, g, in, out, 3, options, false), new BatchNorm2d(device, out));
  }

  /** {@code relu(x + f(x))}; where f changes the shape, a convolution of 1 x 1 fits x to it. */
  private static final class Residual extends Module {
    private final Module first;
    private final Module second;
    private final Module way;

    Residual(Device device, Generator g, long in, long out, long stride) {
      first = child("first", convolution(device, g, in, out, stride));
      second = child("second", convolution(device, g, out, out, 1));
      ConvOptions fit = ConvOptions.DEFAULT.withStride(stride);
      way =
          child(
              "way",
              in == out && stride == 1
                  ? new Layer(x -> x)
                  : new Conv2d(device, g, in, out, 1, fit, false));
    }

    @Override
    public Tensor forward(Tensor x) {
      return second.forward(first.forward(x).relu()).add(way.forward(x)).relu();
    }
  }

  private static Classified classify(Module model, Dataset test) {
    var result = new Classified(Cifar10.CLASSES.size());
    model.eval();
    try (var batches = DataLoader.of(test, TEST_BATCH).epoch(0)) {
      while (batches.hasNext()) {
        try (Scope scope = Scope.open()) {
          Batch b = batches.next();
          Tensor p = Autograd.noGrad(() -> model.forward(b.x()).softmax(1));
          result.add(p.toFloatArray(), b.y().toLongArray());
        }
      }
    }
    return result;
  }
}
