package dev.gridstride;

import dev.gridstride.device.DType;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.ImageLayout;
import dev.gridstride.kernels.Pool;
import dev.gridstride.kernels.PoolAxis;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Pooling as a recorded tensor op. */
final class PoolFunction {
  private PoolFunction() {}

  /** Number of spatial dimensions. */
  static int spatial(String op, Tensor x) {
    if (x.rank() < 3 || x.rank() > 5) {
      throw InvalidArgumentException.of(
          op, "tensor", "must be [n, c] with 1 to 3 spatial dimensions", "shape=%s", x.shape());
    }
    return x.rank() - 2;
  }

  static Tensor square(
      Pool.Kind kind, Tensor x, long kernel, long stride, long padding, boolean countIncludePad) {
    if (x.rank() != 4) {
      throw InvalidArgumentException.of(
          kind == Pool.Kind.MAX ? "maxPool2d" : "avgPool2d",
          "tensor",
          "must be [n, c, h, w]",
          "shape=%s",
          x.shape());
    }
    var axes = new PoolAxis[2];
    for (int i = 0; i < 2; i++) {
      axes[i] = new PoolAxis(x.size(2 + i), kernel, stride, padding, padding, 1, false);
    }
    return apply(kind, x, countIncludePad, axes);
  }

  static Tensor apply(Pool.Kind kind, Tensor input, boolean countIncludePad, PoolAxis... axes) {
    return apply(kind, input, countIncludePad, axes, null);
  }

  static MaxPoolResult maxWithIndices(Tensor input, PoolAxis... axes) {
    var found = new Tensor[1];
    Tensor values = apply(Pool.Kind.MAX, input, false, axes, found);
    return new MaxPoolResult(values, found[0]);
  }

  /**
   * Pools.
   *
   * @param found takes the places of the maxima in its first element; null when they are not wanted
   */
  private static Tensor apply(
      Pool.Kind kind,
      Tensor input,
      boolean countIncludePad,
      PoolAxis[] axes,
      Tensor @Nullable [] found) {
    String name = kind == Pool.Kind.MAX ? "maxPool" : "averagePool";
    boolean fits = spatial(name, input) == axes.length;
    for (int i = 0; fits && i < axes.length; i++) {
      fits = axes[i].size() == input.size(2 + i);
    }
    if (!fits) {
      throw InvalidArgumentException.of(
          name,
          "axes",
          "must have the sizes of the spatial dimensions",
          "axes=%s, shape=%s",
          Arrays.toString(axes),
          input.shape());
    }
    ImageLayout format = Formats.of(input);
    Tensor x = Formats.in(input, format);
    var op =
        new Pool(kind, x.dtype(), format, x.size(0), x.size(1), List.of(axes), countIncludePad);
    Pool.Plan plan = Plans.of(x.device(), op);
    Tensor y = Formats.empty(x.device(), x.dtype(), format, op.outputDims());
    if (found == null) {
      plan.forward(x.stream(), x.buffer(), y.buffer());
    } else {
      found[0] = Formats.empty(x.device(), DType.I64, format, op.outputDims());
      plan.forward(x.stream(), x.buffer(), y.buffer(), found[0].buffer());
    }
    return Autograd.record(
        name,
        y,
        x,
        gradient -> {
          Tensor dy = Formats.in(gradient, format);
          Tensor dx = Formats.empty(x.device(), x.dtype(), format, op.inputDims());
          plan.backward(x.stream(), x.buffer(), y.buffer(), dy.buffer(), dx.buffer());
          return dx;
        });
  }
}
