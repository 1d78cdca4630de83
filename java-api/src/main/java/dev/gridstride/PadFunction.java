package dev.gridstride;

import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.ImageLayout;
import dev.gridstride.kernels.Pad;
import java.util.Arrays;

/** Padding as a recorded tensor op. */
final class PadFunction {
  private PadFunction() {}

  static Tensor apply(Tensor input, Pad.Mode mode, long[] before, long[] after, double value) {
    if (before.length != input.rank() || after.length != input.rank()) {
      throw InvalidArgumentException.of(
          "pad",
          "before and after",
          "must have one number for each dimension",
          "before=%s, after=%s, shape=%s",
          Arrays.toString(before),
          Arrays.toString(after),
          input.shape());
    }
    ImageLayout format = Formats.of(input);
    Tensor x = Formats.in(input, format);
    long[] dims = x.shape().dims();
    Pad inMemory =
        Pad.of(
                mode,
                x.dtype(),
                ordered(dims, format),
                ordered(before, format),
                ordered(after, format))
            .withValue(value);
    Pad.Plan plan = Plans.of(x.device(), inMemory);
    var out = new long[dims.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = dims[i] + before[i] + after[i];
    }
    Tensor y = Formats.empty(x.device(), x.dtype(), format, out);
    plan.forward(x.stream(), x.buffer(), y.buffer());
    return Autograd.record(
        "pad",
        y,
        x,
        gradient -> {
          Tensor dy = Formats.in(gradient, format);
          Tensor dx = Formats.empty(x.device(), x.dtype(), format, dims);
          plan.backward(x.stream(), dy.buffer(), dx.buffer());
          return dx;
        });
  }

  /** Numbers for n, c, spatial in the order in which the dimensions lie in memory. */
  private static long[] ordered(long[] values, ImageLayout format) {
    if (format == ImageLayout.NCHW) {
      return values;
    }
    var moved = values.clone();
    System.arraycopy(values, 2, moved, 1, values.length - 2);
    moved[values.length - 1] = values[1];
    return moved;
  }
}
