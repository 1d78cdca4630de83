package dev.gridstride;

import dev.gridstride.device.InvalidArgumentException;
import java.util.Arrays;

/**
 * How the windows of a convolution lie. Each array has one number for each spatial dimension, or a
 * single one that holds for all.
 *
 * @param stride distance of the windows of two neighbouring outputs
 * @param padding zeros before and after the input; of a transposed convolution, outputs left out
 * @param dilation distance of two neighbouring taps
 * @param outputPadding of a transposed convolution, outputs added at the end
 * @param groups number of groups that the channels are cut into
 */
public record ConvOptions(
    long[] stride, long[] padding, long[] dilation, long[] outputPadding, long groups) {
  /** Stride 1, no padding, no dilation, one group. */
  public static final ConvOptions DEFAULT =
      new ConvOptions(new long[] {1}, new long[] {0}, new long[] {1}, new long[] {0}, 1);

  /** Copies the arrays. */
  public ConvOptions {
    stride = stride.clone();
    padding = padding.clone();
    dilation = dilation.clone();
    outputPadding = outputPadding.clone();
  }

  /** The same with another stride. */
  public ConvOptions withStride(long... value) {
    return new ConvOptions(value, padding, dilation, outputPadding, groups);
  }

  /** The same with other padding. */
  public ConvOptions withPadding(long... value) {
    return new ConvOptions(stride, value, dilation, outputPadding, groups);
  }

  /** The same with another dilation. */
  public ConvOptions withDilation(long... value) {
    return new ConvOptions(stride, padding, value, outputPadding, groups);
  }

  /** The same with other output padding. */
  public ConvOptions withOutputPadding(long... value) {
    return new ConvOptions(stride, padding, dilation, value, groups);
  }

  /** The same with another number of groups. */
  public ConvOptions withGroups(long value) {
    return new ConvOptions(stride, padding, dilation, outputPadding, value);
  }

  /** The number for spatial dimension {@code i} of {@code rank}. */
  static long at(String op, String name, long[] values, int i, int rank) {
    if (values.length != 1 && values.length != rank) {
      throw InvalidArgumentException.of(
          op,
          name,
          "must have one number, or one for each spatial dimension",
          "%s=%s, spatial dimensions=%d",
          name,
          Arrays.toString(values),
          rank);
    }
    return values[values.length == 1 ? 0 : i];
  }
}
