package dev.gridstride.cpu.scalar;

import dev.gridstride.cpu.Elements;
import dev.gridstride.cpu.Update;
import dev.gridstride.kernels.Adadelta;
import dev.gridstride.kernels.Adagrad;
import dev.gridstride.kernels.Adam;
import dev.gridstride.kernels.GradientDescent;
import dev.gridstride.kernels.RmsProp;
import dev.gridstride.kernels.Sgd;

/** Gradient descent element by element, computed in f64. */
public final class ScalarUpdates {
  private ScalarUpdates() {}

  /** The update of one step. */
  public static Update of(GradientDescent op, long step, double lr, double scale) {
    Elements e = Elements.of(op.type());
    return switch (op) {
      case Sgd o -> sgd(o, e, step, lr, o.maximize() ? -scale : scale);
      case Adam o -> adam(o, e, step, lr, o.maximize() ? -scale : scale);
      case RmsProp o -> rmsProp(o, e, lr, o.maximize() ? -scale : scale);
      case Adagrad o -> adagrad(o, e, step, lr, o.maximize() ? -scale : scale);
      case Adadelta o -> adadelta(o, e, lr, o.maximize() ? -scale : scale);
    };
  }

  private static Update sgd(Sgd op, Elements e, long step, double lr, double scale) {
    double coupled = op.decoupled() ? 0 : op.weightDecay();
    double keep = op.decoupled() ? 1 - lr * op.weightDecay() : 1;
    double mu = op.momentum();
    return (o, from, to) -> {
      for (long i = from; i < to; i++) {
        double p = e.get(o[0], i);
        double g = e.get(o[1], i) * scale + coupled * p;
        if (mu != 0) {
          double b = step == 1 ? g : mu * e.get(o[2], i) + (1 - op.dampening()) * g;
          e.set(o[2], i, b);
          g = op.nesterov() ? g + mu * b : b;
        }
        e.set(o[0], i, p * keep - lr * g);
      }
    };
  }

  private static Update adam(Adam op, Elements e, long step, double lr, double scale) {
    double coupled = op.decoupled() ? 0 : op.weightDecay();
    double keep = op.decoupled() ? 1 - lr * op.weightDecay() : 1;
    double rate = lr / (1 - Math.pow(op.beta1(), step));
    double root = Math.sqrt(1 - Math.pow(op.beta2(), step));
    return (o, from, to) -> {
      for (long i = from; i < to; i++) {
        double p = e.get(o[0], i);
        double g = e.get(o[1], i) * scale + coupled * p;
        double m = e.get(o[2], i);
        m += (1 - op.beta1()) * (g - m);
        double v = op.beta2() * e.get(o[3], i) + (1 - op.beta2()) * g * g;
        e.set(o[2], i, m);
        e.set(o[3], i, v);
        if (op.amsgrad()) {
          v = Math.max(v, e.get(o[4], i));
          e.set(o[4], i, v);
        }
        e.set(o[0], i, p * keep - rate * m / (Math.sqrt(v) / root + op.eps()));
      }
    };
  }

  private static Update rmsProp(RmsProp op, Elements e, double lr, double scale) {
    double alpha = op.alpha();
    int mean = op.momentum() != 0 ? 4 : 3;
    return (o, from, to) -> {
      for (long i = from; i < to; i++) {
        double p = e.get(o[0], i);
        double g = e.get(o[1], i) * scale + op.weightDecay() * p;
        double s = alpha * e.get(o[2], i) + (1 - alpha) * g * g;
        e.set(o[2], i, s);
        if (op.centered()) {
          double a = e.get(o[mean], i);
          a += (1 - alpha) * (g - a);
          e.set(o[mean], i, a);
          s -= a * a;
        }
        double d = g / (Math.sqrt(s) + op.eps());
        if (op.momentum() != 0) {
          d += op.momentum() * e.get(o[3], i);
          e.set(o[3], i, d);
        }
        e.set(o[0], i, p - lr * d);
      }
    };
  }

  private static Update adagrad(Adagrad op, Elements e, long step, double lr, double scale) {
    double rate = lr / (1 + (step - 1) * op.lrDecay());
    return (o, from, to) -> {
      for (long i = from; i < to; i++) {
        double p = e.get(o[0], i);
        double g = e.get(o[1], i) * scale + op.weightDecay() * p;
        double s = e.get(o[2], i) + g * g;
        e.set(o[2], i, s);
        e.set(o[0], i, p - rate * g / (Math.sqrt(s) + op.eps()));
      }
    };
  }

  private static Update adadelta(Adadelta op, Elements e, double lr, double scale) {
    double rho = op.rho();
    return (o, from, to) -> {
      for (long i = from; i < to; i++) {
        double p = e.get(o[0], i);
        double g = e.get(o[1], i) * scale + op.weightDecay() * p;
        double s = rho * e.get(o[2], i) + (1 - rho) * g * g;
        double a = e.get(o[3], i);
        double d = Math.sqrt(a + op.eps()) / Math.sqrt(s + op.eps()) * g;
        e.set(o[2], i, s);
        e.set(o[3], i, rho * a + (1 - rho) * d * d);
        e.set(o[0], i, p - lr * d);
      }
    };
  }
}
