package dev.gridstride.nn;

import dev.gridstride.Generator;
import dev.gridstride.Tensor;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A layer of a transformer that writes one sequence while it looks at another, its memory: causal
 * self-attention, attention to the memory, then a network of two linear functions applied to each
 * place; the result of each is added to what it was given.
 *
 * <p>{@code [n, l, embed]} with a memory of {@code [n, s, embed]} to {@code [n, l, embed]}, f32.
 * Parameters {@code self_attn}, {@code multihead_attn}, {@code linear1}, {@code linear2}, {@code
 * norm1}, {@code norm2} and {@code norm3}, named and initialised as PyTorch's module of this name
 * does. Vaswani et al., "Attention Is All You Need", 2017, section 3.1.
 */
public final class TransformerDecoderLayer extends Module {
  private final MultiheadAttention self;
  private final MultiheadAttention cross;
  private final TransformerParts parts;
  private final LayerNorm norm1;
  private final LayerNorm norm2;
  private final LayerNorm norm3;
  private final boolean normFirst;

  /**
   * A layer.
   *
   * @param g draws the initial values, and later the dropout
   * @param embed number of features of a place
   * @param heads number of heads, a divisor of embed
   */
  public TransformerDecoderLayer(
      Device device, Generator g, long embed, long heads, TransformerOptions options) {
    double dropout = options.attentionDropout();
    self = child("self_attn", new MultiheadAttention(device, g, embed, heads, dropout));
    cross = child("multihead_attn", new MultiheadAttention(device, g, embed, heads, dropout));
    parts = new TransformerParts(device, g, embed, options);
    child("linear1", parts.linear1);
    child("linear2", parts.linear2);
    norm1 = child("norm1", new LayerNorm(device, embed));
    norm2 = child("norm2", new LayerNorm(device, embed));
    norm3 = child("norm3", new LayerNorm(device, embed));
    normFirst = options.normFirst();
  }

  /** Not defined: this layer needs a memory. */
  @Override
  public Tensor forward(Tensor x) {
    throw InvalidArgumentException.of(
        "transformerDecoderLayer", "memory", "must be given: forward(x, memory, mask)", "x=%s", x);
  }

  /**
   * All places at once, each of which sees the earlier ones and the memory.
   *
   * @param memoryMask of the memory's places that take part, as in {@link
   *     MultiheadAttention#forward(Tensor, Tensor, Tensor, Tensor, boolean)}; null for all
   */
  public Tensor forward(Tensor x, Tensor memory, @Nullable Tensor memoryMask) {
    return layer(x, t -> self.forward(t, null, true), memory, memoryMask);
  }

  /**
   * The places that follow those in {@code cache}; see {@link MultiheadAttention#forward(Tensor,
   * KeyValueCache)}. Keys and values of the memory are computed anew.
   */
  public Tensor forward(Tensor x, Tensor memory, @Nullable Tensor memoryMask, KeyValueCache cache) {
    return layer(x, t -> self.forward(t, cache), memory, memoryMask);
  }

  private Tensor layer(
      Tensor x, UnaryOperator<Tensor> attention, Tensor memory, @Nullable Tensor memoryMask) {
    Tensor y = parts.add(x, norm1, attention, isTraining());
    y = parts.add(y, norm2, t -> cross.forward(t, memory, memory, memoryMask, false), isTraining());
    return parts.add(y, norm3, t -> parts.network(t, isTraining()), isTraining());
  }

  /**
   * How much each place looks at each place of the memory, by head.
   *
   * @return {@code [n, heads, l, s]}, without dropout of weights
   */
  public Tensor memoryWeights(Tensor x, Tensor memory, @Nullable Tensor memoryMask) {
    Tensor y = parts.add(x, norm1, t -> self.forward(t, null, true), isTraining());
    return cross.weights(normFirst ? norm2.forward(y) : y, memory, memoryMask, false);
  }
}
