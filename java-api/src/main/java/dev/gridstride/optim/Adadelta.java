package dev.gridstride.optim;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.kernels.GradientDescent;
import java.util.List;
import java.util.function.Function;

/** Adadelta; see {@link dev.gridstride.kernels.Adadelta} for the formula. */
public final class Adadelta extends Optimizer {
  /** With PyTorch's defaults. */
  public Adadelta(List<Tensor> parameters, double learningRate) {
    this(parameters, learningRate, dev.gridstride.kernels.Adadelta::of);
  }

  /**
   * With other options.
   *
   * @param method the options for each dtype, as {@code t -> new Adadelta(t, 0.95, 1e-6, 0, false)}
   */
  public Adadelta(
      List<Tensor> parameters, double learningRate, Function<DType, GradientDescent> method) {
    super(parameters, learningRate, method);
  }
}
