package dev.gridstride.cpu;

import dev.gridstride.device.DType;
import dev.gridstride.kernels.Epilogue;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/** What is done to a block of C after the product, row by row while it is in cache. */
final class GemmEpilogue {
  private static final Scratch BIAS = new Scratch();
  private static final Scratch AUX = new Scratch();
  private static final Scratch SUM = new Scratch();

  /** Rows whose sum is one term of the bias gradient: bounds the rounding error. */
  private static final int SUM_ROWS = 64;

  private GemmEpilogue() {}

  /** Applies bias, activation or derivative to a block at {@code cOff} of {@code c}. */
  static void apply(
      GemmCall g,
      long batch,
      long i0,
      int rows,
      long j0,
      int columns,
      MemorySegment c,
      long cOff,
      long ldc) {
    Epilogue ep = g.op.epilogue();
    DType type = g.op.cType();
    EpilogueLoops loops = g.e == 8 ? EpilogueLoops.F64 : EpilogueLoops.F32;
    MemorySegment bias = BIAS.get((long) g.e * columns);
    if (ep.addsBias()) {
      Narrow.load(type, Objects.requireNonNull(g.bias), j0, bias, 0, columns);
    }
    MemorySegment z = AUX.get((long) g.e * columns);
    for (int i = 0; i < rows; i++) {
      long row = cOff + i * ldc;
      long at = g.atC(batch, i0 + i, j0);
      if (ep.addsBias()) {
        g.loops.add(c, row, bias, 0, columns);
      }
      if (ep.savesAux()) {
        Narrow.store(type, c, row, Objects.requireNonNull(g.aux), at, columns);
      }
      if (ep.isBackward()) {
        Narrow.load(type, Objects.requireNonNull(g.aux), at, z, 0, columns);
        loops.differentiate(ep.activation(), c, row, z, 0, columns);
      } else {
        loops.apply(ep.activation(), c, row, columns);
      }
    }
  }

  /**
   * Sums the rows of the finished C, batch by batch, for {@code columns} columns from {@code j}.
   */
  static void biasGradient(GemmCall g, long j, int columns) {
    DType type = g.op.cType();
    long bytes = (long) g.e * columns;
    MemorySegment s = SUM.get(3 * bytes);
    s.asSlice(0, bytes).fill((byte) 0);
    for (long b = 0; b < g.op.batch(); b++) {
      for (long i = 0; i < g.op.m(); i += SUM_ROWS) {
        s.asSlice(bytes, bytes).fill((byte) 0);
        for (long r = i; r < Math.min(g.op.m(), i + SUM_ROWS); r++) {
          Narrow.load(type, g.c, g.atC(b, r, j), s, 2 * bytes, columns);
          g.loops.add(s, bytes, s, 2 * bytes, columns);
        }
        g.loops.add(s, 0, s, bytes, columns);
      }
    }
    Narrow.store(type, s, 0, Objects.requireNonNull(g.bias), j, columns);
  }
}
