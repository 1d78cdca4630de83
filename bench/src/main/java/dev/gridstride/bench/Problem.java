package dev.gridstride.bench;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/**
 * The operands of a case, the same numbers for every contender, and what they must give in double
 * precision.
 *
 * <p>Large results are compared at some places only: the first, the last and random ones, so that a
 * reference in plain loops stays affordable.
 */
public final class Problem {
  /** Places that are compared of a large result. */
  static final int CHECKED = 400;

  /**
   * An operand.
   *
   * @param values {@code float[]} or {@code int[]}, row-major
   * @param shape its dimensions
   */
  public record Input(Object values, long... shape) {}

  private final Map<String, Input> inputs = new LinkedHashMap<>();
  private final Map<String, ToDoubleFunction<double[]>> checks = new LinkedHashMap<>();

  /** Adds an operand of real numbers. */
  Problem input(String name, float[] values, long... shape) {
    inputs.put(name, new Input(values, shape));
    return this;
  }

  /** Adds an operand of indices. */
  Problem input(String name, int[] values, long... shape) {
    inputs.put(name, new Input(values, shape));
    return this;
  }

  /** Says what a result must be, at every place. */
  Problem expect(String name, double... values) {
    checks.put(name, actual -> Data.error(actual, values));
    return this;
  }

  /** Says what a result must be at the places {@code at}. */
  Problem expect(String name, int length, int[] at, double[] values) {
    checks.put(
        name,
        actual ->
            actual.length != length
                ? Double.NaN
                : Data.error(Arrays.stream(at).mapToDouble(i -> actual[i]).toArray(), values));
    return this;
  }

  /** Judges a result in its own way: the error, relative. */
  Problem expect(String name, ToDoubleFunction<double[]> error) {
    checks.put(name, error);
    return this;
  }

  /** The places of a result of this length that are compared. */
  static int[] places(int length) {
    if (length <= CHECKED) {
      return java.util.stream.IntStream.range(0, length).toArray();
    }
    int[] at = new SplittableRandom(length).ints(CHECKED, 0, length).toArray();
    at[0] = 0;
    at[1] = length - 1;
    return at;
  }

  /** Names of the operands, in order. */
  public Set<String> inputs() {
    return inputs.keySet();
  }

  /** An operand. */
  public Input input(String name) {
    Input found = inputs.get(name);
    if (found == null) {
      throw new IllegalArgumentException("no operand " + name + "; there are " + inputs.keySet());
    }
    return found;
  }

  /** The numbers of an operand; not a copy. */
  public float[] floats(String name) {
    return (float[]) input(name).values();
  }

  /** The numbers of an operand as doubles. */
  public double[] doubles(String name) {
    return Data.widened(floats(name));
  }

  /** The indices of an operand; not a copy. */
  public int[] ints(String name) {
    return (int[]) input(name).values();
  }

  /** The dimensions of an operand. */
  public long[] shape(String name) {
    return input(name).shape();
  }

  /**
   * Lets go of all numbers: a contender has taken what it needs, and no result is checked again.
   */
  public void forget() {
    inputs.clear();
    checks.clear();
  }

  /**
   * The largest error of the results of one run on fresh operands, each relative to its largest
   * expected value.
   */
  public double error(Function<String, double[]> results) {
    double worst = 0;
    for (var check : checks.entrySet()) {
      double error = check.getValue().applyAsDouble(results.apply(check.getKey()));
      worst = error <= worst ? worst : error; // keeps a NaN
    }
    return worst;
  }
}
