package dev.gridstride;

import static dev.gridstride.GradientCases.s;
import static dev.gridstride.GradientCases.shapes;

import dev.gridstride.GradientCases.Case;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.kernels.Pad;
import dev.gridstride.kernels.Pool;
import dev.gridstride.kernels.PoolAxis;
import java.util.List;

/** Gradient cases of {@link Shaping}, {@link Pooling} and {@link Reductions}. */
final class ShapingCases {
  private ShapingCases() {}

  static List<Case> all() {
    return List.of(
        new Case("view", "", shapes(s(3)), t -> t[0].view()),
        new Case("contiguous", "already", shapes(s(3)), t -> t[0].contiguous().softmax(0)),
        new Case("contiguous", "of a view", shapes(s(3, 4)), t -> t[0].transpose().contiguous()),
        new Case("copy", "", shapes(s(3)), t -> t[0].copy()),
        new Case("channelsLast", "", shapes(s(2, 3, 4, 5)), t -> t[0].channelsLast().softmax(1)),
        new Case("to", "dtype", shapes(s(3)), t -> t[0].to(DType.F64).softmax(0)),
        new Case("to", "device", shapes(s(3)), t -> t[0].to(Device.cpu()).softmax(0)),
        new Case("reshape", "view", shapes(s(3, 4)), t -> t[0].reshape(2, -1).softmax(1)),
        new Case("reshape", "copy", shapes(s(3, 4)), t -> t[0].transpose().reshape(12).softmax(0)),
        new Case("flatten", "", shapes(s(2, 3, 2)), t -> t[0].flatten(1).softmax(1)),
        new Case("permute", "", shapes(s(2, 3, 4)), t -> t[0].permute(2, 0, -2).softmax(-1)),
        new Case("transpose", "", shapes(s(2, 3, 4)), t -> t[0].transpose(0, 2).softmax(1)),
        new Case("transpose", "matrix", shapes(s(3, 4)), t -> t[0].transpose().softmax(1)),
        new Case("unsqueeze", "", shapes(s(3)), t -> t[0].unsqueeze(0).softmax(1)),
        new Case("squeeze", "", shapes(s(1, 3, 1)), t -> t[0].squeeze().softmax(0)),
        new Case("squeeze", "one", shapes(s(1, 3, 1)), t -> t[0].squeeze(-1).softmax(1)),
        new Case("slice", "", shapes(s(4, 5)), t -> t[0].slice(1, 1, 4).softmax(1)),
        new Case("slice", "step", shapes(s(7, 2)), t -> t[0].slice(0, 1, 7, 3).softmax(0)),
        new Case("slice", "empty", shapes(s(4, 5)), t -> t[0].slice(1, 5, 5)),
        new Case("select", "", shapes(s(4, 5)), t -> t[0].select(0, -1).softmax(0)),
        new Case("flip", "", shapes(s(4, 5)), t -> t[0].flip(1).slice(1, 0, 2).softmax(1)),
        new Case(
            "pad",
            "grow and cut",
            shapes(s(4, 5)),
            t -> t[0].pad(new long[] {1, -2}, new long[] {0, 3}, 0.5).softmax(1)),
        new Case(
            "pad",
            "reflect",
            shapes(s(2, 4, 5)),
            t -> t[0].pad(new long[] {0, 3, 2}, new long[] {1, 2, -1}, Pad.Mode.REFLECT)),
        new Case(
            "pad",
            "replicate",
            shapes(s(2, 4, 5)),
            t -> t[0].pad(new long[] {0, 3, 2}, new long[] {1, 7, -1}, Pad.Mode.REPLICATE)),
        new Case(
            "pad",
            "circular, of a view",
            shapes(s(5, 4)),
            t -> t[0].transpose().pad(new long[] {3, 5}, new long[] {4, -1}, Pad.Mode.CIRCULAR)),
        new Case(
            "pad",
            "reflect, channels last",
            shapes(s(2, 3, 4, 5)),
            t ->
                t[0].channelsLast()
                    .pad(new long[] {0, 1, 2, 1}, new long[] {0, -1, 1, 3}, Pad.Mode.REFLECT)),
        new Case("expand", "", shapes(s(3, 1)), t -> t[0].expand(2, 3, 4).softmax(1)),
        new Case("sum", "all", shapes(s(3, 4)), t -> t[0].softmax(1).sum()),
        new Case("sum", "axis", shapes(s(2, 3, 4)), t -> t[0].softmax(1).sum(0, -1)),
        new Case("sum", "kept", shapes(s(3, 4)), t -> t[0].transpose().sum(true, 0).softmax(-1)),
        new Case("mean", "", shapes(s(3, 4)), t -> t[0].softmax(1).mean(0)),
        new Case("max", "", shapes(s(3, 4)), t -> t[0].max(1)),
        new Case("min", "view", shapes(s(3, 4)), t -> t[0].transpose().min(true, 1)),
        new Case("prod", "", shapes(s(3, 4)), t -> t[0].prod(1)),
        new Case("sumSquares", "", shapes(s(3, 4)), t -> t[0].sumSquares(0)),
        new Case("l1Norm", "", shapes(s(3, 4)), t -> t[0].l1Norm(1)),
        new Case("l2Norm", "", shapes(s(3, 4)), t -> t[0].l2Norm()),
        new Case("logSumExp", "", shapes(s(3, 4)), t -> t[0].logSumExp(1)),
        new Case("cumSum", "", shapes(s(2, 7)), t -> t[0].cumSum(1).softmax(1)),
        new Case("cumSum", "one", shapes(s(1, 3)), t -> t[0].cumSum(0).softmax(1)),
        new Case("cumProd", "", shapes(s(5, 2)), t -> t[0].cumProd(0).softmax(0)),
        new Case("diagonal", "", shapes(s(3, 4, 2)), t -> t[0].diagonal(1, 0).softmax(-1)),
        new Case("tril", "", shapes(s(2, 3, 4)), t -> t[0].tril(-1).softmax(-1)),
        new Case("triu", "of a view", shapes(s(3, 4)), t -> t[0].transpose().triu(1).softmax(0)),
        new Case("topK", "", shapes(s(3, 5)), t -> t[0].topK(2, 1).values().softmax(1)),
        new Case(
            "topK",
            "smallest of a view",
            shapes(s(4, 3)),
            t -> t[0].transpose().topK(3, -1, false).values().softmax(0)),
        new Case("tile", "", shapes(s(2, 3)), t -> t[0].tile(2, 3).softmax(1)),
        new Case("split", "", shapes(s(2, 5)), t -> t[0].split(1, 2, 3)[1].softmax(1)),
        new Case(
            "concat",
            "",
            shapes(s(2, 2), s(2, 3)),
            t -> Tensors.concat(-1, t[0], t[1], t[0]).softmax(1)),
        new Case("stack", "", shapes(s(3), s(3)), t -> Tensors.stack(1, t[0], t[1]).softmax(0)),
        new Case("maxPool2d", "", shapes(s(2, 3, 4, 6)), t -> t[0].maxPool2d(2)),
        new Case("maxPool2d", "overlap", shapes(s(2, 2, 5, 5)), t -> t[0].maxPool2d(3, 2, 1)),
        new Case(
            "maxPool2d",
            "channels last",
            shapes(s(2, 3, 4, 4)),
            t -> t[0].channelsLast().maxPool2d(2)),
        new Case(
            "maxPoolWithIndices",
            "",
            shapes(s(2, 3, 7)),
            t -> t[0].maxPoolWithIndices(PoolAxis.of(7, 3).withStride(2)).values()),
        new Case("avgPool2d", "", shapes(s(2, 3, 4, 6)), t -> t[0].avgPool2d(2)),
        new Case("avgPool2d", "padded", shapes(s(2, 2, 5, 5)), t -> t[0].avgPool2d(3, 2, 1)),
        new Case("globalAvgPool", "", shapes(s(2, 3, 4, 6)), t -> t[0].globalAvgPool()),
        new Case(
            "pool",
            "1-D",
            shapes(s(2, 3, 7)),
            t -> t[0].pool(Pool.Kind.MAX, false, PoolAxis.of(7, 3).withStride(2))));
  }
}
