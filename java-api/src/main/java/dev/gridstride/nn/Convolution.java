package dev.gridstride.nn;

import dev.gridstride.ConvOptions;
import dev.gridstride.Generator;
import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import org.jspecify.annotations.Nullable;

/** Parameters and options that the convolution layers share. */
abstract sealed class Convolution extends Module
    permits Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d {
  /** The filters. */
  final Tensor weight;

  /** One number for each output channel, or null. */
  final @Nullable Tensor bias;

  /** How the windows lie. */
  final ConvOptions options;

  /**
   * Makes the parameters, f32, uniform within {@code 1 / sqrt(fan)} as in PyTorch, where fan is the
   * product of all dimensions of weight but the first.
   */
  Convolution(
      String op,
      Device device,
      Generator g,
      long first,
      long second,
      long out,
      long[] kernel,
      ConvOptions options,
      boolean withBias) {
    this.options = options;
    long groups = options.groups();
    if (groups < 1 || first < 1 || second < 1 || first % groups != 0 || second % groups != 0) {
      throw InvalidArgumentException.of(
          op,
          "in and out",
          "must be positive multiples of groups",
          "in or out=%d and %d, groups=%d",
          first,
          second,
          groups);
    }
    var dims = new long[2 + kernel.length];
    dims[0] = first;
    dims[1] = second / groups;
    System.arraycopy(kernel, 0, dims, 2, kernel.length);
    weight = parameter("weight", () -> Init.torchDefault(g, device, DType.F32, dims));
    double bound = 1 / Math.sqrt(Math.max(1, Init.fanIn(dims)));
    bias =
        withBias ? parameter("bias", () -> g.uniform(device, DType.F32, -bound, bound, out)) : null;
  }
}
