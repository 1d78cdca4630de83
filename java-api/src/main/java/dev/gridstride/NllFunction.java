package dev.gridstride;

import dev.gridstride.device.DType;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.LossReduction;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The negative log-likelihood of target classes, made of recorded tensor ops. */
final class NllFunction {
  private static final String OP = "nllLoss";

  private NllFunction() {}

  static Tensor apply(
      Tensor logProbs,
      Tensor targets,
      @Nullable Tensor weight,
      long ignoreIndex,
      LossReduction reduction) {
    check(logProbs, targets);
    long[] dims = logProbs.shape().dims();
    long[] positions = targets.shape().dims();
    long classes = dims[dims.length == 1 ? 0 : 1];
    if (weight != null) {
      checkWeight(logProbs, weight, classes);
    }
    long inner = 1;
    for (int i = 2; i < dims.length; i++) {
      inner *= dims[i]; // the product of all sizes is known to fit
    }
    double[] weights = weight == null ? null : weight.toDoubleArray();
    long[] at = targets.toLongArray();
    var share = new double[at.length];
    double total = 0;
    for (int i = 0; i < at.length; i++) {
      long target = at[i];
      boolean ignored = target == ignoreIndex;
      if (!ignored && (target < 0 || target >= classes)) {
        throw InvalidArgumentException.of(
            OP,
            "targets",
            "must be in 0..classes - 1 or the ignored class",
            "position=%d, target=%d, classes=%d, ignoreIndex=%d",
            i,
            target,
            classes,
            ignoreIndex);
      }
      share[i] = ignored ? 0 : weights == null ? 1 : weights[(int) target];
      total += share[i];
      at[i] = (i / inner * classes + (ignored ? 0 : target)) * inner + i % inner;
    }
    Tensor index = Tensors.of(logProbs.device(), at, positions);
    Tensor picked = logProbs.reshape(logProbs.count()).indexSelect(0, index);
    Tensor losses = weighted(LossFunction.wide(picked).neg(), share, weights != null);
    return switch (reduction) {
      case NONE -> losses;
      case MEAN -> losses.sum().div(total);
      case SUM -> losses.sum();
    };
  }

  /** Times the shares, where a share of 0 gives 0 even at Inf. */
  private static Tensor weighted(Tensor losses, double[] share, boolean weights) {
    if (!weights && Arrays.stream(share).allMatch(s -> s == 1)) {
      return losses;
    }
    Tensor shares = Hosts.fromDoubles(losses.device(), losses.dtype(), share, losses.shape());
    Tensor zero = BinaryFunction.scalar(losses, 0);
    return shares.ne(zero).where(losses, zero).mul(shares);
  }

  private static void check(Tensor logProbs, Tensor targets) {
    LossFunction.checkFloating(OP, "logProbs", logProbs);
    targets.checkOpen(OP);
    if (logProbs.rank() == 0) {
      throw InvalidArgumentException.of(
          OP,
          "logProbs",
          "must have shape [classes] or [n, classes, ...]",
          "logProbs=%s",
          logProbs);
    }
    if ((targets.dtype() != DType.I64 && targets.dtype() != DType.I32)
        || !targets.device().equals(logProbs.device())) {
      throw InvalidArgumentException.of(
          OP,
          "targets",
          "must be classes (i64 or i32) on the device of logProbs",
          "targets=%s, logProbs=%s",
          targets,
          logProbs);
    }
    long[] positions = CrossEntropyFunction.withoutClasses(logProbs.shape().dims());
    if (!Arrays.equals(targets.shape().dims(), positions)) {
      throw InvalidArgumentException.of(
          OP,
          "targets",
          "must have the shape of logProbs without the class dimension",
          "logProbs=%s, targets=%s",
          logProbs.shape(),
          targets.shape());
    }
  }

  private static void checkWeight(Tensor logProbs, Tensor weight, long classes) {
    DType wide = logProbs.dtype() == DType.F64 ? DType.F64 : DType.F32;
    if (weight.dtype() != wide || weight.rank() != 1 || weight.size(0) != classes) {
      throw InvalidArgumentException.of(
          OP,
          "weight",
          "must have shape [classes] and dtype " + wide,
          "weight=%s, classes=%d",
          weight,
          classes);
    }
  }
}
