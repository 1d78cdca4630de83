package dev.gridstride.kernels;

import dev.gridstride.device.DType;
import java.util.List;

/**
 * Stochastic gradient descent, as {@code torch.optim.SGD}: {@code b = momentum * b + (1 -
 * dampening) * g} (in step 1, {@code b = g}), {@code p -= lr * d} with {@code d = g + momentum * b}
 * (Nesterov), b, or g without momentum.
 *
 * <p>Decoupled weight decay multiplies p by {@code 1 - lr * weightDecay} first (Loshchilov and
 * Hutter, Decoupled weight decay regularization, 2019). State: {@code momentum} when momentum is
 * not 0.
 *
 * @param type f32 or f64
 * @param momentum factor of the last direction
 * @param dampening share of the gradient that is left out of the direction
 * @param nesterov whether Nesterov's form is used; needs momentum and no dampening
 * @param weightDecay factor of the decay
 * @param decoupled whether the decay acts on the parameter, not through the gradient
 * @param maximize whether to go up the gradient
 */
public record Sgd(
    DType type,
    double momentum,
    double dampening,
    boolean nesterov,
    double weightDecay,
    boolean decoupled,
    boolean maximize)
    implements GradientDescent {
  /** Checks type and options. */
  public Sgd {
    GradientDescent.checkType("sgd", type);
    GradientDescent.checkOption("sgd", "momentum", momentum, 0, Double.MAX_VALUE);
    GradientDescent.checkOption("sgd", "weightDecay", weightDecay, 0, Double.MAX_VALUE);
    GradientDescent.checkOption("sgd", "dampening", dampening, 0, Double.MAX_VALUE);
    if (nesterov) {
      GradientDescent.checkOption(
          "sgd", "momentum (with nesterov)", momentum, Double.MIN_VALUE, Double.MAX_VALUE);
      GradientDescent.checkOption("sgd", "dampening (with nesterov)", dampening, 0, 0);
    }
  }

  /** With momentum only; 0 for plain descent. */
  public static Sgd of(DType type, double momentum) {
    return new Sgd(type, momentum, 0, false, 0, false, false);
  }

  @Override
  public String name() {
    return "sgd";
  }

  @Override
  public List<String> states() {
    return momentum == 0 ? List.of() : List.of("momentum");
  }
}
