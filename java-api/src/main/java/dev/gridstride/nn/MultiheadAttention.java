package dev.gridstride.nn;

import dev.gridstride.AttentionOptions;
import dev.gridstride.Autograd;
import dev.gridstride.Generator;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import org.jspecify.annotations.Nullable;

/**
 * Attention by several heads: queries, keys and values are projected, each head attends with its
 * part of the features, and the joined results are projected again.
 *
 * <p>Batch first: queries {@code [n, l, embed]}, keys and values {@code [n, s, embed]} to {@code
 * [n, l, embed]}. Parameters {@code in_proj_weight [3 embed, embed]} and {@code in_proj_bias [3
 * embed]} (for q, k and v in this order), {@code out_proj.weight [embed, embed]} and {@code
 * out_proj.bias [embed]}, f32, named and initialised as PyTorch does.
 *
 * <p>In a bool mask, true takes part, as in {@link
 * dev.gridstride.Attention#scaledDotProductAttention(Tensor, Tensor, AttentionOptions)}; the module
 * of this name in PyTorch means the opposite. Vaswani et al., "Attention Is All You Need", 2017,
 * section 3.2.2.
 */
public final class MultiheadAttention extends Module {
  private final long embed;
  private final long heads;
  private final double dropout;
  private final Generator generator;
  private final Tensor weight;
  private final Tensor bias;
  private final Linear out;

  /** Without dropout. */
  public MultiheadAttention(Device device, Generator g, long embed, long heads) {
    this(device, g, embed, heads, 0);
  }

  /**
   * With dropout of the attention weights in training.
   *
   * @param g draws the initial values, and later the dropout
   * @param embed number of features
   * @param heads number of heads, a divisor of embed
   * @param dropout in 0..1, less than 1
   */
  public MultiheadAttention(Device device, Generator g, long embed, long heads, double dropout) {
    if (heads < 1 || embed < 1 || embed % heads != 0 || !(dropout >= 0 && dropout < 1)) {
      throw InvalidArgumentException.of(
          "multiheadAttention",
          "heads and dropout",
          "must be a divisor of embed, and in 0..1, less than 1",
          "embed=%d, heads=%d, dropout=%s",
          embed,
          heads,
          dropout);
    }
    this.embed = embed;
    this.heads = heads;
    this.dropout = dropout;
    this.generator = g;
    weight =
        parameter(
            "in_proj_weight", () -> Init.xavierUniform(g, device, DType.F32, 3 * embed, embed));
    bias = parameter("in_proj_bias", () -> Tensors.zeros(device, DType.F32, 3 * embed));
    out = child("out_proj", new Linear(device, g, embed, embed));
    Tensor outBias = out.parameters().getLast();
    outBias.buffer().fill((byte) 0);
    outBias.changed();
  }

  /** Self-attention of {@code [n, l, embed]} without a mask. */
  @Override
  public Tensor forward(Tensor x) {
    return forward(x, null, false);
  }

  /** Self-attention; see {@link #forward(Tensor, Tensor, Tensor, Tensor, boolean)}. */
  public Tensor forward(Tensor x, @Nullable Tensor mask, boolean causal) {
    check("x", x);
    return attend(x.linear(weight, bias).split(-1, embed, embed, embed), mask, causal);
  }

  /**
   * Attention of queries to other keys and values.
   *
   * @param q {@code [n, l, embed]}
   * @param k {@code [n, s, embed]}
   * @param v {@code [n, s, embed]}
   * @param mask bool or added to the scores; {@code [l, s]}, {@code [n, l, s]} (for keys that only
   *     fill up: {@code [n, 1, s]}) or {@code [n, heads, l, s]}, each with sizes of 1 broadcast;
   *     null for none
   * @param causal whether query i sees only the keys 0..i
   * @return {@code [n, l, embed]}
   */
  public Tensor forward(Tensor q, Tensor k, Tensor v, @Nullable Tensor mask, boolean causal) {
    check("q", q);
    check("k", k);
    check("v", v);
    Tensor[] w = weight.split(0, embed, embed, embed);
    Tensor[] b = bias.split(0, embed, embed, embed);
    Tensor[] projected = {q.linear(w[0], b[0]), k.linear(w[1], b[1]), v.linear(w[2], b[2])};
    return attend(projected, mask, causal);
  }

  /**
   * Causal self-attention of the places that follow those in {@code cache}, which takes them in:
   * the same result as {@link #forward(Tensor, Tensor, boolean)} on all places at once, without
   * computing keys and values of the earlier ones again.
   *
   * @param x {@code [n, l, embed]}, the next l places
   * @param cache of this layer's earlier places, empty at the beginning
   * @return {@code [n, l, embed]}
   * @throws InvalidArgumentException while recording for gradients, which do not reach the cache
   */
  public Tensor forward(Tensor x, KeyValueCache cache) {
    check("x", x);
    if (Autograd.isRecording()) {
      throw InvalidArgumentException.of(
          "multiheadAttention",
          "cache",
          "must be used without gradients (inside Autograd.noGrad)",
          "recording=true");
    }
    Tensor[] qkv = x.linear(weight, bias).split(-1, embed, embed, embed);
    long before = cache.length();
    cache.append(qkv[1], qkv[2]);
    Tensor[] all = {qkv[0], cache.keys(), cache.values()};
    long l = x.size(1);
    if (before == 0) {
      return attend(all, null, true);
    }
    if (l == 1) { // it sees all
      return attend(all, null, false);
    }
    Tensor place = Tensors.arange(x.device(), DType.I64, l).add(before).unsqueeze(1);
    Tensor earlier = Tensors.arange(x.device(), DType.I64, before + l).le(place);
    return attend(all, earlier, false);
  }

  /**
   * How much each query looks at each key, by head: for looking at what the layer looks at.
   *
   * @param q as in {@link #forward(Tensor, Tensor, Tensor, Tensor, boolean)}, as the others
   * @return {@code [n, heads, l, s]}, without dropout
   */
  public Tensor weights(Tensor q, Tensor k, @Nullable Tensor mask, boolean causal) {
    check("q", q);
    check("k", k);
    Tensor[] w = weight.split(0, embed, embed, embed);
    Tensor[] b = bias.split(0, embed, embed, embed);
    return byHeads(q.linear(w[0], b[0]))
        .attentionWeights(byHeads(k.linear(w[1], b[1])), options(mask, causal));
  }

  private static AttentionOptions options(@Nullable Tensor mask, boolean causal) {
    AttentionOptions options = AttentionOptions.DEFAULT.withCausal(causal);
    return mask == null ? options : options.withMask(mask.rank() == 3 ? mask.unsqueeze(1) : mask);
  }

  private Tensor attend(Tensor[] qkv, @Nullable Tensor mask, boolean causal) {
    AttentionOptions options = options(mask, causal);
    if (isTraining() && dropout > 0) {
      options = options.withDropout(generator, dropout);
    }
    Tensor y = byHeads(qkv[0]).scaledDotProductAttention(byHeads(qkv[1]), byHeads(qkv[2]), options);
    return out.forward(y.transpose(1, 2).reshape(y.size(0), y.size(2), embed));
  }

  /** {@code [n, l, embed]} to {@code [n, heads, l, embed/heads]}. */
  private Tensor byHeads(Tensor x) {
    return x.reshape(x.size(0), x.size(1), heads, embed / heads).transpose(1, 2);
  }

  private void check(String argument, Tensor x) {
    if (x.rank() != 3 || x.size(2) != embed) {
      throw InvalidArgumentException.of(
          "multiheadAttention",
          argument,
          "must be [n, length, embed]",
          "%s=%s, embed=%d",
          argument,
          x.shape(),
          embed);
    }
  }
}
