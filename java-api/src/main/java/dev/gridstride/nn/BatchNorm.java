package dev.gridstride.nn;

import dev.gridstride.Autograd;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import org.jspecify.annotations.Nullable;

/** Parameters, running averages and modes that the batch normalization layers share. */
abstract sealed class BatchNorm extends Module permits BatchNorm1d, BatchNorm2d, BatchNorm3d {
  /** Running averages and the number of batches that they hold. */
  private record Averages(Tensor mean, Tensor variance, Tensor batches) {}

  private final String op;
  private final long channels;
  private final BatchNormOptions options;
  private final @Nullable Tensor weight;
  private final @Nullable Tensor bias;
  private final @Nullable Averages averages;

  BatchNorm(String op, Device device, long channels, BatchNormOptions options) {
    if (channels < 1) {
      throw InvalidArgumentException.of(
          op, "channels", "must be at least 1", "channels=%d", channels);
    }
    double momentum = options.momentum().orElse(0);
    if (!(momentum >= 0 && momentum <= 1)) {
      throw InvalidArgumentException.of(op, "momentum", "must be in 0..1", "momentum=%s", momentum);
    }
    Norms.checkEps(op, options.eps());
    this.op = op;
    this.channels = channels;
    this.options = options;
    boolean affine = options.affine();
    weight = affine ? parameter("weight", () -> Tensors.ones(device, DType.F32, channels)) : null;
    bias = affine ? parameter("bias", () -> Tensors.zeros(device, DType.F32, channels)) : null;
    averages =
        options.tracked()
            ? new Averages(
                buffer("running_mean", () -> Tensors.zeros(device, DType.F32, channels)),
                buffer("running_var", () -> Tensors.ones(device, DType.F32, channels)),
                buffer("num_batches_tracked", () -> Tensors.zeros(device, DType.I64)))
            : null;
  }

  /** Refuses tensors that are not for this layer, but for their channels. */
  abstract void checkRank(Tensor x);

  @Override
  public final Tensor forward(Tensor x) {
    checkRank(x);
    if (x.size(1) != channels) {
      throw InvalidArgumentException.of(
          op, "x", "must have the layer's channels", "shape=%s, channels=%d", x.shape(), channels);
    }
    double eps = options.eps();
    if (averages == null) {
      return x.batchNorm(weight, bias, eps);
    }
    if (!isTraining()) {
      return x.batchNormInference(weight, bias, averages.mean, averages.variance, eps);
    }
    double momentum = options.momentum().orElseGet(() -> 1 / (1 + averages.batches.item()));
    Tensor y = x.batchNorm(weight, bias, averages.mean, averages.variance, momentum, eps);
    try (Scope scope = Scope.open()) {
      Autograd.noGrad(() -> averages.batches.buffer().copyFrom(averages.batches.add(1).buffer()));
      averages.batches.changed();
    }
    return y;
  }
}
