package dev.gridstride;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.BatchNorm;
import dev.gridstride.kernels.GroupNorm;
import dev.gridstride.kernels.ImageLayout;
import dev.gridstride.kernels.LayerNorm;
import dev.gridstride.kernels.Pool;
import dev.gridstride.kernels.PoolAxis;
import dev.gridstride.kernels.RmsNorm;
import java.util.ArrayList;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Normalizations as recorded tensor ops. */
final class NormFunction {
  private NormFunction() {}

  /** A backward pass with its statistics; results given as null are not computed. */
  @FunctionalInterface
  private interface Gradients {
    void compute(Buffer dy, @Nullable Buffer dx, @Nullable Buffer dgamma, @Nullable Buffer dbeta);
  }

  static Tensor layer(
      Tensor input, int dims, @Nullable Tensor gamma, @Nullable Tensor beta, double eps) {
    String name = "layerNorm";
    long[] normalized = lastDims(name, input, dims);
    Tensor g = parameter(name, "gamma", gamma, input, normalized);
    Tensor b = parameter(name, "beta", beta, input, normalized);
    Tensor x = input.contiguous();
    long rows = product(x, 0, x.rank() - dims);
    var op = new LayerNorm(x.dtype(), rows, product(x, x.rank() - dims, x.rank()), eps);
    LayerNorm.Plan plan = Plans.of(x.device(), op);
    Tensor y = like(x, ImageLayout.NCHW);
    Tensor mean = Tensor.empty(x.device(), op.statType(), rows);
    Tensor rstd = Tensor.empty(x.device(), op.statType(), rows);
    plan.forward(x.stream(), x.buffer(), of(g), of(b), y.buffer(), mean.buffer(), rstd.buffer());
    Gradients gradients =
        (dy, dx, dgamma, dbeta) ->
            plan.backward(
                x.stream(), x.buffer(), of(g), mean.buffer(), rstd.buffer(), dy, dx, dgamma, dbeta);
    record(name, y, ImageLayout.NCHW, gradients, x, g, b);
    return keep(y, mean, rstd);
  }

  static Tensor rms(Tensor input, int dims, @Nullable Tensor gamma, double eps) {
    String name = "rmsNorm";
    Tensor g = parameter(name, "gamma", gamma, input, lastDims(name, input, dims));
    Tensor x = input.contiguous();
    long rows = product(x, 0, x.rank() - dims);
    var op = new RmsNorm(x.dtype(), rows, product(x, x.rank() - dims, x.rank()), eps);
    RmsNorm.Plan plan = Plans.of(x.device(), op);
    Tensor y = like(x, ImageLayout.NCHW);
    Tensor rstd = Tensor.empty(x.device(), op.statType(), rows);
    plan.forward(x.stream(), x.buffer(), of(g), y.buffer(), rstd.buffer());
    Gradients gradients =
        (dy, dx, dgamma, dbeta) ->
            plan.backward(x.stream(), x.buffer(), of(g), rstd.buffer(), dy, dx, dgamma);
    record(name, y, ImageLayout.NCHW, gradients, x, g, null);
    return keep(y, rstd);
  }

  /** Each channel of an image by itself: as many groups as channels. */
  static Tensor instance(Tensor x, @Nullable Tensor gamma, @Nullable Tensor beta, double eps) {
    checkImages("instanceNorm", x);
    return group("instanceNorm", x, Math.max(1, x.size(1)), gamma, beta, eps);
  }

  static Tensor group(
      String name,
      Tensor input,
      long groups,
      @Nullable Tensor gamma,
      @Nullable Tensor beta,
      double eps) {
    checkImages(name, input);
    Tensor g = parameter(name, "gamma", gamma, input, input.size(1));
    Tensor b = parameter(name, "beta", beta, input, input.size(1));
    ImageLayout format = Formats.of(input);
    Tensor x = Formats.in(input, format);
    long spatial = product(x, 2, x.rank());
    var op = new GroupNorm(x.dtype(), format, x.size(0), x.size(1), spatial, groups, eps);
    GroupNorm.Plan plan = Plans.of(x.device(), op);
    Tensor y = like(x, format);
    Tensor mean = Tensor.empty(x.device(), op.statType(), x.size(0), groups);
    Tensor rstd = Tensor.empty(x.device(), op.statType(), x.size(0), groups);
    plan.forward(x.stream(), x.buffer(), of(g), of(b), y.buffer(), mean.buffer(), rstd.buffer());
    Gradients gradients =
        (dy, dx, dgamma, dbeta) ->
            plan.backward(
                x.stream(), x.buffer(), of(g), mean.buffer(), rstd.buffer(), dy, dx, dgamma, dbeta);
    record(name, y, format, gradients, x, g, b);
    return keep(y, mean, rstd);
  }

  /** The sums of neighbouring channels as averages over windows of an image of channels. */
  static Tensor localResponse(Tensor x, long size, double alpha, double beta, double k) {
    String name = "localResponseNorm";
    checkImages(name, x);
    if (size < 1 || size > Integer.MAX_VALUE) {
      throw InvalidArgumentException.of(name, "size", "must be in 1..2^31-1", "size=%d", size);
    }
    if (x.count() == 0) {
      return x.copy();
    }
    long before = (size - 1) / 2;
    long places = product(x, 2, x.rank());
    // the places as channels, and channels last: each step of a window is then over all places
    Tensor squares = x.square().reshape(x.size(0), x.size(1), places).transpose(1, 2);
    PoolAxis channels = new PoolAxis(x.size(1), size, 1, before, size - 1 - before, 1, false);
    Tensor mean = squares.pool(Pool.Kind.AVERAGE, true, channels).transpose(1, 2);
    Tensor scale = mean.reshape(x.shape().dims()).mul(alpha).add(k);
    return x.div(scale.pow(beta));
  }

  static Tensor unit(Tensor x, int axis, double eps) {
    LossFunction.checkFloating("normalize", "tensor", x);
    int a = x.shape().axis("normalize", axis);
    Tensor length = x.l2Norm(true, a);
    double smallest = x.dtype() == DType.F64 ? eps : (float) eps;
    if (!(smallest > 0) || Double.isInfinite(smallest)) {
      throw InvalidArgumentException.of(
          "normalize", "eps", "must be positive and finite", "eps=%s", eps);
    }
    return x.div(length.maximum(BinaryFunction.scalar(length, eps)));
  }

  private static BatchNorm batchOp(Tensor x, ImageLayout format, double eps) {
    return new BatchNorm(x.dtype(), format, x.size(0), x.size(1), product(x, 2, x.rank()), eps);
  }

  static Tensor batch(
      Tensor input,
      @Nullable Tensor gamma,
      @Nullable Tensor beta,
      @Nullable Tensor runningMean,
      @Nullable Tensor runningVar,
      double momentum,
      double eps) {
    String name = "batchNorm";
    checkImages(name, input);
    Tensor g = parameter(name, "gamma", gamma, input, input.size(1));
    Tensor b = parameter(name, "beta", beta, input, input.size(1));
    ImageLayout format = Formats.of(input);
    BatchNorm op = batchOp(input, format, eps);
    checkAverage(name, "runningMean", runningMean, op, input);
    checkAverage(name, "runningVar", runningVar, op, input);
    if (op.n() * op.spatial() == 1) {
      throw InvalidArgumentException.of(
          name,
          "tensor",
          "must have more than one element in a channel to train on",
          "shape=%s",
          input.shape());
    }
    Tensor x = Formats.in(input, format);
    BatchNorm.Plan plan = Plans.of(x.device(), op);
    Tensor y = like(x, format);
    Tensor mean = Tensor.empty(x.device(), op.statType(), op.c());
    Tensor rstd = Tensor.empty(x.device(), op.statType(), op.c());
    plan.forward(
        x.stream(),
        x.buffer(),
        of(g),
        of(b),
        y.buffer(),
        mean.buffer(),
        rstd.buffer(),
        of(runningMean),
        of(runningVar),
        momentum);
    if (runningMean != null && runningVar != null) {
      runningMean.changed();
      runningVar.changed();
    }
    Gradients gradients =
        (dy, dx, dgamma, dbeta) ->
            plan.backward(
                x.stream(), x.buffer(), of(g), mean.buffer(), rstd.buffer(), dy, dx, dgamma, dbeta);
    record(name, y, format, gradients, x, g, b);
    return keep(y, mean, rstd);
  }

  static Tensor batchInference(
      Tensor input,
      @Nullable Tensor gamma,
      @Nullable Tensor beta,
      Tensor mean,
      Tensor variance,
      double eps) {
    String name = "batchNormInference";
    checkImages(name, input);
    Tensor g = parameter(name, "gamma", gamma, input, input.size(1));
    Tensor b = parameter(name, "beta", beta, input, input.size(1));
    ImageLayout format = Formats.of(input);
    BatchNorm op = batchOp(input, format, eps);
    checkAverage(name, "mean", mean, op, input);
    checkAverage(name, "variance", variance, op, input);
    Tensor x = Formats.in(input, format);
    BatchNorm.Plan plan = Plans.of(x.device(), op);
    Tensor y = like(x, format);
    plan.inference(
        x.stream(), x.buffer(), of(g), of(b), mean.buffer(), variance.buffer(), y.buffer());
    Gradients gradients =
        (dy, dx, dgamma, dbeta) ->
            plan.inferenceBackward(
                x.stream(),
                x.buffer(),
                of(g),
                mean.buffer(),
                variance.buffer(),
                dy,
                dx,
                dgamma,
                dbeta);
    // the statistics are inputs so that a change of them before the backward pass is found
    return record(name, y, format, gradients, x, g, b, mean, variance);
  }

  /** Records y; constants are inputs without gradients. */
  private static Tensor record(
      String name,
      Tensor y,
      ImageLayout format,
      Gradients gradients,
      Tensor x,
      @Nullable Tensor gamma,
      @Nullable Tensor beta,
      Tensor... constants) {
    var inputs = new ArrayList<Tensor>();
    inputs.add(x);
    if (gamma != null) {
      inputs.add(gamma);
    }
    if (beta != null) {
      inputs.add(beta);
    }
    inputs.addAll(Arrays.asList(constants));
    return Autograd.record(
        name,
        y,
        (gradient, needed) -> {
          Tensor dy = format == ImageLayout.NHWC ? gradient.channelsLast() : gradient.contiguous();
          Tensor dx = needed[0] ? like(x, format) : null;
          Tensor dgamma = gamma != null && needed[1] ? like(gamma, ImageLayout.NCHW) : null;
          Tensor dbeta = beta != null && needed[2] ? like(beta, ImageLayout.NCHW) : null;
          gradients.compute(dy.buffer(), of(dx), of(dgamma), of(dbeta));
          var all = new @Nullable Tensor[needed.length];
          all[0] = dx;
          if (gamma != null) {
            all[1] = dgamma;
          }
          if (beta != null) {
            all[2] = dbeta;
          }
          return all;
        },
        inputs.toArray(new Tensor[0]));
  }

  /** Frees statistics that no backward pass will read. */
  private static Tensor keep(Tensor y, Tensor... statistics) {
    if (!y.requiresGrad()) {
      for (Tensor t : statistics) {
        t.close();
      }
    }
    return y;
  }

  private static Tensor like(Tensor x, ImageLayout format) {
    return Formats.empty(x.device(), x.dtype(), format, x.shape().dims());
  }

  private static @Nullable Buffer of(@Nullable Tensor t) {
    return t == null ? null : t.buffer();
  }

  private static long product(Tensor x, int from, int to) {
    long product = 1;
    for (int i = from; i < to; i++) {
      product = Math.multiplyExact(product, x.size(i));
    }
    return product;
  }

  private static void checkImages(String op, Tensor x) {
    if (x.rank() < 2) {
      throw InvalidArgumentException.of(
          op, "tensor", "must be [n, c, spatial...]", "shape=%s", x.shape());
    }
  }

  private static long[] lastDims(String op, Tensor x, int dims) {
    if (dims < 1 || dims > x.rank()) {
      throw InvalidArgumentException.of(
          op,
          "dims",
          "must be a number of the tensor's last dimensions",
          "dims=%d, shape=%s",
          dims,
          x.shape());
    }
    return Arrays.copyOfRange(x.shape().dims(), x.rank() - dims, x.rank());
  }

  /** Gamma or beta, contiguous. */
  private static @Nullable Tensor parameter(
      String op, String argument, @Nullable Tensor t, Tensor x, long... dims) {
    if (t == null) {
      return null;
    }
    check(op, argument, t, x, x.dtype(), Shape.of(dims));
    return t.contiguous();
  }

  private static void checkAverage(
      String op, String argument, @Nullable Tensor t, BatchNorm norm, Tensor x) {
    if (t == null) {
      return;
    }
    check(op, argument, t, x, norm.statType(), Shape.of(norm.c()));
    if (!t.isContiguous() || t.requiresGrad()) {
      throw InvalidArgumentException.of(
          op, argument, "must be contiguous and not require a gradient", "%s=%s", argument, t);
    }
  }

  private static void check(
      String op, String argument, Tensor t, Tensor x, DType dtype, Shape shape) {
    if (t.dtype() != dtype || !t.shape().equals(shape) || !t.device().equals(x.device())) {
      throw InvalidArgumentException.of(
          op,
          argument,
          "must have shape " + shape + ", dtype " + dtype + " and the tensor's device",
          "%s=%s, tensor=%s",
          argument,
          t,
          x);
    }
  }
}
