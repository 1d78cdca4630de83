package dev.gridstride.kernels;

import dev.gridstride.cpu.CpuAttention;
import dev.gridstride.cuda.CudaAttention;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Op;
import dev.gridstride.device.Pins;
import dev.gridstride.device.Stream;
import dev.gridstride.device.Support;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Scaled dot-product attention: {@code y = softmax(scale q k^T) v}, the softmax over the keys, for
 * each of {@code products} (batch times heads), without a matrix of all scores.
 *
 * <p>With {@code causal}, query i looks at the keys 0..i, counted from the first ones also where
 * the numbers differ. With {@code sharing} above 1, that many neighbouring products, the heads of a
 * group, use the same keys and values (Ainslie et al., "GQA", 2023). Masks other than the causal
 * one and dropout of weights are not offered here.
 *
 * <p>f32, f64, bf16 and f16; scores and sums are f32, f64 for f64. On a GPU the weights of bf16 and
 * f16 may be rounded to that type before they multiply the values. The same bits from run to run
 * and for any number of threads: each element of a result or gradient is one sum in an order that
 * depends on sizes alone. Time grows with {@code queries * keys}, memory beyond the operands with
 * the queries.
 *
 * <p>A query that looks at no key gives zeros and passes no gradient. One with a score of NaN or
 * +Inf, or with scores of -Inf alone, gives NaN. A value (v) that is not finite may make NaN of the
 * results of queries that do not look at it but at keys near it.
 *
 * <p>Vaswani et al., "Attention Is All You Need", 2017; Dao et al., "FlashAttention", 2022.
 *
 * @param type element type of q, k, v, y and their gradients
 * @param products products: batch times heads
 * @param sharing how many neighbouring products use the same keys; a divisor of products
 * @param queries length of q and y
 * @param keys length of k and v
 * @param depth width of q and k
 * @param valueDepth width of v and y
 * @param scale factor of the scores; not NaN
 * @param causal whether query i looks at the keys 0..i only
 */
public record Attention(
    DType type,
    long products,
    long sharing,
    long queries,
    long keys,
    long depth,
    long valueDepth,
    double scale,
    boolean causal)
    implements Op<Attention.Plan> {
  private static final Implementations<Attention, Kernel> IMPLEMENTATIONS =
      Implementations.of(
          Implementation.cpu("tiles", CpuAttention::new),
          Implementation.cuda("simt", CudaAttention::accepts, CudaAttention::new));

  /** Checks sizes, type and scale. */
  public Attention {
    if (products < 0 || queries < 0 || keys < 0 || depth < 0 || valueDepth < 0) {
      throw bad(
          "sizes",
          "must not be negative",
          "products=%d, queries=%d, keys=%d, depth=%d, valueDepth=%d",
          products,
          queries,
          keys,
          depth,
          valueDepth);
    }
    if (sharing < 1 || products % sharing != 0) {
      throw bad(
          "sharing", "must divide the products", "sharing=%d, products=%d", sharing, products);
    }
    if (!type.isFloating()) {
      throw bad("type", "must be f64, f32, bf16 or f16", "type=%s", type);
    }
    if (Double.isNaN(scale)) {
      throw bad("scale", "must be a number", "scale=%s", scale);
    }
    long wider = Math.max(depth, valueDepth); // overflow of any operand
    Layout.contiguous(products, Math.max(queries, keys), Math.max(1, wider));
  }

  private static InvalidArgumentException bad(
      String argument, String rule, String format, Object... given) {
    return InvalidArgumentException.of("attention", argument, rule, format, given);
  }

  /** Of f32 operands of one width, all pairs, with a scale of {@code 1 / sqrt(depth)}. */
  public static Attention of(long products, long queries, long keys, long depth) {
    return new Attention(
        DType.F32, products, 1, queries, keys, depth, depth, 1 / Math.sqrt(depth), false);
  }

  /** The same in another type. */
  public Attention with(DType newType) {
    return new Attention(
        newType, products, sharing, queries, keys, depth, valueDepth, scale, causal);
  }

  /** The same with query i looking at the keys 0..i only. */
  public Attention withCausal() {
    return new Attention(type, products, sharing, queries, keys, depth, valueDepth, scale, true);
  }

  /** The same with so many neighbouring products using the same keys and values. */
  public Attention withSharing(long heads) {
    return new Attention(type, products, heads, queries, keys, depth, valueDepth, scale, causal);
  }

  @Override
  public String name() {
    return "attention";
  }

  /** Type of the logarithms that forward leaves for the backward pass. */
  public DType statType() {
    return type == DType.F64 ? DType.F64 : DType.F32;
  }

  @Override
  public Support supports(Device device) {
    return IMPLEMENTATIONS.supports(this, device);
  }

  @Override
  public Plan plan(Device device) {
    return new Plan(this, device);
  }

  /** What a backend implements; operands are checked and pinned. */
  public interface Kernel extends DeviceKernel {
    /** See {@link Plan#forward}. */
    void forward(Stream stream, Buffer q, Buffer k, Buffer v, Buffer y, @Nullable Buffer lse);

    /** See {@link Plan#backward}. */
    void backward(
        Stream stream,
        Buffer q,
        Buffer k,
        Buffer v,
        Buffer y,
        Buffer lse,
        Buffer dy,
        @Nullable Buffer dq,
        @Nullable Buffer dk,
        @Nullable Buffer dv);
  }

  /** An attention that can be run. */
  public static final class Plan extends OpPlan<Attention, Kernel> {
    private final long rows;
    private final long keyRows;

    private Plan(Attention op, Device device) {
      super(op, device, IMPLEMENTATIONS);
      this.rows = op.products() * op.queries();
      this.keyRows = op.products() / op.sharing() * op.keys();
    }

    private void checkInputs(Stream stream, Buffer q, Buffer k, Buffer v) {
      checkStream(stream);
      check("q", q, op.type(), rows * op.depth());
      check("k", k, op.type(), keyRows * op.depth());
      check("v", v, op.type(), keyRows * op.valueDepth());
    }

    private void checkApart(String output, @Nullable Buffer out, Buffer... inputs) {
      String[] names = {"q", "k", "v", "y", "lse", "dy"};
      for (int i = 0; i < inputs.length; i++) {
        checkDisjoint(output, out, names[i], inputs[i]);
      }
    }

    /**
     * {@code y = softmax(scale q k^T) v}.
     *
     * @param q {@code [products, queries, depth]}, row-major
     * @param k {@code [products / sharing, keys, depth]}
     * @param v {@code [products / sharing, keys, valueDepth]}
     * @param y {@code [products, queries, valueDepth]}; overlaps nothing
     * @param lse {@code [products, queries]} of the op's {@code statType}, for the backward pass:
     *     {@code log(sum(exp(scale q k^T)))}, -Inf over no keys; may be null
     */
    public void forward(
        Stream stream, Buffer q, Buffer k, Buffer v, Buffer y, @Nullable Buffer lse) {
      checkInputs(stream, q, k, v);
      check("y", y, op.type(), rows * op.valueDepth());
      checkOptional("lse", lse, op.statType(), rows);
      checkApart("y", y, q, k, v);
      checkApart("lse", lse, q, k, v, y);
      Pins.pinAll(op.name(), q, k, v, y, lse);
      try {
        kernel.forward(stream, q, k, v, y, lse);
      } finally {
        Pins.unpinAll(q, k, v, y, lse);
      }
    }

    /**
     * The gradients with respect to q, k and v; those given as null are not computed.
     *
     * @param q the forward's queries
     * @param k the forward's keys
     * @param v the forward's values
     * @param y as the forward has written it
     * @param lse likewise
     * @param dy gradient with respect to y
     * @param dq gradient with respect to q; results overlap nothing
     * @param dk gradient with respect to k
     * @param dv gradient with respect to v
     */
    public void backward(
        Stream stream,
        Buffer q,
        Buffer k,
        Buffer v,
        Buffer y,
        Buffer lse,
        Buffer dy,
        @Nullable Buffer dq,
        @Nullable Buffer dk,
        @Nullable Buffer dv) {
      checkInputs(stream, q, k, v);
      check("y", y, op.type(), rows * op.valueDepth());
      check("lse", Objects.requireNonNull(lse, "lse"), op.statType(), rows);
      check("dy", dy, op.type(), rows * op.valueDepth());
      checkOptional("dq", dq, op.type(), rows * op.depth());
      checkOptional("dk", dk, op.type(), keyRows * op.depth());
      checkOptional("dv", dv, op.type(), keyRows * op.valueDepth());
      checkApart("dq", dq, q, k, v, y, lse, dy);
      checkApart("dk", dk, q, k, v, y, lse, dy);
      checkApart("dv", dv, q, k, v, y, lse, dy);
      checkDisjoint("dk", dk, "dq", dq);
      checkDisjoint("dv", dv, "dq", dq);
      checkDisjoint("dv", dv, "dk", dk);
      Buffer[] all = {q, k, v, y, lse, dy, dq, dk, dv};
      Pins.pinAll(op.name(), all);
      try {
        kernel.backward(stream, q, k, v, y, lse, dy, dq, dk, dv);
      } finally {
        Pins.unpinAll(all);
      }
    }
  }
}
