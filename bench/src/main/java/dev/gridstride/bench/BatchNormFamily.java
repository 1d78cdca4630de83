package dev.gridstride.bench;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
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
  public List<String> shapes() {
    return List.of("64x32x26", "32x64x56", "32x512x7");
  }

  @Override
  public String shapeForm() {
    return "NxCxH";
  }

  @Override
  public List<String> peers() {
    return List.of("java");
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
  public Contender prepare(String impl, Case c) {
    int[] s = images(c);
    boolean forward = c.op().startsWith("forward");
    boolean last = c.op().endsWith("nhwc");
    return impl.equals("java")
        ? new Plain(s[0], s[1], s[2] * s[2], forward, last)
        : new Ours(s[0], s[1], s[2] * s[2], forward, last);
  }

  private static final class Ours implements Contender {
    final Device cpu = Device.cpu();
    final boolean forward;
    final NormData data;
    final BatchNorm.Plan plan;
    final Buffer x;
    final Buffer dy;
    final Buffer gamma;
    final Buffer beta;
    final Buffer mean;
    final Buffer rstd;
    final Buffer result;
    final Buffer dgamma;
    final Buffer dbeta;

    Ours(int n, int c, int spatial, boolean forward, boolean last) {
      this.forward = forward;
      data = new NormData(n, c, spatial, true, last);
      ImageLayout layout = last ? ImageLayout.NHWC : ImageLayout.NCHW;
      plan = cpu.plan(BatchNorm.of(n, c, spatial).with(DType.F32, layout));
      x = Data.buffer(data.x);
      dy = Data.buffer(data.dy);
      gamma = Data.buffer(data.gamma);
      beta = Data.buffer(data.beta);
      mean = cpu.allocate(DType.F32, c);
      rstd = cpu.allocate(DType.F32, c);
      result = cpu.allocate(DType.F32, data.x.length);
      dgamma = cpu.allocate(DType.F32, c);
      dbeta = cpu.allocate(DType.F32, c);
      forward();
    }

    private void forward() {
      plan.forward(cpu.defaultStream(), x, gamma, beta, result, mean, rstd, null, null, 0);
    }

    @Override
    public void run() {
      if (forward) {
        forward();
      } else {
        plan.backward(cpu.defaultStream(), x, gamma, mean, rstd, dy, result, dgamma, dbeta);
      }
    }

    @Override
    public double maxError() {
      run();
      return forward
          ? data.error(Data.floats(result))
          : data.error(Data.floats(result), Data.floats(dgamma), Data.floats(dbeta));
    }

    @Override
    public void close() {
      for (Buffer b : List.of(x, dy, gamma, beta, mean, rstd, result, dgamma, dbeta)) {
        b.close();
      }
    }
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
    final NormData data;
    final float[] mean;
    final float[] rstd;
    final float[] result;
    final float[] dgamma;
    final float[] dbeta;
    final float[] scale;
    final float[] shift;

    Plain(int n, int c, int spatial, boolean forward, boolean last) {
      outer = last ? n * spatial : n;
      channels = c;
      inner = last ? 1 : spatial;
      this.forward = forward;
      data = new NormData(n, c, spatial, true, last);
      mean = new float[c];
      rstd = new float[c];
      result = new float[data.x.length];
      dgamma = new float[c];
      dbeta = new float[c];
      scale = new float[c];
      shift = new float[c];
      forward(data.x, result);
    }

    @Override
    public void run() {
      if (!forward) {
        backward(data.x, data.dy, result);
      } else {
        forward(data.x, result);
      }
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
        scale[c] = rstd[c] * data.gamma[c];
        shift[c] = data.beta[c] - mean[c] * scale[c];
      }
      if (inner == 1) {
        for (int i = 0; i < outer; i++) {
          for (int c = 0; c < channels; c++) {
            y[i * channels + c] = x[i * channels + c] * scale[c] + shift[c];
          }
        }
        return;
      }
      for (int p = 0; p < outer * channels; p++) {
        float a = scale[p % channels];
        float b = shift[p % channels];
        for (int i = p * inner; i < (p + 1) * inner; i++) {
          y[i] = x[i] * a + b;
        }
      }
    }

    private void moments(float[] x, float count) {
      for (int p = 0; p < outer * channels; p++) {
        float sum = 0;
        for (int i = p * inner; i < (p + 1) * inner; i++) {
          sum += x[i];
        }
        mean[p % channels] += sum / count;
      }
      for (int p = 0; p < outer * channels; p++) {
        float m = mean[p % channels];
        float squares = 0;
        for (int i = p * inner; i < (p + 1) * inner; i++) {
          squares += (x[i] - m) * (x[i] - m);
        }
        rstd[p % channels] += squares;
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
            dx[at] = d * (data.gamma[c] * rstd[c]);
          }
        }
        return;
      }
      for (int p = 0; p < outer * channels; p++) {
        int c = p % channels;
        float m = mean[c];
        float sum = 0;
        float product = 0;
        for (int i = p * inner; i < (p + 1) * inner; i++) {
          sum += dy[i];
          product += dy[i] * (x[i] - m);
        }
        dbeta[c] += sum;
        dgamma[c] += product * rstd[c];
      }
      for (int p = 0; p < outer * channels; p++) {
        int c = p % channels;
        float m = mean[c];
        float a = data.gamma[c] * rstd[c];
        float b = dgamma[c] / count * rstd[c];
        float o = dbeta[c] / count;
        for (int i = p * inner; i < (p + 1) * inner; i++) {
          dx[i] = (dy[i] - o - (x[i] - m) * b) * a;
        }
      }
    }

    @Override
    public double maxError() {
      run();
      return forward ? data.error(result) : data.error(result, dgamma, dbeta);
    }
  }
}
