package dev.gridstride;

/** Attention: weighted means of values, the weights from the products of queries and keys. */
public sealed interface Attention permits Tensor {
  /**
   * Of all queries to all keys; see {@link #scaledDotProductAttention(Tensor, Tensor,
   * AttentionOptions)}.
   */
  default Tensor scaledDotProductAttention(Tensor k, Tensor v) {
    return scaledDotProductAttention(k, v, AttentionOptions.DEFAULT);
  }

  /**
   * With these queries: {@code softmax(scale q k^T + mask) v}, the softmax over the keys.
   *
   * <p>With {@code causal}, query i sees the keys 0..i, counted from the first ones also where
   * there are more keys than queries. A bool mask and causal hold together. A pair that does not
   * take part (by causal, by a false mask, by an added -Inf) has weight 0, whatever its score, and
   * passes no gradient to it; a query without any key gives zeros and passes no gradients, where
   * the formula would give NaN. A value that is not finite may make NaN of results whose weight for
   * it is 0.
   *
   * <p>Without a mask and dropout one op computes it, without a matrix of the scores ({@link
   * dev.gridstride.kernels.Attention}: scores and weights at least f32). Otherwise, and where the
   * device does not offer that, it is composed of {@link Products#matmul} and {@link
   * Activations#softmax}: their precision and their order of summation.
   *
   * <p>Vaswani et al., "Attention Is All You Need", 2017, section 3.2.1.
   *
   * @param k keys {@code [..., s, e]}; this tensor is {@code [..., l, e]}, leading dimensions
   *     broadcast
   * @param v values {@code [..., s, d]}
   * @param options a mask, if any, is broadcast to {@code [..., l, s]}
   * @return {@code [..., l, d]}
   */
  default Tensor scaledDotProductAttention(Tensor k, Tensor v, AttentionOptions options) {
    return AttentionFunction.apply((Tensor) this, k, v, options);
  }

  /**
   * What {@link #scaledDotProductAttention(Tensor, Tensor, AttentionOptions)} multiplies the values
   * by: {@code softmax(scale q k^T + mask)}, for looking at what a network looks at. A pair that
   * does not take part has weight 0; so has every key of a query that sees none.
   *
   * @param k keys {@code [..., s, e]}; this tensor is {@code [..., l, e]}, leading dimensions
   *     broadcast
   * @return {@code [..., l, s]}, each row with a sum of 1, or 0 for a query that sees no key
   */
  default Tensor attentionWeights(Tensor k, AttentionOptions options) {
    return AttentionFunction.weights((Tensor) this, k, options);
  }
}
