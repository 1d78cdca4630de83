package dev.gridstride.bench;

import dev.gridstride.kernels.LayerNorm;
import java.util.Arrays;
import java.util.List;

/** Layer normalization of rows and its gradients, against a plain Java loop. */
final class LayerNormFamily implements Family {
  @Override
  public String name() {
    return "layer-norm";
  }

  @Override
  public String description() {
    return "layer normalization of rows, and the gradients of input, gamma and beta";
  }

  @Override
  public List<String> ops() {
    return List.of("forward", "backward");
  }

  @Override
  public List<String> dtypes() {
    return List.of("f32");
  }

  @Override
  public List<Work> quick() {
    return Family.each(ops(), "512x64", "4096x768");
  }

  @Override
  public List<Work> full() {
    return Family.each(ops(), "512x64", "65536x64", "4096x768", "512x8192");
  }

  @Override
  public String shapeForm() {
    return "ROWSxCOLS";
  }

  @Override
  public double flops(Case c) {
    return 0;
  }

  /** Forward x in and y out; backward x and dy in, dx out. The others are small beside these. */
  @Override
  public double bytes(Case c) {
    int[] s = c.sizes(2);
    return (c.op().equals("forward") ? 2 : 3) * 4.0 * s[0] * s[1];
  }

  @Override
  public Problem problem(Case c) {
    int[] s = c.sizes(2);
    return NormData.problem(s[0], s[1], 1, false, false, c.op().equals("forward"));
  }

  @Override
  public Contender ours(Case c, Problem p) {
    int[] s = c.sizes(2);
    return new Buffers(
        c,
        p,
        o -> {
          var plan = o.cpu.plan(LayerNorm.of(s[0], s[1]));
          var x = o.in("x");
          var gamma = o.in("gamma");
          var beta = o.in("beta");
          var mean = o.zeros(s[0]);
          var rstd = o.zeros(s[0]);
          var y = o.out("y", (long) s[0] * s[1]);
          if (c.op().equals("forward")) {
            return () -> plan.forward(o.stream, x, gamma, beta, y, mean, rstd);
          }
          var dy = o.in("dy");
          var dx = o.out("dx", (long) s[0] * s[1]);
          var dgamma = o.out("dgamma", s[1]);
          var dbeta = o.out("dbeta", s[1]);
          plan.forward(o.stream, x, gamma, beta, y, mean, rstd);
          return () -> plan.backward(o.stream, x, gamma, mean, rstd, dy, dx, dgamma, dbeta);
        });
  }

  @Override
  public Contender plain(Case c, Problem p) {
    int[] s = c.sizes(2);
    return new Plain(s[0], s[1], c.op().equals("forward"), p);
  }

  private static final class Plain implements Contender {
    final int rows;
    final int cols;
    final boolean forward;
    final Problem p;
    final float[] mean;
    final float[] rstd;
    final float[] result;
    final float[] dgamma;
    final float[] dbeta;

    Plain(int rows, int cols, boolean forward, Problem p) {
      this.rows = rows;
      this.cols = cols;
      this.forward = forward;
      this.p = p;
      mean = new float[rows];
      rstd = new float[rows];
      result = new float[rows * cols];
      dgamma = new float[cols];
      dbeta = new float[cols];
      forward(p.floats("x"), p.floats("gamma"), p.floats("beta"), result);
    }

    @Override
    public void run() {
      if (forward) {
        forward(p.floats("x"), p.floats("gamma"), p.floats("beta"), result);
      } else {
        backward(p.floats("x"), p.floats("gamma"), p.floats("dy"), result);
      }
    }

    @Override
    public double[] result(String name) {
      return Data.widened(name.equals("dgamma") ? dgamma : name.equals("dbeta") ? dbeta : result);
    }

    private void forward(float[] x, float[] gamma, float[] beta, float[] y) {
      for (int r = 0; r < rows; r++) {
        int at = r * cols;
        float sum = 0;
        for (int i = 0; i < cols; i++) {
          sum += x[at + i];
        }
        float m = sum / cols;
        float squares = 0;
        for (int i = 0; i < cols; i++) {
          squares += (x[at + i] - m) * (x[at + i] - m);
        }
        float s = (float) (1 / Math.sqrt(squares / cols + NormData.EPS));
        for (int i = 0; i < cols; i++) {
          y[at + i] = (x[at + i] - m) * s * gamma[i] + beta[i];
        }
        mean[r] = m;
        rstd[r] = s;
      }
    }

    private void backward(float[] x, float[] gamma, float[] dy, float[] dx) {
      Arrays.fill(dgamma, 0);
      Arrays.fill(dbeta, 0);
      for (int r = 0; r < rows; r++) {
        int at = r * cols;
        float m = mean[r];
        float s = rstd[r];
        float sum = 0;
        float product = 0;
        for (int i = 0; i < cols; i++) {
          float d = dy[at + i] * gamma[i];
          sum += d;
          product += d * (x[at + i] - m) * s;
        }
        float a = sum / cols;
        float b = product / cols;
        for (int i = 0; i < cols; i++) {
          float v = (x[at + i] - m) * s;
          dx[at + i] = s * (dy[at + i] * gamma[i] - a - v * b);
          dgamma[i] += dy[at + i] * v;
          dbeta[i] += dy[at + i];
        }
      }
    }
  }
}
