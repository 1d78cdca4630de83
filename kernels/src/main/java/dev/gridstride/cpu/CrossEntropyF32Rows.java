package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.gridstride.cpu.scalar.ScalarRowLoops;
import dev.gridstride.cpu.vector.VectorRowLoops;
import dev.gridstride.device.DType;
import dev.gridstride.kernels.CrossEntropy;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Positions of f32, bf16 or f16 logits, computed in f32 runs of {@link RowLoops#RUN}.
 *
 * <p>The row is read once from memory: each run is exponentiated relative to its own maximum while
 * it is in the first-level cache, with the exponentials kept where the gradient goes, and the
 * running sum is rescaled when a later run has a larger maximum (Milakov and Gimelshein, Online
 * normalizer calculation for softmax, 2018). Contiguous f32 rows are used in place, others are
 * gathered into a scratch row.
 */
final class CrossEntropyF32Rows implements CrossEntropyRows {
  private static final RowLoops LOOPS = Simd.ENABLED ? new VectorRowLoops() : new ScalarRowLoops();
  private static final Scratch ROW = new Scratch();
  private static final Scratch MAXIMA = new Scratch();
  private static final Scratch COEFFICIENTS = new Scratch();

  private final CrossEntropy op;
  private final CrossEntropyTargets targets;
  private final CrossEntropyOperands o;
  private final Elements type;
  private final boolean direct;
  private final boolean classes;
  private final float keep;
  private final float spread;
  private final float unit;
  private boolean plainProbabilities;

  CrossEntropyF32Rows(CrossEntropy op, CrossEntropyTargets targets, CrossEntropyOperands o) {
    this.op = op;
    this.targets = targets;
    this.o = o;
    this.type = Elements.of(op.type());
    this.direct = isDirect(op);
    this.classes = op.hasClassTargets();
    this.keep = (float) (1 - op.labelSmoothing());
    this.spread = (float) (op.labelSmoothing() / op.classes());
    this.unit = classes ? spread : 1;
  }

  @Override
  public void open() {
    plainProbabilities = direct && spread == 0 && o.weight() == null;
  }

  /** Whether rows are used where they lie. */
  static boolean isDirect(CrossEntropy op) {
    return op.type() == DType.F32 && op.inner() == 1;
  }

  private long element(long position, long c) {
    return (position / op.inner() * op.classes() + c) * op.inner() + position % op.inner();
  }

  private static int run(long size, long c) {
    return (int) Math.min(RowLoops.RUN, size - c);
  }

  @Override
  public double forward(long position, double g) {
    MemorySegment lse = o.lse();
    if (targets.ignored(position)) {
      if (lse != null) {
        row(position, null, 0, lse);
      }
      if (o.dlogits() != null) {
        clear(position, o.dlogits());
      }
      return 0;
    }
    return row(position, o.dlogits(), g, lse);
  }

  /** One position: loss, gradient when dlogits is given, lse when given. */
  private double row(
      long position, @Nullable MemorySegment dlogits, double g, @Nullable MemorySegment lse) {
    MemorySegment x = direct ? o.logits() : gathered(position);
    long at = direct ? position * op.classes() : 0;
    MemorySegment y = dlogits == null || direct ? dlogits : x;
    MemorySegment maxima = MAXIMA.get(4 * (op.classes() / RowLoops.RUN + 1));
    boolean hot = classes && !targets.ignored(position);
    long t = hot ? targets.target(position) : 0;
    float xt = get(x, at + t); // before the gradient takes its place
    float max = Float.NEGATIVE_INFINITY;
    double ref = 0;
    double sum = 0;
    double q = 0;
    double dot = 0;
    for (long c = 0, k = 0; c < op.classes(); c += RowLoops.RUN, k++) {
      int n = run(op.classes(), c);
      float m = LOOPS.max(x, at + c, n);
      float shift = m == Float.NEGATIVE_INFINITY ? 0 : m;
      maxima.setAtIndex(JAVA_FLOAT_UNALIGNED, k, m);
      MemorySegment qs = coefficients(position, c, n);
      long qAt = coefficientsAt(position, c);
      double runQ = qs == null ? spread * n : unit * (double) LOOPS.sum(qs, qAt, n);
      double runDot = 0;
      if (qs != null) {
        runDot = unit * (double) LOOPS.dotShifted(qs, qAt, x, at + c, n, shift);
      } else if (spread != 0) {
        runDot = spread * (double) LOOPS.sumShifted(x, at + c, n, shift);
      }
      float e =
          y == null
              ? LOOPS.sumExp(x, at + c, n, shift)
              : LOOPS.storeExp(x, at + c, y, at + c, n, shift);
      if (m > max) {
        sum = (sum == 0 ? 0 : sum * Math.exp(ref - m)) + e;
        dot += q * (ref - m);
        max = m;
        ref = m;
      } else {
        sum += m == Float.NEGATIVE_INFINITY ? e : e * Math.exp(m - ref);
      }
      dot += runDot + runQ * (shift - ref);
      q += runQ;
    }
    double logSum = Math.log(sum);
    if (lse != null) {
      set(lse, position, (float) (max + logSum));
    }
    double hotWeight = hot ? keep * targets.weight(t) : 0;
    double loss = hot ? hotWeight * (logSum + ((double) max - xt)) : 0;
    if (!classes || spread != 0) {
      loss += q * (logSum + (max - ref)) - dot;
    }
    if (y != null) {
      double factor = g * (q + hotWeight) / sum;
      for (long c = 0, k = 0; c < op.classes(); c += RowLoops.RUN, k++) {
        float m = maxima.getAtIndex(JAVA_FLOAT_UNALIGNED, k);
        double f = m == Float.NEGATIVE_INFINITY ? factor : factor * Math.exp(m - ref);
        finish(position, c, y, at + c, run(op.classes(), c), (float) f, g);
      }
      if (hot) {
        set(y, at + t, (float) (get(y, at + t) - g * hotWeight));
      }
      if (!direct) {
        scatter(position, x);
      }
    }
    return loss;
  }

  @Override
  public void backward(long position, double lse, double g) {
    MemorySegment dlogits = Objects.requireNonNull(o.dlogits());
    if (targets.ignored(position)) {
      clear(position, dlogits);
      return;
    }
    MemorySegment x = direct ? o.logits() : gathered(position);
    MemorySegment y = direct ? dlogits : x;
    long at = direct ? position * op.classes() : 0;
    double sum = 0;
    double q = 0;
    for (long c = 0; c < op.classes(); c += RowLoops.RUN) {
      int n = run(op.classes(), c);
      // lse is rounded: at 1e4 the sum is 1 only within 5e-4, hence the division by it
      sum += LOOPS.storeExp(x, at + c, y, at + c, n, (float) lse);
      MemorySegment qs = coefficients(position, c, n);
      q += qs == null ? spread * n : unit * (double) LOOPS.sum(qs, coefficientsAt(position, c), n);
    }
    long t = classes ? targets.target(position) : 0;
    double hotWeight = classes ? keep * targets.weight(t) : 0;
    float factor = (float) (g * (q + hotWeight) / sum);
    for (long c = 0; c < op.classes(); c += RowLoops.RUN) {
      finish(position, c, y, at + c, run(op.classes(), c), factor, g);
    }
    if (classes) {
      set(y, at + t, (float) (get(y, at + t) - g * hotWeight));
    }
    if (!direct) {
      scatter(position, x);
    }
  }

  private void finish(
      long position, long c, MemorySegment y, long at, int n, float factor, double g) {
    MemorySegment qs = coefficients(position, c, n);
    if (qs == null) {
      LOOPS.scale(y, at, n, factor, (float) (g * spread));
    } else {
      LOOPS.scaleMinus(y, at, qs, coefficientsAt(position, c), n, factor, (float) (g * unit));
    }
  }

  // ---- coefficients q, without the target class's own share, which is added apart --------------

  /** Where q / unit of a run lies; null when every q is {@link #spread}. */
  private @Nullable MemorySegment coefficients(long position, long c, int n) {
    if (classes) {
      return spread == 0 ? null : o.weight();
    }
    if (plainProbabilities) {
      return o.targets();
    }
    MemorySegment q = COEFFICIENTS.get(4 * RowLoops.RUN);
    for (int i = 0; i < n; i++) {
      set(q, i, (float) type.get(o.targets(), element(position, c + i)));
    }
    MemorySegment w = o.weight();
    if (w == null) {
      LOOPS.scale(q, 0, n, keep, -spread);
    } else {
      LOOPS.mix(q, 0, n, keep, spread, w, c);
    }
    return q;
  }

  private long coefficientsAt(long position, long c) {
    return classes ? c : plainProbabilities ? position * op.classes() + c : 0;
  }

  // ---- rows that are not contiguous f32 ---------------------------------------------------------

  private MemorySegment gathered(long position) {
    MemorySegment row = ROW.get(4 * op.classes());
    for (long c = 0; c < op.classes(); c++) {
      set(row, c, (float) type.get(o.logits(), element(position, c)));
    }
    return row;
  }

  private void scatter(long position, MemorySegment row) {
    MemorySegment dlogits = Objects.requireNonNull(o.dlogits());
    for (long c = 0; c < op.classes(); c++) {
      type.set(dlogits, element(position, c), get(row, c));
    }
  }

  private void clear(long position, MemorySegment dlogits) {
    if (direct) {
      dlogits.asSlice(position * op.classes() * 4, op.classes() * 4).fill((byte) 0);
      return;
    }
    for (long c = 0; c < op.classes(); c++) {
      type.set(dlogits, element(position, c), 0);
    }
  }

  private static float get(MemorySegment s, long i) {
    return s.get(JAVA_FLOAT_UNALIGNED, 4 * i);
  }

  private static void set(MemorySegment s, long i, float v) {
    s.set(JAVA_FLOAT_UNALIGNED, 4 * i, v);
  }
}
