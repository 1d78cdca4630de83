package dev.gridstride;

import org.jspecify.annotations.Nullable;

/**
 * Convolutions of images {@code [n, c, spatial...]}, in the sense of neural networks; see {@link
 * dev.gridstride.kernels.Conv} for the formula. The result has the memory format of its input;
 * channels last ({@link Shaping#channelsLast}) is the fast one.
 */
public sealed interface Convolutions permits Tensor {
  /**
   * Convolution in one to three dimensions, by the rank of this tensor.
   *
   * @param w filters {@code [k, c/groups, kernels...]}
   * @param bias {@code [k]}, or null
   * @return {@code [n, k, outs...]}
   */
  default Tensor conv(Tensor w, @Nullable Tensor bias, ConvOptions options) {
    return ConvFunction.forward((Tensor) this, w, bias, options);
  }

  /** Convolution of {@code [n, c, h, w]} with stride 1 and without padding. */
  default Tensor conv2d(Tensor w, @Nullable Tensor bias) {
    return conv2d(w, bias, ConvOptions.DEFAULT);
  }

  /** Convolution of {@code [n, c, h, w]}. */
  default Tensor conv2d(Tensor w, @Nullable Tensor bias, ConvOptions options) {
    ConvFunction.checkRank("conv2d", (Tensor) this, 4);
    return conv(w, bias, options);
  }

  /** Convolution of {@code [n, c, length]}. */
  default Tensor conv1d(Tensor w, @Nullable Tensor bias, ConvOptions options) {
    ConvFunction.checkRank("conv1d", (Tensor) this, 3);
    return conv(w, bias, options);
  }

  /** Convolution of {@code [n, c, d, h, w]}. */
  default Tensor conv3d(Tensor w, @Nullable Tensor bias, ConvOptions options) {
    ConvFunction.checkRank("conv3d", (Tensor) this, 5);
    return conv(w, bias, options);
  }

  /**
   * Transposed convolution (the adjoint of {@link #conv}) in one to three dimensions.
   *
   * @param w filters {@code [c, k/groups, kernels...]}
   * @param bias {@code [k]}, or null
   * @return {@code [n, k, outs...]}
   */
  default Tensor convTranspose(Tensor w, @Nullable Tensor bias, ConvOptions options) {
    return ConvTransposeFunction.forward((Tensor) this, w, bias, options);
  }
}
