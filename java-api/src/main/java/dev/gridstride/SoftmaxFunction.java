package dev.gridstride;

import dev.gridstride.kernels.Softmax;

/** Softmax and log-softmax as recorded tensor ops. */
final class SoftmaxFunction {
  private SoftmaxFunction() {}

  static Tensor apply(Tensor input, int axis, boolean log) {
    Tensor x = input.contiguous();
    int a = x.shape().axis(log ? "logSoftmax" : "softmax", axis);
    Softmax op = Softmax.of(x.dtype(), a, x.shape().dims());
    Softmax.Plan plan = Plans.of(x.device(), log ? op.withLog() : op);
    Tensor y = Tensor.emptyLike(x);
    plan.forward(x.stream(), x.buffer(), y.buffer());
    return Autograd.record(
        op.name(),
        y,
        x,
        gradient -> {
          Tensor dy = gradient.contiguous();
          Tensor dx = Tensor.emptyLike(x);
          plan.backward(x.stream(), y.buffer(), dy.buffer(), dx.buffer());
          return dx;
        });
  }
}
