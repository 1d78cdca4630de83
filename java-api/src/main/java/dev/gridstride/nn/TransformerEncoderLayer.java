package dev.gridstride.nn;

import dev.gridstride.Generator;
import dev.gridstride.Tensor;
import dev.gridstride.device.Device;
import org.jspecify.annotations.Nullable;

/**
 * A layer of a transformer in which places look at each other: self-attention, then a network of
 * two linear functions applied to each place; the result of each is added to what it was given.
 * With a causal mask it is a layer of a GPT.
 *
 * <p>{@code [n, l, embed]} to the same, f32. Parameters {@code self_attn}, {@code linear1}, {@code
 * linear2}, {@code norm1} and {@code norm2}, named and initialised as PyTorch's module of this name
 * does. Vaswani et al., "Attention Is All You Need", 2017, section 3.1; norm first: Radford et al.,
 * "Language Models are Unsupervised Multitask Learners", 2019.
 */
public final class TransformerEncoderLayer extends Module {
  private final MultiheadAttention attention;
  private final TransformerParts parts;
  private final LayerNorm norm1;
  private final LayerNorm norm2;

  /**
   * A layer.
   *
   * @param g draws the initial values, and later the dropout
   * @param embed number of features of a place
   * @param heads number of heads, a divisor of embed
   */
  public TransformerEncoderLayer(
      Device device, Generator g, long embed, long heads, TransformerOptions options) {
    attention =
        child(
            "self_attn",
            new MultiheadAttention(device, g, embed, heads, options.attentionDropout()));
    parts = new TransformerParts(device, g, embed, options);
    child("linear1", parts.linear1);
    child("linear2", parts.linear2);
    norm1 = child("norm1", new LayerNorm(device, embed));
    norm2 = child("norm2", new LayerNorm(device, embed));
  }

  /** Every place looks at all. */
  @Override
  public Tensor forward(Tensor x) {
    return forward(x, null, false);
  }

  /**
   * With places left out.
   *
   * @param mask as in {@link MultiheadAttention#forward(Tensor, Tensor, Tensor, Tensor, boolean)};
   *     null for none
   * @param causal whether place i sees only the places 0..i
   */
  public Tensor forward(Tensor x, @Nullable Tensor mask, boolean causal) {
    Tensor y = parts.add(x, norm1, t -> attention.forward(t, mask, causal), isTraining());
    return parts.add(y, norm2, t -> parts.network(t, isTraining()), isTraining());
  }

  /**
   * Causal, for the places that follow; see {@link MultiheadAttention#forward(Tensor,
   * KeyValueCache)}.
   */
  public Tensor forward(Tensor x, KeyValueCache cache) {
    Tensor y = parts.add(x, norm1, t -> attention.forward(t, cache), isTraining());
    return parts.add(y, norm2, t -> parts.network(t, isTraining()), isTraining());
  }
}
