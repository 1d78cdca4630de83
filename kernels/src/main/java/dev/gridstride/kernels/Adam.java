package dev.gridstride.kernels;

import dev.gridstride.device.DType;
import java.util.List;

/**
 * Adam and AdamW, as {@code torch.optim.Adam} and {@code AdamW}: {@code m += (1 - beta1) * (g -
 * m)}, {@code v = beta2 * v + (1 - beta2) * g^2}, {@code p -= lr / (1 - beta1^step) * m / (sqrt(v /
 * (1 - beta2^step)) + eps)} (Kingma and Ba, Adam, 2015).
 *
 * <p>Decoupled weight decay multiplies p by {@code 1 - lr * weightDecay} first: that is AdamW. With
 * amsgrad, v in the last formula is the largest v so far. State: {@code m}, {@code v}, and {@code
 * vMax} with amsgrad.
 *
 * @param type f32 or f64
 * @param beta1 decay of the first moment, in [0, 1]
 * @param beta2 decay of the second moment, in [0, 1]
 * @param eps added to the denominator; 0 is allowed
 * @param weightDecay factor of the decay
 * @param decoupled whether the decay acts on the parameter, not through the gradient
 * @param amsgrad whether the largest second moment is used
 * @param maximize whether to go up the gradient
 */
public record Adam(
    DType type,
    double beta1,
    double beta2,
    double eps,
    double weightDecay,
    boolean decoupled,
    boolean amsgrad,
    boolean maximize)
    implements GradientDescent {
  /** Checks type and options. */
  public Adam {
    GradientDescent.checkType("adam", type);
    GradientDescent.checkOption("adam", "beta1", beta1, 0, 1);
    GradientDescent.checkOption("adam", "beta2", beta2, 0, 1);
    GradientDescent.checkOption("adam", "eps", eps, 0, Double.MAX_VALUE);
    GradientDescent.checkOption("adam", "weightDecay", weightDecay, 0, Double.MAX_VALUE);
  }

  /** Adam with PyTorch's defaults. */
  public static Adam of(DType type) {
    return new Adam(type, 0.9, 0.999, 1e-8, 0, false, false, false);
  }

  /** AdamW with PyTorch's defaults and this decay. */
  public static Adam decoupled(DType type, double weightDecay) {
    return new Adam(type, 0.9, 0.999, 1e-8, weightDecay, true, false, false);
  }

  @Override
  public String name() {
    return "adam";
  }

  @Override
  public List<String> states() {
    return amsgrad ? List.of("m", "v", "vMax") : List.of("m", "v");
  }
}
