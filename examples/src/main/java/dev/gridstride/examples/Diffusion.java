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
import dev.gridstride.examples.report.ImageSheet;
import dev.gridstride.examples.report.Report;
import dev.gridstride.io.Safetensors;
import dev.gridstride.metrics.RunningMean;
import dev.gridstride.nn.Averaged;
import dev.gridstride.nn.NoiseSchedule;
import dev.gridstride.optim.Adam;
import dev.gridstride.optim.Checkpoint;
import dev.gridstride.optim.LrSchedule;
import dev.gridstride.optim.Optimizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Draws digits that nobody wrote: a diffusion model.
 *
 * <p>The data are pictures, to which noise is added, a little or so much that nothing else is left.
 * The model, a U-Net, is shown the mixture and told how much noise is in it and which digit it was,
 * sometimes not even that; the objective is the error with which it tells picture and noise apart.
 * To draw, it begins with nothing but noise and takes a part of what it believes to be noise away,
 * again and again. Ho et al., "Denoising Diffusion Probabilistic Models", 2020; Song et al.,
 * "Denoising Diffusion Implicit Models", 2021; Ho and Salimans, "Classifier-Free Diffusion
 * Guidance", 2022.
 */
public final class Diffusion implements Example {
  private static final NoiseSchedule SCHEDULE = NoiseSchedule.cosine(400);

  /** Share of the pictures of which the model is not told what they show. */
  private static final double UNTOLD_SHARE = 0.1;

  /** How far beyond the answer for the digit to go, away from the one for no digit at all. */
  private static final double GUIDANCE = 1;

  private static final double AVERAGE_DECAY = 0.998;
  private static final double TOP_LEARNING_RATE = 2e-3;
  private static final int TEST_BATCH = 250;
  private static final int DRAWN_BATCH = 100;
  private static final int SHOWN = 10;
  private static final int STAGES = 11;

  @Override
  public String name() {
    return "diffusion";
  }

  @Override
  public String description() {
    return "image generation: a diffusion model draws digits out of noise; --resume goes on";
  }

  @Override
  public boolean resumes() {
    return true;
  }

  @Override
  public void run(Options options, Report report) throws IOException {
    Device device = options.device();
    int usual = options.pick(5, 4);
    int epochs = options.epochs(usual);
    int batch = options.batch(options.pick(32, 16));
    var generator = new Generator(options.seed());
    Digits all =
        Digits.read(options, "train", Mnist.CLASSES).inFours().first(options.pick(60_000, 2_000));
    Digits test = Digits.read(options, "t10k", Mnist.CLASSES).first(options.pick(2_000, 250));
    Digits train = all.first(options.pick(20_000, 1_000));
    try (DigitJudge judge = DigitJudge.train(options, report, all, test);
        var model = Averaged.of(() -> new UNet(device, generator, SCHEDULE), AVERAGE_DECAY)) {
      report.training(name());
      List<Tensor> parameters = model.trained().parameters();
      report.line(
          "%s: %,d images; %,d parameters; on %s",
          name(), train.size(), model.trained().parameterCount(), device);
      int stepsPerEpoch = Math.ceilDiv(train.size(), batch);
      // It depends on nothing but the step, so that a training may be cut and continued anywhere.
      var schedule = LrSchedule.oneCycle(TOP_LEARNING_RATE, (long) usual * stepsPerEpoch);
      try (var algorithm = new Adam(parameters, TOP_LEARNING_RATE)) {
        Path checkpoint = options.out().resolve("checkpoint.safetensors");
        int done = 0;
        if (options.resume()) {
          done = (int) Checkpoint.load(checkpoint, device, model, algorithm, generator);
          report.line("goes on after epoch %d of %s", done, checkpoint);
        }
        for (int epoch = done + 1; epoch <= epochs; epoch++) {
          try (var progress = report.epoch(epoch, epochs, train.size())) {
            int[] order = train.shuffled(new SplittableRandom(31 * options.seed() + epoch));
            long step = (long) (epoch - 1) * stepsPerEpoch;
            for (int from = 0; from < train.size(); from += batch) {
              int to = Math.min(from + batch, train.size());
              algorithm.learningRate(schedule.at(step));
              try (Scope scope = Scope.open()) {
                var samples = train.batch(device, order, from, to, 0.5f, 0.5f);
                Tensor loss = objective(model.trained(), samples, generator);
                loss.backward();
                Optimizer.clipGradNorm(parameters, 1);
                algorithm.step();
                model.update(step++);
                model.zeroGrad();
                progress.step(to - from, loss.item());
              }
            }
            progress.end(testLoss(options, model.average(), test));
          }
          Files.createDirectories(options.out());
          Checkpoint.save(checkpoint, model, algorithm, generator, epoch);
        }
      }
      Safetensors.write(report.file("diffusion.safetensors"), model.average().state());
      Curves.save(report.file("curves.png"), name(), report.history());
      draw(options, report, model.average(), judge, train);
    }
  }

  /** The objective: the squared error of the velocities, each after another number of steps. */
  private static Tensor objective(UNet model, Digits.Batch samples, Generator g) {
    Tensor x = samples.images();
    long n = x.size(0);
    Tensor steps = g.integers(x.device(), DType.I64, 1, SCHEDULE.steps() + 1, n);
    Tensor noise = g.normal(x.device(), DType.F32, 0, 1, x.shape().dims());
    Tensor hide = g.bernoulli(x.device(), DType.F32, UNTOLD_SHARE, n).to(DType.BOOL);
    Tensor none = Tensors.full(x.device(), DType.I64, UNet.UNTOLD);
    Tensor labels = hide.where(none, samples.labels());
    Tensor answer = model.forward(SCHEDULE.noisy(x, noise, steps), steps, labels);
    return answer.mseLoss(SCHEDULE.velocity(x, noise, steps));
  }

  private static double testLoss(Options options, UNet model, Digits test) {
    var same = new Generator(options.seed() + 1);
    var loss = new RunningMean();
    for (int from = 0; from < test.size(); from += TEST_BATCH) {
      int to = Math.min(from + TEST_BATCH, test.size());
      try (Scope scope = Scope.open()) {
        var samples = test.batch(options.device(), test.order(), from, to, 0.5f, 0.5f);
        loss.add(Autograd.noGrad(() -> objective(model, samples, same).item()), to - from);
      }
    }
    return loss.mean();
  }

  /** Draws as many pictures of each digit, lets the judge look at them, and saves sheets. */
  private static void draw(
      Options options, Report report, UNet model, DigitJudge judge, Digits like)
      throws IOException {
    Device device = options.device();
    int n = options.limit(options.pick(1_000, 50));
    int width = like.width();
    int height = like.height();
    int moves = options.pick(25, 10);
    var generator = new Generator(options.seed() + 2);
    var drawn = new float[n * width * height];
    var first = new ArrayList<float[]>();
    for (int from = 0; from < n; from += DRAWN_BATCH) {
      int m = Math.min(DRAWN_BATCH, n - from);
      long[] labels = IntStream.range(from, from + m).mapToLong(DigitJudge::asked).toArray();
      try (Scope scope = Scope.open()) {
        Tensor z = generator.normal(device, DType.F32, 0, 1, m, 1, height, width);
        List<float[]> stages = sample(model, z, labels, moves);
        if (from == 0) {
          first.addAll(stages);
        }
        System.arraycopy(stages.getLast(), 0, drawn, from * width * height, m * width * height);
      }
    }
    DigitJudge.Verdict verdict =
        judge.judge(
            drawn,
            n,
            like,
            device,
            "diffusion: what the judge takes the samples for",
            report.file("samples.png"));
    verdict.tell(report);
    verdict.check(options, report, 0.2);

    var steps = new ImageSheet("diffusion: from noise to digits", STAGES, 3);
    for (int row = 0; row < Math.min(n, SHOWN); row++) {
      for (int stage = 0; stage < STAGES; stage++) {
        int move = stage * moves / (STAGES - 1);
        steps.add(
            DigitJudge.grey(first.get(move), row, width * height),
            width,
            height,
            "step " + SCHEDULE.way(moves)[move]);
      }
    }
    steps.save(report.file("steps.png"));
  }

  /** Pictures made of noise z, of the digits {@code labels}: what they were before each move. */
  private static List<float[]> sample(UNet model, Tensor z, long[] labels, int moves) {
    Device device = z.device();
    Tensor digits = Tensors.of(device, labels, labels.length);
    Tensor none = Tensors.full(device, DType.I64, UNet.UNTOLD, labels.length);
    int[] way = SCHEDULE.way(moves);
    var stages = new ArrayList<float[]>();
    stages.add(z.toFloatArray());
    for (int i = 0; i < moves; i++) {
      try (Scope scope = Scope.open()) {
        int step = way[i];
        Tensor now = Tensors.of(device, stages.getLast(), z.shape().dims());
        Tensor steps = Tensors.full(device, DType.I64, step, labels.length);
        Tensor next =
            Autograd.noGrad(() -> {
              Tensor told = model.forward(now, steps, digits);
              Tensor untold = model.forward(now, steps, none);
              Tensor v = told.add(told.sub(untold).mul(GUIDANCE));
              return SCHEDULE.clean(now, v, step).clamp(-1, 1);
            });
        stages.add(SCHEDULE.ddim(now, next, step, way[i + 1]).toFloatArray());
      }
    }
    return stages;
  }
}
