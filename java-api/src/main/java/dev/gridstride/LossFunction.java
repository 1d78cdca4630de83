package dev.gridstride;

import dev.gridstride.device.DType;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.LossReduction;
import org.jspecify.annotations.Nullable;

/** Losses that compare predictions and targets element by element, made of recorded tensor ops. */
final class LossFunction {
  private LossFunction() {}

  static Tensor mse(Tensor predictions, Tensor targets, LossReduction reduction) {
    return reduce(difference("mseLoss", predictions, targets).square(), reduction);
  }

  static Tensor l1(Tensor predictions, Tensor targets, LossReduction reduction) {
    return reduce(difference("l1Loss", predictions, targets).abs(), reduction);
  }

  static Tensor huber(Tensor predictions, Tensor targets, double delta, LossReduction reduction) {
    Tensor error = difference("huberLoss", predictions, targets).abs();
    double bound = rounded(error, delta);
    if (!(bound > 0) || Double.isInfinite(bound)) {
      throw InvalidArgumentException.of(
          "huberLoss", "delta", "must be positive and finite", "delta=%s", delta);
    }
    // the bounded part and the excess: finite gradients at every error, an infinite one too
    Tensor inner = error.clamp(0, bound);
    Tensor excess = error.sub(bound).relu();
    return reduce(inner.square().mul(0.5).add(excess.mul(bound)), reduction);
  }

  static Tensor smoothL1(Tensor predictions, Tensor targets, double beta, LossReduction reduction) {
    Tensor error = difference("smoothL1Loss", predictions, targets).abs();
    double bound = rounded(error, beta);
    if (!(bound >= 0) || Double.isInfinite(bound)) {
      throw InvalidArgumentException.of(
          "smoothL1Loss", "beta", "must be finite and not negative", "beta=%s", beta);
    }
    if (bound == 0) {
      return reduce(error, reduction);
    }
    Tensor inner = error.clamp(0, bound);
    Tensor excess = error.sub(bound).relu();
    // the quotient first: it is at most 1, where the square could underflow
    return reduce(inner.div(bound).mul(inner).mul(0.5).add(excess), reduction);
  }

  /** As the tensor's dtype holds it. */
  private static double rounded(Tensor like, double value) {
    return like.dtype() == DType.F64 ? value : (float) value;
  }

  static Tensor binaryCrossEntropy(
      Tensor logits, Tensor targets, @Nullable Tensor posWeight, LossReduction reduction) {
    String op = "binaryCrossEntropyWithLogits";
    check(op, "logits", logits, targets);
    Tensor x = wide(logits);
    Tensor t = wide(targets);
    if (posWeight != null) {
      checkPosWeight(op, x, posWeight);
    }
    Tensor positive = t.mul(x.neg().softplus());
    if (posWeight != null) {
      positive = positive.mul(posWeight);
    }
    Tensor negative = t.neg().add(1).mul(x.softplus());
    return reduce(positive.add(negative), reduction);
  }

  static Tensor contrastive(Tensor embeddings, Tensor labels, double temperature) {
    String op = "contrastiveLoss";
    checkFloating(op, "embeddings", embeddings);
    labels.checkOpen(op);
    if (embeddings.rank() != 2
        || labels.rank() != 1
        || labels.size(0) != embeddings.size(0)
        || labels.dtype().isFloating()) {
      throw InvalidArgumentException.of(
          op,
          "labels",
          "must be integers, one for each row of embeddings [n, size]",
          "embeddings=%s, labels=%s",
          embeddings,
          labels);
    }
    if (!(temperature > 0) || Double.isInfinite(temperature)) {
      throw InvalidArgumentException.of(
          op, "temperature", "must be positive and finite", "temperature=%s", temperature);
    }
    long[] of = labels.toLongArray();
    int n = of.length;
    var positives = new double[Math.multiplyExact(n, n)];
    var self = new double[n * n];
    int counted = 0;
    for (int i = 0; i < n; i++) {
      self[i * n + i] = Double.NEGATIVE_INFINITY; // an example is not compared with itself
      int others = -1;
      for (long label : of) {
        others += label == of[i] ? 1 : 0;
      }
      for (int j = 0; j < n; j++) {
        positives[i * n + j] = j != i && of[j] == of[i] ? 1.0 / others : 0;
      }
      counted += others > 0 ? 1 : 0;
    }
    Tensor z = wide(embeddings).normalize(1);
    if (counted == 0) {
      return z.sum().mul(Double.NaN);
    }
    Shape square = Shape.of(n, n);
    Tensor mask = Hosts.fromDoubles(z.device(), z.dtype(), self, square);
    Tensor targets = Hosts.fromDoubles(z.device(), z.dtype(), positives, square);
    Tensor logits = z.matmul(z.transpose()).div(temperature).add(mask);
    var summed = CrossEntropyOptions.DEFAULTS.withReduction(LossReduction.SUM);
    return logits.crossEntropy(targets, summed).div(counted);
  }

  private static void checkPosWeight(String op, Tensor x, Tensor posWeight) {
    long[] dims = x.shape().dims();
    if (posWeight.dtype() == x.dtype() && posWeight.device().equals(x.device())) {
      long[] weights = posWeight.shape().dims();
      boolean fits = weights.length <= dims.length;
      for (int i = 1; fits && i <= weights.length; i++) {
        long size = weights[weights.length - i];
        fits = size == 1 || size == dims[dims.length - i];
      }
      if (fits) {
        return;
      }
    }
    throw InvalidArgumentException.of(
        op,
        "posWeight",
        "must be broadcast to the logits' shape, on their device, of dtype " + x.dtype(),
        "posWeight=%s, logits=%s",
        posWeight,
        x.shape());
  }

  /** Predictions minus targets, in the result's dtype. */
  private static Tensor difference(String op, Tensor predictions, Tensor targets) {
    check(op, "predictions", predictions, targets);
    return wide(predictions).sub(wide(targets));
  }

  private static void check(String op, String name, Tensor predictions, Tensor targets) {
    checkFloating(op, name, predictions);
    targets.checkOpen(op);
    if (targets.dtype() != predictions.dtype()
        || !targets.device().equals(predictions.device())
        || !targets.shape().equals(predictions.shape())) {
      throw InvalidArgumentException.of(
          op,
          "targets",
          "must have the " + name + "' shape and dtype and live on their device",
          name + "=%s, targets=%s",
          predictions,
          targets);
    }
  }

  static void checkFloating(String op, String name, Tensor x) {
    x.checkOpen(op);
    if (!x.dtype().isFloating()) {
      throw InvalidArgumentException.of(op, name, "must be f64, f32, bf16 or f16", name + "=%s", x);
    }
  }

  /** f64 stays; everything narrower is computed in f32. */
  static Tensor wide(Tensor x) {
    return x.dtype() == DType.F64 ? x : x.to(DType.F32);
  }

  private static Tensor reduce(Tensor losses, LossReduction reduction) {
    return switch (reduction) {
      case NONE -> losses;
      case MEAN -> losses.mean();
      case SUM -> losses.sum();
    };
  }
}
