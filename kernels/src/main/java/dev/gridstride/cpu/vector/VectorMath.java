package dev.gridstride.cpu.vector;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Elementary functions on f32 vectors of the preferred width, without branches.
 *
 * <p>Errors are given in ulp of the f32 result and were measured over a scan of all binades; {@code
 * VectorMathTest} repeats a scan. Polynomials are weighted least-squares fits made for this class,
 * close to minimax, with coefficients rounded to f32 one after the other. The operators {@code EXP}
 * and the like of the Vector API are not used: they need a native library that not every JDK has.
 *
 * <p>These methods are written for the JIT's inliner, because a vector that crosses a call is
 * boxed, which costs a factor of ten. Each stays below 325 bytes of code, and calls another of
 * these methods only near its start: one vector operation is about 400 nodes for the JIT, and from
 * 18,000 nodes on it inlines nothing but the Vector API itself.
 */
public final class VectorMath {
  /** The species of all operands. */
  public static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;

  /** {@link #sin} and {@link #cos} are right up to this magnitude. */
  public static final float TRIGONOMETRIC_LIMIT = 32768;

  // adding and subtracting 1.5 * 2^23 rounds to an integer, left in the low mantissa bits
  private static final float ROUND = 12582912f;

  // the same with 127 added: shifted left by 23, the bits are 2 to that integer
  private static final float ROUND_BIASED = 12583039f;

  private static final float LOG2_E = 1.44269504f;
  private static final float HALF_LOG2_E = 0.7213475f;
  private static final float TWO_LN2_HIGH = 1.3862944f;
  private static final float TWO_LN2_LOW = -3.8093084e-9f;
  private static final float LN2_HIGH = 0.6931472f;
  private static final float LN2_LOW = -1.9046542e-9f;

  private VectorMath() {}

  /**
   * e^x within 1.5 ulp; gradual underflow, +Inf above 88.73, NaN stays.
   *
   * <p>By {@code 2^m 2^m e^r} with {@code x = 2 m ln 2 + r}: two equal scales reach both ends of
   * the range without a special case.
   */
  public static FloatVector exp(FloatVector x) {
    x = x.blend(-104f, x.compare(VectorOperators.LT, -104f));
    x = x.blend(89f, x.compare(VectorOperators.GT, 89f));
    FloatVector biased =
        x.fma(FloatVector.broadcast(F, HALF_LOG2_E), FloatVector.broadcast(F, ROUND_BIASED));
    FloatVector m = biased.sub(ROUND_BIASED);
    FloatVector r = m.fma(FloatVector.broadcast(F, -TWO_LN2_HIGH), x);
    r = m.fma(FloatVector.broadcast(F, -TWO_LN2_LOW), r);
    FloatVector p = FloatVector.broadcast(F, 0.00019630206f);
    p = p.fma(r, FloatVector.broadcast(F, 0.0014105447f));
    p = p.fma(r, FloatVector.broadcast(F, 0.008335967f));
    p = p.fma(r, FloatVector.broadcast(F, 0.0416612f));
    p = p.fma(r, FloatVector.broadcast(F, 0.16666616f));
    p = p.fma(r, FloatVector.broadcast(F, 0.50000036f));
    p = p.fma(r.mul(r), r).add(1f);
    FloatVector scale =
        biased.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
    return p.mul(scale).mul(scale);
  }

  /** e^x - 1 within 2 ulp; -1 far below, +Inf above 88.73, NaN and -0 stay. */
  public static FloatVector expm1(FloatVector x) {
    FloatVector c = x.blend(-30f, x.compare(VectorOperators.LT, -30f));
    c = c.blend(89f, c.compare(VectorOperators.GT, 89f));
    FloatVector biased =
        c.fma(FloatVector.broadcast(F, HALF_LOG2_E), FloatVector.broadcast(F, ROUND_BIASED));
    FloatVector m = biased.sub(ROUND_BIASED);
    FloatVector r = m.fma(FloatVector.broadcast(F, -TWO_LN2_HIGH), c);
    r = m.fma(FloatVector.broadcast(F, -TWO_LN2_LOW), r);
    FloatVector p = FloatVector.broadcast(F, 2.4839612e-05f);
    p = p.fma(r, FloatVector.broadcast(F, 0.00020091228f));
    p = p.fma(r, FloatVector.broadcast(F, 0.0013889753f));
    p = p.fma(r, FloatVector.broadcast(F, 0.008332661f));
    p = p.fma(r, FloatVector.broadcast(F, 0.041666646f));
    p = p.fma(r, FloatVector.broadcast(F, 0.16666672f));
    p = p.fma(r, FloatVector.broadcast(F, 0.5f));
    p = p.fma(r.mul(r), r);
    FloatVector scale =
        biased.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
    // half the result, so that 4^m stays finite; 4^m - 1 is exact where it cancels with p
    scale = scale.mul(scale.mul(0.5f));
    FloatVector y = p.fma(scale, scale.sub(0.5f)).mul(2f);
    return y.blend(x, x.compare(VectorOperators.EQ, 0f));
  }

  /**
   * e^x for {@code x <= 88} within {@code 1.1 + |x| / 20} ulp; exactly 0 below -87.7, NaN stays.
   *
   * <p>Made for differences {@code x = a - b}, whose own rounding is worth up to {@code |x| / 2}
   * ulp: ln 2 is not split in two parts, which is one operation of sixteen. The scale is one
   * multiplication, and at the lower clamp its bits are those of 0.
   */
  static FloatVector expFlushed(FloatVector x) {
    x = x.blend(-88f, x.compare(VectorOperators.LT, -88f));
    FloatVector biased =
        x.fma(FloatVector.broadcast(F, LOG2_E), FloatVector.broadcast(F, ROUND_BIASED));
    FloatVector r = biased.sub(ROUND_BIASED).fma(FloatVector.broadcast(F, -LN2_HIGH), x);
    FloatVector p = FloatVector.broadcast(F, 0.0013868435f);
    p = p.fma(r, FloatVector.broadcast(F, 0.008366432f));
    p = p.fma(r, FloatVector.broadcast(F, 0.04166746f));
    p = p.fma(r, FloatVector.broadcast(F, 0.16666545f));
    p = p.fma(r, FloatVector.broadcast(F, 0.49999997f));
    p = p.fma(r.mul(r), r);
    FloatVector scale =
        biased.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
    return p.fma(scale, scale);
  }

  /** ln x within 1 ulp; -Inf at 0, NaN below, denormals, +Inf and NaN as they should be. */
  public static FloatVector log(FloatVector x) {
    VectorMask<Float> tiny = x.compare(VectorOperators.LT, Float.MIN_NORMAL);
    IntVector bits = x.blend(x.mul(0x1p23f), tiny).reinterpretAsInts();
    // the exponent that leaves a mantissa in [sqrt(1/2), sqrt(2))
    IntVector e = bits.sub(0x3F3504F3).lanewise(VectorOperators.ASHR, 23);
    FloatVector f = bits.sub(e.lanewise(VectorOperators.LSHL, 23)).reinterpretAsFloats().sub(1f);
    FloatVector n = (FloatVector) e.convert(VectorOperators.I2F, 0);
    n = n.blend(n.sub(23f), tiny);
    FloatVector p = n.fma(FloatVector.broadcast(F, LN2_LOW), logTail(f)).add(f);
    p = n.fma(FloatVector.broadcast(F, LN2_HIGH), p);
    p = p.blend(x, x.compare(VectorOperators.LT, Float.POSITIVE_INFINITY).not());
    p = p.blend(Float.NEGATIVE_INFINITY, x.compare(VectorOperators.EQ, 0f));
    return p.blend(Float.NaN, x.compare(VectorOperators.LT, 0f));
  }

  /** {@code ln(1 + f) - f} for {@code 1 + f} in [sqrt(1/2), sqrt(2)). */
  private static FloatVector logTail(FloatVector f) {
    FloatVector p = FloatVector.broadcast(F, -0.076357506f);
    p = p.fma(f, FloatVector.broadcast(F, 0.12761861f));
    p = p.fma(f, FloatVector.broadcast(F, -0.13159683f));
    p = p.fma(f, FloatVector.broadcast(F, 0.14201628f));
    p = p.fma(f, FloatVector.broadcast(F, -0.16623408f));
    p = p.fma(f, FloatVector.broadcast(F, 0.2000124f));
    p = p.fma(f, FloatVector.broadcast(F, -0.2500082f));
    p = p.fma(f, FloatVector.broadcast(F, 0.3333333f));
    p = p.fma(f, FloatVector.broadcast(F, -0.5f));
    return p.mul(f).mul(f);
  }

  /** ln(1 + x) within 2 ulp; -Inf at -1, NaN below, -0, +Inf and NaN stay. */
  public static FloatVector log1p(FloatVector x) {
    FloatVector w = x.add(1f);
    FloatVector y = log(w);
    // what the first addition lost, to first order
    FloatVector lost = x.sub(w.sub(1f)).div(w);
    VectorMask<Float> regular =
        w.compare(VectorOperators.GT, 0f).and(w.compare(VectorOperators.LT, 3e38f));
    y = y.blend(y.add(lost), regular);
    return y.blend(x, x.compare(VectorOperators.EQ, 0f));
  }

  /** tanh x within 2 ulp; -0 and NaN stay. */
  public static FloatVector tanh(FloatVector x) {
    FloatVector a = x.abs();
    FloatVector e = exp(a.add(a)).add(1f);
    FloatVector big = FloatVector.broadcast(F, 1f).sub(FloatVector.broadcast(F, 2f).div(e));
    FloatVector s = x.mul(x);
    FloatVector p = FloatVector.broadcast(F, -0.005514809f);
    p = p.fma(s, FloatVector.broadcast(F, 0.020469079f));
    p = p.fma(s, FloatVector.broadcast(F, -0.053687915f));
    p = p.fma(s, FloatVector.broadcast(F, 0.13330829f));
    p = p.fma(s, FloatVector.broadcast(F, -0.3333326f));
    FloatVector small = p.mul(s).fma(a, a);
    FloatVector y = big.blend(small, a.compare(VectorOperators.LT, 0.65f));
    IntVector sign = x.reinterpretAsInts().and(0x80000000);
    return y.reinterpretAsInts().or(sign).reinterpretAsFloats();
  }

  /** 1 / (1 + e^-x) within 2.5 ulp, also where the result is denormal; NaN stays. */
  public static FloatVector sigmoid(FloatVector x) {
    FloatVector e = exp(x.abs().neg());
    FloatVector top = e.blend(1f, x.compare(VectorOperators.GE, 0f));
    return top.div(e.add(1f));
  }

  /** ln(1 + e^x) within 2 ulp; x itself far above 0, NaN stays. */
  public static FloatVector softplus(FloatVector x) {
    FloatVector u = exp(x.abs().neg());
    // ln(1 + u) = ln 2 + ln(1 + (u - 1) / 2) near u = 1
    VectorMask<Float> upper = u.compare(VectorOperators.GT, 0.41421f);
    FloatVector f = u.blend(u.sub(1f).mul(0.5f), upper);
    FloatVector y = logTail(f).add(f);
    y = y.blend(y.add(LN2_HIGH), upper);
    return x.blend(0f, x.compare(VectorOperators.LT, 0f)).add(y);
  }

  /** The error function within 2 ulp; -0 and NaN stay. */
  public static FloatVector erf(FloatVector x) {
    FloatVector t = x.abs();
    FloatVector c = t.blend(4f, t.compare(VectorOperators.GT, 4f));
    FloatVector p = FloatVector.broadcast(F, 0.00021399398f);
    p = p.fma(c, FloatVector.broadcast(F, -0.0032150124f));
    p = p.fma(c, FloatVector.broadcast(F, 0.022890102f));
    p = p.fma(c, FloatVector.broadcast(F, -0.105262004f));
    p = p.fma(c, FloatVector.broadcast(F, -0.6357182f));
    p = p.fma(c, FloatVector.broadcast(F, -0.12851438f));
    FloatVector big = FloatVector.broadcast(F, 1f).sub(exp(p.fma(c, c.neg())));
    FloatVector s = x.mul(x);
    FloatVector q = FloatVector.broadcast(F, -0.0005959584f);
    q = q.fma(s, FloatVector.broadcast(F, 0.0049873525f));
    q = q.fma(s, FloatVector.broadcast(F, -0.026762966f));
    q = q.fma(s, FloatVector.broadcast(F, 0.11281731f));
    q = q.fma(s, FloatVector.broadcast(F, -0.3761249f));
    q = q.fma(s, FloatVector.broadcast(F, 0.12837915f));
    FloatVector small = q.fma(t, t);
    FloatVector y = big.blend(small, t.compare(VectorOperators.LT, 0.93f));
    IntVector sign = x.reinterpretAsInts().and(0x80000000);
    return y.reinterpretAsInts().or(sign).reinterpretAsFloats();
  }

  /**
   * The normal distribution function {@code (1 + erf(x / sqrt 2)) / 2}. The error is below 2.2e-7
   * for {@code x > -1}; below, where nothing cancels, it is {@code 3e-7 (1 + x^2 / 2)} times the
   * value, down to -13.2; then it is 0. NaN stays.
   */
  public static FloatVector normalCdf(FloatVector x) {
    FloatVector tail = normalTail(x.abs()).mul(expFlushed(x.mul(x).mul(-0.5f)));
    return tail.blend(tail.neg().add(1f), x.compare(VectorOperators.GT, 0f));
  }

  /** {@code normalCdf(-t) exp(t^2 / 2)} for {@code t >= 0} with a relative error of 1.5e-7. */
  public static FloatVector normalTail(FloatVector t) {
    FloatVector q = FloatVector.broadcast(F, 1f);
    q = q.div(t.fma(FloatVector.broadcast(F, 0.3f), q));
    FloatVector p = FloatVector.broadcast(F, 0.038407527f);
    p = p.fma(q, FloatVector.broadcast(F, -0.16930826f));
    p = p.fma(q, FloatVector.broadcast(F, 0.22895361f));
    p = p.fma(q, FloatVector.broadcast(F, -0.07684195f));
    p = p.fma(q, FloatVector.broadcast(F, 0.14276697f));
    p = p.fma(q, FloatVector.broadcast(F, 0.094585106f));
    p = p.fma(q, FloatVector.broadcast(F, 0.12194546f));
    p = p.fma(q, FloatVector.broadcast(F, 0.11948418f));
    p = p.fma(q, FloatVector.broadcast(F, 7.3740525e-06f));
    return p;
  }

  /** sin x within 2 ulp for {@code |x| <= TRIGONOMETRIC_LIMIT}; -0 and NaN stay. */
  public static FloatVector sin(FloatVector x) {
    FloatVector biased = x.mul(0.63661977f).add(ROUND);
    FloatVector y = circular(x, biased.sub(ROUND), biased.reinterpretAsInts());
    return y.blend(x, x.compare(VectorOperators.EQ, 0f));
  }

  /** cos x within 2 ulp for {@code |x| <= TRIGONOMETRIC_LIMIT}; NaN stays. */
  public static FloatVector cos(FloatVector x) {
    FloatVector biased = x.mul(0.63661977f).add(ROUND);
    // a quarter turn ahead of the sine
    return circular(x, biased.sub(ROUND), biased.reinterpretAsInts().add(1));
  }

  /** {@code sin(x + (quadrant - n) pi/2)}, by n the multiple of pi/2 nearest to x. */
  private static FloatVector circular(FloatVector x, FloatVector n, IntVector quadrant) {
    FloatVector r = n.fma(FloatVector.broadcast(F, -1.5707964f), x);
    r = n.fma(FloatVector.broadcast(F, 4.371139e-8f), r);
    r = n.fma(FloatVector.broadcast(F, 1.7151245e-15f), r);
    FloatVector s = r.mul(r);
    FloatVector sin = FloatVector.broadcast(F, 2.8326294e-06f);
    sin = sin.fma(s, FloatVector.broadcast(F, -0.00019853069f));
    sin = sin.fma(s, FloatVector.broadcast(F, 0.008333379f));
    sin = sin.fma(s, FloatVector.broadcast(F, -0.16666667f));
    sin = sin.mul(s).fma(r, r);
    FloatVector cos = FloatVector.broadcast(F, 2.4432336e-05f);
    cos = cos.fma(s, FloatVector.broadcast(F, -0.001388731f));
    cos = cos.fma(s, FloatVector.broadcast(F, 0.041666646f));
    cos = cos.fma(s, FloatVector.broadcast(F, -0.5f));
    cos = cos.fma(s, FloatVector.broadcast(F, 1f));
    VectorMask<Float> odd = quadrant.and(1).compare(VectorOperators.NE, 0).cast(F);
    IntVector sign = quadrant.and(2).lanewise(VectorOperators.LSHL, 30);
    FloatVector y = sin.blend(cos, odd);
    return y.reinterpretAsInts().lanewise(VectorOperators.XOR, sign).reinterpretAsFloats();
  }

  /** The larger of each lane; a NaN in {@code b} stays. */
  public static FloatVector max(FloatVector a, FloatVector b) {
    // Vector.max would add the handling of -0, which costs more than the comparison
    return a.blend(b, b.compare(VectorOperators.LE, a).not());
  }

  /** The smaller of each lane; a NaN in {@code b} stays. */
  public static FloatVector min(FloatVector a, FloatVector b) {
    return a.blend(b, b.compare(VectorOperators.GE, a).not());
  }
}
