package dev.gridstride.kernels;

import static org.assertj.core.api.Assertions.fail;

import dev.gridstride.device.Buffer;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Checks every element of convolutions on integers by random sums over channels: {@code sum over k
 * of r[k] y[k] = conv(x, sum over k of r[k] w[k])} holds exactly, in integers modulo 2^64, and
 * takes 1/k of the work of the convolution itself.
 *
 * <p>A wrong element always shows, since the factors are odd; wrong elements of one sum hide each
 * other with a probability of 2^-63 (Freivalds, Probabilistic machines can use less running time,
 * 1977).
 */
final class ConvContraction {
  private final Conv op;
  private final IntegerOperand x;
  private final IntegerOperand w;
  private final IntegerOperand bias;
  private final IntegerOperand dy;
  private final ConvAxis[] axes = new ConvAxis[3];
  private final int ins;
  private final int outs;
  private final int taps;
  private final int cg;
  private final int kg;
  private final int groups;
  private final long[] rk;
  private final long[] rc;

  ConvContraction(
      Conv op, IntegerOperand x, IntegerOperand w, IntegerOperand bias, IntegerOperand dy) {
    this.op = op;
    this.x = x;
    this.w = w;
    this.bias = bias;
    this.dy = dy;
    Arrays.fill(axes, ConvAxis.of(1, 1));
    int rank = op.axes().size();
    for (int i = 0; i < rank; i++) {
      axes[3 - rank + i] = op.axes().get(i);
    }
    ins = (int) (axes[0].size() * axes[1].size() * axes[2].size());
    outs = (int) (axes[0].out() * axes[1].out() * axes[2].out());
    taps = (int) (axes[0].kernel() * axes[1].kernel() * axes[2].kernel());
    groups = (int) op.groups();
    cg = (int) op.c() / groups;
    kg = (int) op.k() / groups;
    rk = odd((int) op.k(), 1);
    rc = odd((int) op.c(), 2);
  }

  private static long[] odd(int n, long seed) {
    var random = new SplittableRandom(seed);
    return random.longs(n).map(v -> v | 1).toArray();
  }

  /**
   * Output pixels {@code out + i} and the inputs {@code in + i * step} that one tap reads there.
   */
  private interface Row {
    void at(int out, int in, int count, int step);
  }

  private void rows(int tap, Row row) {
    int s = (int) (tap % axes[2].kernel());
    int r = (int) (tap / axes[2].kernel() % axes[1].kernel());
    int d = (int) (tap / axes[2].kernel() / axes[1].kernel());
    ConvAxis inner = axes[2];
    int step = (int) inner.stride();
    long shift = s * inner.dilation() - inner.padBegin();
    int first = (int) Math.max(0, -Math.floorDiv(shift, step));
    int last = (int) Math.min(inner.out() - 1, Math.floorDiv(inner.size() - 1 - shift, step));
    if (last < first) {
      return;
    }
    for (int z = 0; z < axes[0].out(); z++) {
      long iz = z * axes[0].stride() - axes[0].padBegin() + d * axes[0].dilation();
      for (int y = 0; y < axes[1].out() && iz >= 0 && iz < axes[0].size(); y++) {
        long iy = y * axes[1].stride() - axes[1].padBegin() + r * axes[1].dilation();
        if (iy >= 0 && iy < axes[1].size()) {
          int out = (int) ((z * axes[1].out() + y) * inner.out()) + first;
          int in = (int) ((iz * axes[1].size() + iy) * inner.size() + first * step + shift);
          row.at(out, in, last - first + 1, step);
        }
      }
    }
  }

  /** {@code [channel][pixel]} of one image. */
  private int at(int channel, int channels, int pixel, int pixels) {
    return op.layout() == ImageLayout.NCHW ? channel * pixels + pixel : pixel * channels + channel;
  }

  private int[][] image(IntegerOperand operand, int i, int channels, int pixels) {
    var flat = new int[channels * pixels];
    operand.read((long) i * flat.length, flat);
    var image = new int[channels][pixels];
    for (int c = 0; c < channels; c++) {
      for (int p = 0; p < pixels; p++) {
        image[c][p] = flat[at(c, channels, p, pixels)];
      }
    }
    return image;
  }

  /** For each group, the sum over its channels of r times the result's channel. */
  private long[][] contracted(Buffer result, int i, int channels, int pixels, long[] r) {
    int size = channels * pixels;
    long[] flat = IntegerOperand.result(result, op.type(), (long) i * size, size);
    var sums = new long[groups][pixels];
    for (int c = 0; c < channels; c++) {
      for (int p = 0; p < pixels; p++) {
        sums[c / (channels / groups)][p] += r[c] * flat[at(c, channels, p, pixels)];
      }
    }
    return sums;
  }

  private int weight(int k, int c, int tap) {
    return w.at(((long) k * cg + c) * taps + tap);
  }

  void checkForward(Buffer y) {
    int k = (int) op.k();
    var sums = new long[groups][cg * taps];
    var start = new long[groups];
    for (int o = 0; o < k; o++) {
      start[o / kg] += rk[o] * bias.at(o);
      for (int j = 0; j < cg * taps; j++) {
        sums[o / kg][j] += rk[o] * weight(o, j / taps, j % taps);
      }
    }
    IntStream.range(0, (int) op.n())
        .parallel()
        .forEach(i -> {
          int[][] in = image(x, i, (int) op.c(), ins);
          var expected = new long[groups][outs];
          for (int g = 0; g < groups; g++) {
            long[] to = expected[g];
            Arrays.fill(to, start[g]);
            for (int j = 0; j < cg * taps; j++) {
              int[] from = in[g * cg + j / taps];
              long factor = sums[g][j];
              rows(
                  j % taps,
                  (out, at, count, step) -> {
                    for (int q = 0; q < count; q++) {
                      to[out + q] += factor * from[at + q * step];
                    }
                  });
            }
          }
          compare("y", i, contracted(y, i, k, outs, rk), expected);
        });
  }

  void checkBackwardData(Buffer dx) {
    int k = (int) op.k();
    var sums = new long[k][taps];
    for (int o = 0; o < k; o++) {
      for (int j = 0; j < cg * taps; j++) {
        sums[o][j % taps] += rc[o / kg * cg + j / taps] * weight(o, j / taps, j % taps);
      }
    }
    IntStream.range(0, (int) op.n())
        .parallel()
        .forEach(i -> {
          int[][] out = image(dy, i, k, outs);
          var expected = new long[groups][ins];
          for (int o = 0; o < k; o++) {
            long[] to = expected[o / kg];
            int[] from = out[o];
            for (int tap = 0; tap < taps; tap++) {
              long factor = sums[o][tap];
              rows(
                  tap,
                  (at, in, count, step) -> {
                    for (int q = 0; q < count; q++) {
                      to[in + q * step] += factor * from[at + q];
                    }
                  });
            }
          }
          compare("dx", i, contracted(dx, i, (int) op.c(), ins, rc), expected);
        });
  }

  void checkBackwardWeight(Buffer dw, Buffer dbias) {
    int c = (int) op.c();
    int k = (int) op.k();
    long[][] parts =
        IntStream.range(0, (int) op.n())
            .parallel()
            .mapToObj(this::weightPart)
            .reduce(
                new long[2][Math.max(k, c * taps)],
                (a, b) -> {
                  var sum = new long[2][a[0].length];
                  for (int j = 0; j < sum.length; j++) {
                    for (int q = 0; q < sum[j].length; q++) {
                      sum[j][q] = a[j][q] + b[j][q];
                    }
                  }
                  return sum;
                });
    long[] got = IntegerOperand.result(dw, op.type(), 0, (int) op.wCount());
    var sums = new long[parts[0].length];
    for (int o = 0; o < k; o++) {
      for (int j = 0; j < cg * taps; j++) {
        sums[o / kg * cg * taps + j] += rk[o] * got[o * cg * taps + j];
      }
    }
    compare("dw", 0, new long[][] {sums}, new long[][] {parts[0]});
    long[] bias = IntegerOperand.result(dbias, op.type(), 0, k);
    compare("dbias", 0, new long[][] {bias}, new long[][] {Arrays.copyOf(parts[1], k)});
  }

  /** What one image adds to dw, contracted over the output channels, and to dbias. */
  private long[][] weightPart(int i) {
    int c = (int) op.c();
    int k = (int) op.k();
    int[][] in = image(x, i, c, ins);
    int[][] out = image(dy, i, k, outs);
    var part = new long[2][Math.max(k, c * taps)];
    var sums = new long[groups][outs];
    for (int o = 0; o < k; o++) {
      for (int p = 0; p < outs; p++) {
        sums[o / kg][p] += rk[o] * out[o][p];
        part[1][o] += out[o][p];
      }
    }
    for (int j = 0; j < c * taps; j++) {
      int[] from = in[j / taps];
      long[] with = sums[j / taps / cg];
      int to = j;
      rows(
          j % taps,
          (at, first, count, step) -> {
            long sum = 0;
            for (int q = 0; q < count; q++) {
              sum += with[at + q] * from[first + q * step];
            }
            part[0][to] += sum;
          });
    }
    return part;
  }

  private void compare(String what, int image, long[][] actual, long[][] expected) {
    for (int g = 0; g < expected.length; g++) {
      int at = Arrays.mismatch(actual[g], expected[g]);
      if (at >= 0) {
        fail(
            "%s: %s is wrong in image %d, group %d, element %d of the sum over channels",
            op, what, image, g, at);
      }
    }
  }
}
