package dev.gridstride.examples.data;

import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.analysis.MelSpectrogram;
import dev.gridstride.data.Standardizer;
import dev.gridstride.device.Device;
import dev.gridstride.examples.Options;
import dev.gridstride.examples.UsageException;
import dev.gridstride.io.Wav;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;

/** Spoken digits as pictures of their sound: for each frame of time the loudness of each band. */
public final class SpokenDigits {
  /** Bands of frequencies. */
  public static final int BANDS = 32;

  /** Frames of 10 ms: longer than the longest word. */
  public static final int FRAMES = 80;

  private static final int RATE = 8_000;
  private static final MelSpectrogram MELS = new MelSpectrogram(RATE, 256, 80, BANDS, 60, 4_000);
  private static final Pattern NAME = Pattern.compile("([0-9])_(.+)_s[0-9]+_p[0-9]+\\.wav");
  private static final int MOST_SHIFT = 6; // frames
  private static final int MOST_TURN = 3; // bands

  /** A word: {@code mels} is row-major, a row for each frame, with mean 0 and deviation 1. */
  private record Word(int digit, String voice, float[] mels) {
    int frames() {
      return mels.length / BANDS;
    }
  }

  /**
   * A batch on a device.
   *
   * @param sounds f32 {@code [n, 1, BANDS, FRAMES]}
   * @param labels i64 {@code [n]}
   */
  public record Batch(Tensor sounds, Tensor labels) {}

  private final List<Word> words;

  private SpokenDigits(List<Word> words) {
    this.words = words;
  }

  /**
   * Reads {@code spoken-digits.zip} of the user's folder or else the bundled one: WAVE files of
   * 8,000 samples a second with names of the form {@code digit_voice_sSPEED_pPITCH.wav}.
   */
  public static SpokenDigits read(Options options) throws IOException {
    Path path = options.dataFile("", "spoken-digits.zip");
    var words = new ArrayList<Word>();
    try (var zip = new ZipFile(path.toFile())) {
      List<? extends ZipEntry> entries = zip.stream().filter(e -> !e.isDirectory()).toList();
      for (ZipEntry entry : entries.subList(0, options.limit(entries.size()))) {
        Matcher name = NAME.matcher(entry.getName());
        if (!name.matches()) {
          throw new UsageException(
              path + ": names must be like 7_anna_s140_p35.wav; found " + entry.getName());
        }
        byte[] file = zip.getInputStream(entry).readAllBytes();
        Path wav = path.resolve(entry.getName());
        words.add(word(wav, Integer.parseInt(name.group(1)), name.group(2), file));
      }
    }
    return new SpokenDigits(words);
  }

  private static Word word(Path name, int digit, String voice, byte[] file) {
    try (Scope scope = Scope.open()) {
      Wav.Sound sound = Wav.read(Device.cpu(), name, file);
      Tensor samples = sound.samples().select(0, 0);
      Tensor mels = MELS.of(samples);
      if (sound.rate() != RATE || mels.count() == 0) {
        throw new UsageException(
            name
                + ": must have 8,000 samples a second and 256 at least; it has a rate of "
                + sound.rate()
                + " and "
                + samples.count()
                + " samples");
      }
      // How loud a recording is as a whole says nothing about the word.
      Tensor all = mels.reshape(mels.count(), 1);
      float[] x = Standardizer.fit(all).apply(all).toFloatArray();
      return new Word(digit, voice, Arrays.copyOf(x, Math.min(x.length, FRAMES * BANDS)));
    }
  }

  /** The names of the voices, in alphabetical order. */
  public List<String> voices() {
    return words.stream().map(Word::voice).distinct().sorted().toList();
  }

  /** The words of some of the voices. */
  public SpokenDigits of(List<String> voices) {
    return new SpokenDigits(words.stream().filter(w -> voices.contains(w.voice)).toList());
  }

  /** Number of words. */
  public int size() {
    return words.size();
  }

  /** The digit that word {@code i} says. */
  public int digit(int i) {
    return words.get(i).digit;
  }

  /** The voice of word {@code i}. */
  public String voice(int i) {
    return words.get(i).voice;
  }

  /** The numbers of all words in their order. */
  public int[] order() {
    return Orders.plain(size());
  }

  /** The numbers of all words in a random order. */
  public int[] shuffled(RandomGenerator random) {
    return Orders.shuffled(size(), random);
  }

  /** The words {@code order[from..to]}, each in the middle of the frames, silence around it. */
  public Batch batch(Device device, int[] order, int from, int to) {
    return batch(device, order, from, to, null);
  }

  /**
   * The same with each word spoken a little earlier or later and higher or lower, so that a model
   * can't rely on the pitch of the few voices it knows.
   */
  public Batch batch(
      Device device, int[] order, int from, int to, @Nullable RandomGenerator random) {
    int n = to - from;
    var x = new float[n * BANDS * FRAMES];
    var y = new long[n];
    for (int i = 0; i < n; i++) {
      Word word = words.get(order[from + i]);
      int shift = random == null ? 0 : random.nextInt(-MOST_SHIFT, MOST_SHIFT + 1);
      int turn = random == null ? 0 : random.nextInt(-MOST_TURN, MOST_TURN + 1);
      draw(word, shift, turn, x, i * BANDS * FRAMES);
      y[i] = word.digit;
    }
    return new Batch(Tensors.of(device, x, n, 1, BANDS, FRAMES), Tensors.of(device, y, n));
  }

  private static void draw(Word word, int shift, int turn, float[] x, int at) {
    float silence = word.mels[0];
    for (float v : word.mels) {
      silence = Math.min(silence, v);
    }
    Arrays.fill(x, at, at + BANDS * FRAMES, silence);
    int begin = (FRAMES - word.frames()) / 2 + shift;
    for (int t = Math.max(0, -begin); t < word.frames() && begin + t < FRAMES; t++) {
      for (int b = 0; b < BANDS; b++) {
        int source = Math.clamp(b + turn, 0, BANDS - 1);
        x[at + b * FRAMES + begin + t] = word.mels[t * BANDS + source];
      }
    }
  }

  /** Word {@code i} as a picture of BANDS rows, the highest band on top, and FRAMES columns. */
  public float[] image(int i) {
    var x = new float[BANDS * FRAMES];
    draw(words.get(i), 0, 0, x, 0);
    var image = new float[x.length];
    for (int p = 0; p < x.length; p++) {
      int band = BANDS - 1 - p / FRAMES;
      image[p] = x[band * FRAMES + p % FRAMES] / 4 + 0.5f;
    }
    return image;
  }
}
