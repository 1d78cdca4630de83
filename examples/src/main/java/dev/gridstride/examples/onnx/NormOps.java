package dev.gridstride.examples.onnx;

import dev.gridstride.Tensor;
import dev.gridstride.device.DType;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Normalizations. */
final class NormOps {
  private static final long TRAINING_MODE = 14; // the first operator set with this attribute
  private static final long CHANNEL_PARAMETERS = 21; // the first with them in group normalization

  private NormOps() {}

  static void addTo(Operators ops) {
    ops.many("BatchNormalization", NormOps::batch);
    ops.many("LayerNormalization", NormOps::layer);
    ops.one("RMSNormalization", NormOps::rms);
    ops.one("GroupNormalization", NormOps::group);
    ops.one(
        "InstanceNormalization",
        n -> n.in(0).instanceNorm(n.in(1), n.in(2), n.real("epsilon", 1e-5)));
    ops.one("LpNormalization", NormOps::lp);
    ops.one("LRN", NormOps::localResponse);
    ops.one("MeanVarianceNormalization", NormOps::meanVariance);
  }

  /** A tensor of rank 1 is a batch of one channel. */
  private static List<Tensor> batch(Node n) {
    Tensor input = n.in(0);
    Tensor x = input.rank() == 1 ? input.unsqueeze(1) : input;
    DType statistics = x.dtype() == DType.F64 ? DType.F64 : DType.F32;
    Tensor gamma = n.in(1).to(x.dtype());
    Tensor beta = n.in(2).to(x.dtype());
    Tensor mean = n.in(3).to(statistics);
    Tensor variance = n.in(4).to(statistics);
    double eps = n.real("epsilon", 1e-5);
    if (!trains(n)) {
      Tensor y = x.batchNormInference(gamma, beta, mean, variance, eps);
      return List.of(y.reshape(input.shape().dims()));
    }
    int[] axes = new int[x.rank() - 1];
    Arrays.setAll(axes, i -> i == 0 ? 0 : i + 1);
    Tensor wide = x.to(statistics);
    Tensor center = wide.mean(true, axes);
    Tensor spread = wide.sub(center).square().mean(axes);
    center = center.reshape(x.size(1));
    Tensor y = x.batchNormInference(gamma, beta, center, spread, eps);
    double momentum = n.real("momentum", 0.9);
    Tensor newMean = mean.mul(momentum).add(center.mul(1 - momentum));
    Tensor newVariance = variance.mul(momentum).add(spread.mul(1 - momentum));
    return List.of(
        y.reshape(input.shape().dims()),
        newMean.to(n.in(3).dtype()),
        newVariance.to(n.in(4).dtype()),
        center.to(n.in(3).dtype()),
        spread.to(n.in(4).dtype()));
  }

  private static boolean trains(Node n) {
    if (!n.flag("spatial", true)) {
      throw n.unsupported("spatial must be 1");
    }
    if (n.opset() >= TRAINING_MODE) {
      return n.flag("training_mode", false);
    }
    // in the older sets the number of outputs tells, and before set 7 an attribute
    return n.wants(1) && !n.flag("is_test", false);
  }

  /** x multiplied by a scale and moved by a bias, both broadcast to it. */
  private static Tensor affine(Tensor x, @Nullable Tensor scale, @Nullable Tensor bias) {
    Tensor y = scale == null ? x : x.mul(scale);
    return bias == null ? y : y.add(bias);
  }

  private static List<Tensor> layer(Node n) {
    Tensor x = n.in(0);
    int axis = Values.axis(x, n.integer("axis", -1));
    double eps = n.real("epsilon", 1e-5);
    Tensor y = affine(x.layerNorm(x.rank() - axis, null, null, eps), n.in(1), n.optional(2));
    if (!n.wants(1) && !n.wants(2)) {
      return List.of(y);
    }
    int[] axes = last(x, axis);
    Tensor wide = x.dtype() == DType.F64 ? x : x.to(n.dtype(n.integer("stash_type", 1)));
    Tensor mean = wide.mean(true, axes);
    Tensor variance = wide.sub(mean).square().mean(true, axes);
    return List.of(y, mean, variance.add(eps).rsqrt());
  }

  private static int[] last(Tensor x, int axis) {
    var axes = new int[x.rank() - axis];
    Arrays.setAll(axes, i -> axis + i);
    return axes;
  }

  private static Tensor rms(Node n) {
    Tensor x = n.in(0);
    int axis = Values.axis(x, n.integer("axis", -1));
    Tensor scale = n.in(1);
    return x.rmsNorm(x.rank() - axis, null, n.real("epsilon", 1e-5)).to(scale.dtype()).mul(scale);
  }

  /** Before operator set 21 a scale and a bias belong to a group, then to a channel. */
  private static Tensor group(Node n) {
    Tensor x = n.in(0);
    long groups = n.integer("num_groups");
    double eps = n.real("epsilon", 1e-5);
    Tensor scale = n.in(1);
    Tensor bias = n.in(2);
    if (n.opset() < CHANNEL_PARAMETERS) {
      scale = perChannel(scale, groups, x.size(1));
      bias = perChannel(bias, groups, x.size(1));
    }
    return x.groupNorm(groups, scale, bias, eps);
  }

  private static Tensor perChannel(Tensor parameter, long groups, long channels) {
    return parameter.reshape(groups, 1).expand(groups, channels / groups).reshape(channels);
  }

  /** Divided by the norm along the axis; a norm of 0 gives 0. */
  private static Tensor lp(Node n) {
    Tensor x = n.in(0);
    Tensor norm = Norms.lp(x, n.real("p", 2), Values.axis(x, n.integer("axis", -1)));
    Tensor zero = Values.scalar(x, 0);
    return norm.eq(zero).where(zero, x.div(norm));
  }

  private static Tensor localResponse(Node n) {
    return n.in(0)
        .localResponseNorm(
            n.integer("size"), n.real("alpha", 1e-4), n.real("beta", 0.75), n.real("bias", 1));
  }

  private static Tensor meanVariance(Node n) {
    Tensor x = n.in(0);
    int[] axes = Values.axes(n.integers("axes", 0, 2, 3));
    Tensor centered = x.sub(x.mean(true, axes));
    return centered.div(centered.square().mean(true, axes).sqrt().add(1e-9));
  }
}
