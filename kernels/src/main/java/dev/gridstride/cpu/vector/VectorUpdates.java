package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.vector.VectorMath.F;

import dev.gridstride.cpu.Update;
import dev.gridstride.kernels.Adadelta;
import dev.gridstride.kernels.Adagrad;
import dev.gridstride.kernels.Adam;
import dev.gridstride.kernels.GradientDescent;
import dev.gridstride.kernels.RmsProp;
import dev.gridstride.kernels.Sgd;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import org.jspecify.annotations.Nullable;

/**
 * Gradient descent on f32 vectors.
 *
 * <p>Each method has one body for full vectors and the tail. Adam's full vectors go without a mask;
 * the others' do with one.
 */
public final class VectorUpdates {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final int L = F.length();

  private VectorUpdates() {}

  /** The update of one step. */
  public static Update of(GradientDescent op, long step, double lr, double scale) {
    return switch (op) {
      case Sgd o -> new SgdUpdate(o, step, lr, o.maximize() ? -scale : scale);
      case Adam o -> new AdamUpdate(o, step, lr, o.maximize() ? -scale : scale);
      case RmsProp o -> new RmsPropUpdate(o, lr, o.maximize() ? -scale : scale);
      case Adagrad o -> new AdagradUpdate(o, step, lr, o.maximize() ? -scale : scale);
      case Adadelta o -> new AdadeltaUpdate(o, lr, o.maximize() ? -scale : scale);
    };
  }

  /** Without a mask a full vector: loads of a masked one take a slower way through the library. */
  private static FloatVector load(MemorySegment s, long i, @Nullable VectorMask<Float> m) {
    return m == null
        ? FloatVector.fromMemorySegment(F, s, 4 * i, LE)
        : FloatVector.fromMemorySegment(F, s, 4 * i, LE, m);
  }

  private static void store(FloatVector v, MemorySegment s, long i, @Nullable VectorMask<Float> m) {
    if (m == null) {
      v.intoMemorySegment(s, 4 * i, LE);
    } else {
      v.intoMemorySegment(s, 4 * i, LE, m);
    }
  }

  private static FloatVector broadcast(float x) {
    return FloatVector.broadcast(F, x);
  }

  /** {@code a * factor + b}. */
  private static FloatVector fma(FloatVector a, float factor, FloatVector b) {
    return a.fma(broadcast(factor), b);
  }

  private static final class SgdUpdate implements Update {
    private final boolean first;
    private final boolean nesterov;
    private final float lr;
    private final float scale;
    private final float coupled;
    private final float keep;
    private final float mu;
    private final float fresh;

    SgdUpdate(Sgd op, long step, double lr, double scale) {
      this.first = step == 1;
      this.nesterov = op.nesterov();
      this.lr = (float) lr;
      this.scale = (float) scale;
      this.coupled = op.decoupled() ? 0 : (float) op.weightDecay();
      this.keep = op.decoupled() ? (float) (1 - lr * op.weightDecay()) : 1;
      this.mu = (float) op.momentum();
      this.fresh = (float) (1 - op.dampening());
    }

    @Override
    public void run(MemorySegment[] o, long from, long to) {
      if (mu == 0) {
        for (long i = from; i < to; i += L) {
          VectorMask<Float> m = F.indexInRange(i, to);
          FloatVector p = load(o[0], i, m);
          FloatVector g = fma(p, coupled, load(o[1], i, m).mul(scale));
          store(fma(g, -lr, p.mul(keep)), o[0], i, m);
        }
        return;
      }
      for (long i = from; i < to; i += L) {
        VectorMask<Float> m = F.indexInRange(i, to);
        FloatVector p = load(o[0], i, m);
        FloatVector g = fma(p, coupled, load(o[1], i, m).mul(scale));
        FloatVector b = first ? g : fma(load(o[2], i, m), mu, g.mul(fresh));
        store(b, o[2], i, m);
        FloatVector d = nesterov ? fma(b, mu, g) : b;
        store(fma(d, -lr, p.mul(keep)), o[0], i, m);
      }
    }
  }

  private static final class AdamUpdate implements Update {
    private final boolean amsgrad;
    private final float scale;
    private final float coupled;
    private final float keep;
    private final float rate;
    private final float unbias;
    private final float fresh1;
    private final float beta2;
    private final float fresh2;
    private final float eps;

    AdamUpdate(Adam op, long step, double lr, double scale) {
      this.amsgrad = op.amsgrad();
      this.scale = (float) scale;
      this.coupled = op.decoupled() ? 0 : (float) op.weightDecay();
      this.keep = op.decoupled() ? (float) (1 - lr * op.weightDecay()) : 1;
      this.rate = (float) (lr / (1 - Math.pow(op.beta1(), step)));
      this.unbias = (float) (1 / Math.sqrt(1 - Math.pow(op.beta2(), step)));
      this.fresh1 = (float) (1 - op.beta1());
      this.beta2 = (float) op.beta2();
      this.fresh2 = (float) (1 - op.beta2());
      this.eps = (float) op.eps();
    }

    @Override
    public void run(MemorySegment[] o, long from, long to) {
      MemorySegment ps = o[0];
      MemorySegment gs = o[1];
      MemorySegment ms = o[2];
      MemorySegment vs = o[3];
      MemorySegment most = amsgrad ? o[4] : null;
      long i = from;
      for (; i <= to - L; i += L) {
        update(ps, gs, ms, vs, most, i, null);
      }
      if (i < to) {
        update(ps, gs, ms, vs, most, i, F.indexInRange(i, to));
      }
    }

    private void update(
        MemorySegment ps,
        MemorySegment gs,
        MemorySegment ms,
        MemorySegment vs,
        @Nullable MemorySegment most,
        long i,
        @Nullable VectorMask<Float> k) {
      FloatVector p = load(ps, i, k);
      FloatVector g = fma(p, coupled, load(gs, i, k).mul(scale));
      FloatVector m = load(ms, i, k);
      m = fma(g.sub(m), fresh1, m);
      FloatVector v = fma(g.mul(g), fresh2, load(vs, i, k).mul(beta2));
      store(m, ms, i, k);
      store(v, vs, i, k);
      if (most != null) {
        v = v.max(load(most, i, k));
        store(v, most, i, k);
      }
      FloatVector d =
          m.mul(rate).div(fma(v.lanewise(VectorOperators.SQRT), unbias, broadcast(eps)));
      store(p.mul(keep).sub(d), ps, i, k);
    }
  }

  private static final class RmsPropUpdate implements Update {
    private final boolean centered;
    private final int mean;
    private final float lr;
    private final float scale;
    private final float coupled;
    private final float alpha;
    private final float fresh;
    private final float eps;
    private final float mu;

    RmsPropUpdate(RmsProp op, double lr, double scale) {
      this.centered = op.centered();
      this.mean = op.momentum() != 0 ? 4 : 3;
      this.lr = (float) lr;
      this.scale = (float) scale;
      this.coupled = (float) op.weightDecay();
      this.alpha = (float) op.alpha();
      this.fresh = (float) (1 - op.alpha());
      this.eps = (float) op.eps();
      this.mu = (float) op.momentum();
    }

    @Override
    public void run(MemorySegment[] o, long from, long to) {
      for (long i = from; i < to; i += L) {
        VectorMask<Float> m = F.indexInRange(i, to);
        FloatVector p = load(o[0], i, m);
        FloatVector g = fma(p, coupled, load(o[1], i, m).mul(scale));
        FloatVector s = fma(g.mul(g), fresh, load(o[2], i, m).mul(alpha));
        store(s, o[2], i, m);
        if (centered) {
          FloatVector a = load(o[mean], i, m);
          a = fma(g.sub(a), fresh, a);
          store(a, o[mean], i, m);
          s = a.neg().fma(a, s);
        }
        FloatVector d = g.div(s.lanewise(VectorOperators.SQRT).add(eps));
        if (mu != 0) {
          d = fma(load(o[3], i, m), mu, d);
          store(d, o[3], i, m);
        }
        store(fma(d, -lr, p), o[0], i, m);
      }
    }
  }

  private static final class AdagradUpdate implements Update {
    private final float rate;
    private final float scale;
    private final float coupled;
    private final float eps;

    AdagradUpdate(Adagrad op, long step, double lr, double scale) {
      this.rate = (float) (lr / (1 + (step - 1) * op.lrDecay()));
      this.scale = (float) scale;
      this.coupled = (float) op.weightDecay();
      this.eps = (float) op.eps();
    }

    @Override
    public void run(MemorySegment[] o, long from, long to) {
      for (long i = from; i < to; i += L) {
        VectorMask<Float> m = F.indexInRange(i, to);
        FloatVector p = load(o[0], i, m);
        FloatVector g = fma(p, coupled, load(o[1], i, m).mul(scale));
        FloatVector s = g.fma(g, load(o[2], i, m));
        store(s, o[2], i, m);
        store(p.sub(g.mul(rate).div(s.lanewise(VectorOperators.SQRT).add(eps))), o[0], i, m);
      }
    }
  }

  private static final class AdadeltaUpdate implements Update {
    private final float lr;
    private final float scale;
    private final float coupled;
    private final float rho;
    private final float fresh;
    private final float eps;

    AdadeltaUpdate(Adadelta op, double lr, double scale) {
      this.lr = (float) lr;
      this.scale = (float) scale;
      this.coupled = (float) op.weightDecay();
      this.rho = (float) op.rho();
      this.fresh = (float) (1 - op.rho());
      this.eps = (float) op.eps();
    }

    @Override
    public void run(MemorySegment[] o, long from, long to) {
      for (long i = from; i < to; i += L) {
        VectorMask<Float> m = F.indexInRange(i, to);
        FloatVector p = load(o[0], i, m);
        FloatVector g = fma(p, coupled, load(o[1], i, m).mul(scale));
        FloatVector s = fma(g.mul(g), fresh, load(o[2], i, m).mul(rho));
        FloatVector a = load(o[3], i, m);
        FloatVector d = a.add(eps).lanewise(VectorOperators.SQRT);
        d = d.div(s.add(eps).lanewise(VectorOperators.SQRT)).mul(g);
        store(s, o[2], i, m);
        store(fma(d.mul(d), fresh, a.mul(rho)), o[3], i, m);
        store(fma(d, -lr, p), o[0], i, m);
      }
    }
  }
}
