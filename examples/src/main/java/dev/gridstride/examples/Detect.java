package dev.gridstride.examples;

import dev.gridstride.Autograd;
import dev.gridstride.ConvOptions;
import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.Device;
import dev.gridstride.examples.data.Scenes;
import dev.gridstride.examples.data.Scenes.Scene;
import dev.gridstride.examples.report.Curves;
import dev.gridstride.examples.report.DetectionPicture;
import dev.gridstride.examples.report.Report;
import dev.gridstride.io.Safetensors;
import dev.gridstride.kernels.LossReduction;
import dev.gridstride.nn.BatchNorm2d;
import dev.gridstride.nn.Conv2d;
import dev.gridstride.nn.Module;
import dev.gridstride.nn.ReLU;
import dev.gridstride.nn.Sequential;
import dev.gridstride.optim.Adam;
import dev.gridstride.optim.LrSchedule;
import dev.gridstride.vision.AveragePrecision;
import dev.gridstride.vision.Box;
import dev.gridstride.vision.Detection;
import dev.gridstride.vision.Thing;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/**
 * Finds things in pictures and says what they are: object detection in a single shot.
 *
 * <p>The data are pictures made here, new ones for every step. The model cuts the picture into a
 * grid of cells and answers for all of them at once: is the middle of a thing here, where exactly
 * and how large is its box, and what is it? The objective adds up the errors of these answers; the
 * algorithm is gradient descent. Afterwards boxes that repeat a surer one are dropped. Redmon et
 * al., "You Only Look Once: Unified, Real-Time Object Detection", 2016.
 */
public final class Detect implements Example {
  private static final int CLASSES = Scenes.KINDS.size();
  private static final int CELL = 8;
  private static final int GRID = Scenes.SIDE / CELL;
  private static final int CELLS = GRID * GRID;

  /** Boxes are at most so many pixels wide and high. */
  private static final double LONGEST = 32;

  /** Of a cell: whether there is something, its box, its class. */
  private static final int CHANNELS = 1 + 4 + CLASSES;

  private static final long NOTHING = -1;
  private static final double BOX_WEIGHT = 5;
  private static final double TOP_LEARNING_RATE = 4e-3;
  private static final double LEAST_SCORE = 0.05;
  private static final double SHOWN_SCORE = 0.25;
  private static final double MOST_OVERLAP = 0.4;
  private static final int TEST_BATCH = 100;
  private static final int SHOWN = 8;

  @Override
  public String name() {
    return "detect";
  }

  @Override
  public String description() {
    return "object detection: a single-shot network finds shapes in made pictures";
  }

  @Override
  public void run(Options options, Report report) throws IOException {
    Device device = options.device();
    int epochs = options.epochs(options.pick(8, 2));
    int batch = options.batch(options.pick(32, 16));
    int scenes = options.limit(options.pick(4_000, 1_600));
    var random = new SplittableRandom(options.seed());
    var fresh = new SplittableRandom(~options.seed());
    int tested = options.limit(options.pick(1_000, 200));
    List<Scene> test = Stream.generate(() -> Scenes.make(fresh)).limit(tested).toList();
    try (Module model = network(device, new Generator(options.seed()))) {
      report.line(
          "%s: %,d pictures in each epoch, %,d for testing; %,d parameters; on %s",
          name(), scenes, test.size(), model.parameterCount(), device);
      int steps = epochs * Math.ceilDiv(scenes, batch);
      var schedule = LrSchedule.oneCycle(TOP_LEARNING_RATE, steps);
      int step = 0;
      try (var algorithm = new Adam(model.parameters(), TOP_LEARNING_RATE)) {
        for (int epoch = 1; epoch <= epochs; epoch++) {
          try (var progress = report.epoch(epoch, epochs, scenes)) {
            model.train();
            for (int from = 0; from < scenes; from += batch) {
              int n = Math.min(batch, scenes - from);
              List<Scene> made = Stream.generate(() -> Scenes.make(random)).limit(n).toList();
              algorithm.learningRate(schedule.at(step++));
              try (Scope scope = Scope.open()) {
                Tensor loss = objective(model.forward(Scenes.images(device, made)), made);
                loss.backward();
                algorithm.step();
                model.zeroGrad();
                progress.step(n, loss.item());
              }
            }
            progress.end(testLoss(model, device, test));
          }
        }
      }
      List<List<Detection>> found = detect(model, device, test);
      var precision = new AveragePrecision(CLASSES, 0.5);
      for (int i = 0; i < test.size(); i++) {
        precision.add(found.get(i), test.get(i).things());
      }
      report.line("%naverage precision at an overlap (IoU) of 0.5");
      for (int c = 0; c < CLASSES; c++) {
        report.line("%10s %.4f", Scenes.KINDS.get(c), precision.of(c));
        report.result(Scenes.KINDS.get(c), precision.of(c));
      }
      report.line("%10s %.4f", "mean", precision.mean());
      report.result("mAP", precision.mean());
      report.atLeast("mAP at 0.5", precision.mean(), options.pick(0.85, 0.3));
      Safetensors.write(report.file("detect.safetensors"), model.state());
      Curves.save(report.file("curves.png"), name(), report.history());
      savePicture(report, test, found);
    }
  }

  /** The model: from 64 x 64 pixels to 8 x 8 cells; each cell sees its surroundings. */
  private static Module network(Device device, Generator g) {
    return new Sequential(
        block(device, g, 1, 16, 2),
        block(device, g, 16, 32, 2),
        block(device, g, 32, 48, 2),
        block(device, g, 48, 64, 1),
        block(device, g, 64, 64, 1),
        new Conv2d(device, g, 64, CHANNELS, 1));
  }

  private static Module block(Device device, Generator g, long in, long out, long stride) {
    ConvOptions options = ConvOptions.DEFAULT.withStride(stride).withPadding(1);
    return new Sequential(
        new Conv2d(device, g, in, out, 3, options, false),
        new BatchNorm2d(device, out),
        new ReLU());
  }

  /** The objective: is there something, where is it, what is it? */
  private static Tensor objective(Tensor answers, List<Scene> scenes) {
    int n = scenes.size();
    var present = new float[n * CELLS];
    var boxes = new float[n * 4 * CELLS];
    var kinds = new long[n * CELLS];
    Arrays.fill(kinds, NOTHING);
    int things = 0;
    for (int i = 0; i < n; i++) {
      for (Thing t : scenes.get(i).things()) {
        Box b = t.box();
        double[] middle = {(b.left() + b.right()) / 2 / CELL, (b.top() + b.bottom()) / 2 / CELL};
        int row = (int) middle[1];
        int cell = row * GRID + (int) middle[0];
        present[i * CELLS + cell] = 1;
        kinds[i * CELLS + cell] = t.label();
        double[] box = {
          middle[0] % 1,
          middle[1] % 1,
          (b.right() - b.left()) / LONGEST,
          (b.bottom() - b.top()) / LONGEST
        };
        for (int k = 0; k < 4; k++) {
          boxes[(i * 4 + k) * CELLS + cell] = (float) box[k];
        }
        things++;
      }
    }
    Device device = answers.device();
    Tensor is = Tensors.of(device, present, n, 1, GRID, GRID);
    Tensor box = Tensors.of(device, boxes, n, 4, GRID, GRID);
    Tensor kind = Tensors.of(device, kinds, n, GRID, GRID);
    Tensor[] parts = answers.split(1, 1, 4, CLASSES);
    Tensor whether =
        parts[0].contiguous().binaryCrossEntropyWithLogits(is, null, LossReduction.SUM);
    // where nothing is, any box is right
    Tensor where = parts[1].sigmoid().mul(is).l1Loss(box, LossReduction.SUM).mul(BOX_WEIGHT);
    Tensor what = parts[2].logSoftmax(1).nllLoss(kind, null, NOTHING, LossReduction.SUM);
    return whether.add(where).add(what).div(Math.max(things, 1));
  }

  private static double testLoss(Module model, Device device, List<Scene> test) {
    model.eval();
    List<Scene> some = test.subList(0, Math.min(TEST_BATCH, test.size()));
    try (Scope scope = Scope.open()) {
      return Autograd.noGrad(
          () -> objective(model.forward(Scenes.images(device, some)), some).item());
    }
  }

  /** What the model finds in each picture, the surest first. */
  private static List<List<Detection>> detect(Module model, Device device, List<Scene> scenes) {
    model.eval();
    var found = new ArrayList<List<Detection>>();
    for (int from = 0; from < scenes.size(); from += TEST_BATCH) {
      List<Scene> some = scenes.subList(from, Math.min(from + TEST_BATCH, scenes.size()));
      try (Scope scope = Scope.open()) {
        Tensor x = Scenes.images(device, some);
        Tensor[] parts = Autograd.noGrad(() -> model.forward(x).split(1, 1, 4, CLASSES));
        float[] whether = parts[0].sigmoid().toFloatArray();
        float[] where = parts[1].sigmoid().toFloatArray();
        float[] what = parts[2].softmax(1).toFloatArray();
        for (int i = 0; i < some.size(); i++) {
          var all = new ArrayList<Detection>();
          for (int cell = 0; cell < CELLS; cell++) {
            for (int c = 0; c < CLASSES; c++) {
              double score = whether[i * CELLS + cell] * what[(i * CLASSES + c) * CELLS + cell];
              if (score >= LEAST_SCORE) {
                all.add(new Detection(box(where, i * 4 * CELLS + cell, cell), c, score));
              }
            }
          }
          found.add(Detection.suppress(all, MOST_OVERLAP));
        }
      }
    }
    return found;
  }

  private static Box box(float[] where, int at, int cell) {
    return Box.around(
        (cell % GRID + where[at]) * CELL,
        (cell / GRID + where[at + CELLS]) * CELL,
        where[at + 2 * CELLS] * LONGEST,
        where[at + 3 * CELLS] * LONGEST);
  }

  private static void savePicture(Report report, List<Scene> test, List<List<Detection>> found)
      throws IOException {
    var picture =
        new DetectionPicture(
            "detect: pictures that the model has not seen", Scenes.KINDS, Scenes.SIDE, 4, 3);
    for (int i = 0; i < Math.min(SHOWN, test.size()); i++) {
      List<Detection> sure = found.get(i).stream().filter(d -> d.score() >= SHOWN_SCORE).toList();
      picture.add(test.get(i).pixels(), sure, test.get(i).things());
    }
    picture.save(report.file("boxes.png"));
  }
}
