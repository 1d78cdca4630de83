package dev.gridstride.bench;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Device;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.Conv;
import dev.gridstride.kernels.ConvAxis;
import dev.gridstride.kernels.ImageLayout;
import java.util.List;

/**
 * Convolution of square images and its gradients: channels last, weights packed in every run,
 * against plain Java loops on row-major images.
 */
final class ConvFamily implements Family {
  @Override
  public String name() {
    return "conv";
  }

  @Override
  public String description() {
    return "convolution of square images, with gradients";
  }

  @Override
  public List<String> ops() {
    return List.of("forward", "backward-data", "backward-weight");
  }

  @Override
  public List<String> dtypes() {
    return List.of("f32");
  }

  @Override
  public List<String> shapes() {
    return List.of(
        "64x1x28x32x3x1x0", "64x32x26x64x3x1x0", "8x64x56x64x3x1x1", "8x256x14x256x3x1x1");
  }

  @Override
  public String shapeForm() {
    return "NxCxHxKxRxSTRIDExPADDING";
  }

  @Override
  public List<String> peers() {
    return List.of("java");
  }

  static Conv conv(Case c) {
    String[] parts = c.shape().split("x", -1);
    var s = new int[7];
    boolean valid = parts.length == s.length;
    for (int i = 0; valid && i < s.length; i++) {
      valid = parts[i].strip().matches("[0-9]{1,9}");
      s[i] = valid ? Integer.parseInt(parts[i].strip()) : 0;
      valid &= i == 6 || s[i] > 0;
    }
    if (!valid || s[4] > s[2] + 2L * s[6]) {
      throw new BadUsage(
          "conv shapes are N, C, H, K, R, stride, padding joined by x, with R at most H + 2 *"
              + " padding; given '"
              + c.shape()
              + "'");
    }
    var axis = new ConvAxis(s[2], s[4], s[5], s[6], s[6], 1);
    return Conv.of(s[0], s[1], s[3], axis, axis).withLayout(ImageLayout.NHWC);
  }

  @Override
  public double flops(Case c) {
    return conv(c).flops();
  }

  @Override
  public double bytes(Case c) {
    return 0;
  }

  @Override
  public Contender prepare(String impl, Case c) {
    return impl.equals("java") ? new Plain(conv(c), c.op()) : new Ours(conv(c), c.op());
  }

  /** The operands of one pass as row-major arrays: two inputs and the length of the result. */
  private static float[] first(Conv op, String pass) {
    return Data.floats(
        Math.toIntExact(pass.equals("backward-data") ? op.yCount() : op.xCount()), 1);
  }

  private static float[] second(Conv op, String pass) {
    return Data.floats(
        Math.toIntExact(pass.equals("backward-weight") ? op.yCount() : op.wCount()), 2);
  }

  private static int result(Conv op, String pass) {
    return Math.toIntExact(
        switch (pass) {
          case "forward" -> op.yCount();
          case "backward-data" -> op.xCount();
          default -> op.wCount();
        });
  }

  private static double[] reference(Conv op, String pass) {
    var loops = new ConvLoopsPlain(op);
    var out = new double[result(op, pass)];
    double[] a = widen(first(op, pass));
    double[] b = widen(second(op, pass));
    switch (pass) {
      case "forward" -> loops.forward(a, b, out);
      case "backward-data" -> loops.backwardData(a, b, out);
      default -> loops.backwardWeight(a, b, out);
    }
    return out;
  }

  private static double[] widen(float[] x) {
    var d = new double[x.length];
    for (int i = 0; i < d.length; i++) {
      d[i] = x[i];
    }
    return d;
  }

  private static final class Ours implements Contender {
    final Device cpu = Device.cpu();
    final Stream stream = cpu.defaultStream();
    final Conv op;
    final String pass;
    final Conv.Plan plan;
    final Buffer a;
    final Buffer b;
    final Buffer out;
    final Buffer workspace;

    Ours(Conv op, String pass) {
      this.op = op;
      this.pass = pass;
      plan = cpu.plan(op);
      float[] p = first(op, pass);
      float[] q = second(op, pass);
      int images = (int) op.n();
      int channels = (int) (pass.equals("backward-data") ? op.k() : op.c());
      a = Data.buffer(channelsLast(p, images, channels));
      b = Data.buffer(pass.equals("backward-weight") ? channelsLast(q, images, (int) op.k()) : q);
      out = Data.buffer(new float[result(op, pass)]);
      workspace = cpu.allocate(plan.workspaceBytes());
    }

    private static float[] channelsLast(float[] x, int images, int channels) {
      int pixels = x.length / images / channels;
      var y = new float[x.length];
      for (int i = 0; i < x.length; i++) {
        int image = i / (channels * pixels);
        int channel = i / pixels % channels;
        y[(image * pixels + i % pixels) * channels + channel] = x[i];
      }
      return y;
    }

    private static float[] rowMajor(float[] x, int images, int channels) {
      return channelsLast(
          x, images, x.length / images / channels); // a transposition is its own kind
    }

    @Override
    public void run() {
      switch (pass) {
        case "forward" -> plan.forward(stream, a, b, null, out, workspace);
        case "backward-data" -> plan.backwardData(stream, a, b, out, workspace);
        default -> plan.backwardWeight(stream, a, b, out, null, workspace);
      }
    }

    @Override
    public double maxError() {
      run();
      float[] y = Data.floats(out);
      if (!pass.equals("backward-weight")) {
        y = rowMajor(y, (int) op.n(), (int) (pass.equals("forward") ? op.k() : op.c()));
      }
      return Data.error(y, reference(op, pass));
    }

    @Override
    public void close() {
      for (Buffer buffer : new Buffer[] {a, b, out, workspace}) {
        buffer.close();
      }
    }
  }

  private static final class Plain implements Contender {
    final Conv op;
    final String pass;
    final ConvLoopsPlain loops;
    final float[] a;
    final float[] b;
    final float[] out;

    Plain(Conv op, String pass) {
      this.op = op;
      this.pass = pass;
      loops = new ConvLoopsPlain(op);
      a = first(op, pass);
      b = second(op, pass);
      out = new float[result(op, pass)];
    }

    @Override
    public void run() {
      switch (pass) {
        case "forward" -> loops.forward(a, b, out);
        case "backward-data" -> loops.backwardData(a, b, out);
        default -> loops.backwardWeight(a, b, out);
      }
    }

    @Override
    public double maxError() {
      run();
      return Data.error(out, reference(op, pass));
    }
  }
}
