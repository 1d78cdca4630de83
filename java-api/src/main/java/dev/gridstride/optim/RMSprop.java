package dev.gridstride.optim;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.kernels.GradientDescent;
import java.util.List;
import java.util.function.Function;

/** RMSprop; see {@link dev.gridstride.kernels.RmsProp} for the formula. */
public final class RMSprop extends Optimizer {
  /** With PyTorch's defaults. */
  public RMSprop(List<Tensor> parameters, double learningRate) {
    this(parameters, learningRate, dev.gridstride.kernels.RmsProp::of);
  }

  /**
   * With other options.
   *
   * @param method the options for each dtype, as {@code t -> new RmsProp(t, 0.9, 1e-8, 0, 0.9,
   *     true, false)}
   */
  public RMSprop(
      List<Tensor> parameters, double learningRate, Function<DType, GradientDescent> method) {
    super(parameters, learningRate, method);
  }
}
