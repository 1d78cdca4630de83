package dev.gridstride;

import static dev.gridstride.GradientCases.s;
import static dev.gridstride.GradientCases.shapes;

import dev.gridstride.GradientCases.Case;
import java.util.List;

/** Gradient cases of {@link Convolutions}. */
final class ConvolutionCases {
  private static final ConvOptions D = ConvOptions.DEFAULT;

  private ConvolutionCases() {}

  static List<Case> all() {
    return List.of(
        new Case(
            "conv",
            "strided, padded, dilated, grouped",
            shapes(s(2, 4, 9, 8), s(6, 2, 3, 2), s(6)),
            t ->
                t[0].conv(
                    t[1],
                    t[2],
                    D.withStride(2, 1).withPadding(1, 2).withDilation(2).withGroups(2))),
        new Case(
            "conv",
            "depthwise",
            shapes(s(2, 3, 5, 5), s(3, 1, 3, 3)),
            t -> t[0].channelsLast().conv(t[1], null, D.withGroups(3).withPadding(1))),
        new Case(
            "conv2d",
            "channels last",
            shapes(s(2, 3, 5, 6), s(4, 3, 3, 3), s(4)),
            t -> t[0].channelsLast().conv2d(t[1], t[2])),
        new Case(
            "conv2d", "NCHW", shapes(s(2, 3, 5, 6), s(4, 3, 3, 3)), t -> t[0].conv2d(t[1], null)),
        new Case(
            "conv1d",
            "",
            shapes(s(2, 3, 9), s(4, 3, 3), s(4)),
            t -> t[0].conv1d(t[1], t[2], D.withStride(2))),
        new Case(
            "conv3d",
            "",
            shapes(s(1, 2, 4, 5, 4), s(3, 2, 2, 3, 2), s(3)),
            t -> t[0].conv3d(t[1], t[2], D.withPadding(1))),
        new Case(
            "convTranspose",
            "",
            shapes(s(2, 4, 3, 4), s(4, 3, 3, 3), s(6)),
            t ->
                t[0].convTranspose(
                    t[1],
                    t[2],
                    D.withStride(2).withPadding(1).withOutputPadding(1).withGroups(2))));
  }
}
