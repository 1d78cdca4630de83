package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static dev.gridstride.cpu.Segments.exactOrNull;
import static dev.gridstride.cpu.vector.VectorMath.F;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/** Normalization of many f32 rows in one call: a row of 64 is four vectors, less than a call. */
final class VectorNormRows {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final int LANES = F.length();
  private static final int V = F.vectorByteSize();

  private VectorNormRows() {}

  /** See {@link dev.gridstride.cpu.NormLoops#rowForward}; for rows of whole vectors. */
  static int forward(
      MemorySegment x,
      MemorySegment gamma,
      @Nullable MemorySegment beta,
      MemorySegment y,
      int first,
      int rows,
      int cols,
      boolean centered,
      double eps,
      double[] pivots,
      double[] rstds) {
    x = exact(x);
    gamma = exact(gamma);
    beta = exactOrNull(beta);
    y = exact(y);
    int bytes = 4 * cols;
    if (cols == 0 || bytes % V != 0) {
      return 0;
    }
    double inverse = 1.0 / cols;
    int step = VectorStep.bytes();
    for (int r = first; r < first + rows; r++) {
      long at = (long) bytes * r;
      float near = 0;
      if (centered) {
        FloatVector s = FloatVector.zero(F);
        for (int i = 0; i < bytes; i += V) {
          s = s.add(FloatVector.fromMemorySegment(F, x, at + i, LE));
        }
        if (LANES >= 16) {
          s = s.add(s.rearrange(LaneSums.SWAP_8));
        }
        if (LANES >= 8) {
          s = s.add(s.rearrange(LaneSums.SWAP_4));
        }
        s = s.add(s.rearrange(LaneSums.SWAP_2));
        s = s.add(s.rearrange(LaneSums.SWAP_1));
        near = s.lane(0) / cols;
      }
      FloatVector s = FloatVector.zero(F);
      FloatVector t = s;
      for (int i = 0; i < bytes; i += V) {
        FloatVector u = FloatVector.fromMemorySegment(F, x, at + i, LE).sub(near);
        s = s.add(u);
        t = u.fma(u, t);
      }
      if (LANES >= 16) {
        s = s.add(s.rearrange(LaneSums.SWAP_8));
      }
      if (LANES >= 8) {
        s = s.add(s.rearrange(LaneSums.SWAP_4));
      }
      s = s.add(s.rearrange(LaneSums.SWAP_2));
      s = s.add(s.rearrange(LaneSums.SWAP_1));
      if (LANES >= 16) {
        t = t.add(t.rearrange(LaneSums.SWAP_8));
      }
      if (LANES >= 8) {
        t = t.add(t.rearrange(LaneSums.SWAP_4));
      }
      t = t.add(t.rearrange(LaneSums.SWAP_2));
      t = t.add(t.rearrange(LaneSums.SWAP_1));
      double sum = s.lane(0);
      double squares = t.lane(0);
      double mean = centered ? near + sum * inverse : 0;
      squares = centered ? Math.max(0, squares - sum * sum * inverse) : squares;
      if (!Double.isFinite(squares)) {
        return r - first;
      }

      double rstd = 1 / Math.sqrt(squares * inverse + eps);
      float pivot = (float) mean;
      pivots[r] = pivot;
      rstds[r] = rstd;
      FloatVector a = FloatVector.broadcast(F, (float) rstd);
      FloatVector b = FloatVector.broadcast(F, (float) ((pivot - mean) * rstd));
      if (beta == null) {
        for (int i = 0; i < bytes; i += step) {
          FloatVector v = FloatVector.fromMemorySegment(F, x, at + i, LE).sub(pivot).fma(a, b);
          v.mul(FloatVector.fromMemorySegment(F, gamma, i, LE)).intoMemorySegment(y, at + i, LE);
        }
      } else {
        for (int i = 0; i < bytes; i += step) {
          FloatVector v = FloatVector.fromMemorySegment(F, x, at + i, LE).sub(pivot).fma(a, b);
          FloatVector g = FloatVector.fromMemorySegment(F, gamma, i, LE);
          v.fma(g, FloatVector.fromMemorySegment(F, beta, i, LE)).intoMemorySegment(y, at + i, LE);
        }
      }
    }
    return rows;
  }

  /** See {@link dev.gridstride.cpu.NormLoops#rowGradients}; for rows of whole vectors. */
  static boolean gradients(
      MemorySegment x,
      MemorySegment gamma,
      MemorySegment dy,
      MemorySegment dx,
      int first,
      int rows,
      int cols,
      boolean centered,
      double[] pivots,
      double[] rstds,
      MemorySegment table) {
    x = exact(x);
    gamma = exact(gamma);
    dy = exact(dy);
    dx = exact(dx);
    table = exact(table);
    int bytes = 4 * cols;
    if (cols == 0 || bytes % V != 0) {
      return false;
    }
    int step = VectorStep.bytes();
    for (int r = first; r < first + rows; r++) {
      long at = (long) bytes * r;
      FloatVector p = FloatVector.broadcast(F, (float) pivots[r]);
      FloatVector s = FloatVector.zero(F);
      FloatVector t = s;
      FloatVector u = s;
      for (int i = 0; i < bytes; i += V) {
        FloatVector d = FloatVector.fromMemorySegment(F, dy, at + i, LE);
        d = d.mul(FloatVector.fromMemorySegment(F, gamma, i, LE));
        FloatVector v = FloatVector.fromMemorySegment(F, x, at + i, LE).sub(p);
        s = s.add(d);
        t = d.fma(v, t);
        u = u.add(v);
      }
      if (LANES >= 16) {
        s = s.add(s.rearrange(LaneSums.SWAP_8));
      }
      if (LANES >= 8) {
        s = s.add(s.rearrange(LaneSums.SWAP_4));
      }
      s = s.add(s.rearrange(LaneSums.SWAP_2));
      s = s.add(s.rearrange(LaneSums.SWAP_1));
      if (LANES >= 16) {
        t = t.add(t.rearrange(LaneSums.SWAP_8));
      }
      if (LANES >= 8) {
        t = t.add(t.rearrange(LaneSums.SWAP_4));
      }
      t = t.add(t.rearrange(LaneSums.SWAP_2));
      t = t.add(t.rearrange(LaneSums.SWAP_1));
      if (LANES >= 16) {
        u = u.add(u.rearrange(LaneSums.SWAP_8));
      }
      if (LANES >= 8) {
        u = u.add(u.rearrange(LaneSums.SWAP_4));
      }
      u = u.add(u.rearrange(LaneSums.SWAP_2));
      u = u.add(u.rearrange(LaneSums.SWAP_1));
      double sum = s.lane(0);
      double dot = t.lane(0);
      double low = centered ? (double) u.lane(0) / cols : 0;

      double rstd = rstds[r];
      double slope = -rstd * rstd * rstd * (dot - low * sum) / cols;
      double offset = centered ? -rstd * sum / cols - slope * low : 0;
      FloatVector a = FloatVector.broadcast(F, (float) rstd);
      FloatVector b = FloatVector.broadcast(F, (float) slope);
      FloatVector c = FloatVector.broadcast(F, (float) offset);
      FloatVector o = FloatVector.broadcast(F, (float) (-low * rstd));
      for (int i = 0; i < bytes; i += step) {
        FloatVector d = FloatVector.fromMemorySegment(F, dy, at + i, LE);
        FloatVector v = FloatVector.fromMemorySegment(F, x, at + i, LE).sub(p);
        d.fma(v.fma(a, o), FloatVector.fromMemorySegment(F, table, i, LE))
            .intoMemorySegment(table, i, LE);
        d.add(FloatVector.fromMemorySegment(F, table, bytes + i, LE))
            .intoMemorySegment(table, bytes + i, LE);
        d.mul(FloatVector.fromMemorySegment(F, gamma, i, LE))
            .fma(a, v.fma(b, c))
            .intoMemorySegment(dx, at + i, LE);
      }
    }
    return true;
  }
}
