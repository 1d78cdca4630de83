package dev.gridstride.kernels;

import dev.gridstride.kernels.Epilogue.Activation;
import dev.gridstride.testing.Reference;

/** The matrix product in plain double loops, with the magnitude that bounds its rounding error. */
final class GemmOracle {
  /** The whole of C, gaps included, as it must be. */
  final double[] c;

  /** For each element of C: {@code |alpha| |A| |B| + |beta| |C| + |bias|}; 0 in the gaps. */
  final double[] magnitude;

  /** The pre-activation. */
  final double[] z;

  /** Column sums of the result, and of its magnitude. */
  final double[] sums;

  final double[] sumMagnitude;

  GemmOracle(
      Gemm op,
      double alpha,
      double[] a,
      double[] b,
      double beta,
      double[] old,
      double[] bias,
      double[] aux) {
    c = old.clone();
    z = old.clone();
    magnitude = new double[old.length];
    sums = new double[(int) op.n()];
    sumMagnitude = new double[(int) op.n()];
    Epilogue ep = op.epilogue();
    for (int q = 0; q < op.batch(); q++) {
      for (int i = 0; i < op.m(); i++) {
        for (int j = 0; j < op.n(); j++) {
          double s = 0;
          double size = 0;
          for (int p = 0; p < op.k() && alpha != 0; p++) {
            long ia = op.transposedA() ? p * op.leadingA() + i : i * op.leadingA() + p;
            long ib = op.transposedB() ? j * op.leadingB() + p : p * op.leadingB() + j;
            double t = a[(int) (q * op.strideA() + ia)] * b[(int) (q * op.strideB() + ib)];
            s += t;
            size += Math.abs(t);
          }
          int at = (int) (q * op.strideC() + i * op.leadingC() + j);
          s *= alpha;
          size *= Math.abs(alpha);
          if (beta != 0) {
            s += beta * old[at];
            size += Math.abs(beta * old[at]);
          }
          if (ep.addsBias()) {
            s += bias[j];
            size += Math.abs(bias[j]);
          }
          z[at] = s;
          double y =
              ep.isBackward()
                  ? s * derivative(ep.activation(), aux[at])
                  : value(ep.activation(), s);
          c[at] = y;
          magnitude[at] = size;
          sums[j] += y;
          sumMagnitude[j] += size;
        }
      }
    }
  }

  static double value(Activation f, double x) {
    return switch (f) {
      case IDENTITY -> x;
      case RELU -> x > 0 ? x : x <= 0 ? 0 : Double.NaN;
      case GELU -> x * Reference.normalCdf(x);
      case GELU_TANH ->
          0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
    };
  }

  /** By central differences of the function: independent of the formula under test. */
  static double derivative(Activation f, double x) {
    if (f == Activation.RELU) {
      return x > 0 ? 1 : 0;
    }
    double h = 1e-5;
    return (8 * (value(f, x + h) - value(f, x - h)) - (value(f, x + 2 * h) - value(f, x - 2 * h)))
        / (12 * h);
  }
}
