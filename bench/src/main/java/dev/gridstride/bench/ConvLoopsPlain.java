package dev.gridstride.bench;

import dev.gridstride.kernels.Conv;
import dev.gridstride.kernels.ConvAxis;
import java.util.Arrays;

/**
 * Convolution of row-major images the way one writes it in Java without a library: loops over
 * images, channels, taps and rows, and within a row of the output a loop that the JIT can turn into
 * vector code. In float, whole passes are the peer; in double, single elements the reference.
 */
final class ConvLoopsPlain {
  private final int n;
  private final int c;
  private final int k;
  private final int size;
  private final int out;
  private final int kernel;
  private final int stride;
  private final int padding;
  private final int groups;
  private final int perGroup;

  ConvLoopsPlain(Conv op) {
    ConvAxis a = op.axes().getFirst();
    n = (int) op.n();
    c = (int) op.c();
    k = (int) op.k();
    size = (int) a.size();
    out = (int) a.out();
    kernel = (int) a.kernel();
    stride = (int) a.stride();
    padding = (int) a.padBegin();
    groups = (int) op.groups();
    perGroup = c / groups;
  }

  /** One tap over one row of the output: columns q0 to q1 (excluded). */
  private interface Row {
    void run(int x0, int w0, int y0, int q0, int q1);
  }

  private void rows(Row row) {
    for (int i = 0; i < n; i++) {
      for (int o = 0; o < k; o++) {
        for (int ch = 0; ch < perGroup; ch++) {
          for (int t = 0; t < kernel * kernel; t++) {
            int s = t % kernel - padding;
            int q0 = Math.max(0, Math.ceilDiv(-s, stride));
            int q1 = Math.min(out, Math.ceilDiv(size - s, stride));
            int w = wAt(o, ch, t);
            for (int p = 0; p < out; p++) {
              int y = p * stride - padding + t / kernel;
              if (y >= 0 && y < size) {
                int x = xAt(i, input(o, ch), y, s);
                row.run(x, w, ((i * k + o) * out + p) * out, q0, q1);
              }
            }
          }
        }
      }
    }
  }

  void forward(float[] x, float[] w, float[] y) {
    Arrays.fill(y, 0);
    rows((x0, w0, y0, q0, q1) -> {
      float v = w[w0];
      for (int q = q0; q < q1; q++) {
        y[y0 + q] += v * x[x0 + q * stride];
      }
    });
  }

  void backwardData(float[] dy, float[] w, float[] dx) {
    Arrays.fill(dx, 0);
    rows((x0, w0, y0, q0, q1) -> {
      float v = w[w0];
      for (int q = q0; q < q1; q++) {
        dx[x0 + q * stride] += v * dy[y0 + q];
      }
    });
  }

  void backwardWeight(float[] x, float[] dy, float[] dw) {
    Arrays.fill(dw, 0);
    rows((x0, w0, y0, q0, q1) -> {
      float sum = 0;
      for (int q = q0; q < q1; q++) {
        sum += dy[y0 + q] * x[x0 + q * stride];
      }
      dw[w0] += sum;
    });
  }

  /** The whole of y in double. */
  void forward(double[] x, double[] w, double[] y) {
    Arrays.fill(y, 0);
    rows((x0, w0, y0, q0, q1) -> {
      double v = w[w0];
      for (int q = q0; q < q1; q++) {
        y[y0 + q] += v * x[x0 + q * stride];
      }
    });
  }

  /** Element {@code at} of y in double. */
  double forwardAt(float[] x, float[] w, int at) {
    int q = at % out;
    int p = at / out % out;
    int o = at / (out * out) % k;
    int image = at / (out * out * k);
    double sum = 0;
    for (int ch = 0; ch < perGroup; ch++) {
      for (int t = 0; t < kernel * kernel; t++) {
        int row = p * stride - padding + t / kernel;
        int column = q * stride - padding + t % kernel;
        if (inside(row) && inside(column)) {
          sum += (double) x[xAt(image, input(o, ch), row, column)] * w[wAt(o, ch, t)];
        }
      }
    }
    return sum;
  }

  /** Element {@code at} of dx in double. */
  double backwardDataAt(float[] dy, float[] w, int at) {
    int column = at % size;
    int row = at / size % size;
    int channel = at / (size * size) % c;
    int image = at / (size * size * c);
    int filters = k / groups;
    double sum = 0;
    for (int f = 0; f < filters; f++) {
      int o = channel / perGroup * filters + f;
      for (int t = 0; t < kernel * kernel; t++) {
        int p = row + padding - t / kernel;
        int q = column + padding - t % kernel;
        if (p >= 0 && q >= 0 && p % stride == 0 && q % stride == 0) {
          p /= stride;
          q /= stride;
          if (p < out && q < out) {
            int y = ((image * k + o) * out + p) * out + q;
            sum += (double) dy[y] * w[wAt(o, channel % perGroup, t)];
          }
        }
      }
    }
    return sum;
  }

  /** Element {@code at} of dw in double. */
  double backwardWeightAt(float[] x, float[] dy, int at) {
    int t = at % (kernel * kernel);
    int ch = at / (kernel * kernel) % perGroup;
    int o = at / (kernel * kernel * perGroup);
    double sum = 0;
    for (int image = 0; image < n; image++) {
      for (int p = 0; p < out; p++) {
        for (int q = 0; q < out; q++) {
          int row = p * stride - padding + t / kernel;
          int column = q * stride - padding + t % kernel;
          if (inside(row) && inside(column)) {
            int y = ((image * k + o) * out + p) * out + q;
            sum += (double) dy[y] * x[xAt(image, input(o, ch), row, column)];
          }
        }
      }
    }
    return sum;
  }

  private boolean inside(int place) {
    return place >= 0 && place < size;
  }

  /** The input channel that filter o's weight ch looks at. */
  private int input(int o, int ch) {
    return o / (k / groups) * perGroup + ch;
  }

  private int xAt(int image, int channel, int row, int column) {
    return ((image * c + channel) * size + row) * size + column;
  }

  private int wAt(int o, int ch, int tap) {
    return (o * perGroup + ch) * kernel * kernel + tap;
  }
}
