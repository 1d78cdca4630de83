package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuDropout;
import dev.gridstride.cuda.CudaDropout;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Op;
import dev.gridstride.device.Pins;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;

/**
 * Dropout: each element is 0 with probability p, else {@code x / (1 - p)}.
 *
 * <p>Element i is dropped when word {@code offset + i} of the {@link Philox} sequence is below
 * {@code round(p * 2^32)}: which elements are dropped depends on seed, offset and p alone, not on
 * type, device or threads. So nothing has to be stored for backward, which is the same function of
 * dy with the same seed and offset. The factor is {@code 1 / (1 - p)} rounded to f32 (f64 for f64).
 *
 * <p>A dropped element is 0 whatever x is, NaN and Inf included. With {@code p = 0} y is x, with
 * {@code p = 1} all are 0. f32, f64, bf16 and f16; 16-bit types multiply in f32.
 *
 * @param type element type of both operands
 * @param count number of elements
 * @param p probability of dropping, 0 to 1
 */
public record Dropout(DType type, long count, double p) implements Op<Dropout.Plan> {
  private static final Implementations<Dropout, Kernel> IMPLEMENTATIONS =
      Implementations.of(
          Implementation.cpu("philox", CpuDropout::new),
          Implementation.cuda("cuda", CudaDropout::new));

  /** Checks the parameters. */
  public Dropout {
    if (count < 0) {
      throw InvalidArgumentException.of(
          "dropout", "count", "must not be negative", "count=%d", count);
    }
    if (!type.isFloating()) {
      throw InvalidArgumentException.of(
          "dropout", "type", "must be f64, f32, bf16 or f16", "type=%s", type);
    }
    if (!(p >= 0 && p <= 1)) {
      throw InvalidArgumentException.of("dropout", "p", "must be in 0..1", "p=%s", p);
    }
  }

  /** An element is dropped when its word, unsigned, is below this. */
  public long threshold() {
    return Math.round(p * 0x1p32);
  }

  /** What a kept element is multiplied by; 0 when none is kept. */
  public double scale() {
    return p == 1 ? 0 : 1 / (1 - p);
  }

  @Override
  public String name() {
    return "dropout";
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
    /** Drops and scales; y may be x. */
    void run(Stream stream, long seed, long offset, Buffer x, Buffer y);
  }

  /** A dropout that can be run. */
  public static final class Plan extends OpPlan<Dropout, Kernel> {
    private Plan(Dropout op, Device device) {
      super(op, device, IMPLEMENTATIONS);
    }

    /**
     * {@code y = dropped ? 0 : x / (1 - p)}.
     *
     * @param seed any value
     * @param offset number of the first word; not negative, at most {@code 2^61 - count}
     * @param x {@code count} elements
     * @param y the same; may be x, must not overlap it otherwise
     */
    public void forward(Stream stream, long seed, long offset, Buffer x, Buffer y) {
      run(stream, seed, offset, "x", x, "y", y);
    }

    /**
     * {@code dx = dropped ? 0 : dy / (1 - p)}, with seed and offset of the forward.
     *
     * @param dy gradient of the loss with respect to y
     * @param dx gradient with respect to x; may be dy, must not overlap it otherwise
     */
    public void backward(Stream stream, long seed, long offset, Buffer dy, Buffer dx) {
      run(stream, seed, offset, "dy", dy, "dx", dx);
    }

    private void run(
        Stream stream, long seed, long offset, String in, Buffer x, String out, Buffer y) {
      checkStream(stream);
      Random.checkOffset(op.name(), offset, op.count());
      check(in, x, op.type(), op.count());
      check(out, y, op.type(), op.count());
      checkSameOrDisjoint(out, y, in, x);
      Pins.pinAll(op.name(), x, y);
      try {
        kernel.run(stream, seed, offset, x, y);
      } finally {
        Pins.unpinAll(x, y);
      }
    }
  }
}
