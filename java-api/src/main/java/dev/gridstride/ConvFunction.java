package dev.gridstride;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Plan;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.Conv;
import dev.gridstride.kernels.ConvAxis;
import dev.gridstride.kernels.ImageLayout;
import java.util.ArrayList;
import org.jspecify.annotations.Nullable;

/** Convolution as a recorded tensor op. */
final class ConvFunction {
  private ConvFunction() {}

  static void checkRank(String op, Tensor x, int rank) {
    if (x.rank() != rank) {
      throw InvalidArgumentException.of(
          op, "tensor", "must have " + rank + " dimensions", "shape=%s", x.shape());
    }
  }

  /** The operands of a (transposed) convolution must fit each other. */
  static void check(String op, Tensor x, Tensor w, @Nullable Tensor bias, long outputs, long fan) {
    PoolFunction.spatial(op, x);
    if (w.rank() != x.rank() || fan != x.size(1)) {
      throw InvalidArgumentException.of(
          op,
          "w",
          "must have the input's rank and channels (divided by groups)",
          "x=%s, w=%s",
          x,
          w);
    }
    boolean same = w.dtype() == x.dtype() && w.device().equals(x.device());
    if (bias != null) {
      same &= bias.dtype() == x.dtype() && bias.device().equals(x.device());
      if (bias.rank() != 1 || bias.size(0) != outputs) {
        throw InvalidArgumentException.of(
            op, "bias", "must have one number for each output channel", "bias=%s, w=%s", bias, w);
      }
    }
    if (!same) {
      throw InvalidArgumentException.of(
          op,
          "operands",
          "must have one dtype and live on one device",
          "x=%s, w=%s, bias=%s",
          x,
          w,
          String.valueOf(bias));
    }
  }

  /** Memory that lives during one run; null when none is needed. */
  static @Nullable Buffer workspace(Plan plan) {
    return plan.workspaceBytes() == 0 ? null : plan.device().allocate(plan.workspaceBytes());
  }

  /** The three passes of a plan, of a convolution or of a transposed one. */
  interface Passes {
    /** See {@link Conv.Plan#forward}. */
    void forward(
        Stream s, Buffer x, Buffer w, @Nullable Buffer bias, Buffer y, @Nullable Buffer workspace);

    /** See {@link Conv.Plan#backwardData}. */
    void backwardData(Stream s, Buffer dy, Buffer w, Buffer dx, @Nullable Buffer workspace);

    /** See {@link Conv.Plan#backwardWeight}. */
    void backwardWeight(
        Stream s,
        Buffer x,
        Buffer dy,
        Buffer dw,
        @Nullable Buffer dbias,
        @Nullable Buffer workspace);
  }

  private record ConvPasses(Conv.Plan plan) implements Passes {
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
    long fan = w.rank() > 1 ? w.size(1) * options.groups() : -1;
    check("conv", x, w, bias, w.rank() > 0 ? w.size(0) : -1, fan);
    int rank = x.rank() - 2;
    var axes = new ArrayList<ConvAxis>();
    var dims = new long[x.rank()];
    dims[0] = x.size(0);
    dims[1] = w.size(0);
    for (int i = 0; i < rank; i++) {
      long pad = ConvOptions.at("conv", "padding", options.padding(), i, rank);
      axes.add(
          new ConvAxis(
              x.size(2 + i),
              w.size(2 + i),
              ConvOptions.at("conv", "stride", options.stride(), i, rank),
              pad,
              pad,
              ConvOptions.at("conv", "dilation", options.dilation(), i, rank)));
      dims[2 + i] = axes.get(i).out();
    }
    ImageLayout format = Formats.of(x);
    var op =
        new Conv(x.dtype(), format, x.size(0), x.size(1), w.size(0), options.groups(), axes, false);
    Conv.Plan plan = Plans.of(x.device(), op);
    return run("conv", plan, new ConvPasses(plan), format, dims, x, w, bias);
  }

  /** Runs the forward pass and records the others. */
  static Tensor run(
      String name,
      Plan plan,
      Passes passes,
      ImageLayout format,
      long[] dims,
      Tensor input,
      Tensor filters,
      @Nullable Tensor biasOrNull) {
    Tensor x = Formats.in(input, format);
    Tensor w = filters.contiguous();
    Tensor bias = biasOrNull == null ? null : biasOrNull.contiguous();
    Tensor y = Formats.empty(x.device(), x.dtype(), format, dims);
    try (Buffer workspace = workspace(plan)) {
      passes.forward(
          x.stream(),
          x.buffer(),
          w.buffer(),
          bias == null ? null : bias.buffer(),
          y.buffer(),
          workspace);
    }
    Autograd.Backward backward =
        (dy, needed) -> {
          try (Buffer workspace = workspace(plan)) {
            return backward(passes, format, workspace, x, w, Formats.in(dy, format), needed);
          }
        };
    return bias == null
        ? Autograd.record(name, y, backward, x, w)
        : Autograd.record(name, y, backward, x, w, bias);
  }

  private static @Nullable Tensor[] backward(
      Passes passes,
      ImageLayout format,
      @Nullable Buffer workspace,
      Tensor x,
      Tensor w,
      Tensor dy,
      boolean[] needed) {
    var gradients = new @Nullable Tensor[needed.length];
    if (needed[0]) {
      Tensor dx = Formats.empty(x.device(), x.dtype(), format, x.shape().dims());
      passes.backwardData(x.stream(), dy.buffer(), w.buffer(), dx.buffer(), workspace);
      gradients[0] = dx;
    }
    boolean wantsBias = needed.length > 2 && needed[2];
    if (needed[1] || wantsBias) {
      Tensor dw = Tensor.empty(x.device(), x.dtype(), w.shape().dims());
      Tensor dbias = wantsBias ? Tensor.empty(x.device(), x.dtype(), dy.size(1)) : null;
      passes.backwardWeight(
          x.stream(),
          x.buffer(),
          dy.buffer(),
          dw.buffer(),
          dbias == null ? null : dbias.buffer(),
          workspace);
      gradients[1] = dw;
      if (wantsBias) {
        gradients[2] = dbias;
      }
    }
    return gradients;
  }
}
