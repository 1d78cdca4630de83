package dev.gridstride.optim;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.kernels.GradientDescent;
import java.util.List;
import java.util.function.Function;

/** Adagrad; see {@link dev.gridstride.kernels.Adagrad} for the formula. */
public final class Adagrad extends Optimizer {
  private final double initialAccumulator;

  /** With PyTorch's defaults. */
  public Adagrad(List<Tensor> parameters, double learningRate) {
    this(parameters, learningRate, dev.gridstride.kernels.Adagrad::of, 0);
  }

  /**
   * With other options.
   *
   * @param method the options for each dtype, as {@code t -> new Adagrad(t, 0.01, 1e-10, 0, false)}
   * @param initialAccumulator what the sums of squares start with
   */
  public Adagrad(
      List<Tensor> parameters,
      double learningRate,
      Function<DType, GradientDescent> method,
      double initialAccumulator) {
    super(parameters, learningRate, method);
    this.initialAccumulator = initialAccumulator;
  }

  @Override
  double initial(String state) {
    return initialAccumulator;
  }
}
