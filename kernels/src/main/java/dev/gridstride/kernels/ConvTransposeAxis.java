package dev.gridstride.kernels;

import dev.gridstride.device.InvalidArgumentException;

/**
 * One spatial dimension of a transposed convolution.
 *
 * <p>Input {@code i} adds to the outputs {@code i * stride - padBegin + t * dilation}, {@code 0 <=
 * t < kernel}; those outside the output are left out.
 *
 * @param size length of the input
 * @param kernel number of taps
 * @param stride distance of the places where two neighbouring inputs add
 * @param padBegin outputs left out at the begin
 * @param padEnd outputs left out at the end
 * @param outputPadding outputs added at the end; smaller than stride or than dilation
 * @param dilation distance of two neighbouring taps
 */
public record ConvTransposeAxis(
    long size,
    long kernel,
    long stride,
    long padBegin,
    long padEnd,
    long outputPadding,
    long dilation) {
  private static final long LIMIT = Integer.MAX_VALUE;

  /** Checks the sizes. */
  public ConvTransposeAxis {
    rule(size >= 1 && size <= LIMIT, "size", "must be in 1..2^31-1", size);
    rule(kernel >= 1 && kernel <= LIMIT, "kernel", "must be in 1..2^31-1", kernel);
    rule(stride >= 1 && stride <= LIMIT, "stride", "must be in 1..2^31-1", stride);
    rule(dilation >= 1 && dilation <= LIMIT, "dilation", "must be in 1..2^31-1", dilation);
    rule(padBegin >= 0 && padBegin <= LIMIT, "padBegin", "must be in 0..2^31-1", padBegin);
    rule(padEnd >= 0 && padEnd <= LIMIT, "padEnd", "must be in 0..2^31-1", padEnd);
    if (outputPadding < 0 || (outputPadding >= stride && outputPadding >= dilation)) {
      throw InvalidArgumentException.of(
          "convTranspose",
          "outputPadding",
          "must be at least 0 and smaller than stride or dilation",
          "outputPadding=%d, stride=%d, dilation=%d",
          outputPadding,
          stride,
          dilation);
    }
    long out =
        (size - 1) * stride - padBegin - padEnd + (kernel - 1) * dilation + 1 + outputPadding;
    if (out < 1 || out > LIMIT) {
      throw InvalidArgumentException.of(
          "convTranspose",
          "output",
          "must have a length in 1..2^31-1",
          "length=%d of size=%d, kernel=%d, stride=%d, padding=%d+%d, outputPadding=%d,"
              + " dilation=%d",
          out,
          size,
          kernel,
          stride,
          padBegin,
          padEnd,
          outputPadding,
          dilation);
    }
  }

  /** Stride 1, no padding, no dilation. */
  public static ConvTransposeAxis of(long size, long kernel) {
    return new ConvTransposeAxis(size, kernel, 1, 0, 0, 0, 1);
  }

  private static void rule(boolean holds, String argument, String rule, long given) {
    if (!holds) {
      throw InvalidArgumentException.of("convTranspose", argument, rule, "%s=%d", argument, given);
    }
  }

  /** Length of the output. */
  public long out() {
    return (size - 1) * stride - padBegin - padEnd + (kernel - 1) * dilation + 1 + outputPadding;
  }

  /** The convolution from the output back to the input, whose adjoint this is. */
  public ConvAxis adjoint() {
    return new ConvAxis(out(), kernel, stride, padBegin, padEnd - outputPadding, dilation);
  }
}
