package dev.gridstride;

import static dev.gridstride.GradientCases.s;
import static dev.gridstride.GradientCases.shapes;

import dev.gridstride.GradientCases.Case;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import java.util.List;

/** Gradient cases of {@link Normalizations}. */
final class NormCases {
  private static final Device DEVICE = TestDevice.get();
  private static final double EPS = 1e-5;

  private NormCases() {}

  static List<Case> all() {
    return List.of(
        new Case(
            "localResponseNorm",
            "",
            shapes(s(2, 5, 3)),
            t -> t[0].localResponseNorm(3, 0.5, 0.75, 1)),
        new Case("layerNorm", "last", shapes(s(4, 7), s(7), s(7)), t -> t[0].layerNorm(t[1], t[2])),
        new Case(
            "layerNorm",
            "last two, no beta",
            shapes(s(3, 2, 5), s(2, 5)),
            t -> t[0].layerNorm(2, t[1], null, EPS)),
        new Case(
            "layerNorm",
            "of a view, no parameters",
            shapes(s(5, 4)),
            t -> t[0].transpose(0, 1).layerNorm(1, null, null, 0.1)),
        new Case("normalize", "last", shapes(s(3, 4)), t -> t[0].normalize(-1)),
        new Case("normalize", "channels", shapes(s(2, 3, 4)), t -> t[0].normalize(1, 0.1)),
        new Case("rmsNorm", "", shapes(s(3, 2, 5), s(5)), t -> t[0].rmsNorm(1, t[1], EPS)),
        new Case("rmsNorm", "no gamma", shapes(s(3, 2, 5)), t -> t[0].rmsNorm(2, null, EPS)),
        new Case(
            "groupNorm",
            "NCHW",
            shapes(s(2, 6, 3, 2), s(6), s(6)),
            t -> t[0].groupNorm(3, t[1], t[2], EPS)),
        new Case(
            "groupNorm",
            "channels last",
            shapes(s(2, 6, 3, 2), s(6), s(6)),
            t -> t[0].channelsLast().groupNorm(2, t[1], t[2], EPS)),
        new Case(
            "groupNorm",
            "no space",
            shapes(s(3, 6), s(6), s(6)),
            t -> t[0].groupNorm(2, t[1], t[2], EPS)),
        new Case(
            "instanceNorm",
            "",
            shapes(s(2, 3, 7), s(3), s(3)),
            t -> t[0].instanceNorm(t[1], t[2], EPS)),
        new Case(
            "batchNorm",
            "NCHW",
            shapes(s(3, 4, 2, 3), s(4), s(4)),
            t -> t[0].batchNorm(t[1], t[2], EPS)),
        new Case(
            "batchNorm",
            "channels last, running averages",
            shapes(s(3, 4, 2, 3), s(4), s(4)),
            t ->
                t[0].channelsLast()
                    .batchNorm(t[1], t[2], constants(0, 4), constants(1, 4), 0.1, EPS)),
        new Case("batchNorm", "no space", shapes(s(5, 3)), t -> t[0].batchNorm(null, null, EPS)),
        new Case(
            "batchNormInference",
            "",
            shapes(s(2, 3, 4), s(3), s(3)),
            t -> t[0].batchNormInference(t[1], t[2], constants(0.5, 3), constants(2, 3), EPS)));
  }

  private static Tensor constants(double first, int count) {
    return Tensors.arange(DEVICE, DType.F64, count).add(first).detach();
  }
}
