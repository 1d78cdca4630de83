package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.GatherElements;
import dev.gridstride.kernels.Layout;
import java.lang.foreign.MemorySegment;

/**
 * Works through bundles of neighbouring lines along the axis. A target lies in the line of its
 * source, so no two tasks write to one place, and within a line the order is that of the axis.
 */
public final class CpuGatherElements implements GatherElements.Kernel {
  private static final long GRAIN = 1 << 14;

  /** Lines of one task. */
  private static final int BUNDLE = 256;

  private final GatherElements op;
  private final DType type;
  private final Elements elements;
  private final Indices index;

  /** Product of the index's dimensions before and after the axis, and its length. */
  private final long outer;

  private final long inner;
  private final long length;

  /** What is done with one element of x and one of the other operand. */
  @FunctionalInterface
  private interface Element {
    void run(long x, long y);
  }

  /** A kernel for {@code op}. */
  public CpuGatherElements(GatherElements op) {
    this.op = op;
    this.type = op.type();
    this.elements = Elements.of(op.type());
    this.index = new Indices(op.name(), op.indexType(), op.x().dim(op.axis()), op.fromEnd());
    Layout i = op.index();
    this.length = i.dim(op.axis());
    long before = 1;
    long after = 1;
    for (int d = 0; d < i.rank(); d++) {
      before *= d < op.axis() ? i.dim(d) : 1;
      after *= d > op.axis() ? i.dim(d) : 1;
    }
    this.outer = before;
    this.inner = after;
  }

  /** Offset in x of the part of a place that the dimensions from..to of index give. */
  private long offset(long number, int from, int to) {
    long offset = 0;
    long rest = number;
    for (int d = to - 1; d >= from; d--) {
      offset += rest % op.index().dim(d) * op.x().stride(d);
      rest /= op.index().dim(d);
    }
    return offset;
  }

  private void forEach(MemorySegment indices, Element element) {
    index.check(indices, op.index().count());
    if (op.index().count() == 0) {
      return;
    }
    long step = op.x().stride(op.axis());
    long bundles = Math.ceilDiv(inner, BUNDLE);
    Parallel.forRange(
        outer * bundles,
        Math.max(1, GRAIN / Math.max(1, length * Math.min(inner, BUNDLE))),
        (from, to) -> {
          var lines = new long[BUNDLE];
          for (long task = from; task < to; task++) {
            long o = task / bundles;
            long first = task % bundles * BUNDLE;
            int n = (int) Math.min(BUNDLE, inner - first);
            long base = offset(o, 0, op.axis());
            for (int i = 0; i < n; i++) {
              lines[i] = base + offset(first + i, op.axis() + 1, op.index().rank());
            }
            for (long k = 0; k < length; k++) {
              long at = (o * length + k) * inner + first;
              for (int i = 0; i < n; i++) {
                element.run(lines[i] + index.at(indices, at + i) * step, at + i);
              }
            }
          }
        });
  }

  @Override
  public void gather(Stream stream, Buffer x, Buffer indices, Buffer y) {
    MemorySegment xs = x.pinnedSegment();
    MemorySegment ys = y.pinnedSegment();
    forEach(indices.pinnedSegment(), (from, to) -> move(xs, from, ys, to));
  }

  @Override
  public void scatter(Stream stream, Buffer source, Buffer indices, Buffer target, boolean add) {
    MemorySegment xs = target.pinnedSegment();
    MemorySegment ys = source.pinnedSegment();
    Element element = add ? (x, y) -> add(xs, x, ys, y) : (x, y) -> move(ys, y, xs, x);
    forEach(indices.pinnedSegment(), element);
  }

  private void move(MemorySegment a, long from, MemorySegment b, long to) {
    switch (type.bytes()) {
      case 1 -> b.set(JAVA_BYTE, to, a.get(JAVA_BYTE, from));
      case 2 -> b.set(JAVA_SHORT_UNALIGNED, 2 * to, a.get(JAVA_SHORT_UNALIGNED, 2 * from));
      case 4 -> b.set(JAVA_INT_UNALIGNED, 4 * to, a.get(JAVA_INT_UNALIGNED, 4 * from));
      default -> b.set(JAVA_LONG_UNALIGNED, 8 * to, a.get(JAVA_LONG_UNALIGNED, 8 * from));
    }
  }

  private void add(MemorySegment x, long i, MemorySegment y, long k) {
    switch (type) {
      case F32 -> {
        float v = x.get(JAVA_FLOAT_UNALIGNED, 4 * i) + y.get(JAVA_FLOAT_UNALIGNED, 4 * k);
        x.set(JAVA_FLOAT_UNALIGNED, 4 * i, v);
      }
      case F64 -> {
        double v = x.get(JAVA_DOUBLE_UNALIGNED, 8 * i) + y.get(JAVA_DOUBLE_UNALIGNED, 8 * k);
        x.set(JAVA_DOUBLE_UNALIGNED, 8 * i, v);
      }
      case I64 -> {
        long v = x.get(JAVA_LONG_UNALIGNED, 8 * i) + y.get(JAVA_LONG_UNALIGNED, 8 * k);
        x.set(JAVA_LONG_UNALIGNED, 8 * i, v);
      }
      case I32 -> {
        int v = x.get(JAVA_INT_UNALIGNED, 4 * i) + y.get(JAVA_INT_UNALIGNED, 4 * k);
        x.set(JAVA_INT_UNALIGNED, 4 * i, v);
      }
      case U8 -> x.set(JAVA_BYTE, i, (byte) (x.get(JAVA_BYTE, i) + y.get(JAVA_BYTE, k)));
      default -> elements.set(x, i, elements.get(x, i) + elements.get(y, k));
    }
  }
}
