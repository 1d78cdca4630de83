package dev.gridstride;

import static dev.gridstride.GradientCases.s;
import static dev.gridstride.GradientCases.shapes;

import dev.gridstride.GradientCases.Case;
import dev.gridstride.device.DType;
import java.util.List;

/** Gradient cases of {@link Attention}. */
final class AttentionCases {
  private static final AttentionOptions D = AttentionOptions.DEFAULT;

  private AttentionCases() {}

  private static Tensor mask() {
    // the second query sees nothing
    return Tensors.of(TestDevice.get(), new long[] {1, 0, 1, 1, 0, 0, 0, 0, 0, 1, 1, 0}, 3, 4)
        .to(DType.BOOL);
  }

  static List<Case> all() {
    long[][] plain = shapes(s(2, 3, 5), s(2, 4, 5), s(2, 4, 2));
    return List.of(
        attention("all pairs", plain, D),
        attention("broadcast heads", shapes(s(2, 2, 3, 5), s(4, 5), s(2, 1, 4, 2)), D),
        attention("causal", plain, D.withCausal(true).withScale(0.7)),
        attention("causal, more queries", shapes(s(4, 3), s(2, 3), s(2, 3)), D.withCausal(true)),
        new Case(
            "scaledDotProductAttention",
            "bool mask with an empty row",
            plain,
            t -> t[0].scaledDotProductAttention(t[1], t[2], D.withMask(mask()).withCausal(true))),
        new Case(
            "scaledDotProductAttention",
            "added mask",
            shapes(s(2, 3, 5), s(2, 4, 5), s(2, 4, 2), s(3, 4)),
            t -> t[0].scaledDotProductAttention(t[1], t[2], D.withMask(t[3]))),
        new Case(
            "scaledDotProductAttention",
            "dropout",
            plain,
            t -> t[0].scaledDotProductAttention(t[1], t[2], D.withDropout(new Generator(5), 0.3))),
        new Case(
            "attentionWeights",
            "causal",
            shapes(s(2, 3, 5), s(2, 4, 5)),
            t -> t[0].attentionWeights(t[1], D.withCausal(true))),
        new Case(
            "attentionWeights",
            "bool mask with an empty row",
            shapes(s(2, 3, 5), s(2, 4, 5)),
            t -> t[0].attentionWeights(t[1], D.withMask(mask()))));
  }

  private static Case attention(String label, long[][] shapes, AttentionOptions options) {
    return new Case(
        "scaledDotProductAttention",
        label,
        shapes,
        t -> t[0].scaledDotProductAttention(t[1], t[2], options));
  }
}
