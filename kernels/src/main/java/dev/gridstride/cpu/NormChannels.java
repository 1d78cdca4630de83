package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Normalization with a gamma and a beta for each channel of images: the channels of each image are
 * measured, what shares a mean is combined in order, and all is applied in a second pass.
 */
final class NormChannels {
  /** Receives the moments of what shares a mean. */
  @FunctionalInterface
  interface Result {
    void is(int stat, NormMoments moments);
  }

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
    var means = new double[table()];
    var squares = new double[table()];
    passes.moments(x, means, squares);
    var all = new NormMoments(NormRows.loops(shape.type()), shape.type(), shape.centered());
    for (int k = 0; k < shape.stats(); k++) {
      all.clear();
      long images = shape.groups() == 0 ? shape.images() : 1;
      long width = shape.groups() == 0 ? 1 : channels / shape.groups();
      for (long i = 0; i < images; i++) {
        long first = shape.groups() == 0 ? i * channels + k : k * width;
        for (long c = 0; c < width; c++) {
          all.add(shape.spatial(), means[(int) (first + c)], squares[(int) (first + c)]);
        }
      }
      result.is(k, all);
    }
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
      var sums = new double[Math.multiplyExact(3, table())];
      passes.sums(
          x, dy, (image, channel, v) -> v[0] = stats.pivot(shape.stat(image, channel)), sums);
      double[] low = frozen ? new double[shape.stats()] : low(sums);
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

  /** What rounding has cut off from the means. */
  private double[] low(double[] sums) {
    var low = new double[shape.stats()];
    for (int i = 0; i < table(); i++) {
      low[shape.stat(i / channels, i % channels)] += sums[3 * i + 2];
    }
    for (int k = 0; k < low.length; k++) {
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
    for (long c = 0; c < channels; c++) {
      double g = 0;
      double b = 0;
      for (long image = 0; image < shape.images(); image++) {
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
  }

  private void inputGradient(
      NormStatistics stats,
      double[] sums,
      double[] low,
      MemorySegment x,
      @Nullable MemorySegment gamma,
      MemorySegment dy,
      MemorySegment dx) {
    var b = new double[shape.stats()]; // first the sums of dy * gamma * (x - pivot)
    var c = new double[shape.stats()]; // and of dy * gamma
    for (int i = 0; i < table(); i++) {
      int k = shape.stat(i / channels, i % channels);
      double g = parameter(gamma, i % channels, 1);
      b[k] += g * sums[3 * i + 1];
      c[k] += g * sums[3 * i];
    }
    for (int k = 0; k < b.length; k++) {
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
