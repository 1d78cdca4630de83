package dev.gridstride;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.Dropout;
import dev.gridstride.kernels.Random;
import dev.gridstride.kernels.Random.Distribution;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A source of random tensors: a seed and a position in its sequence.
 *
 * <p>The numbers are those of {@link Random}: counter-based, so the same seed and the same order of
 * calls give the same tensors on any device and any number of threads. Thread-safe; calls from
 * several threads share the sequence in an order that is not fixed.
 */
public final class Generator {
  /** Above 0, where the logarithm of a draw would be infinite. */
  private static final double LEAST_DRAW = 1e-20;

  private final long seed;
  private final AtomicLong position = new AtomicLong();

  /** A generator at the beginning of the sequence of {@code seed}. */
  public Generator(long seed) {
    this.seed = seed;
  }

  /** The seed. */
  public long seed() {
    return seed;
  }

  /** Number of 32-bit words drawn so far; with the seed, all there is to save. */
  public long position() {
    return position.get();
  }

  /** Goes to a position that {@link #position} returned. */
  public void position(long value) {
    position.set(value);
  }

  /**
   * Takes {@code count} elements of the sequence, beginning on a multiple of 4 words, and returns
   * the number of the first.
   */
  private long take(long count, int wordsPerElement) {
    long words = Math.multiplyExact(count, (long) wordsPerElement);
    return position.getAndAdd(Math.addExact(words, 3) / 4 * 4) / wordsPerElement;
  }

  private Tensor fill(Device device, DType dtype, Distribution distribution, long[] dims) {
    Tensor x = Tensor.empty(device, dtype, dims);
    var op = new Random(dtype, x.count(), distribution);
    Random.Plan plan = Plans.of(device, op);
    plan.run(x.stream(), seed, take(x.count(), op.wordsPerElement()), x.buffer());
    return x;
  }

  /** Evenly spread over {@code low <= value < high}. */
  public Tensor uniform(Device device, DType dtype, double low, double high, long... dims) {
    return fill(device, dtype, new Distribution.Uniform(low, high), dims);
  }

  /** Normally distributed. */
  public Tensor normal(Device device, DType dtype, double mean, double std, long... dims) {
    return fill(device, dtype, new Distribution.Normal(mean, std), dims);
  }

  /** 1 with probability p, else 0. */
  public Tensor bernoulli(Device device, DType dtype, double p, long... dims) {
    return fill(device, dtype, new Distribution.Bernoulli(p), dims);
  }

  /** Integers {@code low <= value < high}. */
  public Tensor integers(Device device, DType dtype, long low, long high, long... dims) {
    return fill(device, dtype, new Distribution.Integers(low, high), dims);
  }

  /**
   * For each row of logits, one place drawn with the probabilities {@code softmax(logits)}: i64, of
   * the logits' shape without the last dimension. A place with a logit of -Inf is never drawn; a
   * temperature is a division of the logits.
   *
   * <p>The largest of {@code logits - ln(-ln(u))} with u uniform in the logits' dtype, at least f32
   * (the Gumbel-max trick, Maddison et al., "A* Sampling", 2014): a probability below about 1e-7 of
   * the largest is not met exactly in f32.
   *
   * @param logits {@code [..., places]} of a floating dtype, at least one place
   */
  public Tensor categorical(Tensor logits) {
    if (logits.rank() < 1 || logits.size(-1) < 1 || !logits.dtype().isFloating()) {
      throw InvalidArgumentException.of(
          "categorical",
          "logits",
          "must be [..., places] of a floating dtype with a place at least",
          "logits=%s",
          logits);
    }
    try (Scope scope = Scope.open()) {
      return scope.keep(
          Autograd.noGrad(() -> {
            DType dtype = logits.dtype() == DType.F64 ? DType.F64 : DType.F32;
            Tensor u = uniform(logits.device(), dtype, LEAST_DRAW, 1, logits.shape().dims());
            return logits.to(dtype).sub(u.log().neg().log()).argMax(-1);
          }));
    }
  }

  /**
   * Sets each element to 0 with probability p and divides the others by {@code 1 - p}; recorded.
   *
   * <p>The mask is not stored: the backward pass draws it again.
   */
  public Tensor dropout(Tensor input, double p) {
    Tensor x = input.isDense() ? input : input.contiguous();
    Dropout.Plan plan = Plans.of(x.device(), new Dropout(x.dtype(), x.count(), p));
    long first = take(x.count(), 1);
    Tensor y = Tensor.emptyLike(x);
    plan.forward(x.stream(), seed, first, x.buffer(), y.buffer());
    return Autograd.record(
        "dropout",
        y,
        x,
        gradient -> {
          Tensor dy =
              gradient.layout().equals(x.layout())
                  ? gradient
                  : Copies.to(gradient, x.dtype(), x.layout());
          Tensor dx = Tensor.emptyLike(x);
          plan.backward(x.stream(), seed, first, dy.buffer(), dx.buffer());
          return dx;
        });
  }
}
