package dev.gridstride.optim;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.kernels.GradientDescent;
import java.util.List;
import java.util.function.Function;

/** Adam; see {@link dev.gridstride.kernels.Adam} for the formula. */
public final class Adam extends Optimizer {
  /** With PyTorch's defaults. */
  public Adam(List<Tensor> parameters, double learningRate) {
    this(parameters, learningRate, dev.gridstride.kernels.Adam::of);
  }

  /**
   * With other options.
   *
   * @param method the options for each dtype, as {@code t -> new Adam(t, 0.9, 0.99, 1e-8, 0, false,
   *     true, false)}
   */
  public Adam(
      List<Tensor> parameters, double learningRate, Function<DType, GradientDescent> method) {
    super(parameters, learningRate, method);
  }
}
