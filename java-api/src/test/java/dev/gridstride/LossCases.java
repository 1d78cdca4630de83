package dev.gridstride;

import static dev.gridstride.GradientCases.s;
import static dev.gridstride.GradientCases.shapes;

import dev.gridstride.GradientCases.Case;
import dev.gridstride.device.Device;
import dev.gridstride.kernels.LossReduction;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Gradient cases of the losses. */
final class LossCases {
  private static final Device DEVICE = TestDevice.get();

  private LossCases() {}

  private static Tensor classes(long[] values, long... dims) {
    return Tensors.of(DEVICE, values, dims);
  }

  static List<Case> all() {
    var cases = new ArrayList<Case>();
    cases.addAll(crossEntropies());
    cases.add(
        new Case(
            "contrastiveLoss",
            "one class without a pair",
            shapes(s(5, 3)),
            t -> t[0].contrastiveLoss(classes(new long[] {2, 0, 2, 1, 0}), 0.5)));
    for (LossReduction r : LossReduction.values()) {
      cases.addAll(elementwise(r));
      cases.addAll(likelihoods(r));
    }
    return cases;
  }

  private static List<Case> elementwise(LossReduction r) {
    String label = r.toString().toLowerCase(Locale.ROOT);
    long[][] pair = shapes(s(3, 4), s(3, 4));
    return List.of(
        new Case("mseLoss", label, pair, t -> t[0].mseLoss(t[1], r)),
        new Case("l1Loss", label, pair, t -> t[0].l1Loss(t[1], r)),
        new Case("huberLoss", label, pair, t -> t[0].huberLoss(t[1], 0.75, r)),
        new Case("smoothL1Loss", label, pair, t -> t[0].smoothL1Loss(t[1], 0.75, r)),
        new Case("smoothL1Loss", "beta 0, " + label, pair, t -> t[0].smoothL1Loss(t[1], 0, r)),
        new Case(
            "binaryCrossEntropyWithLogits",
            label,
            pair,
            t -> t[0].binaryCrossEntropyWithLogits(t[1], null, r)),
        new Case(
            "binaryCrossEntropyWithLogits",
            "positives' weights, " + label,
            shapes(s(3, 4), s(3, 4), s(4)),
            t -> t[0].binaryCrossEntropyWithLogits(t[1], t[2], r)));
  }

  private static List<Case> likelihoods(LossReduction r) {
    String label = r.toString().toLowerCase(Locale.ROOT);
    return List.of(
        new Case(
            "nllLoss",
            label,
            shapes(s(3, 5)),
            t -> t[0].nllLoss(classes(new long[] {4, 0, 2}), null, -100, r)),
        new Case(
            "nllLoss",
            "one sample, " + label,
            shapes(s(5)),
            t -> t[0].nllLoss(classes(new long[] {4}), null, -100, r)),
        new Case(
            "nllLoss",
            "dense, weights, ignored, " + label,
            shapes(s(2, 3, 2, 2)),
            t ->
                t[0].nllLoss(
                    classes(new long[] {0, 1, 2, 0, 1, 2, 0, 1}, 2, 2, 2),
                    Tensors.of(DEVICE, new double[] {0.5, 1, 2}),
                    1,
                    r)));
  }

  private static List<Case> crossEntropies() {
    var d = CrossEntropyOptions.DEFAULTS;
    return List.of(
        new Case(
            "crossEntropy",
            "mean",
            shapes(s(3, 5)),
            t -> t[0].crossEntropy(classes(new long[] {4, 0, 2}))),
        new Case(
            "crossEntropy",
            "one sample",
            shapes(s(5)),
            t -> t[0].crossEntropy(classes(new long[] {4}))),
        new Case(
            "crossEntropy",
            "weights, smoothing, ignored, none",
            shapes(s(3, 4)),
            t ->
                t[0].crossEntropy(
                    classes(new long[] {3, 1, 0}),
                    d.withIgnoreIndex(1)
                        .withLabelSmoothing(0.2)
                        .withWeight(Tensors.of(DEVICE, new double[] {0.5, 1, 2, 3}))
                        .withReduction(LossReduction.NONE))),
        new Case(
            "crossEntropy",
            "probabilities, sum",
            shapes(s(2, 3)),
            t ->
                t[0].crossEntropy(
                    Tensors.of(DEVICE, new double[] {0.5, 0.25, 0.25, 0, 0.9, 0.1}, 2, 3),
                    d.withReduction(LossReduction.SUM))),
        new Case(
            "crossEntropy",
            "dense",
            shapes(s(2, 3, 2, 2)),
            t -> t[0].crossEntropy(classes(new long[] {0, 1, 2, 0, 1, 2, 0, 1}, 2, 2, 2))));
  }
}
