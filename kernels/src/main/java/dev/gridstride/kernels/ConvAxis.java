package dev.gridstride.kernels;

import dev.gridstride.device.InvalidArgumentException;

/**
 * One spatial dimension of a convolution: how windows of taps lie on the input.
 *
 * <p>Output {@code o} reads the inputs {@code o * stride - padBegin + t * dilation}, {@code 0 <= t
 * < kernel}; those outside {@code 0..size} are zeros.
 *
 * @param size length of the input
 * @param kernel number of taps
 * @param stride distance of the windows of two neighbouring outputs
 * @param padBegin zeros before the input; a negative number leaves inputs out instead
 * @param padEnd zeros after the input; a negative number leaves inputs out instead
 * @param dilation distance of two neighbouring taps
 */
public record ConvAxis(
    long size, long kernel, long stride, long padBegin, long padEnd, long dilation) {
  private static final long LIMIT = Integer.MAX_VALUE;

  /** Checks that the window fits the padded input. */
  public ConvAxis {
    rule(size >= 0 && size <= LIMIT, "size", "must be in 0..2^31-1", size);
    rule(kernel >= 1 && kernel <= LIMIT, "kernel", "must be in 1..2^31-1", kernel);
    rule(stride >= 1 && stride <= LIMIT, "stride", "must be in 1..2^31-1", stride);
    rule(dilation >= 1 && dilation <= LIMIT, "dilation", "must be in 1..2^31-1", dilation);
    rule(padBegin >= -LIMIT && padBegin <= LIMIT, "padBegin", "must be an int", padBegin);
    rule(padEnd >= -LIMIT && padEnd <= LIMIT, "padEnd", "must be an int", padEnd);
    long padded = size + padBegin + padEnd;
    long reach = (kernel - 1) * dilation + 1;
    if (reach > padded) {
      throw InvalidArgumentException.of(
          "conv",
          "kernel",
          "must not be larger than the padded input",
          "kernel=%d, dilation=%d (spans %d), input=%d, padding=%d+%d (spans %d)",
          kernel,
          dilation,
          reach,
          size,
          padBegin,
          padEnd,
          padded);
    }
    rule((padded - reach) / stride < LIMIT, "size", "must give an output below 2^31", size);
  }

  /** Stride 1, no padding, no dilation. */
  public static ConvAxis of(long size, long kernel) {
    return new ConvAxis(size, kernel, 1, 0, 0, 1);
  }

  private static void rule(boolean holds, String argument, String rule, long given) {
    if (!holds) {
      throw InvalidArgumentException.of("conv", argument, rule, "%s=%d", argument, given);
    }
  }

  /**
   * Length of the output: {@code (size + padBegin + padEnd - reach) / stride + 1}, rounded down.
   */
  public long out() {
    return (size + padBegin + padEnd - ((kernel - 1) * dilation + 1)) / stride + 1;
  }

  /** The same with another stride. */
  public ConvAxis withStride(long value) {
    return new ConvAxis(size, kernel, value, padBegin, padEnd, dilation);
  }

  /** The same with other padding. */
  public ConvAxis withPadding(long begin, long end) {
    return new ConvAxis(size, kernel, stride, begin, end, dilation);
  }

  /** The same with another dilation. */
  public ConvAxis withDilation(long value) {
    return new ConvAxis(size, kernel, stride, padBegin, padEnd, value);
  }
}
