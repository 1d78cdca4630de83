package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.vector.VectorMath.F;

import dev.gridstride.cpu.Scratch;
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
 * <p>Each method has one loop over full vectors and no masks: a masked twin of the body in the same
 * loop made the JIT compile both apart, at four times the time. What is left at the end goes
 * through the same loop in a scratch vector.
 */
public final class VectorUpdates {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final int V = F.vectorByteSize();
  private static final int GRADIENT = 1;
  private static final Scratch REST = new Scratch();

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

  private static FloatVector load(MemorySegment s, int off) {
    return FloatVector.fromMemorySegment(F, s, off, LE);
  }

  private static void store(FloatVector v, MemorySegment s, int off) {
    v.intoMemorySegment(s, off, LE);
  }

  private static FloatVector broadcast(float x) {
    return FloatVector.broadcast(F, x);
  }

  /** {@code a * factor + b}. */
  private static FloatVector fma(FloatVector a, float factor, FloatVector b) {
    return a.fma(broadcast(factor), b);
  }

  /**
   * An update that does full vectors; the rest is copied into one, updated and copied back.
   *
   * <p>The loops run over slices, from 0, with an int and by {@link VectorStep}.
   */
  private abstract static class FullVectors implements Update {
    /** Updates slices of {@code bytes} bytes each, a multiple of the vector's. */
    abstract void vectors(MemorySegment[] o, int bytes);

    @Override
    public final void run(MemorySegment[] o, long from, long to) {
      int bytes = Math.toIntExact(4 * (to - from));
      int rest = bytes % V;
      int full = bytes - rest;
      if (full > 0) {
        vectors(slices(o, 4 * from, full), full);
      }
      if (rest > 0) {
        rest(slices(o, 4 * from + full, rest));
      }
    }

    private static MemorySegment[] slices(MemorySegment[] o, long off, long bytes) {
      var s = new MemorySegment[o.length];
      for (int k = 0; k < o.length; k++) {
        s[k] = o[k].asSlice(off, bytes);
      }
      return s;
    }

    private void rest(MemorySegment[] o) {
      MemorySegment scratch = REST.get((long) V * o.length).fill((byte) 0);
      var padded = new MemorySegment[o.length];
      for (int k = 0; k < o.length; k++) {
        padded[k] = scratch.asSlice((long) V * k, V).copyFrom(o[k]);
      }
      vectors(padded, V);
      for (int k = 0; k < o.length; k++) {
        if (k != GRADIENT) {
          o[k].copyFrom(padded[k].asSlice(0, o[k].byteSize()));
        }
      }
    }
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
    void vectors(MemorySegment[] o, int bytes) {
      int step = VectorStep.bytes();
      if (mu == 0) {
        for (int i = 0; i < bytes; i += step) {
          FloatVector p = load(o[0], i);
          FloatVector g = fma(p, coupled, load(o[1], i).mul(scale));
          store(fma(g, -lr, p.mul(keep)), o[0], i);
        }
        return;
      }
      for (int i = 0; i < bytes; i += step) {
        FloatVector p = load(o[0], i);
        FloatVector g = fma(p, coupled, load(o[1], i).mul(scale));
        FloatVector b = first ? g : fma(load(o[2], i), mu, g.mul(fresh));
        store(b, o[2], i);
        FloatVector d = nesterov ? fma(b, mu, g) : b;
        store(fma(d, -lr, p.mul(keep)), o[0], i);
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
    void vectors(MemorySegment[] o, int bytes) {
      int step = VectorStep.bytes();
      MemorySegment ps = o[0];
      MemorySegment gs = o[1];
      MemorySegment ms = o[2];
      MemorySegment vs = o[3];
      for (int i = 0; i < bytes; i += step) {
        FloatVector p = load(ps, i);
        FloatVector g = fma(p, coupled, load(gs, i).mul(scale));
        FloatVector m = load(ms, i);
        m = fma(g.sub(m), fresh1, m);
        FloatVector v = fma(g.mul(g), fresh2, load(vs, i).mul(beta2));
        store(m, ms, i);
        store(v, vs, i);
        if (amsgrad) {
          v = v.max(load(o[4], i));
          store(v, o[4], i);
        }
        FloatVector root = v.lanewise(VectorOperators.SQRT);
        FloatVector d = m.mul(rate).div(fma(root, unbias, broadcast(eps)));
        store(p.mul(keep).sub(d), ps, i);
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
    void vectors(MemorySegment[] o, int bytes) {
      int step = VectorStep.bytes();
      for (int i = 0; i < bytes; i += step) {
        FloatVector p = load(o[0], i);
        FloatVector g = fma(p, coupled, load(o[1], i).mul(scale));
        FloatVector s = fma(g.mul(g), fresh, load(o[2], i).mul(alpha));
        store(s, o[2], i);
        if (centered) {
          FloatVector a = load(o[mean], i);
          a = fma(g.sub(a), fresh, a);
          store(a, o[mean], i);
          s = a.neg().fma(a, s);
        }
        FloatVector d = g.div(s.lanewise(VectorOperators.SQRT).add(eps));
        if (mu != 0) {
          d = fma(load(o[3], i), mu, d);
          store(d, o[3], i);
        }
        store(fma(d, -lr, p), o[0], i);
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
    void vectors(MemorySegment[] o, int bytes) {
      int step = VectorStep.bytes();
      for (int i = 0; i < bytes; i += step) {
        FloatVector p = load(o[0], i);
        FloatVector g = fma(p, coupled, load(o[1], i).mul(scale));
        FloatVector s = g.fma(g, load(o[2], i));
        store(s, o[2], i);
        store(p.sub(g.mul(rate).div(s.lanewise(VectorOperators.SQRT).add(eps))), o[0], i);
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
    void vectors(MemorySegment[] o, int bytes) {
      int step = VectorStep.bytes();
      for (int i = 0; i < bytes; i += step) {
        FloatVector p = load(o[0], i);
        FloatVector g = fma(p, coupled, load(o[1], i).mul(scale));
        FloatVector s = fma(g.mul(g), fresh, load(o[2], i).mul(rho));
        FloatVector a = load(o[3], i);
        FloatVector d = a.add(eps).lanewise(VectorOperators.SQRT);
        d = d.div(s.add(eps).lanewise(VectorOperators.SQRT)).mul(g);
        store(s, o[2], i);
        store(fma(d.mul(d), fresh, a.mul(rho)), o[3], i);
        store(fma(d, -lr, p), o[0], i);
      }
    }
  }
}
