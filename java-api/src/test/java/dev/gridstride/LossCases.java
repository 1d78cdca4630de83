package dev.gridstride;

import static dev.gridstride.GradientCases.s;
import static dev.gridstride.GradientCases.shapes;

import dev.gridstride.GradientCases.Case;
import dev.gridstride.device.Device;
import dev.gridstride.kernels.LossReduction;
import java.util.List;

/** Gradient cases of the losses. */
final class LossCases {
  private static final Device CPU = Device.cpu();

  private LossCases() {}

  private static Tensor classes(long[] values, long... dims) {
    return Tensors.of(CPU, values, dims);
  }

  static List<Case> all() {
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
                        .withWeight(Tensors.of(CPU, new double[] {0.5, 1, 2, 3}))
                        .withReduction(LossReduction.NONE))),
        new Case(
            "crossEntropy",
            "probabilities, sum",
            shapes(s(2, 3)),
            t ->
                t[0].crossEntropy(
                    Tensors.of(CPU, new double[] {0.5, 0.25, 0.25, 0, 0.9, 0.1}, 2, 3),
                    d.withReduction(LossReduction.SUM))),
        new Case(
            "crossEntropy",
            "dense",
            shapes(s(2, 3, 2, 2)),
            t -> t[0].crossEntropy(classes(new long[] {0, 1, 2, 0, 1, 2, 0, 1}, 2, 2, 2))));
  }
}
