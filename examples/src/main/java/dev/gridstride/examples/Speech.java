package dev.gridstride.examples;

import dev.gridstride.Autograd;
import dev.gridstride.ConvOptions;
import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.device.Device;
import dev.gridstride.examples.data.SpokenDigits;
import dev.gridstride.examples.report.Classified;
import dev.gridstride.examples.report.Curves;
import dev.gridstride.examples.report.ImageSheet;
import dev.gridstride.examples.report.Report;
import dev.gridstride.io.Safetensors;
import dev.gridstride.nn.BatchNorm2d;
import dev.gridstride.nn.Conv2d;
import dev.gridstride.nn.Dropout;
import dev.gridstride.nn.Flatten;
import dev.gridstride.nn.Layer;
import dev.gridstride.nn.Linear;
import dev.gridstride.nn.Module;
import dev.gridstride.nn.ReLU;
import dev.gridstride.nn.Sequential;
import dev.gridstride.optim.AdamW;
import dev.gridstride.optim.LrSchedule;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;

/**
 * Learns to hear: which digit does a voice say that it has never heard?
 *
 * <p>The data are recordings, turned into pictures first: a Fourier transform of each short piece
 * says how loud each frequency is in it, and the ear's (mel) scale of pitch and a logarithm make of
 * that what a listener notices. The model is then a convolutional network as for images, with
 * cross-entropy as its objective. Whole voices are held out: a network that knows the speaker by
 * heart would prove nothing.
 */
public final class Speech implements Example {
  private static final int CLASSES = 10;
  private static final double HELD_OUT = 0.28; // of the voices
  private static final double TOP_LEARNING_RATE = 3e-3;
  private static final int TEST_BATCH = 100;

  @Override
  public String name() {
    return "speech";
  }

  @Override
  public String description() {
    return "speech recognition: a convolutional network hears digits of unknown voices";
  }

  @Override
  public void run(Options options, Report report) throws IOException {
    Device device = options.device();
    int epochs = options.epochs(options.pick(10, 3));
    int batch = options.batch(32);
    var generator = new Generator(options.seed());
    var random = new SplittableRandom(options.seed());
    SpokenDigits all = SpokenDigits.read(options);
    List<String> voices = new ArrayList<>(all.voices());
    Collections.shuffle(voices, new Random(options.seed()));
    int cut = (int) Math.round(HELD_OUT * voices.size());
    if (cut == 0) {
      throw new UsageException("speech needs two voices at least; there are " + voices);
    }
    SpokenDigits test = all.of(voices.subList(0, cut));
    SpokenDigits train = all.of(voices.subList(cut, voices.size()));
    try (Module model = network(generator, device)) {
      report.line(
          "%s: %,d words of %d voices, %,d for testing of %d others; %,d parameters; on %s",
          name(),
          train.size(),
          voices.size() - cut,
          test.size(),
          cut,
          model.parameterCount(),
          device);
      var heard = new Classified(CLASSES);
      var schedule =
          LrSchedule.oneCycle(TOP_LEARNING_RATE, (long) epochs * Math.ceilDiv(train.size(), batch));
      int step = 0;
      try (var algorithm = new AdamW(model.parameters(), TOP_LEARNING_RATE, 0.01)) {
        for (int epoch = 1; epoch <= epochs; epoch++) {
          try (var progress = report.epoch(epoch, epochs, train.size())) {
            model.train();
            int[] order = train.shuffled(random);
            for (int from = 0; from < train.size(); from += batch) {
              int to = Math.min(from + batch, train.size());
              algorithm.learningRate(schedule.at(step++));
              try (Scope scope = Scope.open()) {
                var words = train.batch(device, order, from, to, random);
                Tensor loss = model.forward(words.sounds()).crossEntropy(words.labels());
                loss.backward();
                algorithm.step();
                model.zeroGrad();
                progress.step(to - from, loss.item());
              }
            }
            heard = listen(model, test, device);
            progress.end(heard.loss(), heard.accuracy());
          }
        }
      }
      report.line("%n%s", heard.confusion());
      report.result("loss", heard.loss());
      report.result("accuracy", heard.accuracy());
      report.atLeast("accuracy on unknown voices", heard.accuracy(), options.pick(0.9, 0.6));
      Safetensors.write(report.file("speech.safetensors"), model.state());
      Curves.save(report.file("curves.png"), name(), report.history());
      saveSheet(report, model, test, device);
    }
  }

  /** The model: three times a convolution and half the resolution, then ten logits. */
  private static Module network(Generator g, Device device) {
    ConvOptions same = ConvOptions.DEFAULT.withPadding(1);
    return new Sequential(
        new Conv2d(device, g, 1, 16, 3, same, false),
        new BatchNorm2d(device, 16),
        new ReLU(),
        new Layer(x -> x.maxPool2d(2)),
        new Conv2d(device, g, 16, 32, 3, same, false),
        new BatchNorm2d(device, 32),
        new ReLU(),
        new Layer(x -> x.maxPool2d(2)),
        new Conv2d(device, g, 32, 64, 3, same, false),
        new BatchNorm2d(device, 64),
        new ReLU(),
        new Layer(x -> x.maxPool2d(2)),
        new Flatten(),
        new Dropout(g, 0.5),
        new Linear(device, g, 64L * SpokenDigits.BANDS / 8 * SpokenDigits.FRAMES / 8, CLASSES));
  }

  private static Classified listen(Module model, SpokenDigits words, Device device) {
    var result = new Classified(CLASSES);
    model.eval();
    for (int from = 0; from < words.size(); from += TEST_BATCH) {
      int to = Math.min(from + TEST_BATCH, words.size());
      try (Scope scope = Scope.open()) {
        var batch = words.batch(device, words.order(), from, to);
        Tensor p = Autograd.noGrad(() -> model.forward(batch.sounds()).softmax(1));
        result.add(p.toFloatArray(), batch.labels().toLongArray());
      }
    }
    return result;
  }

  /** One unknown voice says each digit. */
  private static void saveSheet(Report report, Module model, SpokenDigits test, Device device)
      throws IOException {
    var sheet =
        new ImageSheet("speech: words of an unknown voice; time to the right, pitch upwards", 5, 2);
    model.eval();
    for (int digit = 0; digit < CLASSES; digit++) {
      for (int i = 0; i < test.size(); i++) {
        if (test.digit(i) == digit && test.voice(i).equals(test.voice(0))) {
          try (Scope scope = Scope.open()) {
            var one = test.batch(device, new int[] {i}, 0, 1);
            long guess = Autograd.noGrad(() -> (long) model.forward(one.sounds()).argMax(1).item());
            sheet.add(
                test.image(i),
                SpokenDigits.FRAMES,
                SpokenDigits.BANDS,
                "says " + digit + ", heard " + guess);
          }
          break;
        }
      }
    }
    sheet.save(report.file("sounds.png"));
  }
}
