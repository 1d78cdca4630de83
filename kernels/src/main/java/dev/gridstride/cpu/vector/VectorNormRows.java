package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static dev.gridstride.cpu.Segments.exactOrNull;
import static dev.gridstride.cpu.vector.Carried.FLOATS;
import static dev.gridstride.cpu.vector.Carried.mixed;
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

  /**
   * Elements of the longest rows that gain in pairs: of longer ones, from memory, too much is read
   * before anything is written.
   */
  private static final int LONGEST_OF_PAIRS = 128;

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
          if (s.getClass() != FLOATS) {
            throw mixed();
          }
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
        if (s.getClass() != FLOATS || t.getClass() != FLOATS) {
          throw mixed();
        }
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
    if (cols == 0 || 4 * cols % V != 0) {
      return false;
    }
    int pairs = cols <= LONGEST_OF_PAIRS ? rows / 2 : 0;
    if (pairs > 0) {
      pairs(x, gamma, dy, dx, first, pairs, cols, centered, pivots, rstds, table);
    }
    if (2 * pairs < rows) {
      int next = first + 2 * pairs;
      single(x, gamma, dy, dx, next, rows - 2 * pairs, cols, centered, pivots, rstds, table);
    }
    return true;
  }

  /**
   * Two rows at a time: from a row's sums to its results everything waits for one instruction after
   * the other, and a processor looks little further than one row ahead.
   */
  private static void pairs(
      MemorySegment x,
      MemorySegment gamma,
      MemorySegment dy,
      MemorySegment dx,
      int first,
      int pairs,
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
    double inverse = 1.0 / cols;
    int step = VectorStep.bytes();
    for (int r = first; r < first + 2 * pairs; r += 2) {
      long at0 = (long) bytes * r;
      long at1 = at0 + bytes;
      FloatVector p0 = FloatVector.broadcast(F, (float) pivots[r]);
      FloatVector p1 = FloatVector.broadcast(F, (float) pivots[r + 1]);
      FloatVector s0 = FloatVector.zero(F);
      FloatVector t0 = s0;
      FloatVector u0 = s0;
      FloatVector s1 = s0;
      FloatVector t1 = s0;
      FloatVector u1 = s0;
      for (int i = 0; i < bytes; i += step) {
        if (s0.getClass() != FLOATS || t0.getClass() != FLOATS || u0.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector d = FloatVector.fromMemorySegment(F, dy, at0 + i, LE);
        d = d.mul(FloatVector.fromMemorySegment(F, gamma, i, LE));
        FloatVector v = FloatVector.fromMemorySegment(F, x, at0 + i, LE).sub(p0);
        s0 = s0.add(d);
        t0 = d.fma(v, t0);
        u0 = u0.add(v);
      }
      for (int i = 0; i < bytes; i += step) {
        if (s1.getClass() != FLOATS || t1.getClass() != FLOATS || u1.getClass() != FLOATS) {
          throw mixed();
        }
        FloatVector d = FloatVector.fromMemorySegment(F, dy, at1 + i, LE);
        d = d.mul(FloatVector.fromMemorySegment(F, gamma, i, LE));
        FloatVector v = FloatVector.fromMemorySegment(F, x, at1 + i, LE).sub(p1);
        s1 = s1.add(d);
        t1 = d.fma(v, t1);
        u1 = u1.add(v);
      }
      if (LANES >= 16) {
        s0 = s0.add(s0.rearrange(LaneSums.SWAP_8));
        t0 = t0.add(t0.rearrange(LaneSums.SWAP_8));
        u0 = u0.add(u0.rearrange(LaneSums.SWAP_8));
        s1 = s1.add(s1.rearrange(LaneSums.SWAP_8));
        t1 = t1.add(t1.rearrange(LaneSums.SWAP_8));
        u1 = u1.add(u1.rearrange(LaneSums.SWAP_8));
      }
      if (LANES >= 8) {
        s0 = s0.add(s0.rearrange(LaneSums.SWAP_4));
        t0 = t0.add(t0.rearrange(LaneSums.SWAP_4));
        u0 = u0.add(u0.rearrange(LaneSums.SWAP_4));
        s1 = s1.add(s1.rearrange(LaneSums.SWAP_4));
        t1 = t1.add(t1.rearrange(LaneSums.SWAP_4));
        u1 = u1.add(u1.rearrange(LaneSums.SWAP_4));
      }
      s0 = s0.add(s0.rearrange(LaneSums.SWAP_2));
      t0 = t0.add(t0.rearrange(LaneSums.SWAP_2));
      u0 = u0.add(u0.rearrange(LaneSums.SWAP_2));
      s1 = s1.add(s1.rearrange(LaneSums.SWAP_2));
      t1 = t1.add(t1.rearrange(LaneSums.SWAP_2));
      u1 = u1.add(u1.rearrange(LaneSums.SWAP_2));
      s0 = s0.add(s0.rearrange(LaneSums.SWAP_1));
      t0 = t0.add(t0.rearrange(LaneSums.SWAP_1));
      u0 = u0.add(u0.rearrange(LaneSums.SWAP_1));
      s1 = s1.add(s1.rearrange(LaneSums.SWAP_1));
      t1 = t1.add(t1.rearrange(LaneSums.SWAP_1));
      u1 = u1.add(u1.rearrange(LaneSums.SWAP_1));

      double sum = s0.lane(0);
      double low = centered ? u0.lane(0) * inverse : 0;
      double rstd = rstds[r];
      double slope = -rstd * rstd * rstd * inverse * (t0.lane(0) - low * sum);
      double offset = centered ? -rstd * inverse * sum - slope * low : 0;
      FloatVector a0 = FloatVector.broadcast(F, (float) rstd);
      FloatVector b0 = FloatVector.broadcast(F, (float) slope);
      FloatVector c0 = FloatVector.broadcast(F, (float) offset);
      FloatVector o0 = FloatVector.broadcast(F, (float) (-low * rstd));
      sum = s1.lane(0);
      low = centered ? u1.lane(0) * inverse : 0;
      rstd = rstds[r + 1];
      slope = -rstd * rstd * rstd * inverse * (t1.lane(0) - low * sum);
      offset = centered ? -rstd * inverse * sum - slope * low : 0;
      FloatVector a1 = FloatVector.broadcast(F, (float) rstd);
      FloatVector b1 = FloatVector.broadcast(F, (float) slope);
      FloatVector c1 = FloatVector.broadcast(F, (float) offset);
      FloatVector o1 = FloatVector.broadcast(F, (float) (-low * rstd));
      for (int i = 0; i < bytes; i += step) {
        FloatVector g = FloatVector.fromMemorySegment(F, gamma, i, LE);
        FloatVector d0 = FloatVector.fromMemorySegment(F, dy, at0 + i, LE);
        FloatVector v0 = FloatVector.fromMemorySegment(F, x, at0 + i, LE).sub(p0);
        FloatVector d1 = FloatVector.fromMemorySegment(F, dy, at1 + i, LE);
        FloatVector v1 = FloatVector.fromMemorySegment(F, x, at1 + i, LE).sub(p1);
        FloatVector sums = FloatVector.fromMemorySegment(F, table, i, LE);
        sums = d1.fma(v1.fma(a1, o1), d0.fma(v0.fma(a0, o0), sums));
        sums.intoMemorySegment(table, i, LE);
        sums = FloatVector.fromMemorySegment(F, table, bytes + i, LE).add(d0).add(d1);
        sums.intoMemorySegment(table, bytes + i, LE);
        d0.mul(g).fma(a0, v0.fma(b0, c0)).intoMemorySegment(dx, at0 + i, LE);
        d1.mul(g).fma(a1, v1.fma(b1, c1)).intoMemorySegment(dx, at1 + i, LE);
      }
    }
  }

  /** Row after row: written again, since vectors that cross a call are boxed. */
  private static void single(
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
    double inverse = 1.0 / cols;
    int step = VectorStep.bytes();
    for (int r = first; r < first + rows; r++) {
      long at = (long) bytes * r;
      FloatVector p = FloatVector.broadcast(F, (float) pivots[r]);
      FloatVector s = FloatVector.zero(F);
      FloatVector t = s;
      FloatVector u = s;
      for (int i = 0; i < bytes; i += V) {
        if (s.getClass() != FLOATS || t.getClass() != FLOATS || u.getClass() != FLOATS) {
          throw mixed();
        }
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
      double low = centered ? u.lane(0) * inverse : 0;
      double rstd = rstds[r];
      double slope = -rstd * rstd * rstd * inverse * (t.lane(0) - low * sum);
      double offset = centered ? -rstd * inverse * sum - slope * low : 0;
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
  }
}
