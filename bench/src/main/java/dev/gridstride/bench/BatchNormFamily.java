package dev.gridstride.bench;

import dev.gridstride.kernels.BatchNorm;
import dev.gridstride.kernels.ImageLayout;
import java.util.Arrays;
import java.util.List;

/**
 * Batch normalization of square images in training and its gradients, in both memory formats,
 * against plain Java loops along the memory.
 */
final class BatchNormFamily implements Family {
  @Override
  public String name() {
    return "batch-norm";
  }

  @Override
  public String description() {
    return "batch normalization of images in training, with gradients, in both formats";
  }

  @Override
  public List<String> ops() {
    return List.of("forward", "backward", "forward-nhwc", "backward-nhwc");
  }

  @Override
  public List<String> dtypes() {
    return List.of("f32");
  }

  @Override
  public List<Work> quick() {
    return Family.each(ops(), "8x32x13", "32x64x56");
  }

  @Override
  public List<Work> full() {
    return Family.each(ops(), "8x32x13", "64x32x26", "32x64x56", "32x512x7");
  }

  @Override
  public String shapeForm() {
    return "NxCxH";
  }

  @Override
  public double flops(Case c) {
    return 0;
  }

  /**
   * Statistics and results need a pass each: forward x twice in and y out, backward x and dy twice
   * in and dx out.
   */
  @Override
  public double bytes(Case c) {
    int[] s = images(c);
    return (c.op().startsWith("forward") ? 3 : 5) * 4.0 * s[0] * s[1] * s[2] * s[2];
  }

  private static int[] images(Case c) {
    if (c.shape().indexOf('x') < 0) {
      throw new BadUsage("batch-norm shapes are NxCxH; given '" + c.shape() + "'");
    }
    return c.sizes(3);
  }

  @Override
  public Problem problem(Case c) {
    int[] s = images(c);
    boolean forward = c.op().startsWith("forward");
    return NormData.problem(s[0], s[1], s[2] * s[2], true, last(c), forward);
  }

  private static boolean last(Case c) {
    return c.op().endsWith("nhwc");
  }

  @Override
  public Contender ours(Case c, Problem p) {
    int[] s = images(c);
    int spatial = s[2] * s[2];
    return new Buffers(
        c,
        p,
        o -> {
          var layout = last(c) ? ImageLayout.NHWC : ImageLayout.NCHW;
          var plan = o.cpu.plan(BatchNorm.of(s[0], s[1], spatial).with(o.type, layout));
          var x = o.in("x");
          var gamma = o.in("gamma");
          var beta = o.in("beta");
          var mean = o.zeros(s[1]);
          var rstd = o.zeros(s[1]);
          long count = (long) s[0] * s[1] * spatial;
          var y = o.out("y", count);
          Runnable forward =
              () -> plan.forward(o.stream, x, gamma, beta, y, mean, rstd, null, null, 0);
          if (c.op().startsWith("forward")) {
            return forward;
          }
          var dy = o.in("dy");
          var dx = o.out("dx", count);
          var dgamma = o.out("dgamma", s[1]);
          var dbeta = o.out("dbeta", s[1]);
          forward.run();
          return () -> plan.backward(o.stream, x, gamma, mean, rstd, dy, dx, dgamma, dbeta);
        });
  }

  @Override
  public Contender plain(Case c, Problem p) {
    int[] s = images(c);
    return new Plain(s[0], s[1], s[2] * s[2], c.op().startsWith("forward"), last(c), p);
  }

  /**
   * The image {@code [n, c, spatial]} is read as {@code [outer, c, inner]}: channels last, inner is
   * 1 and outer counts the places of all images.
   */
  private static final class Plain implements Contender {
    final int outer;
    final int channels;
    final int inner;
    final boolean forward;
    final Problem p;
    final float[] gamma;
    final float[] beta;
    final float[] mean;
    final float[] rstd;
    final float[] result;
    final float[] dgamma;
    final float[] dbeta;
    final float[] scale;
    final float[] shift;

    Plain(int n, int c, int spatial, boolean forward, boolean last, Problem p) {
      outer = last ? n * spatial : n;
      channels = c;
      inner = last ? 1 : spatial;
      this.forward = forward;
      this.p = p;
      gamma = p.floats("gamma");
      beta = p.floats("beta");
      mean = new float[c];
      rstd = new float[c];
      result = new float[n * c * spatial];
      dgamma = new float[c];
      dbeta = new float[c];
      scale = new float[c];
      shift = new float[c];
      forward(p.floats("x"), result);
    }

    @Override
    public void run() {
      if (!forward) {
        backward(p.floats("x"), p.floats("dy"), result);
      } else {
        forward(p.floats("x"), result);
      }
    }

    @Override
    public double[] result(String name) {
      return Data.widened(name.equals("dgamma") ? dgamma : name.equals("dbeta") ? dbeta : result);
    }

    private void forward(float[] x, float[] y) {
      float count = outer * inner;
      Arrays.fill(mean, 0);
      Arrays.fill(rstd, 0);
      if (inner == 1) {
        lastMoments(x, count);
      } else {
        moments(x, count);
      }
      for (int c = 0; c < channels; c++) {
        rstd[c] = (float) (1 / Math.sqrt(rstd[c] / count + NormData.EPS));
        scale[c] = rstd[c] * gamma[c];
        shift[c] = beta[c] - mean[c] * scale[c];
      }
      if (inner == 1) {
        for (int i = 0; i < outer; i++) {
          for (int c = 0; c < channels; c++) {
            y[i * channels + c] = x[i * channels + c] * scale[c] + shift[c];
          }
        }
        return;
      }
      for (int plane = 0; plane < outer * channels; plane++) {
        float a = scale[plane % channels];
        float b = shift[plane % channels];
        for (int i = plane * inner; i < (plane + 1) * inner; i++) {
          y[i] = x[i] * a + b;
        }
      }
    }

    private void moments(float[] x, float count) {
      for (int plane = 0; plane < outer * channels; plane++) {
        float sum = 0;
        for (int i = plane * inner; i < (plane + 1) * inner; i++) {
          sum += x[i];
        }
        mean[plane % channels] += sum / count;
      }
      for (int plane = 0; plane < outer * channels; plane++) {
        float m = mean[plane % channels];
        float squares = 0;
        for (int i = plane * inner; i < (plane + 1) * inner; i++) {
          squares += (x[i] - m) * (x[i] - m);
        }
        rstd[plane % channels] += squares;
      }
    }

    private void lastMoments(float[] x, float count) {
      for (int i = 0; i < outer; i++) {
        for (int c = 0; c < channels; c++) {
          mean[c] += x[i * channels + c];
        }
      }
      for (int c = 0; c < channels; c++) {
        mean[c] /= count;
      }
      for (int i = 0; i < outer; i++) {
        for (int c = 0; c < channels; c++) {
          float d = x[i * channels + c] - mean[c];
          rstd[c] += d * d;
        }
      }
    }

    private void backward(float[] x, float[] dy, float[] dx) {
      float count = outer * inner;
      Arrays.fill(dgamma, 0);
      Arrays.fill(dbeta, 0);
      if (inner == 1) {
        for (int i = 0; i < outer; i++) {
          for (int c = 0; c < channels; c++) {
            int at = i * channels + c;
            dbeta[c] += dy[at];
            dgamma[c] += dy[at] * (x[at] - mean[c]) * rstd[c];
          }
        }
        for (int i = 0; i < outer; i++) {
          for (int c = 0; c < channels; c++) {
            int at = i * channels + c;
            float v = (x[at] - mean[c]) * rstd[c];
            float d = dy[at] - dbeta[c] / count - v * (dgamma[c] / count);
            dx[at] = d * (gamma[c] * rstd[c]);
          }
        }
        return;
      }
      for (int plane = 0; plane < outer * channels; plane++) {
        int c = plane % channels;
        float m = mean[c];
        float sum = 0;
        float product = 0;
        for (int i = plane * inner; i < (plane + 1) * inner; i++) {
          sum += dy[i];
          product += dy[i] * (x[i] - m);
        }
        dbeta[c] += sum;
        dgamma[c] += product * rstd[c];
      }
      for (int plane = 0; plane < outer * channels; plane++) {
        int c = plane % channels;
        float m = mean[c];
        float a = gamma[c] * rstd[c];
        float b = dgamma[c] / count * rstd[c];
        float o = dbeta[c] / count;
        for (int i = plane * inner; i < (plane + 1) * inner; i++) {
          dx[i] = (dy[i] - o - (x[i] - m) * b) * a;
        }
      }
    }
  }
}
