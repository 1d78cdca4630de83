package dev.gridstride.nn;

import dev.gridstride.Generator;
import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import org.jspecify.annotations.Nullable;

/**
 * {@code y = x w^T + b}: {@code [..., in]} to {@code [..., out]}. Parameters {@code weight [out,
 * in]} and {@code bias [out]}, f32, initialised as PyTorch does.
 */
public final class Linear extends Module {
  private final Tensor weight;
  private final @Nullable Tensor bias;

  /** With a bias. */
  public Linear(Device device, Generator g, long in, long out) {
    this(device, g, in, out, true);
  }

  /** With or without a bias. */
  public Linear(Device device, Generator g, long in, long out, boolean withBias) {
    weight = parameter("weight", () -> Init.torchDefault(g, device, DType.F32, out, in));
    double bound = 1 / Math.sqrt(Math.max(1, in));
    bias =
        withBias ? parameter("bias", () -> g.uniform(device, DType.F32, -bound, bound, out)) : null;
  }

  @Override
  public Tensor forward(Tensor x) {
    return x.linear(weight, bias);
  }
}
