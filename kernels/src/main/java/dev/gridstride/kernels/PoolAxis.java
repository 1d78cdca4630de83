package dev.gridstride.kernels;

import dev.gridstride.device.InvalidArgumentException;

/**
 * One spatial dimension of a pooling: how windows lie on the input.
 *
 * @param size length of the input
 * @param kernel elements of a window
 * @param stride distance of two neighbouring windows
 * @param padBegin positions before the input that windows may cover
 * @param padEnd positions after the input that windows may cover
 * @param dilation distance of two neighbouring elements of a window
 * @param ceil whether a last window may reach beyond the padded input; one that would begin beyond
 *     the input and {@code padBegin} is left out, as in PyTorch and ONNX
 */
public record PoolAxis(
    long size, long kernel, long stride, long padBegin, long padEnd, long dilation, boolean ceil) {
  private static final long LIMIT = Integer.MAX_VALUE;

  /** Checks that a window fits the padded input. */
  public PoolAxis {
    rule(size >= 0 && size <= LIMIT, "size", "must be in 0..2^31-1", size);
    rule(kernel >= 1 && kernel <= LIMIT, "kernel", "must be in 1..2^31-1", kernel);
    rule(stride >= 1 && stride <= LIMIT, "stride", "must be in 1..2^31-1", stride);
    rule(dilation >= 1 && dilation <= LIMIT, "dilation", "must be in 1..2^31-1", dilation);
    rule(padBegin >= 0 && padBegin <= LIMIT, "padBegin", "must be in 0..2^31-1", padBegin);
    rule(padEnd >= 0 && padEnd <= LIMIT, "padEnd", "must be in 0..2^31-1", padEnd);
    long padded = size + padBegin + padEnd;
    long reach = (kernel - 1) * dilation + 1;
    if (reach > padded && !(ceil && size > 0)) {
      throw InvalidArgumentException.of(
          "pool",
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
  }

  /** Windows side by side, no padding. */
  public static PoolAxis of(long size, long kernel) {
    return new PoolAxis(size, kernel, kernel, 0, 0, 1, false);
  }

  private static void rule(boolean holds, String argument, String rule, long given) {
    if (!holds) {
      throw InvalidArgumentException.of("pool", argument, rule, "%s=%d", argument, given);
    }
  }

  /** Number of windows. */
  public long out() {
    long free = size + padBegin + padEnd - ((kernel - 1) * dilation + 1);
    if (!ceil) {
      return free / stride + 1;
    }
    long n = Math.max(0, Math.ceilDiv(free, stride)) + 1;
    return (n - 1) * stride >= size + padBegin ? n - 1 : n;
  }

  /** First input position of window {@code o}; negative in the padding. */
  public long start(long o) {
    return o * stride - padBegin;
  }

  /** The same with another stride. */
  public PoolAxis withStride(long value) {
    return new PoolAxis(size, kernel, value, padBegin, padEnd, dilation, ceil);
  }

  /** The same with other padding. */
  public PoolAxis withPadding(long begin, long end) {
    return new PoolAxis(size, kernel, stride, begin, end, dilation, ceil);
  }

  /** The same with another dilation. */
  public PoolAxis withDilation(long value) {
    return new PoolAxis(size, kernel, stride, padBegin, padEnd, value, ceil);
  }

  /** The same with the number of windows rounded up. */
  public PoolAxis withCeil() {
    return new PoolAxis(size, kernel, stride, padBegin, padEnd, dilation, true);
  }
}
