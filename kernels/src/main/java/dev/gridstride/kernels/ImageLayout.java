package dev.gridstride.kernels;

/**
 * The order of the dimensions of images in memory, outermost first, without gaps.
 *
 * <p>The names are those of the two-dimensional case; with one spatial dimension they stand for NCW
 * and NWC, with three for NCDHW and NDHWC.
 */
public enum ImageLayout {
  /** Image, channel, height, width: each channel is a plane of its own. */
  NCHW,
  /** Image, height, width, channel: the channels of a pixel lie side by side ("channels last"). */
  NHWC
}
