package dev.gridstride.examples;

import dev.gridstride.Autograd;
import dev.gridstride.ConvOptions;
import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Shape;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.data.Batch;
import dev.gridstride.data.DataLoader;
import dev.gridstride.data.Dataset;
import dev.gridstride.data.ImageFolder;
import dev.gridstride.data.TensorDataset;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.examples.report.Curves;
import dev.gridstride.examples.report.LayerTimes;
import dev.gridstride.examples.report.Report;
import dev.gridstride.io.Safetensors;
import dev.gridstride.nn.Conv2d;
import dev.gridstride.nn.Dropout;
import dev.gridstride.nn.Flatten;
import dev.gridstride.nn.Linear;
import dev.gridstride.nn.LocalResponseNorm;
import dev.gridstride.nn.MaxPool2d;
import dev.gridstride.nn.Module;
import dev.gridstride.nn.ReLU;
import dev.gridstride.nn.Sequential;
import dev.gridstride.optim.SGD;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.LongStream;

/**
 * The network that began it all in 2012, as it was: 224 x 224 pixels, groups of filters (then for
 * two GPUs), local response normalization, overlapping pooling, and 61 million parameters. The
 * short form makes do with 64 x 64 pixels and smaller dense layers.
 *
 * <p>The data are pictures in a folder for each class, or random images, on which it can only be
 * seen that the network learns. The objective is cross-entropy, the algorithm gradient descent with
 * momentum. Then it is measured layer by layer where the time goes, forward and backward.
 * Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural
 * Networks", 2012.
 */
public final class AlexNet implements Example {
  private static final int SIDE = 224;
  private static final int DENSE = 4096;
  private static final int RANDOM_CLASSES = 1_000;
  private static final double LEARNING_RATE = 0.01;
  private static final double MOMENTUM = 0.9;

  @Override
  public String name() {
    return "alexnet";
  }

  @Override
  public String description() {
    return "image classification: the network of 2012, and where its time goes";
  }

  @Override
  public void run(Options options, Report report) throws IOException {
    Device device = options.device();
    Path folder = options.data();
    int epochs = options.epochs(options.pick(6, 2));
    int batch = options.batch(options.pick(8, 1));
    int side = options.pick(SIDE, 64);
    int dense = options.pick(DENSE, 512);
    var generator = new Generator(options.seed());
    try (Scope scope = Scope.open()) {
      int classes = RANDOM_CLASSES;
      Dataset pictures;
      if (folder == null) {
        Tensor x = generator.normal(device, DType.F32, 0, 1, batch, 3, side, side);
        pictures = TensorDataset.of(x, generator.integers(device, DType.I64, 0, classes, batch));
        report.line("random images; for pictures of your own, --data DIR with a folder each class");
      } else {
        var folders = new ImageFolder(device, folder, side, 0.45, 0.225);
        classes = folders.classes().size();
        pictures = some(folders, options.limit((int) folders.size()));
      }
      try (Module model = new Sequential(layers(device, generator, side, dense, classes))) {
        report.line(
            "%s: %,d images of %d x %d, %d classes; %,d parameters; on %s",
            name(), pictures.size(), side, side, classes, model.parameterCount(), device);
        double before = loss(model, pictures, batch);
        train(options, report, model, pictures, epochs, batch);
        double after = report.history().rows().getLast().testLoss();
        report.line("%nloss before %.5f, after %.5f", before, after);
        report.result("lossBefore", before);
        report.result("loss", after);
        try (Batch some = DataLoader.of(pictures, batch).epoch(0).next()) {
          measure(options, report, model, some.x());
        }
        if (options.isJudged()) {
          report.check("the loss falls", after < before);
        }
        Curves.save(report.file("curves.png"), name(), report.history());
        if (folder != null) {
          Safetensors.write(report.file("alexnet.safetensors"), model.state());
        }
      }
    }
  }

  /** The model: five convolutions and three dense layers. */
  private static Module[] layers(Device device, Generator g, int side, int dense, int classes) {
    long places = (side - 7L) / 4 + 1; // along a side, after the first convolution
    for (int pooling = 0; pooling < 3; pooling++) {
      places = (places - 3) / 2 + 1;
    }
    ConvOptions two = ConvOptions.DEFAULT.withGroups(2);
    ConvOptions near = ConvOptions.DEFAULT.withPadding(1);
    return new Module[] {
      new Conv2d(device, g, 3, 96, 11, ConvOptions.DEFAULT.withStride(4).withPadding(2), true),
      new ReLU(),
      new LocalResponseNorm(5, 5 * 1e-4, 0.75, 2),
      new MaxPool2d(3, 2, 0),
      new Conv2d(device, g, 96, 256, 5, two.withPadding(2), true),
      new ReLU(),
      new LocalResponseNorm(5, 5 * 1e-4, 0.75, 2),
      new MaxPool2d(3, 2, 0),
      new Conv2d(device, g, 256, 384, 3, near, true),
      new ReLU(),
      new Conv2d(device, g, 384, 384, 3, two.withPadding(1), true),
      new ReLU(),
      new Conv2d(device, g, 384, 256, 3, two.withPadding(1), true),
      new ReLU(),
      new MaxPool2d(3, 2, 0),
      new Flatten(),
      new Dropout(g, 0.5),
      new Linear(device, g, 256 * places * places, dense),
      new ReLU(),
      new Dropout(g, 0.5),
      new Linear(device, g, dense, dense),
      new ReLU(),
      new Linear(device, g, dense, classes)
    };
  }

  private static void train(
      Options options, Report report, Module model, Dataset pictures, int epochs, int batch) {
    model.train();
    DataLoader loader = DataLoader.of(pictures, batch).shuffled(options.seed()).prefetching(2);
    try (var algorithm = new SGD(model.parameters(), LEARNING_RATE, MOMENTUM)) {
      for (int epoch = 1; epoch <= epochs; epoch++) {
        try (var progress = report.epoch(epoch, epochs, pictures.size());
            var batches = loader.epoch(epoch)) {
          while (batches.hasNext()) {
            try (Scope scope = Scope.open()) {
              Batch b = batches.next();
              Tensor loss = model.forward(b.x()).crossEntropy(b.y());
              loss.backward();
              algorithm.step();
              model.zeroGrad();
              progress.step(b.size(), loss.item());
            }
          }
          progress.end(loss(model, pictures, batch));
          model.train();
        }
      }
    }
  }

  private static double loss(Module model, Dataset pictures, int batch) {
    model.eval();
    double sum = 0;
    try (var batches = DataLoader.of(pictures, batch).epoch(0)) {
      while (batches.hasNext()) {
        try (Scope scope = Scope.open()) {
          Batch b = batches.next();
          Tensor loss = Autograd.noGrad(() -> model.forward(b.x()).crossEntropy(b.y()));
          sum += b.size() * loss.item();
        }
      }
    }
    return sum / pictures.size();
  }

  /** The first images of a folder's classes would be of one class: every k-th instead. */
  private static Dataset some(Dataset all, int n) {
    return all.subset(LongStream.range(0, n).map(i -> i * all.size() / n).toArray());
  }

  /** Each layer by itself: forward from what came before it, backward from what comes after. */
  private static void measure(Options options, Report report, Module model, Tensor x)
      throws IOException {
    model.train();
    List<Module> layers = model.children();
    int n = layers.size();
    int runs = options.pick(5, 1);
    var seconds = new double[2][n][runs];
    var shapes = new Shape[n];
    for (int run = -1; run < runs; run++) { // the first warms up
      try (Scope scope = Scope.open()) {
        var in = new Tensor[n];
        var out = new Tensor[n];
        for (int i = 0; i < n; i++) {
          in[i] = (i == 0 ? x : out[i - 1]).detach().requiresGrad(i > 0);
          long start = System.nanoTime();
          out[i] = layers.get(i).forward(in[i]);
          x.stream().synchronize();
          seconds[0][i][Math.max(run, 0)] = (System.nanoTime() - start) / 1e9;
          shapes[i] = out[i].shape();
        }
        Tensor dy = Tensors.ones(x.device(), DType.F32, shapes[n - 1].dims());
        for (int i = n - 1; i >= 0; i--) {
          long start = System.nanoTime();
          out[i].backward(dy, false);
          x.stream().synchronize();
          seconds[1][i][Math.max(run, 0)] = (System.nanoTime() - start) / 1e9;
          dy = i == 0 ? dy : Objects.requireNonNull(in[i].grad());
        }
        model.zeroGrad();
      }
    }
    var times = new LayerTimes();
    for (int i = 0; i < n; i++) {
      Tensor w = layers.get(i).namedParameters().get("weight");
      // a product and a sum for each weight that takes part in an element of the result
      double flops = w == null ? 0 : 2.0 * shapes[i].count() * w.count() / w.size(0);
      // backward once for the weights and once for the images, which the first layer leaves out
      String name = i + " " + layers.get(i).getClass().getSimpleName();
      times.add(
          name.replace("LocalResponseNorm", "LRN"),
          shapes[i].toString(),
          seconds[0][i],
          seconds[1][i],
          flops,
          i == 0 ? flops : 2 * flops);
    }
    times.print(report);
    times.save(report.file("layers.png"), "alexnet: time for a batch of " + x.size(0));
  }
}
