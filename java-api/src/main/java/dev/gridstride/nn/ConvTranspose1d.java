package dev.gridstride.nn;

import dev.gridstride.ConvOptions;
import dev.gridstride.Generator;
import dev.gridstride.Tensor;
import dev.gridstride.device.Device;

/**
 * Transposed convolution (the adjoint of {@link Conv1d}) of signals {@code [n, in, length]} to
 * {@code [n, out, length]}; the result has the memory format of its input. Output padding makes one
 * size of several possible ones. Parameters {@code weight [in, out/groups, kernel]} and {@code bias
 * [out]}, f32, initialised as PyTorch does. See {@link dev.gridstride.kernels.ConvTranspose} for
 * the formula and the sizes.
 */
public final class ConvTranspose1d extends Convolution {
  /** Stride 1, no padding, with a bias. */
  public ConvTranspose1d(Device device, Generator g, long in, long out, long kernel) {
    this(device, g, in, out, kernel, ConvOptions.DEFAULT, true);
  }

  /** Any options, the same kernel length in each direction. */
  public ConvTranspose1d(
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
  public ConvTranspose1d(
      Device device,
      Generator g,
      long in,
      long out,
      long[] kernel,
      ConvOptions options,
      boolean withBias) {
    super(
        "convTranspose1d",
        device,
        g,
        in,
        out,
        out,
        Windows.each("convTranspose1d", "kernel", kernel, 1),
        options,
        withBias);
  }

  @Override
  public Tensor forward(Tensor x) {
    Windows.checkRank("convTranspose1d", x, 1);
    return x.convTranspose(weight, bias, options);
  }
}
