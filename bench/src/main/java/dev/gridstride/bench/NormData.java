package dev.gridstride.bench;

/** Operands of a normalization with parameters for each channel, and its results in double. */
final class NormData {
  static final double EPS = 1e-5;

  private NormData() {}

  /**
   * Of {@code [n, c, spatial]}.
   *
   * @param perChannel whether a channel of all images shares a mean, else an image does
   * @param last whether the channels of a place lie side by side
   * @param forward whether y is expected, else dx, dgamma and dbeta
   */
  static Problem problem(
      int n, int c, int spatial, boolean perChannel, boolean last, boolean forward) {
    float[] x = Data.floats(n * c * spatial, 1);
    float[] dy = Data.floats(x.length, 2);
    float[] gamma = Data.floats(c, 3);
    float[] beta = Data.floats(c, 4);
    double[] y = new double[x.length];
    double[] dx = new double[x.length];
    double[] dgamma = new double[c];
    double[] dbeta = new double[c];
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
    long[] shape =
        spatial == 1
            ? new long[] {n, c}
            : last ? new long[] {n, spatial, c} : new long[] {n, c, spatial};
    var p = new Problem().input("x", x, shape).input("gamma", gamma, c).input("beta", beta, c);
    return forward
        ? p.expect("y", y)
        : p.input("dy", dy, shape).expect("dx", dx).expect("dgamma", dgamma).expect("dbeta", dbeta);
  }
}
