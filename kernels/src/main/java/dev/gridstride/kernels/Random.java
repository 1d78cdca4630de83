package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuRandom;
import dev.gridstride.cuda.CudaRandom;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Op;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;

/**
 * Fills an array with random numbers that depend only on the seed and on each element's number
 * {@code e = offset + i}: the same on any device, with any number of threads, in one call or many.
 *
 * <p>Element {@code e} is made of words of the {@link Philox} sequence: of word {@code e}, or of
 * words {@code 2e} and {@code 2e + 1} where a value needs more than 32 bits (f64 uniform and
 * normal, i64): see {@link #wordsPerElement}. {@link Distribution} says how.
 *
 * @param type element type
 * @param count number of elements
 * @param distribution what the numbers follow
 */
public record Random(DType type, long count, Distribution distribution) implements Op<Random.Plan> {
  private static final Implementations<Random, Kernel> IMPLEMENTATIONS =
      Implementations.of(
          Implementation.cpu("philox", CpuRandom::new),
          Implementation.cuda("cuda", CudaRandom::new));

  /** What random numbers follow. */
  public sealed interface Distribution {
    /**
     * Evenly spread over {@code low <= value < high}; floating types.
     *
     * <p>{@code u} is the top 24 bits of the word (f32), the top 53 bits of both words, the first
     * being the low one (f64), the top 8 (bf16) or 11 bits (f16), as a fraction of 1; the value is
     * {@code fma(u, high - low, low)} in f32 or f64. In f32 and f64 a result that was rounded up to
     * high becomes the number below it; in bf16 and f16 it may be high when the range is not 0..1.
     */
    record Uniform(double low, double high) implements Distribution {}

    /**
     * The normal distribution; floating types.
     *
     * <p>Box-Muller: elements {@code 2k} and {@code 2k + 1} are {@code r cos(t)} and {@code r
     * sin(t)}, with {@code r = sqrt(-2 log(u1))}, {@code t = 2 pi u2}; then {@code fma(z, std,
     * mean)}. In f32 (bf16 and f16 round its result) {@code u1 = ((word 2k >>> 8) + 1) / 2^24},
     * {@code u2 = (word 2k + 1 >>> 8) / 2^24}, and logarithm, sine and cosine are fixed sequences
     * of IEEE operations, so that each device gives the same bits; the largest value is 5.8
     * deviations. In f64 u1 and u2 have 53 bits, of the block's words 0, 1 and 2, 3; devices agree
     * to within two roundings.
     */
    record Normal(double mean, double std) implements Distribution {}

    /** 1 with probability p, else 0: {@code word < round(p * 2^32)}; any type. */
    record Bernoulli(double p) implements Distribution {}

    /**
     * Integers {@code low <= value < high}; i64, i32 and u8.
     *
     * <p>{@code low + floor(word * (high - low) / 2^32)}, in i64 with 64-bit words: each value's
     * probability differs from the others' by less than {@code 2^-32} ({@code 2^-64}).
     */
    record Integers(long low, long high) implements Distribution {}
  }

  /** Checks the parameters. */
  public Random {
    if (count < 0) {
      throw InvalidArgumentException.of(
          "random", "count", "must not be negative", "count=%d", count);
    }
    switch (distribution) {
      case Distribution.Uniform(double low, double high) -> {
        floating(type);
        boolean finite =
            type == DType.F64
                ? Double.isFinite(high - low)
                : Float.isFinite((float) high - (float) low);
        if (!(low <= high) || !finite) {
          throw InvalidArgumentException.of(
              "random",
              "low",
              "must not exceed high, and their difference must be finite",
              "low=%s, high=%s",
              low,
              high);
        }
      }
      case Distribution.Normal(double mean, double std) -> {
        floating(type);
        if (!(std >= 0) || Double.isInfinite(std) || !Double.isFinite(mean)) {
          throw InvalidArgumentException.of(
              "random", "std", "must be finite, not negative", "mean=%s, std=%s", mean, std);
        }
      }
      case Distribution.Bernoulli(double p) -> {
        if (!(p >= 0 && p <= 1)) {
          throw InvalidArgumentException.of("random", "p", "must be in 0..1", "p=%s", p);
        }
      }
      case Distribution.Integers(long low, long high) -> integers(type, low, high);
    }
  }

  private static void floating(DType type) {
    if (!type.isFloating()) {
      throw InvalidArgumentException.of(
          "random", "type", "must be f64, f32, bf16 or f16", "type=%s", type);
    }
  }

  private static void integers(DType type, long low, long high) {
    long least = type == DType.I64 ? Long.MIN_VALUE : type == DType.I32 ? Integer.MIN_VALUE : 0;
    long most = type == DType.I64 ? Long.MAX_VALUE : type == DType.I32 ? Integer.MAX_VALUE : 255;
    if (type.isFloating() || type == DType.BOOL) {
      throw InvalidArgumentException.of(
          "random", "type", "must be i64, i32 or u8", "type=%s", type);
    }
    if (low >= high || low < least || high - 1 > most) {
      throw InvalidArgumentException.of(
          "random",
          "range",
          "must not be empty and must fit the type",
          "low=%d, high=%d, type=%s",
          low,
          high,
          type);
    }
  }

  /** Words of the Philox sequence that each element takes: 1 or 2. */
  public int wordsPerElement() {
    return switch (distribution) {
      case Distribution.Bernoulli b -> 1;
      default -> type.bytes() == 8 ? 2 : 1;
    };
  }

  @Override
  public String name() {
    return "random";
  }

  @Override
  public Support supports(Device device) {
    return IMPLEMENTATIONS.supports(this, device);
  }

  @Override
  public Plan plan(Device device) {
    return new Plan(this, device);
  }

  /** What a backend implements; operands are checked and pinned. */
  public interface Kernel extends DeviceKernel {
    /** Writes elements {@code offset} to {@code offset + count} of the seed's sequence. */
    void run(Stream stream, long seed, long offset, Buffer y);
  }

  /** A fill with random numbers that can be run. */
  public static final class Plan extends OpPlan<Random, Kernel> {
    private Plan(Random op, Device device) {
      super(op, device, IMPLEMENTATIONS);
    }

    /**
     * Writes elements {@code offset} to {@code offset + count} of the seed's sequence.
     *
     * @param seed any value
     * @param offset number of the first element; not negative, at most {@code 2^61 - count}
     * @param y {@code count} elements
     */
    public void run(Stream stream, long seed, long offset, Buffer y) {
      checkStream(stream);
      checkOffset(op.name(), offset, op.count());
      check("y", y, op.type(), op.count());
      y.pin(op.name());
      try {
        kernel.run(stream, seed, offset, y);
      } finally {
        y.unpin();
      }
    }
  }

  static void checkOffset(String op, long offset, long count) {
    if (offset < 0 || offset > (1L << 61) - count) {
      throw InvalidArgumentException.of(
          op, "offset", "must be in 0..2^61 - count", "offset=%d, count=%d", offset, count);
    }
  }
}
