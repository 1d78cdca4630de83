package dev.gridstride.examples;

import dev.gridstride.Autograd;
import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.examples.data.Ratings;
import dev.gridstride.examples.report.Curves;
import dev.gridstride.examples.report.Errors;
import dev.gridstride.examples.report.Report;
import dev.gridstride.examples.report.Scatter;
import dev.gridstride.io.Safetensors;
import dev.gridstride.nn.Module;
import dev.gridstride.optim.AdamW;
import dev.gridstride.optim.LrSchedule;
import java.io.IOException;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Learns who will like what: recommendation by matrix factorisation with biases.
 *
 * <p>The data are stars that users gave to items, most pairs unknown. The model has for each user
 * and each item a few numbers, random at first, which come to mean tastes; a rating is their scalar
 * product, plus how kind the user and how good the item is. The objective is the squared error, the
 * algorithm gradient descent. Koren, Bell and Volinsky, "Matrix Factorization Techniques for
 * Recommender Systems", 2009.
 *
 * <p>{@code --data} names a folder with MovieLens' {@code ratings.csv}; otherwise ratings are made
 * here, with noise of a known size that no model can undercut on ratings held out.
 */
public final class Recommend implements Example {
  private static final int TASTES = 6;
  private static final double HELD_OUT = 0.1;
  private static final double TOP_LEARNING_RATE = 0.03;
  private static final int POINTS = 1_500;

  /** The model. */
  private static final class Factors extends Module {
    private final Tensor userTastes;
    private final Tensor itemTastes;
    private final Tensor userBias;
    private final Tensor itemBias;
    private final double mean;

    Factors(Device device, Generator g, Ratings ratings, double mean) {
      int users = ratings.userCount();
      int items = ratings.itemCount();
      userTastes = parameter("user", () -> g.normal(device, DType.F32, 0, 0.1, users, TASTES));
      itemTastes = parameter("item", () -> g.normal(device, DType.F32, 0, 0.1, items, TASTES));
      userBias = parameter("user_bias", () -> Tensors.zeros(device, DType.F32, users));
      itemBias = parameter("item_bias", () -> Tensors.zeros(device, DType.F32, items));
      this.mean = mean;
    }

    /** Stars for pairs of user and item, i64 [2, n]. */
    @Override
    public Tensor forward(Tensor pairs) {
      Tensor users = pairs.select(0, 0);
      Tensor items = pairs.select(0, 1);
      Tensor met = userTastes.embedding(users).mul(itemTastes.embedding(items)).sum(1);
      return met.add(userBias.indexSelect(0, users)).add(itemBias.indexSelect(0, items)).add(mean);
    }
  }

  @Override
  public String name() {
    return "recommend";
  }

  @Override
  public String description() {
    return "recommendation: matrix factorisation learns who will like what";
  }

  @Override
  public void run(Options options, Report report) throws IOException {
    Device device = options.device();
    int epochs = options.epochs(options.pick(12, 8));
    int batch = options.batch(options.pick(4_096, 2_048));
    var random = new SplittableRandom(options.seed());
    Ratings all =
        options.data() == null
            ? Ratings.make(options.pick(1_500, 400), options.pick(400, 200), 150, random)
            : Ratings.read(options);
    int[] order = all.shuffled(random);
    int size = options.limit(all.size());
    int cut = size - (int) Math.round(HELD_OUT * size);
    if (cut == size || cut == 0) {
      throw new UsageException("recommend needs at least 10 samples; there are " + size);
    }
    Ratings train = all.pick(order, 0, cut);
    Ratings test = all.pick(order, cut, size);
    double mean = mean(train);
    report.line(
        "%s: %,d ratings of %,d items by %,d users, %,d held out; on %s",
        name(), size, all.itemCount(), all.userCount(), test.size(), device);

    try (Module model = new Factors(device, new Generator(options.seed()), all, mean)) {
      int steps = epochs * Math.ceilDiv(train.size(), batch);
      var schedule = LrSchedule.oneCycle(TOP_LEARNING_RATE, steps);
      int step = 0;
      try (var algorithm = new AdamW(model.parameters(), TOP_LEARNING_RATE, 0.02)) {
        for (int epoch = 1; epoch <= epochs; epoch++) {
          try (var progress = report.epoch(epoch, epochs, train.size())) {
            int[] shuffled = train.shuffled(random);
            for (int from = 0; from < train.size(); from += batch) {
              Ratings part = train.pick(shuffled, from, Math.min(from + batch, train.size()));
              algorithm.learningRate(schedule.at(step++));
              try (Scope scope = Scope.open()) {
                Tensor stars = Tensors.of(device, part.stars(), part.size());
                Tensor loss = model.forward(pairs(device, part)).mseLoss(stars);
                loss.backward();
                algorithm.step();
                model.zeroGrad();
                progress.step(part.size(), loss.item());
              }
            }
            double rmse = Errors.of(truth(test), predict(model, device, test)).rmse();
            progress.end(rmse * rmse);
          }
        }
      }
      judge(options, report, model, test, mean);
      Safetensors.write(report.file("recommend.safetensors"), model.state());
      Curves.save(report.file("curves.png"), name(), report.history());
    }
  }

  private static void judge(Options options, Report report, Module model, Ratings test, double mean)
      throws IOException {
    double[] truth = truth(test);
    double[] predicted = predict(model, options.device(), test);
    var always = new double[truth.length];
    Arrays.fill(always, mean);
    Errors learned = Errors.of(truth, predicted);
    report.line("%nheld-out ratings, in stars      RMSE     MAE");
    report.line("matrix factorisation          %6.4f  %6.4f", learned.rmse(), learned.mae());
    report.line("the mean, whoever asks        %6.4f", Errors.of(truth, always).rmse());
    report.result("rmse", learned.rmse());
    report.result("mae", learned.mae());
    if (options.data() == null) {
      report.line("noise of the made ratings     %6.4f%n", Ratings.NOISE);
      report.result("noise", Ratings.NOISE);
      double allowed = options.pick(0.05, 0.15);
      if (options.isJudged()) {
        report.check(
            "RMSE within %.0f%% of the noise".formatted(100 * allowed),
            Math.abs(learned.rmse() / Ratings.NOISE - 1) <= allowed);
      }
    }
    int points = Math.min(POINTS, truth.length);
    Scatter.save(
        report.file("predictions.png"),
        "recommend: held-out ratings",
        "stars",
        Arrays.copyOf(truth, points),
        Arrays.copyOf(predicted, points));
  }

  private static Tensor pairs(Device device, Ratings ratings) {
    int n = ratings.size();
    long[] both = Arrays.copyOf(ratings.users(), 2 * n);
    System.arraycopy(ratings.items(), 0, both, n, n);
    return Tensors.of(device, both, 2, n);
  }

  private static double[] predict(Module model, Device device, Ratings ratings) {
    try (Scope scope = Scope.open()) {
      Tensor pairs = pairs(device, ratings);
      return Autograd.noGrad(() -> model.forward(pairs).toDoubleArray());
    }
  }

  private static double[] truth(Ratings ratings) {
    var stars = new double[ratings.size()];
    Arrays.setAll(stars, i -> ratings.stars()[i]);
    return stars;
  }

  private static double mean(Ratings ratings) {
    return Arrays.stream(truth(ratings)).average().orElse(0);
  }
}
