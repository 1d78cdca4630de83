package dev.gridstride.examples.report;

import dev.gridstride.Scope;
import dev.gridstride.Tensors;
import dev.gridstride.device.Device;
import dev.gridstride.examples.data.Digits;
import dev.gridstride.metrics.Roc;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** All pairs of two different pictures, and how similar a model finds them. */
public final class Pairs {
  private final Digits pictures;
  private final int[] first;
  private final int[] second;
  private final double[] similarity;
  private final Roc roc;

  /**
   * The pairs of these pictures, of at least two classes, one of which occurs twice.
   *
   * @param similarity of each two, {@code [n, n]}: the cosine of the angle between their points
   */
  public Pairs(Digits pictures, double[] similarity) {
    this.pictures = pictures;
    int n = pictures.size();
    int pairs = n * (n - 1) / 2;
    first = new int[pairs];
    second = new int[pairs];
    this.similarity = new double[pairs];
    int p = 0;
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < i; j++) {
        first[p] = i;
        second[p] = j;
        this.similarity[p++] = similarity[i * n + j];
      }
    }
    long[] same = IntStream.range(0, pairs).mapToLong(i -> isSame(i) ? 1 : 0).toArray();
    try (Scope scope = Scope.open()) {
      roc =
          Roc.of(
              Tensors.of(Device.cpu(), this.similarity, pairs),
              Tensors.of(Device.cpu(), same, pairs));
    }
  }

  /** Their number. */
  public int count() {
    return similarity.length;
  }

  /** How well similarity tells pairs of one class from others. */
  public Roc roc() {
    return roc;
  }

  private boolean isSame(int pair) {
    return pictures.label(first[pair]) == pictures.label(second[pair]);
  }

  /**
   * Draws a PNG file: pairs of one class that are taken for different ones, and pairs of two that
   * are taken for the same, the two pictures one above the other and the angle between below. No
   * picture is in two pairs of a sort.
   *
   * @param shown pairs of each sort
   */
  public void saveHardest(Path file, String title, int shown) throws IOException {
    List<Integer> far = hardest(true);
    List<Integer> near = hardest(false);
    int columns = Math.min(shown, Math.min(far.size(), near.size()));
    var sheet = new ImageSheet(title + " (angle between their points)", columns, 2);
    addRows(sheet, far.subList(0, columns), "the same");
    addRows(sheet, near.subList(0, columns), "others");
    sheet.save(file);
  }

  private void addRows(ImageSheet sheet, List<Integer> pairs, String verdict) {
    for (int pair : pairs) {
      add(sheet, first[pair]);
    }
    for (int pair : pairs) {
      double angle = Math.toDegrees(Math.acos(Math.clamp(similarity[pair], -1.0, 1.0)));
      add(sheet, second[pair], String.format(Locale.ROOT, "%.0f\u00b0", angle), verdict);
    }
  }

  private void add(ImageSheet sheet, int picture, String... caption) {
    sheet.add(pictures.image(picture), pictures.width(), pictures.height(), caption);
  }

  /** Pairs that share no picture, the most wrongly judged first. */
  private List<Integer> hardest(boolean same) {
    Comparator<Integer> farthest = Comparator.comparingDouble(pair -> similarity[pair]);
    List<Integer> ordered =
        IntStream.range(0, count())
            .filter(pair -> isSame(pair) == same)
            .boxed()
            .sorted(same ? farthest : farthest.reversed())
            .toList();
    var taken = new boolean[pictures.size()];
    var hardest = new ArrayList<Integer>();
    for (int pair : ordered) {
      if (!taken[first[pair]] && !taken[second[pair]]) {
        taken[first[pair]] = true;
        taken[second[pair]] = true;
        hardest.add(pair);
      }
    }
    return hardest;
  }
}
