package dev.gridstride.cpu;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.Conv;
import dev.gridstride.kernels.ConvAxis;
import dev.gridstride.kernels.ImageLayout;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The three passes of a convolution, which serve {@link Conv} and its adjoint alike. */
final class ConvEngine {
  private final ConvGather forward;
  private final ConvGather backward;
  private final ConvWeightGradient weight;
  private final @Nullable ConvPointwise forwardProduct;
  private final @Nullable ConvPointwise dataProduct;
  private final @Nullable ConvPointwise weightProduct;

  ConvEngine(Conv op) {
    ConvAxis[] axes = threeAxes(op.axes());
    int taps = (int) (axes[0].kernel() * axes[1].kernel() * axes[2].kernel());
    boolean last = op.layout() == ImageLayout.NHWC;
    int n = (int) op.n();
    if (pointwise(axes)) {
      long plane = axes[0].size() * axes[1].size() * axes[2].size();
      boolean whole = (last || n == 1) && plane * n <= Integer.MAX_VALUE / 2;
      n = whole ? 1 : n;
      axes =
          plane > Integer.MAX_VALUE / 2
              ? axes
              : new ConvAxis[] {
                ConvAxis.of(1, 1),
                ConvAxis.of(1, 1),
                new ConvAxis(whole ? plane * op.n() : plane, 1, 1, 0, 0, 1)
              };
    }
    int groups = (int) op.groups();
    boolean channelwise = groups > 1 && groups == op.c() && groups == op.k();
    var x = images(op, last, n, (int) op.c(), sizes(axes, false));
    var y = images(op, last, n, (int) op.k(), sizes(axes, true));
    int[] kernel = {(int) axes[0].kernel(), (int) axes[1].kernel(), (int) axes[2].kernel()};
    var ahead = new ConvPhase[3][];
    var back = new ConvPhase[3][];
    for (int i = 0; i < 3; i++) {
      ahead[i] = ConvPhase.forward(axes[i]);
      back[i] = ConvPhase.backward(axes[i]);
    }
    long filter = op.c() / op.groups() * taps;
    long group = op.k() / op.groups() * filter;
    var fromX = new ConvGather.Weights(channelwise ? taps : filter, taps, group);
    var fromY = new ConvGather.Weights(taps, filter, group);
    forward = gather(x, y, groups, kernel, ahead, fromX, channelwise, op.relu());
    backward = gather(y, x, groups, kernel, back, fromY, channelwise, false);
    weight = new ConvWeightGradient(x, y, groups, axes, channelwise);
    ConvPointwise product = ConvPointwise.of(op);
    forwardProduct = product != null && product.takesForward() ? product : null;
    dataProduct = product != null && product.takesData() ? product : null;
    weightProduct = product != null && product.takesWeights() ? product : null;
  }

  private static ConvGather gather(
      ConvImages from,
      ConvImages to,
      int groups,
      int[] kernel,
      ConvPhase[][] phases,
      ConvGather.Weights weights,
      boolean channelwise,
      boolean relu) {
    if (ConvNarrow.fits(from, to, groups, phases, channelwise)) {
      return new ConvNarrow(from, to, groups, kernel, phases, weights, relu);
    }
    var columns = ConvColumns.of(from, to, groups, phases, weights, relu);
    return columns != null
        ? columns
        : new ConvPass(from, to, groups, kernel, phases, weights, channelwise, relu);
  }

  private static ConvImages images(Conv op, boolean last, int n, int channels, int[] s) {
    return new ConvImages(op.type(), last, n, channels, s[0], s[1], s[2]);
  }

  private static int[] sizes(ConvAxis[] axes, boolean out) {
    var s = new int[3];
    for (int i = 0; i < 3; i++) {
      s[i] = (int) (out ? axes[i].out() : axes[i].size());
    }
    return s;
  }

  static ConvAxis[] threeAxes(List<ConvAxis> axes) {
    var three = new ConvAxis[] {ConvAxis.of(1, 1), ConvAxis.of(1, 1), ConvAxis.of(1, 1)};
    for (int i = 0; i < axes.size(); i++) {
      three[3 - axes.size() + i] = axes.get(i);
    }
    return three;
  }

  /** Whether the convolution is a matrix product over pixels. */
  private static boolean pointwise(ConvAxis[] axes) {
    for (ConvAxis a : axes) {
      if (a.kernel() != 1 || a.stride() != 1 || a.padBegin() != 0 || a.padEnd() != 0) {
        return false;
      }
    }
    return true;
  }

  /** The limits of tables of int offsets. */
  static Support accepts(Conv op) {
    double taps = 1;
    double reach = op.type().bytes() == 8 ? 8 : 4;
    for (ConvAxis a : op.axes()) {
      taps *= a.kernel();
      double span = (a.kernel() - 1.0) * a.dilation() + 1;
      double padding = Math.max(Math.abs((double) a.padBegin()), Math.abs((double) a.padEnd()));
      if (Math.max(span, padding) + a.size() + a.out() > 1 << 30) {
        return Support.no("an axis with its padding and window is longer than 2^30");
      }
      reach *= Math.max(a.size(), Math.max(a.out(), span)) + padding + span;
    }
    reach *= Math.max(op.c(), op.k());
    if (reach > Integer.MAX_VALUE || taps * Math.max(op.c(), op.k()) > Integer.MAX_VALUE) {
      return Support.no("one image takes more than 2^31 bytes");
    }
    if (op.n() > 1 << 24) {
      return Support.no("more than 2^24 images");
    }
    return Support.YES;
  }

  long workspaceBytes() {
    long y = forwardProduct != null ? forwardProduct.workspaceBytes() : forward.workspaceBytes();
    long dx = dataProduct != null ? dataProduct.workspaceBytes() : backward.workspaceBytes();
    long dw = weightProduct != null ? weightProduct.workspaceBytes() : weight.workspaceBytes();
    return Math.max(dw, Math.max(y, dx));
  }

  String details() {
    String y = forwardProduct != null ? "matrix product" : forward.details();
    String dx = dataProduct != null ? "matrix product" : backward.details();
    String dw = weightProduct != null ? "matrix product" : weight.details();
    return "forward: " + y + "; backward-data: " + dx + "; backward-weight: " + dw;
  }

  private static MemorySegment memory(@Nullable Buffer workspace) {
    return workspace == null ? Tiles.ZEROS : workspace.pinnedSegment();
  }

  private static @Nullable MemorySegment optional(@Nullable Buffer buffer) {
    return buffer == null ? null : buffer.pinnedSegment();
  }

  void forward(Buffer x, Buffer w, @Nullable Buffer bias, Buffer y, @Nullable Buffer workspace) {
    if (forwardProduct != null) {
      forwardProduct.forward(
          x.pinnedSegment(),
          w.pinnedSegment(),
          optional(bias),
          y.pinnedSegment(),
          memory(workspace));
      return;
    }
    forward.run(
        x.pinnedSegment(), w.pinnedSegment(), optional(bias), memory(workspace), y.pinnedSegment());
  }

  /** {@code dx = adjoint of conv (dy)}, plus a bias for each input channel. */
  void backwardData(
      Buffer dy, Buffer w, @Nullable Buffer bias, Buffer dx, @Nullable Buffer workspace) {
    if (dataProduct != null) {
      dataProduct.backwardData(
          dy.pinnedSegment(),
          w.pinnedSegment(),
          optional(bias),
          dx.pinnedSegment(),
          memory(workspace));
      return;
    }
    backward.run(
        dy.pinnedSegment(),
        w.pinnedSegment(),
        optional(bias),
        memory(workspace),
        dx.pinnedSegment());
  }

  void backwardWeight(
      Buffer x, Buffer dy, Buffer dw, @Nullable Buffer dbias, @Nullable Buffer workspace) {
    if (weightProduct != null) {
      weightProduct.backwardWeight(
          x.pinnedSegment(),
          dy.pinnedSegment(),
          dw.pinnedSegment(),
          optional(dbias),
          memory(workspace));
      return;
    }
    weight.run(
        x.pinnedSegment(),
        dy.pinnedSegment(),
        dw.pinnedSegment(),
        optional(dbias),
        memory(workspace));
  }
}
