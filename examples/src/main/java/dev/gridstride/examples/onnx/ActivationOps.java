package dev.gridstride.examples.onnx;

import dev.gridstride.Tensor;

/** Activation functions. */
final class ActivationOps {
  private static final double SELU_ALPHA = 1.67326319217681884765625;
  private static final double SELU_GAMMA = 1.05070102214813232421875;
  private static final long MULTIDIRECTIONAL =
      7; // the first operator set with NumPy's broadcasting

  private ActivationOps() {}

  static void addTo(Operators ops) {
    ops.one("Relu", n -> n.in(0).dtype().isFloating() ? n.in(0).relu() : positive(n.in(0)));
    ops.one("LeakyRelu", n -> n.in(0).leakyRelu(n.real("alpha", 0.01)));
    ops.one("PRelu", ActivationOps::prelu);
    ops.one("Elu", n -> n.in(0).elu(n.real("alpha", 1)));
    ops.one("Selu", ActivationOps::selu);
    ops.one("Celu", ActivationOps::celu);
    ops.one("Gelu", ActivationOps::gelu);
    ops.one("Sigmoid", n -> n.in(0).sigmoid());
    ops.one("HardSigmoid", n -> hard(n.in(0), n.real("alpha", 0.2), n.real("beta", 0.5)));
    ops.one("HardSwish", n -> n.in(0).mul(hard(n.in(0), 1.0 / 6, 0.5)));
    ops.one("Swish", n -> swish(n.in(0), n.real("alpha", 1)));
    ops.one("SwiGLU", ActivationOps::swiGlu);
    ops.one("Mish", n -> n.in(0).mul(n.in(0).softplus().tanh()));
    ops.one("Softplus", n -> n.in(0).softplus());
    ops.one("Softsign", n -> n.in(0).div(n.in(0).abs().add(1)));
    ops.one("Tanh", n -> n.in(0).tanh());
    ops.one("ThresholdedRelu", ActivationOps::thresholdedRelu);
    ops.one("Shrink", ActivationOps::shrink);
  }

  private static Tensor positive(Tensor x) {
    return x.maximum(Values.scalar(x, 0));
  }

  /** Before operator set 7 a slope of rank 1 belongs to the channels. */
  private static Tensor prelu(Node n) {
    Tensor x = n.in(0);
    Tensor slope = n.in(1);
    if (n.opset() < MULTIDIRECTIONAL && slope.count() > 1 && slope.rank() == 1 && x.rank() > 2) {
      var dims = new long[x.rank() - 1];
      java.util.Arrays.fill(dims, 1);
      dims[0] = slope.count();
      slope = slope.reshape(dims);
    }
    return x.lt(Values.scalar(x, 0)).where(x.mul(slope), x);
  }

  private static Tensor selu(Node n) {
    double gamma = n.real("gamma", SELU_GAMMA);
    return n.in(0).elu(n.real("alpha", SELU_ALPHA)).mul(gamma);
  }

  /** {@code max(0, x) + min(0, alpha (e^(x / alpha) - 1))}. */
  private static Tensor celu(Node n) {
    Tensor x = n.in(0);
    double alpha = n.real("alpha", 1);
    Tensor zero = Values.scalar(x, 0);
    return x.maximum(zero).add(x.div(alpha).elu(1).mul(alpha).minimum(zero));
  }

  private static Tensor gelu(Node n) {
    return switch (n.text("approximate", "none")) {
      case "none" -> n.in(0).gelu();
      case "tanh" -> n.in(0).geluTanh();
      default -> throw n.unsupported("approximate must be none or tanh");
    };
  }

  private static Tensor hard(Tensor x, double alpha, double beta) {
    return x.mul(alpha).add(beta).clamp(0, 1);
  }

  private static Tensor swish(Tensor x, double alpha) {
    return alpha == 1 ? x.silu() : x.mul(x.mul(alpha).sigmoid());
  }

  private static Tensor swiGlu(Node n) {
    if (!n.in(0).shape().equals(n.in(1).shape())) {
      throw n.unsupported("both inputs must have one shape");
    }
    return swish(n.in(0), n.real("alpha", 1)).mul(n.in(1));
  }

  private static Tensor thresholdedRelu(Node n) {
    Tensor x = n.in(0);
    return x.gt(Values.scalar(x, n.real("alpha", 1))).where(x, Values.scalar(x, 0));
  }

  /** {@code x + bias} below -lambd, {@code x - bias} above lambd, 0 between. */
  private static Tensor shrink(Node n) {
    Tensor x = n.in(0);
    double lambd = n.real("lambd", 0.5);
    double bias = n.real("bias", 0);
    Tensor zero = Values.scalar(x, 0);
    Tensor low = x.lt(Values.scalar(x, -lambd)).where(x.add(bias), zero);
    return x.gt(Values.scalar(x, lambd)).where(x.sub(bias), low);
  }
}
