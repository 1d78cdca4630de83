package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
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
import jdk.incubator.vector.VectorOperators;

/**
 * Gradient descent on f32 vectors.
 *
 * <p>The steps that are used most, SGD's with momentum and Adam's, have a loop for long stretches
 * beside the one for short ones: the constant step is worth a tenth from memory and half in a
 * cache.
 *
 * <p>Each method has one loop over full vectors and no masks: a masked twin of the body in the same
 * loop made the JIT compile both apart, at four times the time. What is left at the end goes
 * through the same loop in a scratch vector. No method of this class takes or returns a vector: one
 * that Adam had made hot and long was not inlined into the loop of SGD, which then ran a hundred
 * times slower.
 */
public final class VectorUpdates {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final int V = F.vectorByteSize();

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

  private static final class SgdUpdate extends FullVectors {
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
    void vectors(MemorySegment[] o, long at, int bytes) {
      if (mu == 0) {
        plain(o[0], o[1], at, bytes);
      } else if (first) {
        first(o[0], o[1], o[2], at, bytes);
      } else if (bytes < FullVectors.MANY_BYTES) {
        momentum(o[0], o[1], o[2], at, bytes);
      } else {
        momentumOfMany(o[0], o[1], o[2], at, bytes);
      }
    }

    private void plain(MemorySegment ps, MemorySegment gs, long at, int bytes) {
      ps = exact(ps);
      gs = exact(gs);
      int step = VectorStep.bytes();
      for (int i = 0; i < bytes; i += step) {
        FloatVector p = FloatVector.fromMemorySegment(F, ps, at + i, LE);
        FloatVector g =
            p.fma(
                FloatVector.broadcast(F, coupled),
                FloatVector.fromMemorySegment(F, gs, at + i, LE).mul(scale));
        g.fma(FloatVector.broadcast(F, -lr), p.mul(keep)).intoMemorySegment(ps, at + i, LE);
      }
    }

    private void first(MemorySegment ps, MemorySegment gs, MemorySegment bs, long at, int bytes) {
      ps = exact(ps);
      gs = exact(gs);
      bs = exact(bs);
      int step = VectorStep.bytes();
      for (int i = 0; i < bytes; i += step) {
        FloatVector p = FloatVector.fromMemorySegment(F, ps, at + i, LE);
        FloatVector g =
            p.fma(
                FloatVector.broadcast(F, coupled),
                FloatVector.fromMemorySegment(F, gs, at + i, LE).mul(scale));
        g.intoMemorySegment(bs, at + i, LE);
        FloatVector d = nesterov ? g.fma(FloatVector.broadcast(F, mu), g) : g;
        d.fma(FloatVector.broadcast(F, -lr), p.mul(keep)).intoMemorySegment(ps, at + i, LE);
      }
    }

    private void momentum(
        MemorySegment ps, MemorySegment gs, MemorySegment bs, long at, int bytes) {
      ps = exact(ps);
      gs = exact(gs);
      bs = exact(bs);
      int step = VectorStep.bytes();
      for (int i = 0; i < bytes; i += step) {
        FloatVector p = FloatVector.fromMemorySegment(F, ps, at + i, LE);
        FloatVector g =
            p.fma(
                FloatVector.broadcast(F, coupled),
                FloatVector.fromMemorySegment(F, gs, at + i, LE).mul(scale));
        FloatVector b =
            FloatVector.fromMemorySegment(F, bs, at + i, LE)
                .fma(FloatVector.broadcast(F, mu), g.mul(fresh));
        b.intoMemorySegment(bs, at + i, LE);
        FloatVector d = nesterov ? b.fma(FloatVector.broadcast(F, mu), g) : b;
        d.fma(FloatVector.broadcast(F, -lr), p.mul(keep)).intoMemorySegment(ps, at + i, LE);
      }
    }

    /** The same with a constant step. */
    private void momentumOfMany(
        MemorySegment ps, MemorySegment gs, MemorySegment bs, long at, int bytes) {
      ps = exact(ps);
      gs = exact(gs);
      bs = exact(bs);
      for (int i = 0; i < bytes; i += V) {
        FloatVector p = FloatVector.fromMemorySegment(F, ps, at + i, LE);
        FloatVector g =
            p.fma(
                FloatVector.broadcast(F, coupled),
                FloatVector.fromMemorySegment(F, gs, at + i, LE).mul(scale));
        FloatVector b =
            FloatVector.fromMemorySegment(F, bs, at + i, LE)
                .fma(FloatVector.broadcast(F, mu), g.mul(fresh));
        b.intoMemorySegment(bs, at + i, LE);
        FloatVector d = nesterov ? b.fma(FloatVector.broadcast(F, mu), g) : b;
        d.fma(FloatVector.broadcast(F, -lr), p.mul(keep)).intoMemorySegment(ps, at + i, LE);
      }
    }
  }

  private static final class AdamUpdate extends FullVectors {
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
    void vectors(MemorySegment[] o, long at, int bytes) {
      if (bytes < FullVectors.MANY_BYTES) {
        few(o, at, bytes);
      } else {
        many(o, at, bytes);
      }
    }

    private void few(MemorySegment[] o, long at, int bytes) {
      int step = VectorStep.bytes();
      MemorySegment ps = exact(o[0]);
      MemorySegment gs = exact(o[1]);
      MemorySegment ms = exact(o[2]);
      MemorySegment vs = exact(o[3]);
      MemorySegment us = amsgrad ? exact(o[4]) : vs;
      for (int i = 0; i < bytes; i += step) {
        FloatVector p = FloatVector.fromMemorySegment(F, ps, at + i, LE);
        FloatVector g =
            p.fma(
                FloatVector.broadcast(F, coupled),
                FloatVector.fromMemorySegment(F, gs, at + i, LE).mul(scale));
        FloatVector m = FloatVector.fromMemorySegment(F, ms, at + i, LE);
        m = g.sub(m).fma(FloatVector.broadcast(F, fresh1), m);
        FloatVector v =
            g.mul(g)
                .fma(
                    FloatVector.broadcast(F, fresh2),
                    FloatVector.fromMemorySegment(F, vs, at + i, LE).mul(beta2));
        m.intoMemorySegment(ms, at + i, LE);
        v.intoMemorySegment(vs, at + i, LE);
        if (amsgrad) {
          v = v.max(FloatVector.fromMemorySegment(F, us, at + i, LE));
          v.intoMemorySegment(us, at + i, LE);
        }
        FloatVector root = v.lanewise(VectorOperators.SQRT);
        FloatVector d =
            m.mul(rate)
                .div(root.fma(FloatVector.broadcast(F, unbias), FloatVector.broadcast(F, eps)));
        p.mul(keep).sub(d).intoMemorySegment(ps, at + i, LE);
      }
    }

    /** The same with a constant step. */
    private void many(MemorySegment[] o, long at, int bytes) {
      MemorySegment ps = exact(o[0]);
      MemorySegment gs = exact(o[1]);
      MemorySegment ms = exact(o[2]);
      MemorySegment vs = exact(o[3]);
      MemorySegment us = amsgrad ? exact(o[4]) : vs;
      for (int i = 0; i < bytes; i += V) {
        FloatVector p = FloatVector.fromMemorySegment(F, ps, at + i, LE);
        FloatVector g =
            p.fma(
                FloatVector.broadcast(F, coupled),
                FloatVector.fromMemorySegment(F, gs, at + i, LE).mul(scale));
        FloatVector m = FloatVector.fromMemorySegment(F, ms, at + i, LE);
        m = g.sub(m).fma(FloatVector.broadcast(F, fresh1), m);
        FloatVector v =
            g.mul(g)
                .fma(
                    FloatVector.broadcast(F, fresh2),
                    FloatVector.fromMemorySegment(F, vs, at + i, LE).mul(beta2));
        m.intoMemorySegment(ms, at + i, LE);
        v.intoMemorySegment(vs, at + i, LE);
        if (amsgrad) {
          v = v.max(FloatVector.fromMemorySegment(F, us, at + i, LE));
          v.intoMemorySegment(us, at + i, LE);
        }
        FloatVector root = v.lanewise(VectorOperators.SQRT);
        FloatVector d =
            m.mul(rate)
                .div(root.fma(FloatVector.broadcast(F, unbias), FloatVector.broadcast(F, eps)));
        p.mul(keep).sub(d).intoMemorySegment(ps, at + i, LE);
      }
    }
  }

  private static final class RmsPropUpdate extends FullVectors {
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
    void vectors(MemorySegment[] o, long at, int bytes) {
      int step = VectorStep.bytes();
      MemorySegment ps = exact(o[0]);
      MemorySegment gs = exact(o[1]);
      MemorySegment ss = exact(o[2]);
      MemorySegment bs = mu != 0 ? exact(o[3]) : ss;
      MemorySegment as = centered ? exact(o[mean]) : ss;
      for (int i = 0; i < bytes; i += step) {
        FloatVector p = FloatVector.fromMemorySegment(F, ps, at + i, LE);
        FloatVector g =
            p.fma(
                FloatVector.broadcast(F, coupled),
                FloatVector.fromMemorySegment(F, gs, at + i, LE).mul(scale));
        FloatVector s =
            g.mul(g)
                .fma(
                    FloatVector.broadcast(F, fresh),
                    FloatVector.fromMemorySegment(F, ss, at + i, LE).mul(alpha));
        s.intoMemorySegment(ss, at + i, LE);
        if (centered) {
          FloatVector a = FloatVector.fromMemorySegment(F, as, at + i, LE);
          a = g.sub(a).fma(FloatVector.broadcast(F, fresh), a);
          a.intoMemorySegment(as, at + i, LE);
          s = a.neg().fma(a, s);
        }
        FloatVector d = g.div(s.lanewise(VectorOperators.SQRT).add(eps));
        if (mu != 0) {
          d = FloatVector.fromMemorySegment(F, bs, at + i, LE).fma(FloatVector.broadcast(F, mu), d);
          d.intoMemorySegment(bs, at + i, LE);
        }
        d.fma(FloatVector.broadcast(F, -lr), p).intoMemorySegment(ps, at + i, LE);
      }
    }
  }

  private static final class AdagradUpdate extends FullVectors {
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
    void vectors(MemorySegment[] o, long at, int bytes) {
      int step = VectorStep.bytes();
      MemorySegment ps = exact(o[0]);
      MemorySegment gs = exact(o[1]);
      MemorySegment ss = exact(o[2]);
      for (int i = 0; i < bytes; i += step) {
        FloatVector p = FloatVector.fromMemorySegment(F, ps, at + i, LE);
        FloatVector g =
            p.fma(
                FloatVector.broadcast(F, coupled),
                FloatVector.fromMemorySegment(F, gs, at + i, LE).mul(scale));
        FloatVector s = g.fma(g, FloatVector.fromMemorySegment(F, ss, at + i, LE));
        s.intoMemorySegment(ss, at + i, LE);
        p.sub(g.mul(rate).div(s.lanewise(VectorOperators.SQRT).add(eps)))
            .intoMemorySegment(ps, at + i, LE);
      }
    }
  }

  private static final class AdadeltaUpdate extends FullVectors {
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
    void vectors(MemorySegment[] o, long at, int bytes) {
      int step = VectorStep.bytes();
      MemorySegment ps = exact(o[0]);
      MemorySegment gs = exact(o[1]);
      MemorySegment ss = exact(o[2]);
      MemorySegment as = exact(o[3]);
      for (int i = 0; i < bytes; i += step) {
        FloatVector p = FloatVector.fromMemorySegment(F, ps, at + i, LE);
        FloatVector g =
            p.fma(
                FloatVector.broadcast(F, coupled),
                FloatVector.fromMemorySegment(F, gs, at + i, LE).mul(scale));
        FloatVector s =
            g.mul(g)
                .fma(
                    FloatVector.broadcast(F, fresh),
                    FloatVector.fromMemorySegment(F, ss, at + i, LE).mul(rho));
        FloatVector a = FloatVector.fromMemorySegment(F, as, at + i, LE);
        FloatVector d = a.add(eps).lanewise(VectorOperators.SQRT);
        d = d.div(s.add(eps).lanewise(VectorOperators.SQRT)).mul(g);
        s.intoMemorySegment(ss, at + i, LE);
        d.mul(d).fma(FloatVector.broadcast(F, fresh), a.mul(rho)).intoMemorySegment(as, at + i, LE);
        d.fma(FloatVector.broadcast(F, -lr), p).intoMemorySegment(ps, at + i, LE);
      }
    }
  }
}
