package dev.gridstride;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.Attention;
import dev.gridstride.kernels.Layout;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Attention by the op of that name where there is neither a mask nor dropout, else composed of
 * recorded tensor ops.
 */
final class AttentionFunction {
  private static final String NAME = "scaledDotProductAttention";

  private AttentionFunction() {}

  static Tensor apply(Tensor q, Tensor k, Tensor v, AttentionOptions options) {
    check(q, k, v);
    double scale = scale(q, options);
    if (options.mask() == null && options.dropout() == 0 && !Double.isNaN(scale)) {
      Tensor y = fused(q, k, v, scale, options.causal());
      if (y != null) {
        return y;
      }
    }
    return weights(NAME, q, k, scale, options).matmul(v);
  }

  /** The weights alone: of each query for each key. */
  static Tensor weights(Tensor q, Tensor k, AttentionOptions options) {
    String name = "attentionWeights";
    if (q.rank() < 2 || k.rank() < 2 || q.size(-1) != k.size(-1)) {
      throw InvalidArgumentException.of(
          name,
          "q and k",
          "must be [..., l, e] and [..., s, e]",
          "q=%s, k=%s",
          q.shape(),
          k.shape());
    }
    if (!isAlike(q, k)) {
      throw InvalidArgumentException.of(
          name,
          "q and k",
          "must have one floating dtype and live on one device",
          "q=%s, k=%s",
          q,
          k);
    }
    return weights(name, q, k, scale(q, options), options);
  }

  private static double scale(Tensor q, AttentionOptions options) {
    return Double.isNaN(options.scale()) ? 1 / Math.sqrt(q.size(-1)) : options.scale();
  }

  private static Tensor weights(
      String name, Tensor q, Tensor k, double scale, AttentionOptions options) {
    Tensor scores = q.mul(scale).matmul(k.transpose());
    Tensor mask = options.mask();
    Tensor allowed = options.causal() ? causal(q.device(), q.size(-2), k.size(-2)) : null;
    if (mask != null) {
      checkMask(name, mask, scores);
      if (mask.dtype() == DType.BOOL) {
        allowed = both(allowed, mask);
      } else {
        scores = scores.add(mask);
        Tensor never = BinaryFunction.scalar(mask, Double.NEGATIVE_INFINITY);
        allowed = both(allowed, mask.detach().ne(never));
      }
    }
    Tensor weights;
    if (allowed == null) {
      weights = scores.softmax(-1);
    } else {
      Tensor low = BinaryFunction.scalar(scores, Double.NEGATIVE_INFINITY);
      Tensor zero = BinaryFunction.scalar(scores, 0);
      // the second choice turns the NaNs of a query without keys into zeros, in both directions
      weights = allowed.where(allowed.where(scores, low).softmax(-1), zero);
    }
    Generator generator = options.generator();
    if (options.dropout() > 0 && generator != null) {
      weights = generator.dropout(weights, options.dropout());
    }
    return weights;
  }

  /** By the op that keeps no matrix of scores; null where the device does not offer it. */
  private static @Nullable Tensor fused(
      Tensor query, Tensor key, Tensor value, double scale, boolean causal) {
    long[] leading = leading(leading(leading(query), key), value);
    Tensor q = wide(query, leading);
    Tensor k = wide(key, leading);
    Tensor v = wide(value, leading);
    var op =
        new Attention(
            q.dtype(),
            Shape.of(leading).count(),
            1,
            q.size(-2),
            k.size(-2),
            q.size(-1),
            v.size(-1),
            scale,
            causal);
    if (op.supports(q.device()) instanceof Support.Unsupported) {
      return null;
    }
    Attention.Plan plan = Plans.of(q.device(), op);
    Tensor y = Tensor.empty(q.device(), q.dtype(), dims(leading, q.size(-2), v.size(-1)));
    Tensor lse = Tensor.empty(q.device(), op.statType(), op.products(), op.queries());
    plan.forward(q.stream(), q.buffer(), k.buffer(), v.buffer(), y.buffer(), lse.buffer());
    Autograd.record(
        NAME,
        y,
        (gradient, needed) -> {
          Tensor dy = gradient.contiguous();
          Tensor dq = needed[0] ? Tensor.emptyLike(q) : null;
          Tensor dk = needed[1] ? Tensor.emptyLike(k) : null;
          Tensor dv = needed[2] ? Tensor.emptyLike(v) : null;
          plan.backward(
              q.stream(),
              q.buffer(),
              k.buffer(),
              v.buffer(),
              y.buffer(),
              lse.buffer(),
              dy.buffer(),
              of(dq),
              of(dk),
              of(dv));
          return new @Nullable Tensor[] {dq, dk, dv};
        },
        q,
        k,
        v);
    if (!y.requiresGrad()) {
      lse.close();
    }
    return y;
  }

  private static @Nullable Buffer of(@Nullable Tensor t) {
    return t == null ? null : t.buffer();
  }

  /** The dimensions before the last two. */
  private static long[] leading(Tensor t) {
    return Arrays.copyOf(t.shape().dims(), t.rank() - 2);
  }

  private static long[] leading(long[] dims, Tensor t) {
    return Layout.broadcastDims(NAME, dims, leading(t));
  }

  private static long[] dims(long[] leading, long rows, long columns) {
    long[] all = Arrays.copyOf(leading, leading.length + 2);
    all[leading.length] = rows;
    all[leading.length + 1] = columns;
    return all;
  }

  /** t with these leading dimensions, without gaps. */
  private static Tensor wide(Tensor t, long[] leading) {
    boolean fits = Arrays.equals(leading(t), leading);
    return (fits ? t : t.expand(dims(leading, t.size(-2), t.size(-1)))).contiguous();
  }

  private static Tensor both(@Nullable Tensor a, Tensor b) {
    return a == null ? b : a.and(b);
  }

  private static Tensor causal(Device device, long queries, long keys) {
    Tensor i = Tensors.arange(device, DType.I64, queries).unsqueeze(1);
    return Tensors.arange(device, DType.I64, keys).le(i);
  }

  private static void check(Tensor q, Tensor k, Tensor v) {
    boolean fits =
        q.rank() >= 2
            && k.rank() >= 2
            && v.rank() >= 2
            && q.size(-1) == k.size(-1)
            && k.size(-2) == v.size(-2);
    if (!fits) {
      throw InvalidArgumentException.of(
          NAME,
          "q, k and v",
          "must be [..., l, e], [..., s, e] and [..., s, d]",
          "q=%s, k=%s, v=%s",
          q.shape(),
          k.shape(),
          v.shape());
    }
    if (!isAlike(q, k) || !isAlike(q, v)) {
      throw InvalidArgumentException.of(
          NAME,
          "q, k and v",
          "must have one floating dtype and live on one device",
          "q=%s, k=%s, v=%s",
          q,
          k,
          v);
    }
  }

  private static boolean isAlike(Tensor q, Tensor t) {
    return q.dtype().isFloating() && t.dtype() == q.dtype() && t.device().equals(q.device());
  }

  private static void checkMask(String name, Tensor mask, Tensor scores) {
    if (mask.dtype() != DType.BOOL && mask.dtype() != scores.dtype()) {
      throw InvalidArgumentException.of(
          name, "mask", "must be bool or of the dtype of q", "mask=%s, q=%s", mask, scores.dtype());
    }
    boolean fits = mask.device().equals(scores.device()) && mask.rank() <= scores.rank();
    for (int i = 1; fits && i <= mask.rank(); i++) {
      fits = mask.size(-i) == 1 || mask.size(-i) == scores.size(-i);
    }
    if (!fits) {
      throw InvalidArgumentException.of(
          name,
          "mask",
          "must live with q and be broadcastable to [..., l, s]",
          "mask=%s, scores=%s",
          mask,
          scores.shape());
    }
  }
}
