package dev.gridstride;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.ConvTranspose;
import dev.gridstride.kernels.ConvTransposeAxis;
import dev.gridstride.kernels.ImageLayout;
import java.util.ArrayList;
import org.jspecify.annotations.Nullable;

/** Transposed convolution as a recorded tensor op. */
final class ConvTransposeFunction {
  private static final String NAME = "convTranspose";

  private ConvTransposeFunction() {}

  private record Passes(ConvTranspose.Plan plan) implements ConvFunction.Passes {
    @Override
    public void forward(
        Stream s, Buffer x, Buffer w, @Nullable Buffer bias, Buffer y, @Nullable Buffer ws) {
      plan.forward(s, x, w, bias, y, ws);
    }

    @Override
    public void backwardData(Stream s, Buffer dy, Buffer w, Buffer dx, @Nullable Buffer ws) {
      plan.backwardData(s, dy, w, dx, ws);
    }

    @Override
    public void backwardWeight(
        Stream s, Buffer x, Buffer dy, Buffer dw, @Nullable Buffer dbias, @Nullable Buffer ws) {
      plan.backwardWeight(s, x, dy, dw, dbias, ws);
    }
  }

  static Tensor forward(Tensor x, Tensor w, @Nullable Tensor bias, ConvOptions options) {
    long outputs = w.rank() > 1 ? w.size(1) * options.groups() : -1;
    ConvFunction.check(NAME, x, w, bias, outputs, w.rank() > 0 ? w.size(0) : -1);
    int rank = x.rank() - 2;
    var axes = new ArrayList<ConvTransposeAxis>();
    var dims = new long[x.rank()];
    dims[0] = x.size(0);
    dims[1] = outputs;
    for (int i = 0; i < rank; i++) {
      long pad = ConvOptions.at(NAME, "padding", options.padding(), i, rank);
      axes.add(
          new ConvTransposeAxis(
              x.size(2 + i),
              w.size(2 + i),
              ConvOptions.at(NAME, "stride", options.stride(), i, rank),
              pad,
              pad,
              ConvOptions.at(NAME, "outputPadding", options.outputPadding(), i, rank),
              ConvOptions.at(NAME, "dilation", options.dilation(), i, rank)));
      dims[2 + i] = axes.get(i).out();
    }
    ImageLayout format = Formats.of(x);
    var op =
        new ConvTranspose(x.dtype(), format, x.size(0), x.size(1), outputs, options.groups(), axes);
    ConvTranspose.Plan plan = Plans.of(x.device(), op);
    return ConvFunction.run(NAME, plan, new Passes(plan), format, dims, x, w, bias);
  }
}
