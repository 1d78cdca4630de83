package dev.gridstride;

import org.jspecify.annotations.Nullable;

/** Matrix products; see {@link dev.gridstride.kernels.Gemm} for precision and NaN rules. */
public sealed interface Products permits Tensor {
  /**
   * The matrix product, by the rules of NumPy and PyTorch: {@code [..., m, k]} by {@code [..., k,
   * n]} gives {@code [..., m, n]}, leading dimensions broadcast; a vector on the left is a row and
   * on the right a column, and its dimension goes away from the result.
   *
   * <p>Both tensors have one floating dtype and live on one device. Transposed views are read in
   * place.
   */
  default Tensor matmul(Tensor other) {
    return ProductFunction.matmul((Tensor) this, other);
  }

  /**
   * A linear layer without bias: {@code x w^T}.
   *
   * @param w weight {@code [out, in]}; this tensor is {@code [..., in]}
   * @return {@code [..., out]}
   */
  default Tensor linear(Tensor w) {
    return linear(w, null);
  }

  /**
   * A linear layer: {@code x w^T + b}.
   *
   * @param w weight {@code [out, in]}; this tensor is {@code [..., in]}
   * @param b bias {@code [out]}, or null for none
   * @return {@code [..., out]}
   */
  default Tensor linear(Tensor w, @Nullable Tensor b) {
    return ProductFunction.linear((Tensor) this, w, b);
  }
}
