package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Normalization with a gamma and a beta for each channel of images: the channels of each image are
 * measured, what shares a mean is combined in order, and all is applied in a second pass.
 */
final class NormChannels {
  private static final ScratchDoubles MEANS = new ScratchDoubles();
  private static final ScratchDoubles SQUARES = new ScratchDoubles();
  private static final ScratchDoubles SUMS = new ScratchDoubles();
  private static final ScratchDoubles LOWS = new ScratchDoubles();
  private static final ScratchDoubles SLOPES = new ScratchDoubles();
  private static final ScratchDoubles OFFSETS = new ScratchDoubles();
  private static final double[] NONE = {};

  /** Means, or channels, of a task that combines numbers of some ten images each. */
  private static final int STATS = 256;

  private final NormShape shape;
  private final NormPasses passes;
  private final Elements parameters;
  private final long channels;
  private final Reuse<Run> runs = new Reuse<>(Run::new);

  NormChannels(NormShape shape) {
    this.shape = shape;
    this.channels = shape.channels();
    // one without channels has no columns either
    this.passes = shape.last() && channels > 0 ? new NormColumns(shape) : new NormPlanes(shape);
    this.parameters = Elements.of(shape.type());
  }

  /** What a run works on, and the bodies of its loops. */
  private final class Run {
    @Nullable MemorySegment gamma;
    @Nullable MemorySegment beta;
    @Nullable MemorySegment dgamma;
    @Nullable MemorySegment dbeta;
    @Nullable NormStatistics stats;
    @Nullable NormAverages averages;
    double[] means = NONE;
    double[] squares = NONE;
    double[] sums = NONE;
    double[] low = NONE;
    double[] slopes = NONE;
    double[] offsets = NONE;

    final Parallel.Range ofImages = (from, to) -> ofImages(this, (int) from, (int) to);
    final Parallel.Range ofGroups = (from, to) -> ofGroups(this, (int) from, (int) to);
    final Parallel.Range parameterGradients = (from, to) -> parameterGradients(this, from, to);

    final NormPasses.Numbers affine =
        (image, channel, v) -> {
          int k = shape.stat(image, channel);
          v[0] = stats().pivot(k);
          v[1] = stats().rstd(k) * parameter(gamma, channel, 1);
          v[2] = parameter(beta, channel, 0) - stats().low(k) * v[1];
        };
    final NormPasses.Numbers pivots =
        (image, channel, v) -> v[0] = stats().pivot(shape.stat(image, channel));
    final NormPasses.Numbers scales =
        (image, channel, v) -> {
          v[0] = 0;
          v[1] = stats().rstd(shape.stat(image, channel)) * parameter(gamma, channel, 1);
          v[2] = 0;
        };
    final NormPasses.Numbers gradient =
        (image, channel, v) -> {
          int k = shape.stat(image, channel);
          v[0] = stats().pivot(k);
          v[1] = stats().rstd(k) * parameter(gamma, channel, 1);
          v[2] = slopes[k];
          v[3] = offsets[k];
        };

    NormStatistics stats() {
      return Objects.requireNonNull(stats);
    }

    /** The mean of what shares one, and the sum of the squared deviations from it. */
    void set(int stat, double mean, double squares) {
      stats().set(stat, mean, squares / Math.max(1, shape.count()));
      if (averages != null) {
        averages.add(stat, mean, squares);
      }
    }

    /** Keeps nothing alive. */
    void close() {
      gamma = null;
      beta = null;
      dgamma = null;
      dbeta = null;
      stats = null;
      averages = null;
      means = NONE;
      squares = NONE;
      sums = NONE;
      low = NONE;
      slopes = NONE;
      offsets = NONE;
    }
  }

  String details() {
    return passes instanceof NormColumns ? "channels last" : "channel by channel";
  }

  private int table() {
    return Math.toIntExact(shape.images() * channels);
  }

  /**
   * The statistics of x, then {@code y = (x - mean) * rstd * gamma + beta}.
   *
   * @param averages of the statistics, where they are kept
   */
  void forward(
      MemorySegment x,
      @Nullable MemorySegment gamma,
      @Nullable MemorySegment beta,
      MemorySegment y,
      NormStatistics stats,
      @Nullable NormAverages averages) {
    Run run = runs.take();
    run.stats = stats;
    run.averages = averages;
    run.means = MEANS.get(table());
    run.squares = SQUARES.get(table());
    passes.moments(x, run.means, run.squares);
    if (shape.groups() == 0) {
      run.sums = SUMS.get(Math.toIntExact(2 * channels));
      Parallel.forRange(channels, STATS, run.ofImages);
    } else {
      Parallel.forRange(shape.stats(), STATS, run.ofGroups);
    }
    run.gamma = gamma;
    run.beta = beta;
    passes.affine(x, y, run.affine);
    run.close();
    runs.give(run);
  }

  /** Channels that share their means with those of other images, all of them at once. */
  private void ofImages(Run run, int from, int to) {
    double[] means = run.means;
    double[] squares = run.squares;
    double[] sums = run.sums;
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
      run.set(k, sums[k], sums[each + k]);
    }
  }

  /** Channels of an image that share a mean. */
  private void ofGroups(Run run, int from, int to) {
    int width = (int) (channels / shape.groups());
    for (int stat = from; stat < to; stat++) {
      double mean = 0;
      for (int i = stat * width; i < (stat + 1) * width; i++) {
        mean += run.means[i];
      }
      mean /= Math.max(1, width);
      double sum = 0;
      for (int i = stat * width; i < (stat + 1) * width; i++) {
        double apart = run.means[i] - mean;
        sum += run.squares[i] + apart * apart * shape.spatial();
      }
      run.set(stat, mean, sum);
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
    Run run = runs.take();
    run.stats = stats;
    run.gamma = gamma;
    run.beta = beta;
    passes.affine(x, y, run.affine);
    run.close();
    runs.give(run);
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
    Run run = runs.take();
    run.stats = stats;
    run.gamma = gamma;
    if (!frozen || dgamma != null || dbeta != null) {
      run.sums = SUMS.get(Math.multiplyExact(3, table()));
      passes.sums(x, dy, run.pivots, run.sums);
      if (shape.groups() == 0) {
        addImages(run.sums);
      }
      run.low = low(run.sums, frozen);
      run.dgamma = dgamma;
      run.dbeta = dbeta;
      Parallel.forRange(channels, STATS, run.parameterGradients);
    }
    if (frozen && dx != null) {
      passes.affine(dy, dx, run.scales);
    } else if (dx != null) {
      setGradient(run);
      passes.gradient(x, dy, dx, run.gradient);
    }
    run.close();
    runs.give(run);
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

  private void parameterGradients(Run run, long from, long to) {
    double[] sums = run.sums;
    for (long c = from; c < to; c++) {
      double g = 0;
      double b = 0;
      for (long image = 0; image < images(); image++) {
        int i = (int) (3 * (image * channels + c));
        int k = shape.stat(image, c);
        g += run.stats().rstd(k) * (sums[i + 1] - run.low[k] * sums[i]);
        b += sums[i];
      }
      if (run.dgamma != null) {
        parameters.set(run.dgamma, c, g);
      }
      if (run.dbeta != null) {
        parameters.set(run.dbeta, c, b);
      }
    }
  }

  /** What dx is made of beside dy and x. */
  private void setGradient(Run run) {
    double[] sums = run.sums;
    double[] b = SLOPES.get(shape.stats()); // first the sums of dy * gamma * (x - pivot)
    double[] c = OFFSETS.get(shape.stats()); // and of dy * gamma
    Arrays.fill(b, 0, shape.stats(), 0);
    Arrays.fill(c, 0, shape.stats(), 0);
    for (int i = 0; i < images() * channels; i++) {
      int k = shape.stat(i / channels, i % channels);
      double g = parameter(run.gamma, i % channels, 1);
      b[k] += g * sums[3 * i + 1];
      c[k] += g * sums[3 * i];
    }
    for (int k = 0; k < shape.stats(); k++) {
      double r = run.stats().rstd(k);
      double sum = c[k];
      b[k] = -r * r * r * (b[k] - run.low[k] * sum) / shape.count();
      c[k] = -r * sum / shape.count() - b[k] * run.low[k];
    }
    run.slopes = b;
    run.offsets = c;
  }
}
