package dev.gridstride.kernels;

import dev.gridstride.device.DType;
import java.util.ArrayList;
import java.util.List;

/**
 * RMSprop, as {@code torch.optim.RMSprop}: {@code s = alpha * s + (1 - alpha) * g^2}, {@code d = g
 * / (sqrt(s) + eps)}, {@code p -= lr * d}; with momentum {@code b = momentum * b + d}, {@code p -=
 * lr * b}; centered, with {@code a += (1 - alpha) * (g - a)} and {@code s - a^2} under the root
 * (Graves, Generating sequences with recurrent neural networks, 2013).
 *
 * <p>State: {@code square}, then {@code momentum} when it is not 0, then {@code mean} when
 * centered.
 *
 * @param type f32 or f64
 * @param alpha decay of the averages, in [0, 1]
 * @param eps added to the denominator; 0 is allowed
 * @param weightDecay factor of the decay
 * @param momentum factor of the last direction
 * @param centered whether the variance is used instead of the mean square
 * @param maximize whether to go up the gradient
 */
public record RmsProp(
    DType type,
    double alpha,
    double eps,
    double weightDecay,
    double momentum,
    boolean centered,
    boolean maximize)
    implements GradientDescent {
  /** Checks type and options. */
  public RmsProp {
    GradientDescent.checkType("rmsProp", type);
    GradientDescent.checkOption("rmsProp", "alpha", alpha, 0, 1);
    GradientDescent.checkOption("rmsProp", "eps", eps, 0, Double.MAX_VALUE);
    GradientDescent.checkOption("rmsProp", "weightDecay", weightDecay, 0, Double.MAX_VALUE);
    GradientDescent.checkOption("rmsProp", "momentum", momentum, 0, Double.MAX_VALUE);
  }

  /** With PyTorch's defaults. */
  public static RmsProp of(DType type) {
    return new RmsProp(type, 0.99, 1e-8, 0, 0, false, false);
  }

  @Override
  public String name() {
    return "rmsProp";
  }

  @Override
  public List<String> states() {
    var names = new ArrayList<String>();
    names.add("square");
    if (momentum != 0) {
      names.add("momentum");
    }
    if (centered) {
      names.add("mean");
    }
    return List.copyOf(names);
  }
}
