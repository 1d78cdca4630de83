package dev.gridstride.bench;

import dev.gridstride.kernels.Conv;
import dev.gridstride.kernels.ConvAxis;
import java.util.Arrays;

/**
 * Convolution of row-major images the way one writes it in Java without a library: loops over
 * images, channels, taps and rows, and within a row of the output a loop that the JIT can turn into
 * vector code. In float it is the peer, in double the reference.
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
  }

  /** One tap over one row of the output: columns q0 to q1 (excluded). */
  private interface Row {
    void run(int xAt, int wAt, int yAt, int q0, int q1);
  }

  private void rows(Row row) {
    for (int i = 0; i < n; i++) {
      for (int o = 0; o < k; o++) {
        for (int ch = 0; ch < c; ch++) {
          for (int t = 0; t < kernel * kernel; t++) {
            int s = t % kernel - padding;
            int q0 = Math.max(0, Math.ceilDiv(-s, stride));
            int q1 = Math.min(out, Math.ceilDiv(size - s, stride));
            int w = (o * c + ch) * kernel * kernel + t;
            for (int p = 0; p < out; p++) {
              int y = p * stride - padding + t / kernel;
              if (y >= 0 && y < size) {
                int x = ((i * c + ch) * size + y) * size + s;
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
    rows((xAt, wAt, yAt, q0, q1) -> {
      float v = w[wAt];
      for (int q = q0; q < q1; q++) {
        y[yAt + q] += v * x[xAt + q * stride];
      }
    });
  }

  void backwardData(float[] dy, float[] w, float[] dx) {
    Arrays.fill(dx, 0);
    rows((xAt, wAt, yAt, q0, q1) -> {
      float v = w[wAt];
      for (int q = q0; q < q1; q++) {
        dx[xAt + q * stride] += v * dy[yAt + q];
      }
    });
  }

  void backwardWeight(float[] x, float[] dy, float[] dw) {
    Arrays.fill(dw, 0);
    rows((xAt, wAt, yAt, q0, q1) -> {
      float sum = 0;
      for (int q = q0; q < q1; q++) {
        sum += dy[yAt + q] * x[xAt + q * stride];
      }
      dw[wAt] += sum;
    });
  }

  void forward(double[] x, double[] w, double[] y) {
    Arrays.fill(y, 0);
    rows((xAt, wAt, yAt, q0, q1) -> {
      double v = w[wAt];
      for (int q = q0; q < q1; q++) {
        y[yAt + q] += v * x[xAt + q * stride];
      }
    });
  }

  void backwardData(double[] dy, double[] w, double[] dx) {
    Arrays.fill(dx, 0);
    rows((xAt, wAt, yAt, q0, q1) -> {
      double v = w[wAt];
      for (int q = q0; q < q1; q++) {
        dx[xAt + q * stride] += v * dy[yAt + q];
      }
    });
  }

  void backwardWeight(double[] x, double[] dy, double[] dw) {
    Arrays.fill(dw, 0);
    rows((xAt, wAt, yAt, q0, q1) -> {
      double sum = 0;
      for (int q = q0; q < q1; q++) {
        sum += dy[yAt + q] * x[xAt + q * stride];
      }
      dw[wAt] += sum;
    });
  }
}
