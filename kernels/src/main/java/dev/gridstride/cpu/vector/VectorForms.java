package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.vector.VectorMath.F;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** The f32 vector forms of elementwise functions; each a class, so that loops can specialise. */
public final class VectorForms {
  private static final float INV_SQRT_2_PI = 0.3989422804f;

  private VectorForms() {}

  /** -x. */
  public record Neg() implements VectorUnary {
    @Override
    public FloatVector apply(FloatVector x, float a, float b) {
      return x.neg();
    }

    @Override
    public FloatVector gradient(FloatVector x, FloatVector dy, float a, float b) {
      return dy.neg();
    }
  }

  /** |x|. */
  public record Abs() implements VectorUnary {
    @Override
    public FloatVector apply(FloatVector x, float a, float b) {
      return x.abs();
    }

    @Override
    public FloatVector gradient(FloatVector x, FloatVector dy, float a, float b) {
      FloatVector g = dy.blend(dy.neg(), x.compare(VectorOperators.LT, 0f));
      return g.blend(0f, x.compare(VectorOperators.EQ, 0f));
    }
  }

  /** x^2. */
  public record Square() implements VectorUnary {
    @Override
    public FloatVector apply(FloatVector x, float a, float b) {
      return x.mul(x);
    }

    @Override
    public FloatVector gradient(FloatVector x, FloatVector dy, float a, float b) {
      return x.add(x).mul(dy);
    }
  }

  /** min(max(x, a), b). */
  public record Clamp() implements VectorUnary {
    @Override
    public FloatVector apply(FloatVector x, float a, float b) {
      return x.max(a).min(b);
    }

    @Override
    public FloatVector gradient(FloatVector x, FloatVector dy, float a, float b) {
      VectorMask<Float> inside =
          x.compare(VectorOperators.GE, a).and(x.compare(VectorOperators.LE, b));
      return FloatVector.zero(F).blend(dy, inside);
    }
  }

  /** sqrt(x); from y. */
  public record Sqrt() implements VectorUnary {
    @Override
    public FloatVector apply(FloatVector x, float a, float b) {
      return x.sqrt();
    }

    @Override
    public FloatVector gradient(FloatVector y, FloatVector dy, float a, float b) {
      return dy.mul(0.5f).div(y);
    }
  }

  /** e^x; from y. */
  public record Exp() implements VectorUnary {
    @Override
    public FloatVector apply(FloatVector x, float a, float b) {
      return VectorMath.exp(x);
    }

    @Override
    public FloatVector gradient(FloatVector y, FloatVector dy, float a, float b) {
      return y.mul(dy);
    }
  }

  /** ln(x). */
  public record Log() implements VectorUnary {
    @Override
    public FloatVector apply(FloatVector x, float a, float b) {
      return VectorMath.log(x);
    }

    @Override
    public FloatVector gradient(FloatVector x, FloatVector dy, float a, float b) {
      return dy.div(x);
    }
  }

  /** max(x, 0), NaN stays. */
  public record Relu() implements VectorUnary {
    @Override
    public FloatVector apply(FloatVector x, float a, float b) {
      return x.blend(0f, x.compare(VectorOperators.LE, 0f));
    }

    @Override
    public FloatVector gradient(FloatVector x, FloatVector dy, float a, float b) {
      return FloatVector.zero(F).blend(dy, x.compare(VectorOperators.GT, 0f));
    }
  }

  /** {@code x >= 0 ? x : a x}. */
  public record LeakyRelu() implements VectorUnary {
    @Override
    public FloatVector apply(FloatVector x, float a, float b) {
      return x.blend(x.mul(a), x.compare(VectorOperators.LT, 0f));
    }

    @Override
    public FloatVector gradient(FloatVector x, FloatVector dy, float a, float b) {
      return dy.blend(dy.mul(a), x.compare(VectorOperators.GE, 0f).not());
    }
  }

  /** x times the normal distribution function. */
  public record Gelu() implements VectorUnary {
    @Override
    public FloatVector apply(FloatVector x, float a, float b) {
      return x.mul(VectorMath.normalCdf(x));
    }

    @Override
    public FloatVector gradient(FloatVector x, FloatVector dy, float a, float b) {
      // one exponential for both the density and the distribution function
      FloatVector tail = VectorMath.normalTail(x.abs());
      FloatVector e = VectorMath.expFlushed(x.mul(x).mul(-0.5f));
      tail = tail.mul(e);
      FloatVector cdf = tail.blend(tail.neg().add(1f), x.compare(VectorOperators.GT, 0f));
      return x.mul(e.mul(INV_SQRT_2_PI)).add(cdf).mul(dy);
    }
  }

  /** x sigmoid(x). */
  public record Silu() implements VectorUnary {
    @Override
    public FloatVector apply(FloatVector x, float a, float b) {
      return x.mul(VectorMath.sigmoid(x));
    }

    @Override
    public FloatVector gradient(FloatVector x, FloatVector dy, float a, float b) {
      FloatVector s = VectorMath.sigmoid(x);
      FloatVector one = FloatVector.broadcast(F, 1f);
      return one.sub(s).mul(x).add(one).mul(s).mul(dy);
    }
  }

  /** 1 / (1 + e^-x); from y. */
  public record Sigmoid() implements VectorUnary {
    @Override
    public FloatVector apply(FloatVector x, float a, float b) {
      return VectorMath.sigmoid(x);
    }

    @Override
    public FloatVector gradient(FloatVector y, FloatVector dy, float a, float b) {
      return FloatVector.broadcast(F, 1f).sub(y).mul(y).mul(dy);
    }
  }

  /** tanh(x); from y. */
  public record Tanh() implements VectorUnary {
    @Override
    public FloatVector apply(FloatVector x, float a, float b) {
      return VectorMath.tanh(x);
    }

    @Override
    public FloatVector gradient(FloatVector y, FloatVector dy, float a, float b) {
      return FloatVector.broadcast(F, 1f).sub(y.mul(y)).mul(dy);
    }
  }

  /** ln(1 + e^x). */
  public record Softplus() implements VectorUnary {
    @Override
    public FloatVector apply(FloatVector x, float a, float b) {
      return VectorMath.softplus(x);
    }

    @Override
    public FloatVector gradient(FloatVector x, FloatVector dy, float a, float b) {
      return VectorMath.sigmoid(x).mul(dy);
    }
  }
}
