package dev.gridstride.bench;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
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
  public List<String> shapes() {
    return List.of("512x64", "4096x768", "512x8192");
  }

  @Override
  public String shapeForm() {
    return "ROWSxCOLS";
  }

  @Override
  public List<String> peers() {
    return List.of("java");
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
  public Contender prepare(String impl, Case c) {
    int[] s = c.sizes(2);
    boolean forward = c.op().equals("forward");
    return impl.equals("java") ? new Plain(s[0], s[1], forward) : new Ours(s[0], s[1], forward);
  }

  private static final class Ours implements Contender {
    final Device cpu = Device.cpu();
    final boolean forward;
    final NormData data;
    final LayerNorm.Plan plan;
    final Buffer x;
    final Buffer dy;
    final Buffer gamma;
    final Buffer beta;
    final Buffer mean;
    final Buffer rstd;
    final Buffer result;
    final Buffer dgamma;
    final Buffer dbeta;

    Ours(int rows, int cols, boolean forward) {
      this.forward = forward;
      data = new NormData(rows, cols, 1, false, false);
      plan = cpu.plan(LayerNorm.of(rows, cols));
      x = Data.buffer(data.x);
      dy = Data.buffer(data.dy);
      gamma = Data.buffer(data.gamma);
      beta = Data.buffer(data.beta);
      mean = cpu.allocate(DType.F32, rows);
      rstd = cpu.allocate(DType.F32, rows);
      result = cpu.allocate(DType.F32, data.x.length);
      dgamma = cpu.allocate(DType.F32, cols);
      dbeta = cpu.allocate(DType.F32, cols);
      plan.forward(cpu.defaultStream(), x, gamma, beta, result, mean, rstd);
    }

    @Override
    public void run() {
      if (forward) {
        plan.forward(cpu.defaultStream(), x, gamma, beta, result, mean, rstd);
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

  private static final class Plain implements Contender {
    final int rows;
    final int cols;
    final boolean forward;
    final NormData data;
    final float[] mean;
    final float[] rstd;
    final float[] result;
    final float[] dgamma;
    final float[] dbeta;

    Plain(int rows, int cols, boolean forward) {
      this.rows = rows;
      this.cols = cols;
      this.forward = forward;
      data = new NormData(rows, cols, 1, false, false);
      mean = new float[rows];
      rstd = new float[rows];
      result = new float[data.x.length];
      dgamma = new float[cols];
      dbeta = new float[cols];
      forward(data.x, data.gamma, data.beta, result);
    }

    @Override
    public void run() {
      if (forward) {
        forward(data.x, data.gamma, data.beta, result);
      } else {
        backward(data.x, data.gamma, data.dy, result);
      }
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

    @Override
    public double maxError() {
      run();
      return forward ? data.error(result) : data.error(result, dgamma, dbeta);
    }
  }
}
