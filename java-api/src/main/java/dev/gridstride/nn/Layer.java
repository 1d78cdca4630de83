package dev.gridstride.nn;

import dev.gridstride.Tensor;
import java.util.function.UnaryOperator;

/**
 * A module without parameters, made of a function of one tensor: {@code new Layer(Tensor::relu)},
 * {@code new Layer(x -> x.maxPool2d(2))}, {@code new Layer(x -> x.flatten(1))}.
 */
public final class Layer extends Module {
  private final UnaryOperator<Tensor> function;

  /** A layer that applies {@code function}. */
  public Layer(UnaryOperator<Tensor> function) {
    this.function = function;
  }

  @Override
  public Tensor forward(Tensor x) {
    return function.apply(x);
  }
}
