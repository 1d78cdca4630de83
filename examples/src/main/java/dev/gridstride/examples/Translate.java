package dev.gridstride.examples;

import dev.gridstride.Autograd;
import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.examples.data.Dates;
import dev.gridstride.examples.report.AttentionPicture;
import dev.gridstride.examples.report.Curves;
import dev.gridstride.examples.report.Report;
import dev.gridstride.io.Safetensors;
import dev.gridstride.nn.Embedding;
import dev.gridstride.nn.KeyValueCache;
import dev.gridstride.nn.LayerNorm;
import dev.gridstride.nn.Linear;
import dev.gridstride.nn.Module;
import dev.gridstride.nn.TransformerDecoderLayer;
import dev.gridstride.nn.TransformerEncoderLayer;
import dev.gridstride.nn.TransformerOptions;
import dev.gridstride.optim.AdamW;
import dev.gridstride.optim.LrSchedule;
import java.io.IOException;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Learns to translate: dates as people write them into ISO 8601, one character after another.
 *
 * <p>The data are pairs of sequences of different lengths, made here from rules that the program
 * does not tell the model. The model reads the whole source first (an encoder, in which places look
 * at each other) and then writes (a decoder, whose places look at what is written so far, and at
 * the source). The objective is cross-entropy for each character, given the right ones before it;
 * when it translates, it has only its own. Vaswani et al., "Attention Is All You Need", 2017.
 */
public final class Translate implements Example {
  private static final int SIZE = 64;
  private static final int HEADS = 4;
  private static final int LAYERS = 2;
  private static final double TOP_LEARNING_RATE = 2e-3;
  private static final int TEST_BATCH = 200;
  private static final int SHOWN = 3;

  /** The model. */
  private static final class Network extends Module {
    private final Embedding table;
    private final Embedding places;
    private final List<TransformerEncoderLayer> readers = new ArrayList<>();
    private final List<TransformerDecoderLayer> writers = new ArrayList<>();
    private final LayerNorm readNorm;
    private final LayerNorm writeNorm;
    private final Linear judge;

    Network(Device device, Generator g) {
      table = child("table", new Embedding(device, g, Dates.CHARACTERS.size(), SIZE));
      places = child("places", new Embedding(device, g, Dates.LONGEST, SIZE));
      var options = TransformerOptions.of(4 * SIZE);
      for (int i = 0; i < LAYERS; i++) {
        readers.add(new TransformerEncoderLayer(device, g, SIZE, HEADS, options));
        child("reader" + i, readers.get(i));
      }
      for (int i = 0; i < LAYERS; i++) {
        writers.add(new TransformerDecoderLayer(device, g, SIZE, HEADS, options));
        child("writer" + i, writers.get(i));
      }
      readNorm = child("read_norm", new LayerNorm(device, SIZE));
      writeNorm = child("write_norm", new LayerNorm(device, SIZE));
      judge = child("judge", new Linear(device, g, SIZE, Dates.CHARACTERS.size()));
    }

    /** Reads the sources [n, s]: features [n, s, SIZE] of their characters. */
    @Override
    public Tensor forward(Tensor sources) {
      Tensor x = embedded(sources, 0);
      for (TransformerEncoderLayer reader : readers) {
        x = reader.forward(x, Dates.isCharacter(sources), false);
      }
      return readNorm.forward(x);
    }

    /**
     * Logits of what follows each place of {@code written} [n, l]: a whole text, or, with caches in
     * which each layer remembers the earlier places, what is written next.
     */
    Tensor write(
        Tensor written, Tensor sources, Tensor read, @Nullable List<KeyValueCache> caches) {
      Tensor x = embedded(written, caches == null ? 0 : caches.getFirst().length());
      for (int i = 0; i < LAYERS; i++) {
        TransformerDecoderLayer writer = writers.get(i);
        x =
            caches == null
                ? writer.forward(x, read, Dates.isCharacter(sources))
                : writer.forward(x, read, Dates.isCharacter(sources), caches.get(i));
      }
      return judge.forward(writeNorm.forward(x));
    }

    /** Where the last layer looks while it writes: [n, heads, l, s]. */
    Tensor look(Tensor written, Tensor sources, Tensor read) {
      Tensor x = embedded(written, 0);
      for (TransformerDecoderLayer writer : writers.subList(0, LAYERS - 1)) {
        x = writer.forward(x, read, Dates.isCharacter(sources));
      }
      return writers.getLast().memoryWeights(x, read, Dates.isCharacter(sources));
    }

    private Tensor embedded(Tensor texts, long from) {
      Tensor place = Tensors.arange(texts.device(), DType.I64, texts.size(1)).add(from);
      return table.forward(texts).add(places.forward(place));
    }
  }

  @Override
  public String name() {
    return "translate";
  }

  @Override
  public String description() {
    return "sequence to sequence: a transformer turns written dates into ISO dates";
  }

  @Override
  public void run(Options options, Report report) throws IOException {
    Device device = options.device();
    int epochs = options.epochs(options.pick(8, 4));
    int batch = options.batch(options.pick(64, 16));
    var random = new SplittableRandom(options.seed());
    List<LocalDate> days = Dates.days(options.seed());
    int tested = options.limit(options.pick(2_000, 200));
    Dates test = Dates.write(days.subList(0, tested), random);
    List<LocalDate> known = new ArrayList<>(days.subList(tested, days.size()));
    int samples = options.limit(options.pick(8_000, 1_600));

    try (var model = new Network(device, new Generator(options.seed()))) {
      report.line(
          "%s: %,d pairs an epoch, %,d dates for testing; %,d parameters; on %s",
          name(), samples, tested, model.parameterCount(), device);
      long steps = (long) epochs * Math.ceilDiv(samples, batch);
      var schedule = LrSchedule.oneCycle(TOP_LEARNING_RATE, steps);
      int step = 0;
      try (var algorithm = new AdamW(model.parameters(), TOP_LEARNING_RATE, 0.01)) {
        for (int epoch = 1; epoch <= epochs; epoch++) {
          try (var progress = report.epoch(epoch, epochs, samples)) {
            // Every epoch meets other days, in other words.
            Collections.shuffle(known, new Random(random.nextLong()));
            Dates train = Dates.write(known.subList(0, samples), random);
            for (int from = 0; from < samples; from += batch) {
              Dates part = train.part(from, Math.min(from + batch, samples));
              algorithm.learningRate(schedule.at(step++));
              try (Scope scope = Scope.open()) {
                Tensor loss = loss(model, device, part);
                loss.backward();
                algorithm.step();
                model.zeroGrad();
                progress.step(part.size(), loss.item());
              }
            }
            double[] judged = judge(model, device, test);
            progress.end(judged[0], judged[1]);
          }
        }
      }
      double right = report.history().rows().getLast().accuracy();
      report.result("accuracy", right);
      report.atLeast("exact match on unseen dates", right, options.pick(0.98, 0.25));
      Safetensors.write(report.file("translate.safetensors"), model.state());
      Curves.save(report.file("curves.png"), name(), report.history());
      saveAttention(report, model, device, test.part(0, Math.min(SHOWN, test.size())));
    }
  }

  /** The objective: cross-entropy of each character, given the source and the ones before it. */
  private static Tensor loss(Network model, Device device, Dates dates) {
    Tensor sources = dates.sources(device);
    Tensor logits = model.write(dates.begun(device), sources, model.forward(sources), null);
    return logits.transpose(1, 2).crossEntropy(dates.ended(device));
  }

  /** The loss, and the share of dates whose translation is right to the last character. */
  private static double[] judge(Network model, Device device, Dates dates) {
    double loss = 0;
    int right = 0;
    for (int from = 0; from < dates.size(); from += TEST_BATCH) {
      Dates part = dates.part(from, Math.min(from + TEST_BATCH, dates.size()));
      try (Scope scope = Scope.open()) {
        loss += part.size() * Autograd.noGrad(() -> loss(model, device, part).item());
      }
      List<String> translated = translate(model, device, part);
      for (int i = 0; i < part.size(); i++) {
        right += translated.get(i).equals(part.iso().get(i)) ? 1 : 0;
      }
    }
    return new double[] {loss / dates.size(), (double) right / dates.size()};
  }

  /** Translates: the likeliest character, again and again, until the end. */
  private static List<String> translate(Network model, Device device, Dates dates) {
    var caches =
        Stream.generate(() -> new KeyValueCache(Dates.ISO_LENGTH + 1)).limit(LAYERS).toList();
    try (Scope scope = Scope.open()) {
      return Autograd.noGrad(() -> {
        Tensor sources = dates.sources(device);
        Tensor read = model.forward(sources);
        Tensor next = dates.begun(device).slice(1, 0, 1);
        var columns = new Tensor[Dates.ISO_LENGTH + 1];
        for (int i = 0; i < columns.length; i++) {
          next = model.write(next, sources, read, caches).argMax(-1);
          columns[i] = next;
        }
        return Dates.texts(Tensors.concat(1, columns));
      });
    } finally {
      caches.forEach(KeyValueCache::close);
    }
  }

  /** Translates some dates on the console, and draws where the model looks for the right ones. */
  private static void saveAttention(Report report, Network model, Device device, Dates shown)
      throws IOException {
    var picture = new AttentionPicture("translate: where it looks while it writes");
    List<String> translated = translate(model, device, shown);
    for (int i = 0; i < shown.size(); i++) {
      Dates one = shown.part(i, i + 1);
      String source = one.written().getFirst();
      report.line("%s -> %s", source, translated.get(i));
      try (Scope scope = Scope.open()) {
        Tensor sources = one.sources(device);
        Tensor weights =
            Autograd.noGrad(() -> model.look(one.begun(device), sources, model.forward(sources)));
        double[] flat = weights.mean(1).toDoubleArray(); // over the heads
        int n = source.length();
        var map = new double[Dates.ISO_LENGTH][];
        Arrays.setAll(map, k -> Arrays.copyOfRange(flat, k * n, (k + 1) * n));
        picture.add(source, one.iso().getFirst(), map);
      }
    }
    picture.save(report.file("attention.png"));
  }
}
