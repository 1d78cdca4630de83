package dev.gridstride.bench;

/**
 * What is measured.
 *
 * @param family as {@code gemm}
 * @param op operation of the family, as {@code forward}
 * @param dtype as {@code f32}
 * @param shape as the family writes its shapes, as {@code 1024x1024x1024}
 * @param threads threads that each contender may use
 */
public record Case(String family, String op, String dtype, String shape, int threads) {
  /** The numbers of a shape {@code 64x128x9216}. */
  public int[] sizes(int expected) {
    String[] parts = shape.split("x", -1);
    var sizes = new int[parts.length];
    for (int i = 0; i < parts.length; i++) {
      try {
        sizes[i] = Integer.parseInt(parts[i].strip());
      } catch (NumberFormatException e) {
        throw bad(expected);
      }
      if (sizes[i] < 1) {
        throw bad(expected);
      }
    }
    if (parts.length != expected) {
      throw bad(expected);
    }
    return sizes;
  }

  private BadUsage bad(int expected) {
    return new BadUsage(
        family
            + " shapes are "
            + expected
            + " positive numbers joined by x; given '"
            + shape
            + "'");
  }

  /** Above this error a result is wrong. Generous: the quality of a right one is reported. */
  static double tolerance(String type) {
    return type.equals("f64") ? 1e-9 : 1e-2;
  }

  /** As a line of words. */
  @Override
  public String toString() {
    return String.join(" ", family, op, dtype, shape, "" + threads);
  }
}
