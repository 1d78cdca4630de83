package dev.gridstride;

import java.util.ArrayList;
import java.util.List;

/**
 * One or more gradient cases for every differentiable tensor method, by the method's name.
 *
 * <p>A case is a function from f64 leaf tensors of given shapes to a result of any shape. A family
 * adds its cases in a class of its own and names it in {@link #all}.
 */
final class GradientCases {
  /** Computes a result from the leaves. */
  @FunctionalInterface
  interface Function {
    Tensor apply(Tensor[] leaves);
  }

  /**
   * One case.
   *
   * @param method name of the method of Tensor that it covers
   * @param label which variant
   * @param shapes shapes of the leaves, filled from the standard normal distribution
   * @param function the computation
   */
  record Case(String method, String label, long[][] shapes, Function function) {
    @Override
    public String toString() {
      return method + " " + label;
    }
  }

  private GradientCases() {}

  static long[][] shapes(long[]... shapes) {
    return shapes;
  }

  static long[] s(long... dims) {
    return dims;
  }

  static List<Case> all() {
    var cases = new ArrayList<Case>();
    cases.addAll(core());
    cases.addAll(ShapingCases.all());
    return cases;
  }

  private static List<Case> core() {
    return List.of(
        new Case("softmax", "last axis", shapes(s(3, 5)), t -> t[0].softmax(-1)),
        new Case("softmax", "middle axis", shapes(s(2, 4, 3)), t -> t[0].softmax(1)),
        new Case("logSoftmax", "last axis", shapes(s(3, 5)), t -> t[0].logSoftmax(-1)),
        new Case("add", "same shape", shapes(s(3, 2), s(3, 2)), t -> t[0].add(t[1])),
        new Case("add", "itself", shapes(s(3, 2)), t -> t[0].add(t[0])));
  }
}
