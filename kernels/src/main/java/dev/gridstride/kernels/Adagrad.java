package dev.gridstride.kernels;

import dev.gridstride.device.DType;
import java.util.List;

/**
 * Adagrad, as {@code torch.optim.Adagrad}: {@code s += g^2}, {@code p -= lr / (1 + (step - 1) *
 * lrDecay) * g / (sqrt(s) + eps)} (Duchi, Hazan and Singer, 2011).
 *
 * <p>State: {@code sum}; fill it with an initial value instead of 0 to damp the first steps.
 *
 * @param type f32 or f64
 * @param lrDecay decay of the learning rate
 * @param eps added to the denominator; 0 is allowed
 * @param weightDecay factor of the decay
 * @param maximize whether to go up the gradient
 */
public record Adagrad(DType type, double lrDecay, double eps, double weightDecay, boolean maximize)
    implements GradientDescent {
  /** Checks type and options. */
  public Adagrad {
    GradientDescent.checkType("adagrad", type);
    GradientDescent.checkOption("adagrad", "lrDecay", lrDecay, 0, Double.MAX_VALUE);
    GradientDescent.checkOption("adagrad", "eps", eps, 0, Double.MAX_VALUE);
    GradientDescent.checkOption("adagrad", "weightDecay", weightDecay, 0, Double.MAX_VALUE);
  }

  /** With PyTorch's defaults. */
  public static Adagrad of(DType type) {
    return new Adagrad(type, 0, 1e-10, 0, false);
  }

  @Override
  public String name() {
    return "adagrad";
  }

  @Override
  public List<String> states() {
    return List.of("sum");
  }
}
