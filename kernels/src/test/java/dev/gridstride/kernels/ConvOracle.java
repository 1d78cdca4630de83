package dev.gridstride.kernels;

import java.util.ArrayList;
import java.util.List;

/**
 * Convolution and its gradients by plain loops in double, on arrays in the op's layout: the sum is
 * taken over every pair of an output and a tap whose input exists.
 */
final class ConvOracle {
  private final Conv op;
  private final int n;
  private final int c;
  private final int k;
  private final int groups;
  private final List<ConvAxis> axes = new ArrayList<>();

  ConvOracle(Conv op) {
    this.op = op;
    n = (int) op.n();
    c = (int) op.c();
    k = (int) op.k();
    groups = (int) op.groups();
    for (int i = op.axes().size(); i < 3; i++) {
      axes.add(new ConvAxis(1, 1, 1, 0, 0, 1));
    }
    axes.addAll(op.axes());
  }

  private interface Term {
    void add(int x, int w, int y);
  }

  private int size(int axis) {
    return (int) axes.get(axis).size();
  }

  private int out(int axis) {
    return (int) axes.get(axis).out();
  }

  private int kernel(int axis) {
    return (int) axes.get(axis).kernel();
  }

  private int input(int axis, int o, int t) {
    ConvAxis a = axes.get(axis);
    return Math.toIntExact(o * a.stride() - a.padBegin() + t * a.dilation());
  }

  private int index(int image, int channel, int channels, int z, int y, int x, int[] s) {
    int pixel = (z * s[1] + y) * s[2] + x;
    int pixels = s[0] * s[1] * s[2];
    return op.layout() == ImageLayout.NCHW
        ? (image * channels + channel) * pixels + pixel
        : (image * pixels + pixel) * channels + channel;
  }

  /** Every product of the convolution, as indices into x, w and y. */
  private void terms(Term term) {
    int[] xs = {size(0), size(1), size(2)};
    int[] ys = {out(0), out(1), out(2)};
    for (int i = 0; i < n; i++) {
      for (int o = 0; o < k; o++) {
        for (int z = 0; z < ys[0]; z++) {
          for (int p = 0; p < ys[1]; p++) {
            for (int q = 0; q < ys[2]; q++) {
              window(i, o, z, p, q, index(i, o, k, z, p, q, ys), xs, term);
            }
          }
        }
      }
    }
  }

  private void window(int i, int o, int z, int p, int q, int y, int[] xs, Term term) {
    int perGroup = c / groups;
    int first = o / (k / groups) * perGroup;
    for (int ch = 0; ch < perGroup; ch++) {
      for (int d = 0; d < kernel(0); d++) {
        for (int r = 0; r < kernel(1); r++) {
          for (int s = 0; s < kernel(2); s++) {
            int zz = input(0, z, d);
            int yy = input(1, p, r);
            int xx = input(2, q, s);
            if (zz >= 0 && zz < xs[0] && yy >= 0 && yy < xs[1] && xx >= 0 && xx < xs[2]) {
              int w = (((o * perGroup + ch) * kernel(0) + d) * kernel(1) + r) * kernel(2) + s;
              term.add(index(i, first + ch, c, zz, yy, xx, xs), w, y);
            }
          }
        }
      }
    }
  }

  /** Channel of each element of y. */
  private int channelOfY(int y) {
    int pixels = out(0) * out(1) * out(2);
    return op.layout() == ImageLayout.NCHW ? y / pixels % k : y % k;
  }

  double[] forward(double[] x, double[] w, double[] bias) {
    var y = new double[(int) op.yCount()];
    for (int i = 0; i < y.length; i++) {
      y[i] = bias == null ? 0 : bias[channelOfY(i)];
    }
    terms((ix, iw, iy) -> y[iy] += x[ix] * w[iw]);
    if (op.relu()) {
      for (int i = 0; i < y.length; i++) {
        y[i] = Math.max(y[i], 0);
      }
    }
    return y;
  }

  double[] backwardData(double[] dy, double[] w) {
    var dx = new double[(int) op.xCount()];
    terms((ix, iw, iy) -> dx[ix] += dy[iy] * w[iw]);
    return dx;
  }

  double[] backwardWeight(double[] x, double[] dy) {
    var dw = new double[(int) op.wCount()];
    terms((ix, iw, iy) -> dw[iw] += dy[iy] * x[ix]);
    return dw;
  }

  double[] backwardBias(double[] dy) {
    var db = new double[k];
    for (int i = 0; i < dy.length; i++) {
      db[channelOfY(i)] += dy[i];
    }
    return db;
  }
}
