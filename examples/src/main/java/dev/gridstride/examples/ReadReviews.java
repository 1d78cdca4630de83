package dev.gridstride.examples;

import dev.gridstride.Autograd;
import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.examples.data.Reviews;
import dev.gridstride.examples.report.Curves;
import dev.gridstride.examples.report.Report;
import dev.gridstride.examples.report.RocPicture;
import dev.gridstride.io.Safetensors;
import dev.gridstride.metrics.ConfusionMatrix;
import dev.gridstride.metrics.Roc;
import dev.gridstride.metrics.RunningMean;
import dev.gridstride.nn.Dropout;
import dev.gridstride.nn.Linear;
import dev.gridstride.nn.Module;
import dev.gridstride.nn.TransformerEncoderLayer;
import dev.gridstride.nn.TransformerOptions;
import dev.gridstride.optim.AdamW;
import dev.gridstride.optim.LrSchedule;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Learns whether a review of a food is full of praise: text classification.
 *
 * <p>A network computes with numbers, so each word of the vocabulary gets a vector, random at
 * first: its embedding. The first model adds the vectors of a text up and does not know in which
 * order the words came. The second, a small transformer, lets each word look at the others before
 * (attention), so that "not" can change what "good" means; it begins with what the first has
 * learnt, because 4,000 reviews are few to learn both from. In training a part of the words is left
 * out, other ones each time: no single word may decide.
 */
public final class ReadReviews implements Example {
  private static final int SIZE = 32;
  private static final int HEADS = 4;
  private static final double WORDS_LEFT_OUT = 0.3;
  private static final double DECAY = 0.05;
  private static final int TEST_BATCH = 100;

  /** Both models: embeddings, perhaps a layer of a transformer, their sum, its weight. */
  private static final class Reader extends Module {
    private final Generator generator;
    private final Tensor table;
    private final @Nullable Tensor places;
    private final @Nullable TransformerEncoderLayer layer;
    private final Dropout dropout;
    private final Linear judge;

    Reader(Device device, Generator g, int vocabulary, boolean looks) {
      generator = g;
      table = parameter("table", () -> g.normal(device, DType.F32, 0, 0.1, vocabulary, SIZE));
      places =
          looks
              ? parameter(
                  "places", () -> g.normal(device, DType.F32, 0, 0.02, Reviews.LONGEST, SIZE))
              : null;
      var options = TransformerOptions.of(2 * SIZE).withDropout(0.3);
      layer =
          looks
              ? child("layer", new TransformerEncoderLayer(device, g, SIZE, HEADS, options))
              : null;
      dropout = child("dropout", new Dropout(g, 0.3));
      judge = child("judge", new Linear(device, g, SIZE, 1));
    }

    /** Takes over what another reader has learnt, as far as it has the same parts. */
    void beginWith(Reader other) {
      var state = new LinkedHashMap<>(state());
      state.putAll(other.state());
      load(state);
    }

    /** Logits [n] of praise for texts [n, length]. */
    @Override
    public Tensor forward(Tensor words) {
      Tensor isWord = words.ne(Tensors.full(words.device(), DType.I64, Reviews.FILL));
      if (isTraining()) {
        Tensor kept =
            generator.bernoulli(
                words.device(), DType.BOOL, 1 - WORDS_LEFT_OUT, words.size(0), words.size(1));
        isWord = isWord.and(kept);
      }
      Tensor x = table.embedding(words);
      if (layer != null && places != null) {
        // words look only at words, not at what fills up
        Tensor placed = x.add(places.slice(0, 0, words.size(1)));
        x = layer.forward(placed, isWord.unsqueeze(1), false);
      }
      // long texts hold more words of either kind: the sum grows with their root
      Tensor weight = isWord.to(DType.F32).unsqueeze(2);
      Tensor sum = x.mul(weight).sum(1).div(weight.sum(1).maximum(ones(weight)).sqrt());
      return judge.forward(dropout.forward(sum)).squeeze(1);
    }

    private static Tensor ones(Tensor like) {
      return Tensors.ones(like.device(), like.dtype(), 1);
    }
  }

  /** What a model says of each text, the probability of praise, and its mean loss. */
  private record Answers(float[] praise, double loss) {}

  @Override
  public String name() {
    return "reviews";
  }

  @Override
  public String description() {
    return "text classification: embeddings, then a small transformer, judge reviews";
  }

  @Override
  public void run(Options options, Report report) throws IOException {
    Device device = options.device();
    Reviews.Split data = Reviews.read(options, "great");
    Reviews train = data.train().first(options.pick(4_000, 1_500));
    Reviews test = data.test().first(options.pick(1_000, 500));
    report.line(
        "%s: %,d reviews, %,d for testing; %,d words; on %s",
        name(), train.size(), test.size(), train.vocabulary().size(), device);
    var g = new Generator(options.seed());
    var random = new SplittableRandom(options.seed());
    var curves = new LinkedHashMap<String, Roc>();
    int words = train.vocabulary().size();
    try (var sum = new Reader(device, g, words, false);
        var transformer = new Reader(device, g, words, true)) {
      report.training("sum of words");
      train(options, report, sum, options.epochs(5), 3e-3, train, test, random);
      judge(options, report, sum, "sum", test, curves);
      transformer.beginWith(sum);
      report.training("transformer");
      int epochs = options.epochs(options.pick(3, 1));
      train(options, report, transformer, epochs, 5e-4, train, test, random);
      judge(options, report, transformer, "transformer", test, curves);
    }
    RocPicture.save(report.file("roc.png"), name(), "great", curves);
  }

  private static void train(
      Options options,
      Report report,
      Reader model,
      int epochs,
      double rate,
      Reviews train,
      Reviews test,
      SplittableRandom random) {
    Device device = options.device();
    int batch = options.batch(32);
    var schedule = LrSchedule.oneCycle(rate, (long) epochs * Math.ceilDiv(train.size(), batch));
    int step = 0;
    try (var algorithm = new AdamW(model.parameters(), rate, DECAY)) {
      for (int epoch = 1; epoch <= epochs; epoch++) {
        try (var progress = report.epoch(epoch, epochs, train.size())) {
          model.train();
          int[] order = train.shuffled(random);
          for (int from = 0; from < train.size(); from += batch) {
            int to = Math.min(from + batch, train.size());
            algorithm.learningRate(schedule.at(step++));
            try (Scope scope = Scope.open()) {
              Tensor logits = model.forward(train.wordTensor(device, order, from, to));
              Tensor loss =
                  logits.binaryCrossEntropyWithLogits(train.labelTensor(device, order, from, to));
              loss.backward();
              algorithm.step();
              model.zeroGrad();
              progress.step(to - from, loss.item());
            }
          }
          Answers answers = predict(device, model, test);
          progress.end(answers.loss, matrix(answers.praise, test).accuracy());
        }
      }
    }
  }

  private static Answers predict(Device device, Reader model, Reviews texts) {
    model.eval();
    var praise = new float[texts.size()];
    var loss = new RunningMean();
    for (int from = 0; from < texts.size(); from += TEST_BATCH) {
      int to = Math.min(from + TEST_BATCH, texts.size());
      try (Scope scope = Scope.open()) {
        Tensor words = texts.wordTensor(device, texts.order(), from, to);
        Tensor labels = texts.labelTensor(device, texts.order(), from, to);
        Tensor logits = Autograd.noGrad(() -> model.forward(words));
        System.arraycopy(logits.sigmoid().toFloatArray(), 0, praise, from, to - from);
        loss.add(logits.binaryCrossEntropyWithLogits(labels).item(), to - from);
      }
    }
    return new Answers(praise, loss.mean());
  }

  private static ConfusionMatrix matrix(float[] p, Reviews texts) {
    var matrix = new ConfusionMatrix(List.of("other", "great"));
    for (int i = 0; i < p.length; i++) {
      matrix.add((int) texts.labels()[i], p[i] > 0.5f ? 1 : 0);
    }
    return matrix;
  }

  private void judge(
      Options options,
      Report report,
      Reader model,
      String name,
      Reviews test,
      Map<String, Roc> curves)
      throws IOException {
    float[] p = predict(options.device(), model, test).praise;
    ConfusionMatrix matrix = matrix(p, test);
    report.line("%n%s", matrix);
    try (Tensor scores = Tensors.of(Device.cpu(), p, p.length);
        Tensor truth = Tensors.of(Device.cpu(), test.labels(), p.length)) {
      Roc roc = Roc.of(scores, truth);
      curves.put(name, roc);
      report.result(name + ".area", roc.area());
    }
    report.result(name + ".accuracy", matrix.accuracy());
    report.atLeast(name + ": accuracy", matrix.accuracy(), options.pick(0.78, 0.7));
    Safetensors.write(report.file("reviews-" + name + ".safetensors"), model.state());
    Curves.save(report.file("curves-" + name + ".png"), "reviews, " + name, report.history());
  }
}
