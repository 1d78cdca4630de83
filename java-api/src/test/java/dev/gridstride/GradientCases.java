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
    cases.addAll(ActivationCases.all());
    cases.addAll(AttentionCases.all());
    cases.addAll(ShapingCases.all());
    cases.addAll(ConvolutionCases.all());
    cases.addAll(IndexingCases.all());
    cases.addAll(LossCases.all());
    cases.addAll(NormCases.all());
    cases.addAll(ProductCases.all());
    return cases;
  }

  private static List<Case> core() {
    return List.of(
        new Case("softmax", "last axis", shapes(s(3, 5)), t -> t[0].softmax(-1)),
        new Case("softmax", "middle axis", shapes(s(2, 4, 3)), t -> t[0].softmax(1)),
        new Case("logSoftmax", "last axis", shapes(s(3, 5)), t -> t[0].logSoftmax(-1)),
        new Case("add", "same shape", shapes(s(3, 2), s(3, 2)), t -> t[0].add(t[1])),
        new Case("add", "itself", shapes(s(3, 2)), t -> t[0].add(t[0])),
        new Case("add", "broadcast", shapes(s(3, 1, 2), s(4, 1)), t -> t[0].add(t[1])),
        new Case("add", "number", shapes(s(3)), t -> t[0].add(2).softmax(0)),
        new Case("sub", "", shapes(s(3, 2), s(2)), t -> t[0].sub(t[1])),
        new Case("sub", "number", shapes(s(3)), t -> t[0].sub(2).softmax(0)),
        new Case("mul", "", shapes(s(3, 2), s(3, 1)), t -> t[0].mul(t[1])),
        new Case("mul", "itself", shapes(s(3)), t -> t[0].mul(t[0])),
        new Case("mul", "number", shapes(s(3)), t -> t[0].mul(3)),
        new Case("div", "", shapes(s(3, 2), s(2)), t -> t[0].div(t[1].mul(t[1]).add(1))),
        new Case("div", "number", shapes(s(3)), t -> t[0].div(3)),
        new Case("pow", "number", shapes(s(3)), t -> t[0].mul(t[0]).add(0.5).pow(1.5)),
        new Case("pow", "exponent", shapes(s(3, 1), s(2)), t -> t[0].square().add(0.5).pow(t[1])),
        new Case("pow", "cube", shapes(s(3)), t -> t[0].pow(3)),
        new Case("maximum", "", shapes(s(3, 4), s(4)), t -> t[0].maximum(t[1])),
        new Case("minimum", "", shapes(s(3, 4), s(3, 1)), t -> t[0].minimum(t[1])),
        new Case(
            "where",
            "",
            shapes(s(3, 4), s(4)),
            t -> t[0].detach().gt(t[1].detach()).where(t[0], t[1])));
  }
}
