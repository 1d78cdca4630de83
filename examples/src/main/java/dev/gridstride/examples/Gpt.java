package dev.gridstride.examples;

import dev.gridstride.Autograd;
import dev.gridstride.CrossEntropyOptions;
import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.TopKResult;
import dev.gridstride.data.Vocabulary;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.examples.report.Curves;
import dev.gridstride.examples.report.Report;
import dev.gridstride.io.Safetensors;
import dev.gridstride.kernels.LossReduction;
import dev.gridstride.nn.Dropout;
import dev.gridstride.nn.KeyValueCache;
import dev.gridstride.nn.LayerNorm;
import dev.gridstride.nn.Module;
import dev.gridstride.nn.TransformerEncoderLayer;
import dev.gridstride.nn.TransformerOptions;
import dev.gridstride.optim.AdamW;
import dev.gridstride.optim.LrSchedule;
import dev.gridstride.optim.Optimizer;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Learns to write: a GPT that predicts the next character of Shakespeare's sonnets.
 *
 * <p>The data are the text itself: every place in it is a question (what came before) with an
 * answer (the character that follows). The model is a transformer in which a place looks only at
 * earlier ones; the objective is cross-entropy, in nats a character. To write, it draws a character
 * from what it thinks likely, appends it, and asks itself again. Radford et al., "Language Models
 * are Unsupervised Multitask Learners", 2019.
 */
public final class Gpt implements Example {
  private static final int CONTEXT = 128;
  private static final int SIZE = 128;
  private static final int HEADS = 4;
  private static final int LAYERS = 3;
  private static final double DROPOUT = 0.2;
  private static final double TOP_LEARNING_RATE = 2e-3;
  private static final double DECAY = 0.1;
  private static final double HELD_OUT = 0.1;
  private static final int TOP_K = 10;
  private static final double[] TEMPERATURES = {0.4, 0.7, 1.0};

  /** The model. */
  private static final class Network extends Module {
    private final Tensor table;
    private final Tensor places;
    private final Dropout dropout;
    private final List<TransformerEncoderLayer> layers;
    private final LayerNorm norm;

    Network(Device device, Generator g, int vocabulary) {
      table = parameter("table", () -> g.normal(device, DType.F32, 0, 0.05, vocabulary, SIZE));
      places = parameter("places", () -> g.normal(device, DType.F32, 0, 0.05, CONTEXT, SIZE));
      dropout = new Dropout(g, DROPOUT);
      child("dropout", dropout);
      var options = TransformerOptions.of(4 * SIZE).withDropout(DROPOUT);
      layers =
          IntStream.range(0, LAYERS)
              .mapToObj(i ->
                  child("layer" + i, new TransformerEncoderLayer(device, g, SIZE, HEADS, options)))
              .toList();
      norm = child("norm", new LayerNorm(device, SIZE));
    }

    /** Logits [n, l, vocabulary] of what follows each place of the texts [n, l]. */
    @Override
    public Tensor forward(Tensor texts) {
      Tensor x = embedded(texts, 0);
      for (TransformerEncoderLayer layer : layers) {
        x = layer.forward(x, null, true);
      }
      return logits(x);
    }

    /** The same for texts that go on where the last call ended: each layer remembers its part. */
    Tensor next(Tensor texts, List<KeyValueCache> caches) {
      Tensor x = embedded(texts, caches.getFirst().length());
      for (int i = 0; i < LAYERS; i++) {
        x = layers.get(i).forward(x, caches.get(i));
      }
      return logits(x);
    }

    private Tensor embedded(Tensor texts, long from) {
      Tensor place = places.slice(0, from, from + texts.size(1));
      return dropout.forward(table.embedding(texts).add(place));
    }

    private Tensor logits(Tensor x) {
      return norm.forward(x).linear(table); // what a character means as input, it means as output
    }
  }

  @Override
  public String name() {
    return "gpt";
  }

  @Override
  public String description() {
    return "text generation: a GPT learns the characters of Shakespeare's sonnets";
  }

  @Override
  public void run(Options options, Report report) throws IOException {
    Device device = options.device();
    int epochs = options.epochs(options.pick(24, 2));
    int batch = options.batch(8);
    var generator = new Generator(options.seed());
    var random = new SplittableRandom(options.seed());
    String text = Files.readString(options.dataFile("", "sonnets.txt"));
    text = text.substring(0, options.limit(text.length()));
    Vocabulary vocabulary = Vocabulary.ofCharacters(text);
    long[] all = vocabulary.encode(text);
    int cut = (int) Math.round((1 - HELD_OUT) * all.length);
    long[] train = Arrays.copyOf(all, cut);
    long[] test = Arrays.copyOfRange(all, cut, all.length);
    if (test.length <= CONTEXT) {
      throw new UsageException(
          "gpt needs a text of more than %,d characters; this has %,d"
              .formatted((int) (CONTEXT / HELD_OUT), all.length));
    }
    try (var model = new Network(device, generator, vocabulary.size())) {
      report.line(
          "%s: %,d characters, %,d for testing; %,d parameters; on %s",
          name(), train.length, test.length, model.parameterCount(), device);
      int samples = train.length / CONTEXT;
      long steps = (long) epochs * Math.ceilDiv(samples, batch);
      var schedule =
          LrSchedule.cosine(
              TOP_LEARNING_RATE, TOP_LEARNING_RATE / 50, Math.min(50, steps / 10), steps);
      int step = 0;
      try (var algorithm = new AdamW(model.parameters(), TOP_LEARNING_RATE, DECAY)) {
        for (int epoch = 1; epoch <= epochs; epoch++) {
          try (var progress = report.epoch(epoch, epochs, samples)) {
            model.train();
            for (int from = 0; from < samples; from += batch) {
              int n = Math.min(batch, samples - from);
              int[] starts = random.ints(n, 0, train.length - CONTEXT).toArray();
              algorithm.learningRate(schedule.at(step++));
              try (Scope scope = Scope.open()) {
                Tensor logits = model.forward(pieces(device, train, starts, 0));
                Tensor answers = pieces(device, train, starts, 1);
                Tensor loss = logits.transpose(1, 2).crossEntropy(answers);
                loss.backward();
                Optimizer.clipGradNorm(model.parameters(), 1);
                algorithm.step();
                model.zeroGrad();
                progress.step(n, loss.item());
              }
            }
            progress.end(loss(model, device, test));
          }
        }
      }
      double loss = loss(model, device, test);
      report.line("%nheld-out text: %.4f nats a character", loss);
      report.result("loss", loss);
      if (options.isJudged()) {
        double bar = options.pick(1.9, 2.55);
        report.check("loss of at most %.2f nats a character".formatted(bar), loss <= bar);
      }
      Safetensors.write(report.file("gpt.safetensors"), model.state());
      Curves.save(report.file("curves.png"), name(), report.history());
      for (double temperature : options.quick() ? new double[] {0.7} : TEMPERATURES) {
        String written = write(model, generator, vocabulary, temperature, options.pick(400, 40));
        report.line("%ntemperature %.1f, of the %d likeliest:%n%s", temperature, TOP_K, written);
      }
    }
  }

  /** Pieces of the text of the length of the context, i64 [starts, CONTEXT]. */
  private static Tensor pieces(Device device, long[] text, int[] starts, int shift) {
    var flat = new long[starts.length * CONTEXT];
    for (int i = 0; i < starts.length; i++) {
      System.arraycopy(text, starts[i] + shift, flat, i * CONTEXT, CONTEXT);
    }
    return Tensors.of(device, flat, starts.length, CONTEXT);
  }

  /**
   * The mean loss of a text's characters, each predicted once, from at least half a context (but at
   * the beginning).
   */
  private static double loss(Network model, Device device, long[] text) {
    model.eval();
    var options = CrossEntropyOptions.DEFAULTS.withIgnoreIndex(-1).withReduction(LossReduction.SUM);
    int judged = 0;
    double sum = 0;
    while (judged < text.length - 1) {
      int start = Math.clamp(judged - CONTEXT / 2, 0, text.length - 1 - CONTEXT);
      long[] answers = Arrays.copyOfRange(text, start + 1, start + 1 + CONTEXT);
      Arrays.fill(answers, 0, judged - start, -1);
      judged = start + CONTEXT;
      try (Scope scope = Scope.open()) {
        Tensor piece = pieces(device, text, new int[] {start}, 0);
        Tensor logits = Autograd.noGrad(() -> model.forward(piece));
        sum += logits.squeeze(0).crossEntropy(Tensors.of(device, answers), options).item();
      }
    }
    return sum / judged;
  }

  /** Lets the model write. */
  private static String write(
      Network model, Generator generator, Vocabulary vocabulary, double temperature, int length) {
    model.eval();
    Device device = model.table.device();
    List<KeyValueCache> caches =
        Stream.generate(() -> new KeyValueCache(CONTEXT)).limit(LAYERS).toList();
    try {
      long[] written = {0}; // the first of the alphabet, as a rule a line break
      int read = 0; // characters that the caches hold
      while (written.length < length) {
        if (caches.getFirst().length() == CONTEXT) { // full: read the last half again, and go on
          caches.forEach(KeyValueCache::clear);
          read = written.length - CONTEXT / 2;
        }
        long[] news = Arrays.copyOfRange(written, read, written.length);
        read = written.length;
        try (Scope scope = Scope.open()) {
          long next =
              Autograd.noGrad(() -> {
                Tensor logits = model.next(Tensors.of(device, news, 1, news.length), caches);
                TopKResult top = logits.select(1, -1).topK(Math.min(TOP_K, vocabulary.size()), -1);
                Tensor drawn = generator.categorical(top.values().div(temperature));
                return (long) top.indices().gather(-1, drawn.unsqueeze(-1)).item();
              });
          written = Arrays.copyOf(written, read + 1);
          written[read] = next;
        }
      }
      return vocabulary.decode(written).strip();
    } finally {
      caches.forEach(KeyValueCache::close);
    }
  }
}
