package dev.gridstride.kernels;

import static dev.gridstride.testing.Close.assertClose;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.testing.TestArray;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Transposed convolutions: a scattering loop for the result, the adjoint's oracle for gradients.
 */
@ExtendWith(TestDevice.class)
class ConvTransposeTest {
  private static final Device DEVICE = TestDevice.get();

  private static ConvTransposeAxis axis(
      long size, long kernel, long stride, long begin, long end, long output, long dilation) {
    return new ConvTransposeAxis(size, kernel, stride, begin, end, output, dilation);
  }

  static Stream<ConvTranspose> cases() {
    var list = new ArrayList<ConvTranspose>();
    list.add(ConvTranspose.of(2, 3, 5, axis(4, 3, 1, 0, 0, 0, 1), axis(5, 3, 1, 0, 0, 0, 1)));
    list.add(ConvTranspose.of(1, 16, 32, axis(4, 3, 2, 1, 1, 1, 1), axis(5, 2, 2, 0, 0, 0, 1)));
    list.add(ConvTranspose.of(2, 5, 17, axis(4, 2, 3, 0, 1, 2, 1), axis(3, 3, 2, 1, 0, 0, 2)));
    // output padding up to the dilation, beyond the stride
    list.add(ConvTranspose.of(1, 4, 3, axis(5, 3, 1, 0, 0, 2, 3), axis(4, 1, 1, 0, 0, 0, 1)));
    list.add(
        ConvTranspose.of(1, 8, 12, axis(4, 3, 2, 1, 1, 0, 1), axis(4, 3, 2, 1, 1, 1, 1))
            .withGroups(4));
    list.add(ConvTranspose.of(1, 16, 16, axis(7, 3, 2, 1, 1, 1, 1)).withGroups(16));
    list.add(
        ConvTranspose.of(
            1,
            2,
            3,
            axis(2, 2, 2, 0, 0, 0, 1),
            axis(3, 3, 1, 1, 1, 0, 1),
            axis(2, 1, 2, 0, 0, 1, 1)));
    list.add(ConvTranspose.of(0, 2, 3, axis(3, 3, 1, 1, 1, 0, 1)));
    return list.stream()
        .flatMap(s ->
            Stream.of(
                s,
                s.withLayout(ImageLayout.NHWC),
                s.withType(DType.F64),
                s.withType(DType.F64).withLayout(ImageLayout.NHWC)));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void exactOnIntegers(ConvTranspose op) {
    var plan = DEVICE.plan(op);
    var stream = DEVICE.defaultStream();
    try (var x = TestArray.of(DEVICE, op.type(), TestArray.integers(op.xCount(), 1));
        var w = TestArray.of(DEVICE, op.type(), TestArray.integers(op.wCount(), 2));
        var bias = TestArray.of(DEVICE, op.type(), TestArray.integers(op.k(), 3));
        var dy = TestArray.of(DEVICE, op.type(), TestArray.integers(op.yCount(), 4));
        var y = TestArray.output(DEVICE, op.type(), op.yCount());
        var dx = TestArray.output(DEVICE, op.type(), op.xCount());
        var dw = TestArray.output(DEVICE, op.type(), op.wCount());
        var dbias = TestArray.output(DEVICE, op.type(), op.k());
        Buffer workspace = DEVICE.allocate(plan.workspaceBytes())) {
      workspace.fill((byte) 0xFF);
      plan.forward(stream, x.buffer(), w.buffer(), bias.buffer(), y.buffer(), workspace);
      plan.backwardData(stream, dy.buffer(), w.buffer(), dx.buffer(), workspace);
      plan.backwardWeight(stream, x.buffer(), dy.buffer(), dw.buffer(), dbias.buffer(), workspace);
      assertClose("y", y.get(), scatter(op, x.get(), w.get(), bias.get()), 0, 0);
      var oracle = new ConvOracle(op.adjoint());
      assertClose("dx", dx.get(), oracle.forward(dy.get(), w.get(), null), 0, 0);
      assertClose("dw", dw.get(), oracle.backwardWeight(dy.get(), x.get()), 0, 0);
      assertClose("dbias", dbias.get(), channelSums(op, dy.get()), 0, 0);
      assertThat(plan.explain().toString()).contains("of the adjoint");
    }
  }

  private static int[] sizes(List<ConvTransposeAxis> axes, boolean out) {
    int[] s = {1, 1, 1};
    for (int i = 0; i < axes.size(); i++) {
      ConvTransposeAxis a = axes.get(i);
      s[3 - axes.size() + i] = (int) (out ? a.out() : a.size());
    }
    return s;
  }

  private static int at(ConvTranspose op, int image, int c, int channels, int[] p, int[] s) {
    int pixel = (p[0] * s[1] + p[1]) * s[2] + p[2];
    int pixels = s[0] * s[1] * s[2];
    return op.layout() == ImageLayout.NCHW
        ? (image * channels + c) * pixels + pixel
        : (image * pixels + pixel) * channels + c;
  }

  private static void forEach(int[] sizes, java.util.function.Consumer<int[]> body) {
    for (int z = 0; z < sizes[0]; z++) {
      for (int y = 0; y < sizes[1]; y++) {
        for (int x = 0; x < sizes[2]; x++) {
          body.accept(new int[] {z, y, x});
        }
      }
    }
  }

  /** Each input adds its multiple of the kernel to the output. */
  private static double[] scatter(ConvTranspose op, double[] x, double[] w, double[] bias) {
    int[] in = sizes(op.axes(), false);
    int[] out = sizes(op.axes(), true);
    int rank = op.axes().size();
    int[] kernel = {1, 1, 1};
    for (int i = 0; i < rank; i++) {
      kernel[3 - rank + i] = (int) op.axes().get(i).kernel();
    }
    int c = (int) op.c();
    int k = (int) op.k();
    int perGroup = k / (int) op.groups();
    int taps = kernel[0] * kernel[1] * kernel[2];
    var y = new double[(int) op.yCount()];
    for (int image = 0; image < op.n(); image++) {
      int img = image;
      for (int o = 0; o < k; o++) {
        int channel = o;
        forEach(out, p -> y[at(op, img, channel, k, p, out)] = bias[channel]);
      }
      for (int ch = 0; ch < c; ch++) {
        for (int j = 0; j < perGroup; j++) {
          int from = ch;
          int to = ch / (c / (int) op.groups()) * perGroup + j;
          int plane = (ch * perGroup + j) * taps;
          forEach(
              in,
              p ->
                  forEach(
                      kernel,
                      t -> {
                        var q = new int[3];
                        boolean inside = true;
                        for (int i = 0; i < 3; i++) {
                          int n = i - 3 + rank;
                          var a = n < 0 ? null : op.axes().get(n);
                          q[i] =
                              a == null
                                  ? 0
                                  : (int) (p[i] * a.stride() - a.padBegin() + t[i] * a.dilation());
                          inside &= q[i] >= 0 && q[i] < out[i];
                        }
                        if (inside) {
                          int tap = (t[0] * kernel[1] + t[1]) * kernel[2] + t[2];
                          y[at(op, img, to, k, q, out)] +=
                              x[at(op, img, from, c, p, in)] * w[plane + tap];
                        }
                      }));
        }
      }
    }
    return y;
  }

  private static double[] channelSums(ConvTranspose op, double[] dy) {
    int[] out = sizes(op.axes(), true);
    var sums = new double[(int) op.k()];
    for (int image = 0; image < op.n(); image++) {
      for (int o = 0; o < op.k(); o++) {
        int img = image;
        int channel = o;
        forEach(out, p -> sums[channel] += dy[at(op, img, channel, (int) op.k(), p, out)]);
      }
    }
    return sums;
  }
}
