package dev.gridstride.bench;

/** Operands of a normalization with parameters for each channel, and its results in double. */
final class NormData {
  static final double EPS = 1e-5;

  final float[] x;
  final float[] dy;
  final float[] gamma;
  final float[] beta;
  private final double[] y;
  private final double[] dx;
  private final double[] dgamma;
  private final double[] dbeta;

  /**
   * Of {@code [n, c, spatial]}.
   *
   * @param perChannel whether a channel of all images shares a mean, else an image does
   * @param last whether the channels of a place lie side by side
   */
  NormData(int n, int c, int spatial, boolean perChannel, boolean last) {
    x = Data.floats(n * c * spatial, 1);
    dy = Data.floats(x.length, 2);
    gamma = Data.floats(c, 3);
    beta = Data.floats(c, 4);
    y = new double[x.length];
    dx = new double[x.length];
    dgamma = new double[c];
    dbeta = new double[c];
    int stats = perChannel ? c : n;
    int members = x.length / stats;
    var mean = new double[stats];
    var rstd = new double[stats];
    var sum = new double[stats];
    var product = new double[stats];
    for (int i = 0; i < x.length; i++) {
      int channel = last ? i % c : i / spatial % c;
      mean[perChannel ? channel : i / (c * spatial)] += x[i] / (double) members;
    }
    for (int i = 0; i < x.length; i++) {
      int k = perChannel ? (last ? i % c : i / spatial % c) : i / (c * spatial);
      rstd[k] += (x[i] - mean[k]) * (x[i] - mean[k]) / members;
    }
    for (int k = 0; k < stats; k++) {
      rstd[k] = 1 / Math.sqrt(rstd[k] + EPS);
    }
    for (int i = 0; i < x.length; i++) {
      int channel = last ? i % c : i / spatial % c;
      int k = perChannel ? channel : i / (c * spatial);
      double v = (x[i] - mean[k]) * rstd[k];
      y[i] = v * gamma[channel] + beta[channel];
      dgamma[channel] += dy[i] * v;
      dbeta[channel] += dy[i];
      sum[k] += dy[i] * (double) gamma[channel];
      product[k] += dy[i] * (double) gamma[channel] * v;
    }
    for (int i = 0; i < x.length; i++) {
      int channel = last ? i % c : i / spatial % c;
      int k = perChannel ? channel : i / (c * spatial);
      double v = (x[i] - mean[k]) * rstd[k];
      double d = dy[i] * (double) gamma[channel];
      dx[i] = rstd[k] * (d - (sum[k] + v * product[k]) / members);
    }
  }

  /** The error of a forward pass. */
  double error(float[] actual) {
    return Data.error(actual, y);
  }

  /** The largest error of a backward pass. */
  double error(float[] actualDx, float[] actualDgamma, float[] actualDbeta) {
    double ofParameters =
        Math.max(Data.error(actualDgamma, dgamma), Data.error(actualDbeta, dbeta));
    return Math.max(Data.error(actualDx, dx), ofParameters);
  }
}
