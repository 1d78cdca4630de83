package dev.gridstride.cpu;

import dev.gridstride.cpu.scalar.ScalarRowLoops;
import dev.gridstride.cpu.vector.VectorRowLoops;
import dev.gridstride.device.DType;
import java.lang.foreign.MemorySegment;

/**
 * What attention does with runs of scores in scratch memory, in the type it computes in.
 *
 * <p>A run is given by its first element and its length, at most {@link RowLoops#RUN}.
 */
interface AttentionRows {
  /** The largest element, NaNs left out; -Inf when there is none. */
  double max(MemorySegment x, long at, int n);

  /** {@code x = exp(x - shift)}, no x above shift; the sum. */
  double exp(MemorySegment x, long at, int n, double shift);

  /** {@code x = x * factor}. */
  void scale(MemorySegment x, long at, int n, double factor);

  /** {@code dx = y * (dx - sum)}. */
  void gradient(MemorySegment y, MemorySegment dx, long at, int n, double sum);

  /** For f64 operands, else for the others. */
  static AttentionRows of(DType type) {
    return type == DType.F64 ? new Doubles() : Floats.INSTANCE;
  }

  /** f32, by the loops of softmax and cross-entropy. */
  final class Floats implements AttentionRows {
    static final Floats INSTANCE = new Floats();
    private static final RowLoops LOOPS =
        Simd.ENABLED ? new VectorRowLoops() : new ScalarRowLoops();

    private Floats() {}

    @Override
    public double max(MemorySegment x, long at, int n) {
      return LOOPS.max(x, at, n);
    }

    @Override
    public double exp(MemorySegment x, long at, int n, double shift) {
      return LOOPS.storeExp(x, at, x, at, n, (float) shift);
    }

    @Override
    public void scale(MemorySegment x, long at, int n, double factor) {
      LOOPS.scale(x, at, n, (float) factor, 0);
    }

    @Override
    public void gradient(MemorySegment y, MemorySegment dx, long at, int n, double sum) {
      LOOPS.softmaxGradient(y, dx, dx, at, n, (float) sum);
    }
  }

  /** f64. */
  final class Doubles implements AttentionRows {
    private static final Elements F64 = Elements.of(DType.F64);

    private Doubles() {}

    @Override
    public double max(MemorySegment x, long at, int n) {
      double max = Double.NEGATIVE_INFINITY;
      for (long i = at; i < at + n; i++) {
        double v = F64.get(x, i);
        max = v > max ? v : max;
      }
      return max;
    }

    @Override
    public double exp(MemorySegment x, long at, int n, double shift) {
      double sum = 0;
      for (long i = at; i < at + n; i++) {
        double e = Math.exp(F64.get(x, i) - shift);
        F64.set(x, i, e);
        sum += e;
      }
      return sum;
    }

    @Override
    public void scale(MemorySegment x, long at, int n, double factor) {
      for (long i = at; i < at + n; i++) {
        F64.set(x, i, F64.get(x, i) * factor);
      }
    }

    @Override
    public void gradient(MemorySegment y, MemorySegment dx, long at, int n, double sum) {
      for (long i = at; i < at + n; i++) {
        F64.set(dx, i, F64.get(y, i) * (F64.get(dx, i) - sum));
      }
    }
  }
}
