package dev.gridstride.bench;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.kernels.Adam;
import dev.gridstride.kernels.GradientDescent;
import java.util.ArrayList;
import java.util.List;

/** One step of Adam over some tensors of equal size, against a plain Java loop. */
final class AdamFamily implements Family {
  private static final double RATE = 1e-3;
  private static final double BETA1 = 0.9;
  private static final double BETA2 = 0.999;
  private static final double EPS = 1e-8;

  @Override
  public String name() {
    return "adam";
  }

  @Override
  public String description() {
    return "one step of Adam over several tensors";
  }

  @Override
  public List<String> ops() {
    return List.of("step");
  }

  @Override
  public List<String> dtypes() {
    return List.of("f32");
  }

  @Override
  public List<String> shapes() {
    return List.of("8x1000", "8x100000", "4x4000000");
  }

  @Override
  public String shapeForm() {
    return "TENSORSxELEMENTS";
  }

  @Override
  public List<String> peers() {
    return List.of("java");
  }

  @Override
  public double flops(Case c) {
    return 0;
  }

  /** Reads parameter, gradient and two moments, writes all but the gradient. */
  @Override
  public double bytes(Case c) {
    int[] s = c.sizes(2);
    return 7 * 4.0 * s[0] * s[1];
  }

  @Override
  public Contender prepare(String impl, Case c) {
    int[] s = c.sizes(2);
    return impl.equals("java") ? new Plain(s[0], s[1]) : new Ours(s[0], s[1]);
  }

  /** Small, so that rounding the parameter hides little of the step. */
  private static float[] parameter(int tensor, int count) {
    float[] x = Data.floats(count, 1 + tensor);
    for (int i = 0; i < count; i++) {
      x[i] *= 0.01f;
    }
    return x;
  }

  private static float[] gradient(int tensor, int count) {
    return Data.floats(count, 1001 + tensor);
  }

  /** Error of a first step's movement, which is {@code -lr g / (|g| + eps)}. */
  private static double error(float[] after, int tensor) {
    float[] before = parameter(tensor, after.length);
    float[] g = gradient(tensor, after.length);
    var moved = new double[after.length];
    var expected = new double[after.length];
    for (int i = 0; i < expected.length; i++) {
      moved[i] = (double) after[i] - before[i];
      expected[i] = -RATE * g[i] / (Math.abs((double) g[i]) + EPS);
    }
    return Data.error(moved, expected);
  }

  private static final class Ours implements Contender {
    final Device cpu = Device.cpu();
    final GradientDescent.Plan plan = cpu.plan(Adam.of(DType.F32));
    final List<Buffer> params = new ArrayList<>();
    final List<Buffer> grads = new ArrayList<>();
    final List<Buffer> m = new ArrayList<>();
    final List<Buffer> v = new ArrayList<>();
    long step;

    Ours(int tensors, int count) {
      for (int t = 0; t < tensors; t++) {
        params.add(Data.buffer(parameter(t, count)));
        grads.add(Data.buffer(gradient(t, count)));
        m.add(Data.buffer(new float[count]));
        v.add(Data.buffer(new float[count]));
      }
    }

    @Override
    public void run() {
      step++;
      plan.step(cpu.defaultStream(), params, grads, List.of(m, v), step, RATE, 1);
    }

    @Override
    public double maxError() {
      run();
      double worst = 0;
      for (int t = 0; t < params.size(); t++) {
        worst = Math.max(worst, error(Data.floats(params.get(t)), t));
      }
      return worst;
    }

    @Override
    public void close() {
      for (List<Buffer> list : List.of(params, grads, m, v)) {
        list.forEach(Buffer::close);
      }
    }
  }

  private static final class Plain implements Contender {
    final float[][] params;
    final float[][] grads;
    final float[][] m;
    final float[][] v;
    long step;

    Plain(int tensors, int count) {
      params = new float[tensors][];
      grads = new float[tensors][];
      m = new float[tensors][count];
      v = new float[tensors][count];
      for (int t = 0; t < tensors; t++) {
        params[t] = parameter(t, count);
        grads[t] = gradient(t, count);
      }
    }

    @Override
    public void run() {
      step++;
      float size = (float) (RATE / (1 - Math.pow(BETA1, step)));
      float root = (float) Math.sqrt(1 - Math.pow(BETA2, step));
      for (int t = 0; t < params.length; t++) {
        update(params[t], grads[t], m[t], v[t], size, root);
      }
    }

    private static void update(float[] p, float[] g, float[] m, float[] v, float size, float root) {
      float a = (float) (1 - BETA1);
      float b = (float) (1 - BETA2);
      for (int i = 0; i < p.length; i++) {
        m[i] += a * (g[i] - m[i]);
        v[i] += b * (g[i] * g[i] - v[i]);
        p[i] -= size * m[i] / ((float) Math.sqrt(v[i]) / root + (float) EPS);
      }
    }

    @Override
    public double maxError() {
      run();
      double worst = 0;
      for (int t = 0; t < params.length; t++) {
        worst = Math.max(worst, error(params[t], t));
      }
      return worst;
    }
  }
}
