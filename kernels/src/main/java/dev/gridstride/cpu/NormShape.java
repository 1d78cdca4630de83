package dev.gridstride.cpu;

import dev.gridstride.device.DType;
import dev.gridstride.kernels.BatchNorm;
import dev.gridstride.kernels.GroupNorm;
import dev.gridstride.kernels.ImageLayout;
import dev.gridstride.kernels.LayerNorm;
import dev.gridstride.kernels.RmsNorm;

/**
 * What the four normalizations have in common: images of channels of elements, a gamma for each
 * channel, and a mean for each group of channels of an image, or for each channel of all images.
 * Layer normalization has one element in a channel.
 *
 * @param type element type
 * @param last whether the channels of a place lie side by side; else its elements of a channel
 * @param images number of images
 * @param channels number of channels
 * @param spatial elements of a channel of an image
 * @param groups groups of channels; 0 when a channel of all images shares a mean
 * @param centered whether the mean is subtracted
 * @param eps added to the variance
 */
record NormShape(
    DType type,
    boolean last,
    long images,
    long channels,
    long spatial,
    long groups,
    boolean centered,
    double eps) {
  static NormShape of(LayerNorm op) {
    return new NormShape(op.type(), false, op.rows(), op.cols(), 1, 1, true, op.eps());
  }

  static NormShape of(RmsNorm op) {
    return new NormShape(op.type(), false, op.rows(), op.cols(), 1, 1, false, op.eps());
  }

  static NormShape of(GroupNorm op) {
    boolean last = op.layout() == ImageLayout.NHWC && op.c() > 1;
    return new NormShape(
        op.type(), last, op.n(), op.c(), op.spatial(), op.groups(), true, op.eps());
  }

  /** Where the images of a channel lie one after the other, they are one image. */
  static NormShape of(BatchNorm op) {
    boolean last = op.c() > 1 && (op.layout() == ImageLayout.NHWC || op.spatial() == 1);
    boolean one = last || op.c() == 1;
    return new NormShape(
        op.type(),
        last,
        one ? 1 : op.n(),
        op.c(),
        one ? op.n() * op.spatial() : op.spatial(),
        0,
        true,
        op.eps());
  }

  /** Whether all elements of a mean are neighbours, with a gamma each. */
  boolean isRows() {
    return groups > 0 && spatial == 1;
  }

  /** Number of means. */
  int stats() {
    return Math.toIntExact(groups == 0 ? channels : images * groups);
  }

  /** Elements of a mean. */
  long count() {
    return groups == 0 ? images * spatial : channels / groups * spatial;
  }

  /** Which mean a channel of an image has. */
  int stat(long image, long channel) {
    return (int) (groups == 0 ? channel : image * groups + channel / (channels / groups));
  }
}
