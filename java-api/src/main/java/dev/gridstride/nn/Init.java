package dev.gridstride.nn;

import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import java.util.Arrays;

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
    if (dims.length < 2) {
      throw InvalidArgumentException.of(
          "init", "dims", "must be at least 2", "dims=%s", Arrays.toString(dims));
    }
    long n = 1;
    for (int i = 2; i < dims.length; i++) {
      n *= dims[i];
    }
    return n;
  }

  /** Number of inputs of one output. */
  public static long fanIn(long... dims) {
    long taps = taps(dims);
    return dims[1] * taps;
  }

  /** Number of outputs that one input goes to. */
  public static long fanOut(long... dims) {
    long taps = taps(dims);
    return dims[0] * taps;
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

  /**
   * Normal with this mean and standard deviation before the cut, but only values in {@code
   * low..high}: uniform draws in f64 through the inverse of the distribution function, on the host.
   *
   * @param std positive
   * @param low less than high; the interval must hold some of the distribution in f64
   */
  public static Tensor truncatedNormal(
      Generator g,
      Device device,
      DType dtype,
      double mean,
      double std,
      double low,
      double high,
      long... dims) {
    try (Scope scope = Scope.open()) {
      double[] ends = {(low - mean) / (std * Math.sqrt(2)), (high - mean) / (std * Math.sqrt(2))};
      double[] erf = Tensors.of(device, ends, 2).erf().toDoubleArray();
      double from = (1 + erf[0]) / 2;
      double to = (1 + erf[1]) / 2;
      if (!(std > 0 && from < to)) {
        throw InvalidArgumentException.of(
            "truncatedNormal",
            "std, low and high",
            "must be positive, and an interval that holds some of the distribution",
            "mean=%s, std=%s, low=%s, high=%s",
            mean,
            std,
            low,
            high);
      }
      double[] x = g.uniform(device, DType.F64, from, to, dims).toDoubleArray();
      Arrays.setAll(x, i -> Math.clamp(mean + std * NormalQuantile.of(x[i]), low, high));
      return scope.keep(result(device, dtype, x, dims));
    }
  }

  /**
   * A weight whose rows (or columns, if there are fewer) are orthonormal when all dimensions but
   * the first are taken as one, times {@code gain}; evenly distributed over all such matrices.
   *
   * <p>The Q of a QR factorisation of a normal matrix with positive diagonal of R, by Gram-Schmidt
   * run twice, in f64 on the host: {@code O(rows cols min(rows, cols))}. Saxe et al., "Exact
   * solutions to the nonlinear dynamics of learning in deep linear neural networks", 2013;
   * Mezzadri, "How to generate random matrices from the classical compact groups", 2007.
   */
  public static Tensor orthogonal(
      Generator g, Device device, DType dtype, double gain, long... dims) {
    int outputs = Math.toIntExact(dims.length == 0 ? 0 : dims[0]);
    int inputs = Math.toIntExact(fanIn(dims));
    int vectors = Math.min(outputs, inputs);
    int length = Math.max(outputs, inputs);
    try (Scope scope = Scope.open()) {
      double[] a = g.normal(device, DType.F64, 0, 1, vectors, length).toDoubleArray();
      for (int v = 0; v < vectors; v++) {
        for (int pass = 0; pass < 2; pass++) { // the second removes what rounding left
          for (int u = 0; u < v; u++) {
            double dot = dot(a, u * length, v * length, length);
            for (int i = 0; i < length; i++) {
              a[v * length + i] -= dot * a[u * length + i];
            }
          }
        }
        double norm = Math.sqrt(dot(a, v * length, v * length, length));
        for (int i = 0; i < length; i++) {
          a[v * length + i] /= norm;
        }
      }
      var w = new double[outputs * inputs];
      for (int o = 0; o < outputs; o++) {
        for (int i = 0; i < inputs; i++) {
          w[o * inputs + i] = gain * (outputs <= inputs ? a[o * length + i] : a[i * length + o]);
        }
      }
      return scope.keep(result(device, dtype, w, dims));
    }
  }

  /**
   * Numbers 0..entries as vectors of waves, {@code [entries, size]}: {@code sin(i f)} in the first
   * half and {@code cos(i f)} in the second, with frequencies f from 1 down to 1/10,000 in equal
   * ratios (the last is left out), computed in f64 on the host. Near numbers have near vectors.
   * Vaswani et al., "Attention Is All You Need", 2017, section 3.5, where the two halves alternate.
   *
   * @param size even, at least 2
   */
  public static Tensor sinusoidal(Device device, DType dtype, long entries, long size) {
    if (entries < 0 || size < 2 || size % 2 != 0) {
      throw InvalidArgumentException.of(
          "init.sinusoidal",
          "entries and size",
          "must not be negative, and must be even and at least 2",
          "entries=%d, size=%d",
          entries,
          size);
    }
    int width = Math.toIntExact(size);
    int half = width / 2;
    var table = new double[Math.toIntExact(Math.multiplyExact(entries, size))];
    for (int i = 0; i < table.length; i++) {
      int k = i % width;
      double angle = (double) (i / width) * Math.pow(1e4, -(double) (k % half) / half);
      table[i] = k < half ? Math.sin(angle) : Math.cos(angle);
    }
    try (Scope scope = Scope.open()) {
      return scope.keep(result(device, dtype, table, new long[] {entries, size}));
    }
  }

  private static double dot(double[] a, int p, int q, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += a[p + i] * a[q + i];
    }
    return sum;
  }

  /** The values in another type, as a tensor that the innermost open scope owns. */
  private static Tensor result(Device device, DType dtype, double[] values, long[] dims) {
    return Tensors.of(device, values, values.length).to(dtype).reshape(dims);
  }
}
