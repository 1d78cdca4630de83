package dev.gridstride.optim;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.kernels.GradientDescent;
import java.util.List;
import java.util.function.Function;

/** Adam with decoupled weight decay; see {@link dev.gridstride.kernels.Adam} for the formula. */
public final class AdamW extends Optimizer {
  /** With PyTorch's other defaults. */
  public AdamW(List<Tensor> parameters, double learningRate, double weightDecay) {
    this(parameters, learningRate, t -> dev.gridstride.kernels.Adam.decoupled(t, weightDecay));
  }

  /**
   * With other options.
   *
   * @param method the options for each dtype, as {@code t -> new Adam(t, 0.9, 0.95, 1e-8, 0.1,
   *     true, false, false)}
   */
  public AdamW(
      List<Tensor> parameters, double learningRate, Function<DType, GradientDescent> method) {
    super(parameters, learningRate, method);
  }
}
