package dev.gridstride.nn;

import dev.gridstride.Autograd;
import dev.gridstride.Generator;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import java.util.OptionalLong;

/**
 * A table of vectors that are looked up by index: indices of any shape, i64 or i32, to {@code
 * indices.shape + [size]}. Parameter {@code weight [entries, size]}, f32, from the standard normal
 * distribution. An index that is not in the table is refused; negative ones count from the end.
 */
public final class Embedding extends Module {
  private final Tensor weight;
  private final OptionalLong padding;

  /** A table of {@code entries} vectors of length {@code size}. */
  public Embedding(Device device, Generator g, long entries, long size) {
    weight = parameter("weight", () -> g.normal(device, DType.F32, 0, 1, entries, size));
    padding = OptionalLong.empty();
  }

  /**
   * A table in which one entry stands for padding: it begins as zeros and gets no gradient.
   *
   * @param paddingIndex that entry; negative ones count from the end
   */
  public Embedding(Device device, Generator g, long entries, long size, long paddingIndex) {
    if (paddingIndex < -entries || paddingIndex >= entries) {
      throw InvalidArgumentException.of(
          "embedding",
          "paddingIndex",
          "must name an entry",
          "paddingIndex=%d, entries=%d",
          paddingIndex,
          entries);
    }
    long row = paddingIndex < 0 ? paddingIndex + entries : paddingIndex;
    padding = OptionalLong.of(row);
    weight =
        parameter(
            "weight",
            () -> {
              Tensor w = g.normal(device, DType.F32, 0, 1, entries, size);
              w.buffer().slice(4 * row * size, 4 * size).fill((byte) 0);
              return w;
            });
  }

  @Override
  public Tensor forward(Tensor indices) {
    Tensor y = weight.embedding(indices);
    if (padding.isEmpty() || !Autograd.isRecording()) {
      return y;
    }
    Tensor front = constant(indices, padding.getAsLong());
    Tensor end = constant(indices, padding.getAsLong() - weight.size(0));
    Tensor isPadding = indices.eq(front).or(indices.eq(end)).unsqueeze(-1);
    return isPadding.where(y.detach(), y);
  }

  private static Tensor constant(Tensor like, long value) {
    return Tensors.full(like.device(), like.dtype(), value);
  }
}
