package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Normalization with a gamma and a beta for each channel of images: the channels of each image are
 * measured, what shares a mean is combined in order, and all is applied in a second pass.
 */
final class NormChannels {
  /** Receives the moments of what shares a mean; of several at a time, on several threads. */
  @FunctionalInterface
  interface Result {
    /** The mean, and the sum of the squared deviations from it. */
    void is(int stat, double mean, double squares);
  }

  private static final ScratchDoubles MEANS = new ScratchDoubles();
  private static final ScratchDoubles SQUARES = new ScratchDoubles();
  private static final ScratchDoubles SUMS = new ScratchDoubles();
  private static final ScratchDoubles LOWS = new ScratchDoubles();
  private static final ScratchDoubles SLOPES = new ScratchDoubles();
  private static final ScratchDoubles OFFSETS = new ScratchDoubles();

  /** Means, or channels, of a task that combines numbers of some ten images each. */
  private static final int STATS = 256;

  private final NormShape shape;
  private final NormPasses passes;
  private final Elements parameters;
  private final long channels;

  NormChannels(NormShape shape) {
    this.shape = shape;
    this.channels = shape.channels();
    // one without channels has no columns either
    this.passes = shape.last() && channels > 0 ? new NormColumns(shape) : new NormPlanes(shape);
    this.parameters = Elements.of(shape.type());
  }

  String details() {
    return passes instanceof NormColumns ? "channels last" : "channel by channel";
  }

  private int table() {
    return Math.toIntExact(shape.images() * channels);
  }

  /** The statistics of x. */
  void measure(MemorySegment x, Result result) {
    double[] means = MEANS.get(table());
    double[] squares = SQUARES.get(table());
    passes.moments(x, means, squares);
    if (shape.groups() == 0) {
      double[] sums = SUMS.get(Math.toIntExact(2 * channels));
      Parallel.forRange(
          channels,
          STATS,
          (from, to) -> ofImages(means, squares, sums, (int) from, (int) to, result));
    } else {
      Parallel.forRange(
          shape.stats(),
          STATS,
          (from, to) -> {
            for (int k = (int) from; k < to; k++) {
              ofGroup(means, squares, k, result);
            }
          });
    }
  }

  /** Channels that share their means with those of other images, all of them at once. */
  private void ofImages(
      double[] means, double[] squares, double[] sums, int from, int to, Result result) {
    int each = (int) channels;
    Arrays.fill(sums, from, to, 0);
    Arrays.fill(sums, each + from, each + to, 0);
    for (int image = 0; image < shape.images(); image++) {
      for (int k = from; k < to; k++) {
        sums[k] += means[image * each + k];
      }
    }
    for (int k = from; k < to; k++) {
      sums[k] /= Math.max(1, shape.images());
    }
    double n = shape.spatial();
    for (int image = 0; image < shape.images(); image++) {
      for (int k = from; k < to; k++) {
        double apart = means[image * each + k] - sums[k];
        sums[each + k] += squares[image * each + k] + apart * apart * n;
      }
    }
    for (int k = from; k < to; k++) {
      result.is(k, sums[k], sums[each + k]);
    }
  }

  /** Channels of an image that share a mean. */
  private void ofGroup(double[] means, double[] squares, int stat, Result result) {
    int width = (int) (channels / shape.groups());
    double mean = 0;
    for (int i = stat * width; i < (stat + 1) * width; i++) {
      mean += means[i];
    }
    mean /= Math.max(1, width);
    double sum = 0;
    for (int i = stat * width; i < (stat + 1) * width; i++) {
      double apart = means[i] - mean;
      sum += squares[i] + apart * apart * shape.spatial();
    }
    result.is(stat, mean, sum);
  }

  private double parameter(@Nullable MemorySegment values, long channel, double otherwise) {
    return values == null ? otherwise : parameters.get(values, channel);
  }

  /** {@code y = (x - mean) * rstd * gamma + beta}. */
  void apply(
      MemorySegment x,
      @Nullable MemorySegment gamma,
      @Nullable MemorySegment beta,
      MemorySegment y,
      NormStatistics stats) {
    passes.affine(
        x,
        y,
        (image, channel, v) -> {
          int k = shape.stat(image, channel);
          v[0] = stats.pivot(k);
          v[1] = stats.rstd(k) * parameter(gamma, channel, 1);
          v[2] = parameter(beta, channel, 0) - stats.low(k) * v[1];
        });
  }

  /** The gradients that are asked for; frozen statistics do not depend on x. */
  void backward(
      NormStatistics stats,
      boolean frozen,
      MemorySegment x,
      @Nullable MemorySegment gamma,
      MemorySegment dy,
      @Nullable MemorySegment dx,
      @Nullable MemorySegment dgamma,
      @Nullable MemorySegment dbeta) {
    if (!frozen || dgamma != null || dbeta != null) {
      double[] sums = SUMS.get(Math.multiplyExact(3, table()));
      passes.sums(
          x, dy, (image, channel, v) -> v[0] = stats.pivot(shape.stat(image, channel)), sums);
      if (shape.groups() == 0) {
        addImages(sums);
      }
      double[] low = low(sums, frozen);
      parameterGradients(stats, sums, low, dgamma, dbeta);
      if (!frozen && dx != null) {
        inputGradient(stats, sums, low, x, gamma, dy, dx);
      }
    }
    if (frozen && dx != null) {
      passes.affine(
          dy,
          dx,
          (image, channel, v) -> {
            v[0] = 0;
            v[1] = stats.rstd(shape.stat(image, channel)) * parameter(gamma, channel, 1);
            v[2] = 0;
          });
    }
  }

  /** Adds the sums of the other images to those of the first: all share their means. */
  private void addImages(double[] sums) {
    int each = Math.toIntExact(3 * channels);
    for (int image = 1; image < shape.images(); image++) {
      int from = image * each;
      for (int i = 0; i < each; i++) {
        sums[i] += sums[from + i];
      }
    }
  }

  /** Images whose sums are apart. */
  private long images() {
    return shape.groups() == 0 ? Math.min(1, shape.images()) : shape.images();
  }

  /** What rounding has cut off from the means; nothing from those that were given. */
  private double[] low(double[] sums, boolean frozen) {
    double[] low = LOWS.get(shape.stats());
    Arrays.fill(low, 0, shape.stats(), 0);
    if (frozen) {
      return low;
    }
    for (int i = 0; i < images() * channels; i++) {
      low[shape.stat(i / channels, i % channels)] += sums[3 * i + 2];
    }
    for (int k = 0; k < shape.stats(); k++) {
      low[k] /= Math.max(1, shape.count());
    }
    return low;
  }

  private void parameterGradients(
      NormStatistics stats,
      double[] sums,
      double[] low,
      @Nullable MemorySegment dgamma,
      @Nullable MemorySegment dbeta) {
    Parallel.forRange(
        channels,
        STATS,
        (from, to) -> {
          for (long c = from; c < to; c++) {
            double g = 0;
            double b = 0;
            for (long image = 0; image < images(); image++) {
              int i = (int) (3 * (image * channels + c));
              int k = shape.stat(image, c);
              g += stats.rstd(k) * (sums[i + 1] - low[k] * sums[i]);
              b += sums[i];
            }
            if (dgamma != null) {
              parameters.set(dgamma, c, g);
            }
            if (dbeta != null) {
              parameters.set(dbeta, c, b);
            }
          }
        });
  }

  private void inputGradient(
      NormStatistics stats,
      double[] sums,
      double[] low,
      MemorySegment x,
      @Nullable MemorySegment gamma,
      MemorySegment dy,
      MemorySegment dx) {
    double[] b = SLOPES.get(shape.stats()); // first the sums of dy * gamma * (x - pivot)
    double[] c = OFFSETS.get(shape.stats()); // and of dy * gamma
    Arrays.fill(b, 0, shape.stats(), 0);
    Arrays.fill(c, 0, shape.stats(), 0);
    for (int i = 0; i < images() * channels; i++) {
      int k = shape.stat(i / channels, i % channels);
      double g = parameter(gamma, i % channels, 1);
      b[k] += g * sums[3 * i + 1];
      c[k] += g * sums[3 * i];
    }
    for (int k = 0; k < shape.stats(); k++) {
      double r = stats.rstd(k);
      double sum = c[k];
      b[k] = -r * r * r * (b[k] - low[k] * sum) / shape.count();
      c[k] = -r * sum / shape.count() - b[k] * low[k];
    }
    passes.gradient(
        x,
        dy,
        dx,
        (image, channel, v) -> {
          int k = shape.stat(image, channel);
          v[0] = stats.pivot(k);
          v[1] = stats.rstd(k) * parameter(gamma, channel, 1);
          v[2] = b[k];
          v[3] = c[k];
        });
  }
}
