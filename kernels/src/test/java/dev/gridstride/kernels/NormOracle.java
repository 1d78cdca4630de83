package dev.gridstride.kernels;

/**
 * The four normalizations by their definitions, in double, over {@code [n, c, spatial]}: the
 * gradients through the full Jacobian's closed sums, term by term.
 */
final class NormOracle {
  /** Which elements share a mean. */
  enum Kind {
    LAYER,
    RMS,
    GROUP,
    BATCH
  }

  final Kind kind;
  final boolean last;
  final int n;
  final int c;
  final int s;
  final int groups;
  final double eps;
  final double[] mean;
  final double[] var;
  final double[] y;
  final double[] dx;
  final double[] dgamma;
  final double[] dbeta;

  NormOracle(Kind kind, boolean last, int n, int c, int s, int groups, double eps) {
    this.kind = kind;
    this.last = last;
    this.n = n;
    this.c = c;
    this.s = s;
    this.groups = groups;
    this.eps = eps;
    int stats = kind == Kind.BATCH ? c : n * groups;
    mean = new double[stats];
    var = new double[stats];
    y = new double[n * c * s];
    dx = new double[n * c * s];
    dgamma = new double[c];
    dbeta = new double[c];
  }

  private interface Element {
    void run(int at, int channel, int stat);
  }

  private void each(Element body) {
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < c; j++) {
        for (int k = 0; k < s; k++) {
          int at = last ? (i * s + k) * c + j : (i * c + j) * s + k;
          body.run(at, j, kind == Kind.BATCH ? j : i * groups + j * groups / c);
        }
      }
    }
  }

  private int members() {
    return kind == Kind.BATCH ? n * s : c / groups * s;
  }

  /** Means and biased variances of x. */
  NormOracle measure(double[] x) {
    int m = Math.max(1, members());
    if (kind != Kind.RMS) {
      each((at, channel, k) -> mean[k] += x[at] / m);
    }
    each((at, channel, k) -> var[k] += (x[at] - mean[k]) * (x[at] - mean[k]) / m);
    return this;
  }

  double rstd(int k) {
    return 1 / Math.sqrt(var[k] + eps);
  }

  void forward(double[] x, double[] gamma, double[] beta) {
    each((at, channel, k) -> y[at] = (x[at] - mean[k]) * rstd(k) * gamma[channel] + beta[channel]);
  }

  /** frozen: mean and variance do not depend on x. */
  void backward(double[] x, double[] gamma, double[] dy, boolean frozen) {
    var sumG = new double[mean.length];
    var sumGx = new double[mean.length];
    each((at, channel, k) -> {
      double v = (x[at] - mean[k]) * rstd(k);
      dgamma[channel] += dy[at] * v;
      dbeta[channel] += dy[at];
      sumG[k] += dy[at] * gamma[channel];
      sumGx[k] += dy[at] * gamma[channel] * v;
    });
    each((at, channel, k) -> {
      double v = (x[at] - mean[k]) * rstd(k);
      double g = dy[at] * gamma[channel];
      if (!frozen) {
        g -= v * sumGx[k] / members();
        g -= kind == Kind.RMS ? 0 : sumG[k] / members();
      }
      dx[at] = g * rstd(k);
    });
  }
}
