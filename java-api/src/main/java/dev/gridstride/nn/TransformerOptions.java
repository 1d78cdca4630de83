package dev.gridstride.nn;

import dev.gridstride.Tensor;
import dev.gridstride.device.InvalidArgumentException;
import java.util.function.UnaryOperator;

/**
 * What the layers of a transformer are like.
 *
 * @param hidden width of the network that is applied to each place
 * @param dropout share of each part's result, and of the network's hidden features, that is set to
 *     0 in training
 * @param attentionDropout share of the attention weights that is set to 0 in training; above 0 a
 *     matrix of all weights is made, which attention otherwise does without
 * @param normFirst whether each part normalizes what it is given (as in GPT-2: trains without a
 *     warm-up), or its sum with what it made of that (as in 2017)
 * @param activation between the two linear functions of the network
 */
public record TransformerOptions(
    long hidden,
    double dropout,
    double attentionDropout,
    boolean normFirst,
    UnaryOperator<Tensor> activation) {
  /** Checks the sizes. */
  public TransformerOptions {
    boolean shares = dropout >= 0 && dropout < 1 && attentionDropout >= 0 && attentionDropout < 1;
    if (hidden < 1 || !shares) {
      throw InvalidArgumentException.of(
          "transformerOptions",
          "hidden and dropout",
          "must be at least 1, and in 0..1, less than 1",
          "hidden=%d, dropout=%s, attentionDropout=%s",
          hidden,
          dropout,
          attentionDropout);
    }
  }

  /** Norm first, GELU, no dropout. */
  public static TransformerOptions of(long hidden) {
    return new TransformerOptions(hidden, 0, 0, true, Tensor::gelu);
  }

  /** The same with dropout of results, not of attention weights. */
  public TransformerOptions withDropout(double share) {
    return new TransformerOptions(hidden, share, attentionDropout, normFirst, activation);
  }

  /** The same with dropout of attention weights. */
  public TransformerOptions withAttentionDropout(double share) {
    return new TransformerOptions(hidden, dropout, share, normFirst, activation);
  }

  /** The same with the norm first or last. */
  public TransformerOptions withNormFirst(boolean first) {
    return new TransformerOptions(hidden, dropout, attentionDropout, first, activation);
  }

  /** The same with another activation. */
  public TransformerOptions withActivation(UnaryOperator<Tensor> function) {
    return new TransformerOptions(hidden, dropout, attentionDropout, normFirst, function);
  }
}
