package dev.gridstride.nn;

import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.device.InvalidArgumentException;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;

/**
 * How data turn into noise in the steps of a diffusion model, and back.
 *
 * <p>After step t of 0..steps a sample x is {@code z = sqrt(a) x + sqrt(1 - a) noise}, where {@code
 * a = signal(t)} falls from 1 to nearly 0 and the noise is standard normal. A network learns to
 * tell the two apart by the velocity {@code v = sqrt(a) noise - sqrt(1 - a) x}, whose size is the
 * same at all steps; both can be had from z and v. Ho et al., "Denoising Diffusion Probabilistic
 * Models", 2020; the velocity is that of Salimans and Ho, "Progressive Distillation for Fast
 * Sampling of Diffusion Models", 2022.
 *
 * <p>Factors are computed in f64 and rounded to f32; the ops on tensors are differentiable and give
 * the same bits from run to run. Immutable.
 */
public final class NoiseSchedule {
  /** Keeps the first steps from being too small to matter; from the paper of {@link #cosine}. */
  private static final double OFFSET = 0.008;

  private static final double LARGEST_LOSS = 0.999;

  private final double[] signal;

  private NoiseSchedule(double[] signal) {
    this.signal = signal;
  }

  /**
   * The squared cosine: {@code a(t) = f(t) / f(0)} with {@code f(t) = cos^2((t / steps + 0.008) /
   * 1.008 * pi / 2)}, of which no step loses more than 99.9%. Nichol and Dhariwal, "Improved
   * Denoising Diffusion Probabilistic Models", 2021, section 3.2.
   *
   * @param steps at least 1
   */
  public static NoiseSchedule cosine(int steps) {
    if (steps < 1) {
      throw InvalidArgumentException.of(
          "noiseSchedule", "steps", "must be at least 1", "steps=%d", steps);
    }
    var a = new double[steps + 1];
    a[0] = 1;
    for (int t = 1; t <= steps; t++) {
      double kept = cosine(t, steps) / cosine(t - 1, steps);
      a[t] = a[t - 1] * Math.max(kept, 1 - LARGEST_LOSS);
    }
    return new NoiseSchedule(a);
  }

  private static double cosine(int t, int steps) {
    double cos = Math.cos((t / (double) steps + OFFSET) / (1 + OFFSET) * Math.PI / 2);
    return cos * cos;
  }

  /** Number of steps. */
  public int steps() {
    return signal.length - 1;
  }

  /**
   * The share a of a sample's variance that is left after {@code step}, from 1 at step 0 down.
   *
   * @param step 0 to {@link #steps}
   */
  public double signal(int step) {
    if (step < 0 || step >= signal.length) {
      throw InvalidArgumentException.of(
          "noiseSchedule", "step", "must be in 0..steps", "step=%d, steps=%d", step, steps());
    }
    return signal[step];
  }

  /**
   * Steps from {@link #steps} down to 0, as even as whole numbers can be: the way of a sampler that
   * leaves most of them out.
   *
   * @param moves 1 to {@link #steps}
   * @return {@code moves + 1} numbers
   */
  public int[] way(int moves) {
    if (moves < 1 || moves > steps()) {
      throw InvalidArgumentException.of(
          "noiseSchedule", "moves", "must be in 1..steps", "moves=%d, steps=%d", moves, steps());
    }
    var way = new int[moves + 1];
    Arrays.setAll(way, i -> Math.toIntExact((long) steps() * (moves - i) / moves));
    return way;
  }

  /**
   * Samples after so many steps: {@code sqrt(a) x + sqrt(1 - a) noise}.
   *
   * @param x {@code [n, ...]}, f32
   * @param noise of x's shape, standard normal
   * @param steps i64 {@code [n]}, 0 to {@link #steps} for each sample
   */
  public Tensor noisy(Tensor x, Tensor noise, Tensor steps) {
    return mix("noisy", x, noise, steps, 1);
  }

  /**
   * What the network should answer: {@code sqrt(a) noise - sqrt(1 - a) x}.
   *
   * @param x {@code [n, ...]}, f32
   * @param noise of x's shape
   * @param steps i64 {@code [n]}, 0 to {@link #steps} for each sample
   */
  public Tensor velocity(Tensor x, Tensor noise, Tensor steps) {
    return mix("velocity", noise, x, steps, -1);
  }

  private Tensor mix(String op, Tensor first, Tensor second, Tensor steps, int sign) {
    if (first.dtype() != DType.F32
        || first.rank() < 1
        || !second.shape().equals(first.shape())
        || steps.rank() != 1
        || steps.size(0) != first.size(0)) {
      throw InvalidArgumentException.of(
          "noiseSchedule." + op,
          "x, noise and steps",
          "must be f32 [n, ...], of x's shape, and [n]",
          "one=%s, the other=%s, steps=%s",
          first,
          second,
          steps);
    }
    Tensor a = factors(first, steps, t -> Math.sqrt(signal[t]));
    Tensor b = factors(first, steps, t -> sign * Math.sqrt(1 - signal[t]));
    return first.mul(a).add(second.mul(b));
  }

  /** A factor for each sample, {@code [n, 1, ...]}. */
  private Tensor factors(Tensor x, Tensor steps, IntToDoubleFunction factor) {
    var table = new float[signal.length];
    for (int t = 0; t < table.length; t++) {
      table[t] = (float) factor.applyAsDouble(t);
    }
    long[] dims = new long[x.rank()];
    Arrays.fill(dims, 1);
    dims[0] = x.size(0);
    return Tensors.of(x.device(), table, table.length).indexSelect(0, steps).reshape(dims);
  }

  /**
   * The sample that noisy ones seem to come from: {@code sqrt(a) z - sqrt(1 - a) v}.
   *
   * @param z noisy samples, all after {@code step} steps
   * @param v their velocities, of z's shape
   * @param step 0 to {@link #steps}
   */
  public Tensor clean(Tensor z, Tensor v, int step) {
    double a = signal(step);
    return z.mul(Math.sqrt(a)).sub(v.mul(Math.sqrt(1 - a)));
  }

  /**
   * Less noisy samples, on the straight way between what seems clean and what seems noise: {@code
   * sqrt(a') x + sqrt(1 - a') (z - sqrt(a) x) / sqrt(1 - a)}, with a' after {@code to} steps.
   * Nothing is drawn (DDIM: Song et al., "Denoising Diffusion Implicit Models", 2021, formula 12
   * with a sigma of 0).
   *
   * @param z noisy samples, all after {@code from} steps
   * @param x what {@link #clean} takes them for, perhaps cut to the range of the data
   * @param from 1 to {@link #steps}
   * @param to 0 to {@code from}
   */
  public Tensor ddim(Tensor z, Tensor x, int from, int to) {
    double a = signal(from);
    double b = signal(to);
    if (from < 1 || to > from) {
      throw InvalidArgumentException.of(
          "noiseSchedule.ddim", "from and to", "must go down", "from=%d, to=%d", from, to);
    }
    double kept = Math.sqrt((1 - b) / (1 - a));
    return z.mul(kept).add(x.mul(Math.sqrt(b) - kept * Math.sqrt(a)));
  }
}
