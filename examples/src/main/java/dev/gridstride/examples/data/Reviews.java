package dev.gridstride.examples.data;

import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.data.Vocabulary;
import dev.gridstride.device.Device;
import dev.gridstride.examples.Options;
import dev.gridstride.examples.UsageException;
import dev.gridstride.io.Csv;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.random.RandomGenerator;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * Texts as numbers: each word is replaced by its place in a vocabulary.
 *
 * @param words the numbers of the words of each text; {@link #FILL} and the unknown word count
 * @param labels 1 for a text of the class that is to be found, else 0
 * @param vocabulary of the words, the same for training and test texts
 */
public record Reviews(long[][] words, long[] labels, Vocabulary vocabulary) {
  /** The number that fills texts up to one length. */
  public static final long FILL = 0;

  /** Words beyond this are cut off. */
  public static final int LONGEST = 200;

  /** A rarer word says too little to be learnt. */
  private static final int LEAST_COUNT = 3;

  private static final Pattern WORD = Pattern.compile("[a-z']+|[!?]");
  private static final Pattern MARKUP = Pattern.compile("<[^>]*>");

  /** Training and test texts over one vocabulary, which only the training texts have shaped. */
  public record Split(Reviews train, Reviews test) {}

  private record Row(String split, String score, List<String> words) {}

  /**
   * Reads {@code reviews.csv} with the columns {@code split} ({@code train} or {@code test}),
   * {@code score} and {@code review}.
   *
   * @param positive the score that is to be found
   */
  public static Split read(Options options, String positive) {
    Path path = options.dataFile("", "reviews.csv");
    Csv csv = Csv.read(path);
    if (!csv.names().containsAll(List.of("split", "score", "review"))) {
      throw new UsageException(
          path + " must have the columns split, score and review; it has " + csv.names());
    }
    List<String> splits = csv.strings("split");
    List<String> scores = csv.strings("score");
    List<String> reviews = csv.strings("review");
    var train = new ArrayList<Row>();
    var test = new ArrayList<Row>();
    for (int i = 0; i < splits.size(); i++) {
      var row = new Row(splits.get(i), scores.get(i), words(reviews.get(i)));
      (row.split.equals("train") ? train : test).add(row);
    }
    if (train.isEmpty() || test.isEmpty()) {
      throw new UsageException(path + " must have lines of the splits train and test");
    }
    List<List<String>> seen = train.stream().map(Row::words).toList();
    Vocabulary vocabulary = Vocabulary.ofFrequent(seen, LEAST_COUNT, "<unknown>", "<fill>");
    return new Split(
        of(options, train, vocabulary, positive), of(options, test, vocabulary, positive));
  }

  private static Reviews of(
      Options options, List<Row> rows, Vocabulary vocabulary, String positive) {
    List<Row> used = rows.subList(0, options.limit(rows.size()));
    return new Reviews(
        used.stream().map(row -> vocabulary.encode(row.words)).toArray(long[][]::new),
        used.stream().mapToLong(row -> row.score.equals(positive) ? 1 : 0).toArray(),
        vocabulary);
  }

  /** The first words of a text, in lower case; one that has none counts as one unknown word. */
  private static List<String> words(String text) {
    String plain = MARKUP.matcher(text.toLowerCase(Locale.ROOT)).replaceAll(" ");
    List<String> words =
        WORD.matcher(plain).results().map(MatchResult::group).limit(LONGEST).toList();
    return words.isEmpty() ? List.of("<unknown>") : words;
  }

  /** Number of texts. */
  public int size() {
    return labels.length;
  }

  /** The first {@code n} texts, or all when there are fewer. */
  public Reviews first(int n) {
    int m = Math.min(n, size());
    return new Reviews(Arrays.copyOf(words, m), Arrays.copyOf(labels, m), vocabulary);
  }

  /** The numbers of the texts in their order. */
  public int[] order() {
    return Orders.plain(size());
  }

  /** The numbers of the texts in a random order. */
  public int[] shuffled(RandomGenerator random) {
    return Orders.shuffled(size(), random);
  }

  /** The words of the texts {@code order[from..to]}, i64 [n, longest], filled up. */
  public Tensor wordTensor(Device device, int[] order, int from, int to) {
    int longest = 1;
    for (int i = from; i < to; i++) {
      longest = Math.max(longest, words[order[i]].length);
    }
    var flat = new long[(to - from) * longest];
    Arrays.fill(flat, FILL);
    for (int i = from; i < to; i++) {
      long[] text = words[order[i]];
      System.arraycopy(text, 0, flat, (i - from) * longest, text.length);
    }
    return Tensors.of(device, flat, to - from, longest);
  }

  /** Their labels, f32 [n]. */
  public Tensor labelTensor(Device device, int[] order, int from, int to) {
    var y = new float[to - from];
    for (int i = from; i < to; i++) {
      y[i - from] = labels[order[i]];
    }
    return Tensors.of(device, y, to - from);
  }
}
