package dev.gridstride.nn;

import dev.gridstride.Generator;
import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;

/**
 * Initial values of weights. The first dimension of a weight is the outputs, the second the inputs,
 * and any others the taps of a filter: {@code fanIn = inputs * taps, fanOut = outputs * taps}.
 *
 * <p>Kaiming: He et al., "Delving Deep into Rectifiers", 2015. Xavier: Glorot and Bengio,
 * "Understanding the difficulty of training deep feedforward neural networks", 2010.
 */
public final class Init {
  private Init() {}

  private static long taps(long[] dims) {
    long n = 1;
    for (int i = 2; i < dims.length; i++) {
      n *= dims[i];
    }
    return n;
  }

  /** Number of inputs of one output. */
  public static long fanIn(long... dims) {
    return dims[1] * taps(dims);
  }

  /** Number of outputs that one input goes to. */
  public static long fanOut(long... dims) {
    return dims[0] * taps(dims);
  }

  /** PyTorch's default for linear and convolution weights: uniform within 1 / sqrt(fanIn). */
  public static Tensor torchDefault(Generator g, Device device, DType dtype, long... dims) {
    double bound = 1 / Math.sqrt(Math.max(1, fanIn(dims)));
    return g.uniform(device, dtype, -bound, bound, dims);
  }

  /** Uniform with variance 2 / fanIn, for layers that are followed by ReLU. */
  public static Tensor kaimingUniform(Generator g, Device device, DType dtype, long... dims) {
    double bound = Math.sqrt(6.0 / Math.max(1, fanIn(dims)));
    return g.uniform(device, dtype, -bound, bound, dims);
  }

  /** Normal with variance 2 / fanIn, for layers that are followed by ReLU. */
  public static Tensor kaimingNormal(Generator g, Device device, DType dtype, long... dims) {
    return g.normal(device, dtype, 0, Math.sqrt(2.0 / Math.max(1, fanIn(dims))), dims);
  }

  /** Uniform with variance 2 / (fanIn + fanOut). */
  public static Tensor xavierUniform(Generator g, Device device, DType dtype, long... dims) {
    double bound = Math.sqrt(6.0 / Math.max(1, fanIn(dims) + fanOut(dims)));
    return g.uniform(device, dtype, -bound, bound, dims);
  }

  /** Normal with variance 2 / (fanIn + fanOut). */
  public static Tensor xavierNormal(Generator g, Device device, DType dtype, long... dims) {
    double std = Math.sqrt(2.0 / Math.max(1, fanIn(dims) + fanOut(dims)));
    return g.normal(device, dtype, 0, std, dims);
  }
}
