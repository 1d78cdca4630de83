package dev.gridstride;

import dev.gridstride.kernels.Unary;
import dev.gridstride.kernels.Unary.Function;

/** Elementwise functions of one tensor as recorded ops. */
final class UnaryFunction {
  private UnaryFunction() {}

  static Tensor apply(Function function, Tensor x) {
    return apply(function, x, 0, 0);
  }

  static Tensor apply(Function function, Tensor input, double a, double b) {
    Tensor x = input.isDense() ? input : input.contiguous();
    Unary.Plan plan = Plans.of(x.device(), new Unary(function, x.dtype(), a, b, x.count()));
    Tensor y = Tensor.emptyLike(x);
    plan.forward(x.stream(), x.buffer(), y.buffer());
    if (!function.isDifferentiable() || !x.dtype().isFloating()) {
      return y;
    }
    return Autograd.record(
        "unary",
        y,
        x,
        gradient -> {
          // element by element: the gradient has to lie in the order of x
          Tensor dy =
              gradient.layout().equals(x.layout())
                  ? gradient
                  : Copies.to(gradient, x.dtype(), x.layout());
          Tensor dx = Tensor.emptyLike(x);
          Tensor saved = function.savesResult() ? y : x;
          plan.backward(x.stream(), saved.buffer(), dy.buffer(), dx.buffer());
          return dx;
        });
  }
}
