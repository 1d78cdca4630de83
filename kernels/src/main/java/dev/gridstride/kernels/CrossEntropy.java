package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuCrossEntropy;
import dev.gridstride.cuda.CudaCrossEntropy;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Op;
import dev.gridstride.device.Pins;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import org.jspecify.annotations.Nullable;

/**
 * Softmax cross-entropy of row-major logits {@code [rows, classes, inner]}, in nats.
 *
 * <p>Each of the {@code rows * inner} positions has {@code classes} logits x and the loss {@code
 * sum_c q_c * (lse - x_c)} with {@code lse = log(sum_c exp(x_c))}. For a target class t, {@code q_c
 * = (1 - labelSmoothing) * weight_t * [c = t] + labelSmoothing / classes * weight_c}; for target
 * probabilities t, {@code q_c = weight_c * ((1 - labelSmoothing) * t_c + labelSmoothing /
 * classes)}. These are PyTorch's definitions ({@code torch.nn.CrossEntropyLoss}).
 *
 * <p>The mean divides by the sum of {@code weight_t} over the positions that are not ignored (by
 * their number without weights); for target probabilities by the number of positions. When nothing
 * is left to divide by (all ignored, no rows, weights of 0) it is NaN, as in PyTorch.
 *
 * <p>Logits are f64, f32, bf16 or f16; losses, {@code lse}, weights and {@code dloss} are of {@link
 * #resultType()}: f64 for f64, otherwise f32. Sums within a row are formed in f32 in runs of at
 * most 2,048 elements, everything above that in f64. Deterministic for any number of threads.
 *
 * <p>Edge cases: a logit of -Inf has probability 0; a coefficient {@code q_c} of 0 adds nothing to
 * the loss even there. A row with a NaN, a +Inf, or only -Inf gives NaN. An ignored position has
 * loss 0 and gradient 0 whatever its logits are. Target probabilities are not checked to sum to 1.
 *
 * @param rows product of the dimensions before the classes
 * @param classes number of classes, at least 1
 * @param inner product of the dimensions after the classes; 1 for a matrix of logits
 * @param type element type of the logits and their gradient
 * @param targetType i32 or i64 for target classes {@code [rows, inner]}; {@code type} for target
 *     probabilities, shaped as the logits
 * @param labelSmoothing share of the target that is spread over all classes, in [0, 1]
 * @param ignoreIndex target class of positions that are left out; may be outside 0..classes. Not
 *     used with target probabilities
 * @param weighted whether a weight for each class is given at run time
 * @param reduction what becomes of the positions' losses
 */
public record CrossEntropy(
    long rows,
    long classes,
    long inner,
    DType type,
    DType targetType,
    double labelSmoothing,
    long ignoreIndex,
    boolean weighted,
    LossReduction reduction)
    implements Op<CrossEntropy.Plan> {
  /** The ignore index that {@link #of} sets, as in PyTorch. */
  public static final long DEFAULT_IGNORE_INDEX = -100;

  private static final Implementations<CrossEntropy, Kernel> IMPLEMENTATIONS =
      Implementations.of(
          Implementation.cpu("rows", CpuCrossEntropy::new),
          Implementation.cuda("cuda", CudaCrossEntropy::new));

  /** Checks sizes, types and options. */
  public CrossEntropy {
    if (rows < 0 || classes < 1 || inner < 0) {
      throw InvalidArgumentException.of(
          "crossEntropy",
          "sizes",
          "must not be negative, classes must be at least 1",
          "rows=%d, classes=%d, inner=%d",
          rows,
          classes,
          inner);
    }
    if (!type.isFloating()) {
      throw InvalidArgumentException.of(
          "crossEntropy", "type", "must be f64, f32, bf16 or f16", "type=%s", type);
    }
    if (targetType != DType.I32 && targetType != DType.I64 && targetType != type) {
      throw InvalidArgumentException.of(
          "crossEntropy",
          "targetType",
          "must be i32 or i64 (classes) or the logits' type (probabilities)",
          "targetType=%s, type=%s",
          targetType,
          type);
    }
    if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
      throw InvalidArgumentException.of(
          "crossEntropy",
          "labelSmoothing",
          "must be in [0, 1]",
          "labelSmoothing=%s",
          labelSmoothing);
    }
    Layout.contiguous(rows, classes, inner); // overflow
  }

  /** The mean loss of logits {@code [rows, classes]}, without smoothing or weights. */
  public static CrossEntropy of(DType type, DType targetType, long rows, long classes) {
    return new CrossEntropy(
        rows, classes, 1, type, targetType, 0, DEFAULT_IGNORE_INDEX, false, LossReduction.MEAN);
  }

  /** The same for logits {@code [rows, classes, inner]}, as in dense prediction. */
  public CrossEntropy withInner(long inner) {
    return new CrossEntropy(
        rows, classes, inner, type, targetType, labelSmoothing, ignoreIndex, weighted, reduction);
  }

  /** The same with another label smoothing. */
  public CrossEntropy withLabelSmoothing(double labelSmoothing) {
    return new CrossEntropy(
        rows, classes, inner, type, targetType, labelSmoothing, ignoreIndex, weighted, reduction);
  }

  /** The same with another ignored class. */
  public CrossEntropy withIgnoreIndex(long ignoreIndex) {
    return new CrossEntropy(
        rows, classes, inner, type, targetType, labelSmoothing, ignoreIndex, weighted, reduction);
  }

  /** The same with a weight for each class, given at run time. */
  public CrossEntropy withWeights() {
    return new CrossEntropy(
        rows, classes, inner, type, targetType, labelSmoothing, ignoreIndex, true, reduction);
  }

  /** The same with another reduction. */
  public CrossEntropy withReduction(LossReduction reduction) {
    return new CrossEntropy(
        rows, classes, inner, type, targetType, labelSmoothing, ignoreIndex, weighted, reduction);
  }

  @Override
  public String name() {
    return "crossEntropy";
  }

  /** Number of logits. */
  public long count() {
    return rows * classes * inner;
  }

  /** Number of positions: {@code rows * inner}. */
  public long positions() {
    return rows * inner;
  }

  /** Whether targets are class indices. */
  public boolean hasClassTargets() {
    return !targetType.isFloating();
  }

  /** For implementations: the exception for a target that is no class and not ignored. */
  public InvalidArgumentException targetOutOfRange(long position, long target) {
    return InvalidArgumentException.of(
        name(),
        "targets",
        "must be in 0..classes (excluded) or the ignore index",
        "row=%d, target=%d, classes=%d, ignoreIndex=%d",
        position,
        target,
        classes,
        ignoreIndex);
  }

  /** Number of targets. */
  public long targetCount() {
    return hasClassTargets() ? positions() : count();
  }

  /** Number of losses: one, or one for each position. */
  public long lossCount() {
    return reduction == LossReduction.NONE ? positions() : 1;
  }

  /** Type of loss, lse, weights and dloss: f64 for f64 logits, otherwise f32. */
  public DType resultType() {
    return type == DType.F64 ? DType.F64 : DType.F32;
  }

  @Override
  public Support supports(Device device) {
    return IMPLEMENTATIONS.supports(this, device);
  }

  @Override
  public Plan plan(Device device) {
    return new Plan(this, device);
  }

  /** What a backend implements; operands are checked and pinned, target classes are not. */
  public interface Kernel extends DeviceKernel {
    /** See {@link Plan#forward}. */
    void forward(
        Stream stream,
        Buffer logits,
        Buffer targets,
        @Nullable Buffer weight,
        Buffer loss,
        @Nullable Buffer lse);

    /** See {@link Plan#forwardBackward}. */
    void forwardBackward(
        Stream stream,
        Buffer logits,
        Buffer targets,
        @Nullable Buffer weight,
        double scale,
        Buffer loss,
        Buffer dlogits);

    /** See {@link Plan#backward}. */
    void backward(
        Stream stream,
        Buffer logits,
        Buffer targets,
        @Nullable Buffer weight,
        Buffer lse,
        Buffer dloss,
        Buffer dlogits);
  }

  /** A cross-entropy that can be run. */
  public static final class Plan extends OpPlan<CrossEntropy, Kernel> {
    private Plan(CrossEntropy op, Device device) {
      super(op, device, IMPLEMENTATIONS);
    }

    /**
     * The loss, and what {@link #backward} needs.
     *
     * @param logits {@code [rows, classes, inner]}
     * @param targets {@code [rows, inner]} classes, or {@code [rows, classes, inner]} probabilities
     * @param weight {@code [classes]} when the op is weighted, else null
     * @param loss one element, or {@code [rows, inner]} without reduction
     * @param lse {@code [rows, inner]}, the logarithm of the sum of the exponentials; may be null
     * @throws InvalidArgumentException also when a target class is neither in 0..classes nor
     *     ignored; nothing is written then
     */
    public void forward(
        Stream stream,
        Buffer logits,
        Buffer targets,
        @Nullable Buffer weight,
        Buffer loss,
        @Nullable Buffer lse) {
      checkInputs(stream, logits, targets, weight);
      checkOutput("loss", loss, op.resultType(), op.lossCount(), targets, weight);
      checkDisjoint("loss", loss, "logits", logits);
      if (lse != null) {
        checkOutput("lse", lse, op.resultType(), op.positions(), targets, weight);
        checkDisjoint("lse", lse, "logits", logits);
        checkDisjoint("lse", lse, "loss", loss);
      }
      Pins.pinAll(op.name(), logits, targets, weight, loss, lse);
      try {
        kernel.forward(stream, logits, targets, weight, loss, lse);
      } finally {
        Pins.unpinAll(logits, targets, weight, loss, lse);
      }
    }

    /**
     * The loss and its gradient with one reading of the logits: what a training step uses when the
     * loss is the root of the graph.
     *
     * @param logits {@code [rows, classes, inner]}
     * @param targets {@code [rows, inner]} classes, or {@code [rows, classes, inner]} probabilities
     * @param weight {@code [classes]} when the op is weighted, else null
     * @param scale factor of the gradient (not of the loss); 1 for the plain gradient
     * @param loss one element, or {@code [rows, inner]} without reduction
     * @param dlogits gradient of {@code scale * sum(loss)} with respect to the logits; may be the
     *     logits' memory, must not overlap it otherwise
     * @throws InvalidArgumentException also when a target class is neither in 0..classes nor
     *     ignored; nothing is written then
     */
    public void forwardBackward(
        Stream stream,
        Buffer logits,
        Buffer targets,
        @Nullable Buffer weight,
        double scale,
        Buffer loss,
        Buffer dlogits) {
      checkInputs(stream, logits, targets, weight);
      checkOutput("loss", loss, op.resultType(), op.lossCount(), targets, weight);
      checkDisjoint("loss", loss, "logits", logits);
      checkOutput("dlogits", dlogits, op.type(), op.count(), targets, weight);
      checkSameOrDisjoint("dlogits", dlogits, "logits", logits);
      checkDisjoint("dlogits", dlogits, "loss", loss);
      Pins.pinAll(op.name(), logits, targets, weight, loss, dlogits);
      try {
        kernel.forwardBackward(stream, logits, targets, weight, scale, loss, dlogits);
      } finally {
        Pins.unpinAll(logits, targets, weight, loss, dlogits);
      }
    }

    /**
     * The gradient from the result of {@link #forward}.
     *
     * @param logits {@code [rows, classes, inner]}
     * @param targets {@code [rows, inner]} classes, or {@code [rows, classes, inner]} probabilities
     * @param weight {@code [classes]} when the op is weighted, else null
     * @param lse {@code [rows, inner]} from {@link #forward}; its rounding does no harm, the
     *     probabilities are normalised again
     * @param dloss upstream gradient: one element, or {@code [rows, inner]} without reduction
     * @param dlogits gradient with respect to the logits; may be their memory, must not overlap it
     *     otherwise
     * @throws InvalidArgumentException also when a target class is neither in 0..classes nor
     *     ignored; nothing is written then
     */
    public void backward(
        Stream stream,
        Buffer logits,
        Buffer targets,
        @Nullable Buffer weight,
        Buffer lse,
        Buffer dloss,
        Buffer dlogits) {
      checkInputs(stream, logits, targets, weight);
      check("lse", lse, op.resultType(), op.positions());
      check("dloss", dloss, op.resultType(), op.lossCount());
      checkOutput("dlogits", dlogits, op.type(), op.count(), targets, weight);
      checkSameOrDisjoint("dlogits", dlogits, "logits", logits);
      checkDisjoint("dlogits", dlogits, "lse", lse);
      checkDisjoint("dlogits", dlogits, "dloss", dloss);
      Pins.pinAll(op.name(), logits, targets, weight, lse, dloss, dlogits);
      try {
        kernel.backward(stream, logits, targets, weight, lse, dloss, dlogits);
      } finally {
        Pins.unpinAll(logits, targets, weight, lse, dloss, dlogits);
      }
    }

    private void checkInputs(
        Stream stream, Buffer logits, Buffer targets, @Nullable Buffer weight) {
      checkStream(stream);
      check("logits", logits, op.type(), op.count());
      check("targets", targets, op.targetType(), op.targetCount());
      if ((weight != null) != op.weighted()) {
        throw InvalidArgumentException.of(
            op.name(),
            "weight",
            "must be given exactly when the op is weighted",
            "weighted=%s, weight=%s",
            op.weighted(),
            weight == null ? "null" : weight);
      }
      checkOptional("weight", weight, op.resultType(), op.classes());
    }

    private void checkOutput(
        String argument,
        Buffer out,
        DType type,
        long count,
        Buffer targets,
        @Nullable Buffer weight) {
      check(argument, out, type, count);
      checkDisjoint(argument, out, "targets", targets);
      checkDisjoint(argument, out, "weight", weight);
    }
  }
}
