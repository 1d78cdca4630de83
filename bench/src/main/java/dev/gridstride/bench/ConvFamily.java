package dev.gridstride.bench;

import dev.gridstride.kernels.Conv;
import dev.gridstride.kernels.ConvAxis;
import dev.gridstride.kernels.ImageLayout;
import java.util.List;

/**
 * Convolution of square images and its gradients. Ours has channels last and packs the weights in
 * every run; a peer uses the layout it is fastest in.
 */
final class ConvFamily implements Family {
  @Override
  public String name() {
    return "conv";
  }

  @Override
  public String description() {
    return "convolution of square images and its gradients; layers of known networks";
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
  public List<Work> quick() {
    return Family.each(
        ops(),
        "8x128x14x128x3x1x1",
        "64x32x26x64x3x1x0",
        "8x64x56x64x3x1x1",
        "8x64x56x256x1x1x0",
        "8x128x56x128x3x1x1x128");
  }

  @Override
  public List<Work> full() {
    return Shapes.of("conv");
  }

  @Override
  public String shapeForm() {
    return "NxCxHxKxRxSTRIDExPADDING, then xGROUPS if not 1";
  }

  static Conv conv(Case c) {
    String[] parts = c.shape().split("x", -1);
    var s = new int[] {0, 0, 0, 0, 0, 0, 0, 1};
    boolean valid = parts.length == 7 || parts.length == 8;
    for (int i = 0; valid && i < parts.length; i++) {
      valid = parts[i].strip().matches("[0-9]{1,9}");
      s[i] = valid ? Integer.parseInt(parts[i].strip()) : 0;
      valid &= i == 6 || s[i] > 0;
    }
    if (!valid || s[4] > s[2] + 2L * s[6] || s[1] % s[7] != 0 || s[3] % s[7] != 0) {
      throw new BadUsage(
          "conv shapes are N, C, H, K, R, stride, padding and maybe groups joined by x, with R at"
              + " most H + 2 * padding; given '"
              + c.shape()
              + "'");
    }
    var axis = new ConvAxis(s[2], s[4], s[5], s[6], s[6], 1);
    return Conv.of(s[0], s[1], s[3], axis, axis).withGroups(s[7]).withLayout(ImageLayout.NHWC);
  }

  @Override
  public double flops(Case c) {
    return conv(c).flops();
  }

  @Override
  public double bytes(Case c) {
    Conv op = conv(c);
    return 4.0 * (op.xCount() + op.yCount() + op.wCount());
  }

  @Override
  public boolean countsFlops() {
    return true;
  }

  /** Images row-major (NCHW): the operands of the pass, and its result at some places. */
  @Override
  public Problem problem(Case c) {
    Conv op = conv(c);
    var p = new Problem();
    long h = op.axes().getFirst().size();
    long out = op.axes().getFirst().out();
    long r = op.axes().getFirst().kernel();
    if (!c.op().equals("backward-data")) {
      p.input("x", Data.floats(Math.toIntExact(op.xCount()), 1), op.n(), op.c(), h, h);
    }
    if (!c.op().equals("forward")) {
      p.input("dy", Data.floats(Math.toIntExact(op.yCount()), 2), op.n(), op.k(), out, out);
    }
    if (!c.op().equals("backward-weight")) {
      float[] w = Data.floats(Math.toIntExact(op.wCount()), 3);
      p.input("w", w, op.k(), op.c() / op.groups(), r, r);
    }
    var loops = new ConvLoopsPlain(op);
    String result =
        switch (c.op()) {
          case "forward" -> "y";
          case "backward-data" -> "dx";
          default -> "dw";
        };
    int length = Math.toIntExact(count(op, result));
    int[] at = Problem.places(length);
    var expected = new double[at.length];
    for (int i = 0; i < at.length; i++) {
      expected[i] =
          switch (result) {
            case "y" -> loops.forwardAt(p.floats("x"), p.floats("w"), at[i]);
            case "dx" -> loops.backwardDataAt(p.floats("dy"), p.floats("w"), at[i]);
            default -> loops.backwardWeightAt(p.floats("x"), p.floats("dy"), at[i]);
          };
    }
    return p.expect(result, length, at, expected);
  }

  private static long count(Conv op, String name) {
    return switch (name) {
      case "y" -> op.yCount();
      case "dx" -> op.xCount();
      default -> op.wCount();
    };
  }

  @Override
  public Contender ours(Case c, Problem p) {
    Conv op = conv(c);
    int images = Math.toIntExact(op.n());
    int channelsIn = Math.toIntExact(op.c());
    int channelsOut = Math.toIntExact(op.k());
    var buffers =
        new Buffers(
            c,
            p,
            o -> {
              var plan = o.cpu.plan(op);
              var workspace = o.bytes(plan.workspaceBytes());
              switch (c.op()) {
                case "forward" -> {
                  var x = o.of(channelsLast(p.floats("x"), images, channelsIn));
                  var w = o.in("w");
                  var y = o.out("y", op.yCount());
                  return () -> plan.forward(o.stream, x, w, null, y, workspace);
                }
                case "backward-data" -> {
                  var dy = o.of(channelsLast(p.floats("dy"), images, channelsOut));
                  var w = o.in("w");
                  var dx = o.out("dx", op.xCount());
                  return () -> plan.backwardData(o.stream, dy, w, dx, workspace);
                }
                default -> {
                  var x = o.of(channelsLast(p.floats("x"), images, channelsIn));
                  var dy = o.of(channelsLast(p.floats("dy"), images, channelsOut));
                  var dw = o.out("dw", op.wCount());
                  return () -> plan.backwardWeight(o.stream, x, dy, dw, null, workspace);
                }
              }
            });
    return new RowMajor(buffers, images, channelsIn, channelsOut);
  }

  /** Channels last inside, row-major results. */
  private record RowMajor(Buffers inner, int images, int channelsIn, int channelsOut)
      implements Contender {
    @Override
    public void run() {
      inner.run();
    }

    @Override
    public double[] result(String name) {
      double[] r = inner.result(name);
      if (name.equals("dw")) {
        return r;
      }
      int channels = name.equals("y") ? channelsOut : channelsIn;
      int pixels = r.length / images / channels;
      var y = new double[r.length];
      for (int i = 0; i < r.length; i++) {
        int image = i / (channels * pixels);
        int pixel = i / channels % pixels;
        y[(image * channels + i % channels) * pixels + pixel] = r[i];
      }
      return y;
    }

    @Override
    public void close() {
      inner.close();
    }
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

  @Override
  public Contender plain(Case c, Problem p) {
    Conv op = conv(c);
    var loops = new ConvLoopsPlain(op);
    return new Loops(o -> {
      switch (c.op()) {
        case "forward" -> {
          float[] y = o.out("y", Math.toIntExact(op.yCount()));
          return () -> loops.forward(p.floats("x"), p.floats("w"), y);
        }
        case "backward-data" -> {
          float[] dx = o.out("dx", Math.toIntExact(op.xCount()));
          return () -> loops.backwardData(p.floats("dy"), p.floats("w"), dx);
        }
        default -> {
          float[] dw = o.out("dw", Math.toIntExact(op.wCount()));
          return () -> loops.backwardWeight(p.floats("x"), p.floats("dy"), dw);
        }
      }
    });
  }
}
