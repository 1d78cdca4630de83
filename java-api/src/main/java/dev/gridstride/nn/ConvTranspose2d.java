package dev.gridstride.nn;

import dev.gridstride.ConvOptions;
import dev.gridstride.Generator;
import dev.gridstride.Tensor;
import dev.gridstride.device.Device;

/**
 * Transposed convolution (the adjoint of {@link Conv2d}) of images {@code [n, in, h, w]} to {@code
 * [n, out, h, w]}; the result has the memory format of its input. Output padding makes one size of
 * several possible ones. Parameters {@code weight [in, out/groups, kernel h, kernel w]} and {@code
 * bias [out]}, f32, initialised as PyTorch does. See {@link dev.gridstride.kernels.ConvTranspose}
 * for the formula and the sizes.
 */
public final class ConvTranspose2d extends Convolution {
  /** Stride 1, no padding, with a bias. */
  public ConvTranspose2d(Device device, Generator g, long in, long out, long kernel) {
    this(device, g, in, out, kernel, ConvOptions.DEFAULT, true);
  }

  /** Any options, the same kernel length in each direction. */
  public ConvTranspose2d(
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
  public ConvTranspose2d(
      Device device,
      Generator g,
      long in,
      long out,
      long[] kernel,
      ConvOptions options,
      boolean withBias) {
    super(
        "convTranspose2d",
        device,
        g,
        in,
        out,
        out,
        Windows.each("convTranspose2d", "kernel", kernel, 2),
        options,
        withBias);
  }

  @Override
  public Tensor forward(Tensor x) {
    Windows.checkRank("convTranspose2d", x, 2);
    return x.convTranspose(weight, bias, options);
  }
}
