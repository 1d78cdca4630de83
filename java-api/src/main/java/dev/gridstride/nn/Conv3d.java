package dev.gridstride.nn;

import dev.gridstride.ConvOptions;
import dev.gridstride.Generator;
import dev.gridstride.Tensor;
import dev.gridstride.device.Device;

/**
 * Convolution of volumes {@code [n, in, d, h, w]} to {@code [n, out, d, h, w]}; the result has the
 * memory format of its input. Parameters {@code weight [out, in/groups, kernel d, kernel h, kernel
 * w]} and {@code bias [out]}, f32, initialised as PyTorch does. See {@link
 * dev.gridstride.kernels.Conv} for the formula and the sizes.
 */
public final class Conv3d extends Convolution {
  /** Stride 1, no padding, with a bias. */
  public Conv3d(Device device, Generator g, long in, long out, long kernel) {
    this(device, g, in, out, kernel, ConvOptions.DEFAULT, true);
  }

  /** Any options, the same kernel length in each direction. */
  public Conv3d(
      Device device,
      Generator g,
      long in,
      long out,
      long kernel,
      ConvOptions options,
      boolean withBias) {
    this(device, g, in, out, new long[] {kernel}, options, withBias);
  }

  /**
   * Any options.
   *
   * @param kernel one length for each direction, or one for all
   * @param options stride, padding, dilation, groups
   */
  public Conv3d(
      Device device,
      Generator g,
      long in,
      long out,
      long[] kernel,
      ConvOptions options,
      boolean withBias) {
    super(
        "conv3d",
        device,
        g,
        out,
        in,
        out,
        Windows.each("conv3d", "kernel", kernel, 3),
        options,
        withBias);
  }

  @Override
  public Tensor forward(Tensor x) {
    return x.conv3d(weight, bias, options);
  }
}
