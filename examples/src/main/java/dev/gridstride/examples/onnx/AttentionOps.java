package dev.gridstride.examples.onnx;

import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Attention and rotary position embedding. */
final class AttentionOps {
  private AttentionOps() {}

  static void addTo(Operators ops) {
    ops.many("Attention", AttentionOps::attention);
    ops.one("RotaryEmbedding", AttentionOps::rotary);
  }

  private static List<Tensor> attention(Node n) {
    boolean flat = n.in(0).rank() == 3;
    Tensor q = heads(n, n.in(0), "q_num_heads");
    Tensor k = heads(n, n.in(1), "kv_num_heads");
    Tensor v = heads(n, n.in(2), "kv_num_heads");
    Tensor pastKey = n.optional(4);
    Tensor pastValue = n.optional(5);
    Tensor filled = n.optional(6);
    if ((pastKey == null) != (pastValue == null) || (pastKey != null && filled != null)) {
      throw n.unsupported("past_key and past_value go together, and not with nonpad_kv_seqlen");
    }
    long past = pastKey == null ? 0 : pastKey.size(2);
    Tensor keys = pastKey == null ? k : Tensors.concat(2, pastKey, k);
    Tensor values = pastValue == null ? v : Tensors.concat(2, pastValue, v);

    double scale = n.real("scale", 1 / Math.sqrt(q.size(3)));
    Tensor repeated = repeat(n, keys, q.size(1));
    Tensor scores = q.mul(Math.sqrt(scale)).matmul(repeated.mul(Math.sqrt(scale)).transpose());
    Tensor raw = scores;
    double cap = n.real("softcap", 0);
    if (cap != 0) {
      scores = scores.div(cap).tanh().mul(cap);
    }
    Tensor capped = scores;
    Tensor mask = mask(n.optional(3), keys.size(2));
    Tensor allowed = allowed(n, q, keys, past, filled);
    if (mask != null && mask.dtype() == DType.BOOL) {
      allowed = both(allowed, mask);
    } else if (mask != null) {
      scores = scores.add(mask);
      allowed = both(allowed, mask.ne(Values.scalar(mask, Double.NEGATIVE_INFINITY)));
    }
    if (allowed != null) {
      // chosen, not added: a score that is infinite or NaN is left out all the same
      scores = allowed.where(scores, Values.scalar(scores, Double.NEGATIVE_INFINITY));
    }
    Tensor biased = scores;
    DType precision =
        n.has("softmax_precision") ? n.dtype(n.integer("softmax_precision")) : q.dtype();
    Tensor weights = scores.to(precision).softmax(-1);
    if (allowed != null) {
      // a query without any key gives zeros
      weights = allowed.where(weights, Values.scalar(weights, 0));
    }
    weights = weights.to(q.dtype());
    Tensor y = weights.matmul(repeat(n, values, q.size(1)));
    if (flat) {
      y = y.permute(0, 2, 1, 3).reshape(y.size(0), y.size(2), y.size(1) * y.size(3));
    }
    Tensor shown =
        switch (n.small("qk_matmul_output_mode", 0)) {
          case 0 -> raw;
          case 1 -> capped;
          case 2 -> biased;
          case 3 -> weights;
          default -> throw n.unsupported("qk_matmul_output_mode must be in 0..3");
        };
    return List.of(y, keys, values, shown);
  }

  /** {@code [batch, length, heads * size]} as {@code [batch, heads, length, size]}. */
  private static Tensor heads(Node n, Tensor x, String attribute) {
    if (x.rank() == 4) {
      return x;
    }
    long heads = n.integer(attribute);
    return x.reshape(x.size(0), x.size(1), heads, x.size(2) / heads).permute(0, 2, 1, 3);
  }

  /** Each head of keys or values as often as groups of queries share it. */
  private static Tensor repeat(Node n, Tensor x, long heads) {
    long own = x.size(1);
    if (own == heads) {
      return x;
    }
    if (own == 0 || heads % own != 0) {
      throw n.unsupported("the heads of keys must divide those of queries");
    }
    return x.unsqueeze(2)
        .expand(x.size(0), own, heads / own, x.size(2), x.size(3))
        .reshape(x.size(0), heads, x.size(2), x.size(3));
  }

  private static Tensor both(@Nullable Tensor a, Tensor b) {
    return a == null ? b : a.and(b);
  }

  /** A mask that is shorter than the keys leaves out the others. */
  private static @Nullable Tensor mask(@Nullable Tensor mask, long keys) {
    if (mask == null || mask.size(-1) >= keys) {
      return mask;
    }
    var after = new long[mask.rank()];
    after[mask.rank() - 1] = keys - mask.size(-1);
    double out = mask.dtype() == DType.BOOL ? 0 : Double.NEGATIVE_INFINITY;
    return mask.pad(new long[mask.rank()], after, out);
  }

  /**
   * Which pairs take part by their places, broadcastable to {@code [batch, heads, queries, keys]};
   * null for all. Query i is at place {@code offset + i}, where offset is the number of keys before
   * it: those of the past, or of the filled part of the cache.
   */
  private static @Nullable Tensor allowed(
      Node n, Tensor q, Tensor keys, long past, @Nullable Tensor filled) {
    long queries = q.size(2);
    Tensor j = Values.sequence(q, 0, keys.size(2));
    Tensor place = Values.sequence(q, past, queries).unsqueeze(1);
    Tensor allowed = null;
    if (filled != null) {
      Tensor length = filled.to(DType.I64).reshape(-1, 1, 1, 1);
      place = place.add(length.sub(queries));
      allowed = j.lt(length);
    }
    if (n.flag("is_causal", false)) {
      allowed = both(allowed, j.le(place));
    }
    long left = n.integer("left_window_size", -1);
    if (left >= 0) {
      allowed = both(allowed, j.ge(place.sub(left)));
    }
    long right = n.integer("right_window_size", -1);
    if (right >= 0) {
      allowed = both(allowed, j.le(place.add(right)));
    }
    return allowed;
  }

  private static Tensor rotary(Node n) {
    Tensor input = n.in(0);
    Tensor x = input;
    if (x.rank() == 4) {
      x = x.permute(0, 2, 1, 3);
    } else {
      long heads = n.integer("num_heads");
      x = x.reshape(x.size(0), x.size(1), heads, x.size(2) / heads);
    }
    // x is [batch, length, heads, size]
    long size = x.size(3);
    long rotated = n.integer("rotary_embedding_dim", 0);
    rotated = rotated == 0 ? size : rotated;
    Tensor part = x.slice(3, 0, rotated);
    Tensor positions = n.optional(3);
    Tensor cos = angles(n.in(1), positions);
    Tensor sin = angles(n.in(2), positions);
    boolean interleaved = n.flag("interleaved", false);
    long half = rotated / 2;
    Tensor a = interleaved ? part.slice(3, 0, rotated, 2) : part.slice(3, 0, half);
    Tensor b = interleaved ? part.slice(3, 1, rotated, 2) : part.slice(3, half, rotated);
    Tensor real = cos.mul(a).sub(sin.mul(b));
    Tensor imaginary = sin.mul(a).add(cos.mul(b));
    Tensor turned =
        interleaved
            ? Tensors.stack(4, real, imaginary).reshape(part.shape().dims())
            : Tensors.concat(3, real, imaginary);
    Tensor y = Tensors.concat(3, turned, x.slice(3, rotated, size));
    return input.rank() == 4 ? y.permute(0, 2, 1, 3) : y.reshape(input.shape().dims());
  }

  /** Cosines or sines as {@code [batch, length, 1, half]}. */
  private static Tensor angles(Tensor cache, @Nullable Tensor positions) {
    Tensor chosen = positions == null ? cache : cache.indexSelect(0, positions);
    return chosen.unsqueeze(2);
  }
}
