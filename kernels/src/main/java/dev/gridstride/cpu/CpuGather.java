package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.Gather;
import java.lang.foreign.MemorySegment;

/**
 * Gathers row by row; adds back by columns, so that each task owns its targets and sees the rows in
 * order.
 */
public final class CpuGather implements Gather.Kernel {
  private static final long GRAIN = 1 << 14;

  /** Columns of one task: 256 bytes of f32. */
  private static final long COLUMNS = 64;

  private final Gather op;
  private final DType type;
  private final Elements elements;
  private final Indices index;

  /** A kernel for {@code op}. */
  public CpuGather(Gather op) {
    this.op = op;
    this.type = op.type();
    this.elements = Elements.of(op.type());
    this.index = new Indices(op.name(), op.indexType(), op.size(), op.fromEnd());
  }

  @Override
  public void gather(Stream stream, Buffer x, Buffer indices, Buffer y) {
    MemorySegment xs = x.pinnedSegment();
    MemorySegment ys = y.pinnedSegment();
    MemorySegment is = indices.pinnedSegment();
    index.check(is, op.count());
    long inner = op.inner();
    long piece = Math.clamp(inner, 1, Integer.MAX_VALUE);
    Parallel.forRange(
        op.outer() * op.count(),
        Math.max(1, GRAIN / piece),
        (from, to) -> {
          for (long r = from; r < to; r++) {
            long source = (r / op.count() * op.size() + index.at(is, r % op.count())) * inner;
            for (long c = 0; c < inner; c += piece) {
              int n = (int) Math.min(piece, inner - c);
              Moves.move(type.bytes(), xs, source + c, 1, ys, r * inner + c, 1, n);
            }
          }
        });
  }

  @Override
  public void scatterAdd(Stream stream, Buffer y, Buffer indices, Buffer x, boolean clear) {
    MemorySegment xs = x.pinnedSegment();
    MemorySegment ys = y.pinnedSegment();
    MemorySegment is = indices.pinnedSegment();
    index.check(is, op.count());
    if (clear) {
      xs.asSlice(0, type.bytes(op.outer() * op.size() * op.inner())).fill((byte) 0);
    }
    long inner = op.inner();
    long blocks = (inner + COLUMNS - 1) / COLUMNS;
    long work = Math.max(1, op.count() * Math.min(inner, COLUMNS));
    Parallel.forRange(
        op.outer() * blocks,
        Math.max(1, GRAIN / work),
        (from, to) -> {
          for (long task = from; task < to; task++) {
            long o = task / blocks;
            long c = task % blocks * COLUMNS;
            int n = (int) Math.min(COLUMNS, inner - c);
            for (long k = 0; k < op.count(); k++) {
              long target = (o * op.size() + index.at(is, k)) * inner + c;
              add(ys, (o * op.count() + k) * inner + c, xs, target, n);
            }
          }
        });
  }

  private void add(MemorySegment y, long yAt, MemorySegment x, long xAt, int n) {
    switch (type) {
      case F32 -> add32(y, 4 * yAt, x, 4 * xAt, n);
      case F64 -> add64(y, 8 * yAt, x, 8 * xAt, n);
      case I64 -> {
        for (int i = 0; i < n; i++) {
          long at = 8 * (xAt + i);
          long v = x.get(JAVA_LONG_UNALIGNED, at) + y.get(JAVA_LONG_UNALIGNED, 8 * (yAt + i));
          x.set(JAVA_LONG_UNALIGNED, at, v);
        }
      }
      case I32 -> {
        for (int i = 0; i < n; i++) {
          long at = 4 * (xAt + i);
          int v = x.get(JAVA_INT_UNALIGNED, at) + y.get(JAVA_INT_UNALIGNED, 4 * (yAt + i));
          x.set(JAVA_INT_UNALIGNED, at, v);
        }
      }
      default -> {
        for (int i = 0; i < n; i++) {
          double v = elements.get(x, xAt + i) + elements.get(y, yAt + i);
          elements.set(x, xAt + i, type == DType.U8 ? (int) v & 0xFF : v);
        }
      }
    }
  }

  private static void add32(MemorySegment y, long yAt, MemorySegment x, long xAt, int n) {
    for (int i = 0; i < n; i++) {
      float v =
          x.get(JAVA_FLOAT_UNALIGNED, xAt + 4L * i) + y.get(JAVA_FLOAT_UNALIGNED, yAt + 4L * i);
      x.set(JAVA_FLOAT_UNALIGNED, xAt + 4L * i, v);
    }
  }

  private static void add64(MemorySegment y, long yAt, MemorySegment x, long xAt, int n) {
    for (int i = 0; i < n; i++) {
      double v =
          x.get(JAVA_DOUBLE_UNALIGNED, xAt + 8L * i) + y.get(JAVA_DOUBLE_UNALIGNED, yAt + 8L * i);
      x.set(JAVA_DOUBLE_UNALIGNED, xAt + 8L * i, v);
    }
  }
}
