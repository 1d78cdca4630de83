package dev.gridstride.examples.onnx;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.kernels.LossReduction;
import java.util.List;

/** Losses of classification: {@code [n, classes, ...]} and the class of each position. */
final class LossOps {
  private LossOps() {}

  static void addTo(Operators ops) {
    ops.one(
        "NegativeLogLikelihoodLoss", n -> negativeLogLikelihood(n, n.in(0)).to(n.in(0).dtype()));
    ops.many("SoftmaxCrossEntropyLoss", LossOps::softmaxCrossEntropy);
  }

  private static Tensor negativeLogLikelihood(Node n, Tensor logProbabilities) {
    Tensor weight = n.optional(2);
    DType wide = logProbabilities.dtype() == DType.F64 ? DType.F64 : DType.F32;
    // a class that no target has ignores nothing
    long ignored = n.integer("ignore_index", Long.MIN_VALUE);
    return logProbabilities.nllLoss(
        n.in(1), weight == null ? null : weight.to(wide), ignored, reduction(n));
  }

  private static LossReduction reduction(Node n) {
    return switch (n.text("reduction", "mean")) {
      case "mean" -> LossReduction.MEAN;
      case "sum" -> LossReduction.SUM;
      case "none" -> LossReduction.NONE;
      default -> throw n.unsupported("reduction must be mean, sum or none");
    };
  }

  private static List<Tensor> softmaxCrossEntropy(Node n) {
    Tensor scores = n.in(0);
    Tensor logProbabilities = scores.logSoftmax(1);
    Tensor loss = negativeLogLikelihood(n, logProbabilities).to(scores.dtype());
    return List.of(loss, logProbabilities);
  }
}
