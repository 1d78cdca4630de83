package dev.gridstride.optim;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.kernels.GradientDescent;
import java.util.List;
import java.util.function.Function;

/**
 * Stochastic gradient descent, with momentum by option; see {@link dev.gridstride.kernels.Sgd} for
 * the formula.
 */
public final class SGD extends Optimizer {
  /** With momentum; 0 for plain descent. */
  public SGD(List<Tensor> parameters, double learningRate, double momentum) {
    this(parameters, learningRate, t -> dev.gridstride.kernels.Sgd.of(t, momentum));
  }

  /**
   * With other options.
   *
   * @param method the options for each dtype, as {@code t -> new Sgd(t, 0.9, 0, true, 1e-4, false,
   *     false)}
   */
  public SGD(
      List<Tensor> parameters, double learningRate, Function<DType, GradientDescent> method) {
    super(parameters, learningRate, method);
  }
}
