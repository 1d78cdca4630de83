package dev.gridstride;

import dev.gridstride.device.InvalidArgumentException;
import org.jspecify.annotations.Nullable;

/**
 * How queries look at keys; see {@link Attention#scaledDotProductAttention(Tensor, Tensor,
 * AttentionOptions)}.
 *
 * @param mask which pairs take part (bool: true takes part), or what is added to their scores
 *     (floating); null for all
 * @param causal whether query i sees only the keys 0..i
 * @param dropout share of the weights that is set to 0
 * @param generator draws them; null only without dropout
 * @param scale factor of the scores; NaN stands for {@code 1 / sqrt(e)}
 */
public record AttentionOptions(
    @Nullable Tensor mask,
    boolean causal,
    double dropout,
    @Nullable Generator generator,
    double scale) {
  /** All pairs, no dropout, {@code 1 / sqrt(e)}. */
  public static final AttentionOptions DEFAULT =
      new AttentionOptions(null, false, 0, null, Double.NaN);

  /** Checks the dropout. */
  public AttentionOptions {
    if (!(dropout >= 0 && dropout < 1) || (dropout > 0 && generator == null)) {
      throw InvalidArgumentException.of(
          "scaledDotProductAttention",
          "dropout",
          "must be in 0..1, less than 1, and have a generator",
          "dropout=%s, generator=%s",
          dropout,
          generator == null ? "null" : "given");
    }
  }

  /** The same with another mask. */
  public AttentionOptions withMask(@Nullable Tensor value) {
    return new AttentionOptions(value, causal, dropout, generator, scale);
  }

  /** The same with query i seeing only the keys 0..i, or not. */
  public AttentionOptions withCausal(boolean value) {
    return new AttentionOptions(mask, value, dropout, generator, scale);
  }

  /** The same with weights set to 0 with probability p. */
  public AttentionOptions withDropout(Generator from, double p) {
    return new AttentionOptions(mask, causal, p, from, scale);
  }

  /** The same with another factor of the scores. */
  public AttentionOptions withScale(double value) {
    return new AttentionOptions(mask, causal, dropout, generator, value);
  }
}
