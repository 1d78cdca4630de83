package dev.gridstride;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.CrossEntropy;
import dev.gridstride.kernels.LossReduction;
import java.util.Arrays;

/** Cross-entropy as a recorded tensor op. */
final class CrossEntropyFunction {
  private CrossEntropyFunction() {}

  static Tensor apply(Tensor input, Tensor target, CrossEntropyOptions options) {
    Tensor logits = input.contiguous();
    Tensor targets = Autograd.noGrad(target::contiguous);
    long[] positions = positions(logits, targets);
    CrossEntropy op = op(logits, targets, options);
    Tensor weight = options.weight();
    if (weight != null
        && (weight.dtype() != op.resultType()
            || weight.rank() != 1
            || weight.size(0) != op.classes()
            || !weight.isContiguous())) {
      throw InvalidArgumentException.of(
          "crossEntropy",
          "weight",
          "must be contiguous, have shape [classes] and dtype " + op.resultType(),
          "weight=%s, classes=%d",
          weight,
          op.classes());
    }
    Buffer w = weight == null ? null : weight.buffer();
    CrossEntropy.Plan plan = Plans.of(logits.device(), op);
    long[] dims = op.reduction() == LossReduction.NONE ? positions : new long[0];
    Tensor loss = Tensor.empty(logits.device(), op.resultType(), dims);
    if (!Autograd.isRecording() || !logits.requiresGrad()) {
      plan.forward(logits.stream(), logits.buffer(), targets.buffer(), w, loss.buffer(), null);
      return loss;
    }
    Tensor lse = Tensor.empty(logits.device(), op.resultType(), positions);
    plan.forward(
        logits.stream(), logits.buffer(), targets.buffer(), w, loss.buffer(), lse.buffer());
    return Autograd.record(
        op.name(),
        loss,
        logits,
        gradient -> {
          Tensor dloss = gradient.contiguous();
          Tensor dlogits = Tensor.emptyLike(logits);
          plan.backward(
              logits.stream(),
              logits.buffer(),
              targets.buffer(),
              w,
              lse.buffer(),
              dloss.buffer(),
              dlogits.buffer());
          return dlogits;
        });
  }

  /** The logits' sizes without the class dimension; checks the targets' sizes. */
  private static long[] positions(Tensor logits, Tensor targets) {
    long[] x = logits.shape().dims();
    if (x.length == 0) {
      throw InvalidArgumentException.of(
          "crossEntropy",
          "logits",
          "must have shape [classes] or [n, classes, ...]",
          "logits=%s",
          logits);
    }
    long[] positions = withoutClasses(x);
    boolean probabilities = targets.dtype().isFloating();
    if (!Arrays.equals(targets.shape().dims(), probabilities ? x : positions)) {
      throw InvalidArgumentException.of(
          "crossEntropy",
          "targets",
          probabilities
              ? "must have the logits' shape"
              : "must have the logits' shape without the class dimension",
          "logits=%s, targets=%s",
          logits.shape(),
          targets.shape());
    }
    return positions;
  }

  /** {@code [n, ...]} of {@code [n, classes, ...]}, and no dimensions of {@code [classes]}. */
  static long[] withoutClasses(long[] dims) {
    long[] positions = new long[dims.length - 1];
    for (int i = 0; i < positions.length; i++) {
      positions[i] = i == 0 ? dims[0] : dims[i + 1];
    }
    return positions;
  }

  private static CrossEntropy op(Tensor logits, Tensor targets, CrossEntropyOptions options) {
    long[] x = logits.shape().dims();
    long rows = x.length == 1 ? 1 : x[0];
    long classes = x.length == 1 ? x[0] : x[1];
    long inner = 1;
    for (int i = 2; i < x.length; i++) {
      inner *= x[i]; // the product of all sizes is known to fit
    }
    return new CrossEntropy(
        rows,
        classes,
        inner,
        logits.dtype(),
        targets.dtype(),
        options.labelSmoothing(),
        options.ignoreIndex(),
        options.weight() != null,
        options.reduction());
  }
}
