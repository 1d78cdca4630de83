package dev.gridstride.nn;

import dev.gridstride.ConvOptions;
import dev.gridstride.Generator;
import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import org.jspecify.annotations.Nullable;

/**
 * Convolution of images {@code [n, in, h, w]}. Parameters {@code weight [out, in/groups, kernel,
 * kernel]} and {@code bias [out]}, f32, initialised as PyTorch does.
 */
public final class Conv2d extends Module {
  private final Tensor weight;
  private final @Nullable Tensor bias;
  private final ConvOptions options;

  /** Stride 1, no padding, with a bias. */
  public Conv2d(Device device, Generator g, long in, long out, long kernel) {
    this(device, g, in, out, kernel, ConvOptions.DEFAULT, true);
  }

  /** Any options. */
  public Conv2d(
      Device device,
      Generator g,
      long in,
      long out,
      long kernel,
      ConvOptions options,
      boolean withBias) {
    long fan = in / Math.max(1, options.groups());
    this.options = options;
    weight =
        parameter(
            "weight", () -> Init.torchDefault(g, device, DType.F32, out, fan, kernel, kernel));
    double bound = 1 / Math.sqrt(Math.max(1, fan * kernel * kernel));
    bias =
        withBias ? parameter("bias", () -> g.uniform(device, DType.F32, -bound, bound, out)) : null;
  }

  @Override
  public Tensor forward(Tensor x) {
    return x.conv2d(weight, bias, options);
  }
}
