package dev.gridstride;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.kernels.ImageLayout;
import dev.gridstride.kernels.Layout;

/**
 * Memory formats of images {@code [n, c, spatial...]}: row-major, or channels last, where the
 * channels of a pixel lie side by side.
 */
final class Formats {
  private Formats() {}

  /** Strides of channels-last images of these sizes (given as n, c, spatial). */
  static Layout channelsLast(long... dims) {
    var strides = new long[dims.length];
    long step = 1;
    strides[1] = step;
    step *= Math.max(1, dims[1]);
    for (int i = dims.length - 1; i >= 2; i--) {
      strides[i] = step;
      step *= Math.max(1, dims[i]);
    }
    strides[0] = step;
    return Layout.of(dims, strides);
  }

  /** Whether x lies channels last without gaps; true for one channel that is also row-major. */
  static boolean isChannelsLast(Tensor x) {
    if (x.rank() < 3) {
      return false;
    }
    Layout expected = channelsLast(x.shape().dims());
    for (int i = 0; i < x.rank(); i++) {
      if (x.size(i) != 1 && x.layout().stride(i) != expected.stride(i)) {
        return false;
      }
    }
    return true;
  }

  /**
   * The format in which an op on images should work: that of its input. Channels last is chosen
   * where both fit, since it is the faster one.
   */
  static ImageLayout of(Tensor x) {
    return isChannelsLast(x) ? ImageLayout.NHWC : ImageLayout.NCHW;
  }

  /** x itself if it has this format without gaps, else a copy that has; recorded. */
  static Tensor in(Tensor x, ImageLayout format) {
    return format == ImageLayout.NHWC ? x.channelsLast() : x.contiguous();
  }

  /** A new tensor of images in this format. */
  static Tensor empty(Device device, DType dtype, ImageLayout format, long... dims) {
    return Tensor.empty(
        device, dtype, format == ImageLayout.NHWC ? channelsLast(dims) : Layout.contiguous(dims));
  }
}
