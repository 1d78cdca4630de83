package dev.gridstride.kernels;

import dev.gridstride.device.DType;
import java.util.List;

/**
 * Adadelta, as {@code torch.optim.Adadelta}: {@code s = rho * s + (1 - rho) * g^2}, {@code d =
 * sqrt(a + eps) / sqrt(s + eps) * g}, {@code a = rho * a + (1 - rho) * d^2}, {@code p -= lr * d}
 * (Zeiler, Adadelta, 2012).
 *
 * <p>State: {@code square} (s) and {@code delta} (a).
 *
 * @param type f32 or f64
 * @param rho decay of the averages, in [0, 1]
 * @param eps added under the roots; with 0 the first step is 0 and a zero gradient gives NaN
 * @param weightDecay factor of the decay
 * @param maximize whether to go up the gradient
 */
public record Adadelta(DType type, double rho, double eps, double weightDecay, boolean maximize)
    implements GradientDescent {
  /** Checks type and options. */
  public Adadelta {
    GradientDescent.checkType("adadelta", type);
    GradientDescent.checkOption("adadelta", "rho", rho, 0, 1);
    GradientDescent.checkOption("adadelta", "eps", eps, 0, Double.MAX_VALUE);
    GradientDescent.checkOption("adadelta", "weightDecay", weightDecay, 0, Double.MAX_VALUE);
  }

  /** With PyTorch's defaults. */
  public static Adadelta of(DType type) {
    return new Adadelta(type, 0.9, 1e-6, 0, false);
  }

  @Override
  public String name() {
    return "adadelta";
  }

  @Override
  public List<String> states() {
    return List.of("square", "delta");
  }
}
