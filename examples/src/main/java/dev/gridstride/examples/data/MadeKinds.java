package dev.gridstride.examples.data;

import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.data.RandomAffine;
import dev.gridstride.device.Device;
import dev.gridstride.examples.UsageException;
import java.util.Arrays;
import java.util.function.IntPredicate;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * Batches of many kinds of shapes, made from pictures of few: a kind has the upper half of one
 * digit, the lower half of one that may be another, and one of the eight ways in which a square can
 * lie. Of seven digits that makes 392 kinds, of as many handwritings as there are pictures.
 */
public final class MadeKinds {
  /** Ways in which a square picture can lie: four turns, and those of its mirror image. */
  public static final int WAYS = 8;

  private final Digits digits;
  private final RandomAffine looks;
  private final int[][] members;

  /**
   * Kinds made from these pictures.
   *
   * @param digits square pictures
   * @param looks changes each picture before it is turned
   * @throws UsageException when the pictures are not square or are none
   */
  public MadeKinds(Digits digits, RandomAffine looks) {
    if (digits.size() == 0 || digits.height() != digits.width()) {
      throw new UsageException(
          "kinds are made from square pictures; given %d of %d x %d"
              .formatted(digits.size(), digits.height(), digits.width()));
    }
    this.digits = digits;
    this.looks = looks;
    int[] order = digits.order();
    int classes = 1 + Arrays.stream(order).map(digits::label).max().orElse(0);
    members =
        IntStream.range(0, classes)
            .mapToObj(c -> Arrays.stream(order).filter(i -> digits.label(i) == c).toArray())
            .filter(m -> m.length > 0)
            .toArray(int[][]::new);
  }

  /**
   * A batch of kinds, with as many pictures of each: the whole digits first, then others by chance.
   * The same halves come twice only after all others, for an 8 is an 8 in the mirror too, and
   * nothing should be learnt from calling the two different.
   *
   * @return the pictures; as labels the numbers of their kinds
   */
  public Digits.Batch batch(Device device, int kinds, int each, RandomGenerator random) {
    int side = digits.width();
    int size = side * side;
    int half = side / 2 * side;
    int n = kinds * each;
    var pixels = new float[n * size];
    var kind = new long[n];
    int[] halves = halves(random);
    for (int k = 0; k < kinds; k++) {
      int upper = halves[k % halves.length] / members.length;
      int lower = halves[k % halves.length] % members.length;
      int way = random.nextInt(WAYS);
      for (int i = k * each; i < (k + 1) * each; i++) {
        int a = oneOf(members[upper], random);
        int b = lower == upper ? a : oneOf(members[lower], random);
        System.arraycopy(digits.image(a), 0, pixels, i * size, half);
        System.arraycopy(digits.image(b), half, pixels, i * size + half, size - half);
        kind[i] = ((long) upper * members.length + lower) * WAYS + way;
      }
    }
    float[] seen;
    try (Scope scope = Scope.open()) {
      Tensor x = Tensors.of(Device.cpu(), pixels, n, 1, side, side);
      seen = looks.apply(x, random).toFloatArray();
    }
    for (int i = 0; i < n; i++) {
      lay(seen, pixels, i, side, (int) (kind[i] % WAYS));
    }
    return new Digits.Batch(
        Tensors.of(device, pixels, n, 1, side, side), Tensors.of(device, kind, n));
  }

  /** The pictures {@code from..to}, all lying in one of the {@link #WAYS}; 0 is upright. */
  public static Tensor lying(Device device, Digits digits, int from, int to, int way) {
    int side = digits.width();
    var pixels = new float[(to - from) * side * side];
    var one = new float[pixels.length];
    for (int i = from; i < to; i++) {
      System.arraycopy(digits.image(i), 0, one, (i - from) * side * side, side * side);
      lay(one, pixels, i - from, side, way);
    }
    return Tensors.of(device, pixels, to - from, 1, side, side);
  }

  /**
   * Pairs of classes, {@code upper * classes + lower}: the equal ones, then the others, shuffled.
   */
  private int[] halves(RandomGenerator random) {
    int classes = members.length;
    int[] pairs = Orders.shuffled(classes * classes, random);
    IntPredicate whole = pair -> pair / classes == pair % classes;
    return IntStream.concat(
            Arrays.stream(pairs).filter(whole), Arrays.stream(pairs).filter(whole.negate()))
        .toArray();
  }

  private static int oneOf(int[] numbers, RandomGenerator random) {
    return numbers[random.nextInt(numbers.length)];
  }

  /** Picture {@code i} of x into y: rows and columns backwards or exchanged, a bit of way each. */
  private static void lay(float[] x, float[] y, int i, int side, int way) {
    int at = i * side * side;
    for (int r = 0; r < side; r++) {
      for (int c = 0; c < side; c++) {
        int p = (way & 1) == 0 ? r : side - 1 - r;
        int q = (way & 2) == 0 ? c : side - 1 - c;
        y[at + r * side + c] = x[at + ((way & 4) == 0 ? p * side + q : q * side + p)];
      }
    }
  }
}
