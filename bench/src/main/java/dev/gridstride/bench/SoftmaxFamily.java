package dev.gridstride.bench;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.kernels.Softmax;
import java.util.List;

/** Softmax over the rows of a matrix, against a plain Java loop. */
final class SoftmaxFamily implements Family {
  @Override
  public String name() {
    return "softmax";
  }

  @Override
  public String description() {
    return "softmax over rows, forward";
  }

  @Override
  public List<String> ops() {
    return List.of("forward");
  }

  @Override
  public List<String> dtypes() {
    return List.of("f32");
  }

  @Override
  public List<String> shapes() {
    return List.of("64x10", "512x1000", "128x50257");
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

  @Override
  public double bytes(Case c) {
    int[] s = c.sizes(2);
    return 2 * 4.0 * s[0] * s[1];
  }

  @Override
  public Contender prepare(String impl, Case c) {
    int[] s = c.sizes(2);
    return impl.equals("java") ? new Plain(s[0], s[1]) : new Ours(s[0], s[1]);
  }

  private static double[] reference(float[] x, int rows, int cols) {
    var y = new double[x.length];
    for (int r = 0; r < rows; r++) {
      double sum = 0;
      for (int i = r * cols; i < (r + 1) * cols; i++) {
        y[i] = Math.exp(x[i]); // normally distributed: no overflow
        sum += y[i];
      }
      for (int i = r * cols; i < (r + 1) * cols; i++) {
        y[i] /= sum;
      }
    }
    return y;
  }

  private static final class Ours implements Contender {
    final Device cpu = Device.cpu();
    final int rows;
    final int cols;
    final float[] data;
    final Softmax.Plan plan;
    final Buffer x;
    final Buffer y;

    Ours(int rows, int cols) {
      this.rows = rows;
      this.cols = cols;
      data = Data.floats(rows * cols, 1);
      plan = cpu.plan(Softmax.of(DType.F32, -1, rows, cols));
      x = Data.buffer(data);
      y = Data.buffer(new float[rows * cols]);
    }

    @Override
    public void run() {
      plan.forward(cpu.defaultStream(), x, y);
    }

    @Override
    public double maxError() {
      run();
      return Data.error(Data.floats(y), reference(data, rows, cols));
    }

    @Override
    public void close() {
      x.close();
      y.close();
    }
  }

  private static final class Plain implements Contender {
    final int rows;
    final int cols;
    final float[] x;
    final float[] y;

    Plain(int rows, int cols) {
      this.rows = rows;
      this.cols = cols;
      x = Data.floats(rows * cols, 1);
      y = new float[rows * cols];
    }

    @Override
    public void run() {
      for (int r = 0; r < rows; r++) {
        int from = r * cols;
        int to = from + cols;
        float max = Float.NEGATIVE_INFINITY;
        for (int i = from; i < to; i++) {
          max = Math.max(max, x[i]);
        }
        float sum = 0;
        for (int i = from; i < to; i++) {
          y[i] = (float) Math.exp(x[i] - max);
          sum += y[i];
        }
        for (int i = from; i < to; i++) {
          y[i] /= sum;
        }
      }
    }

    @Override
    public double maxError() {
      run();
      return Data.error(y, reference(x, rows, cols));
    }
  }
}
