package dev.gridstride.cpu;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.gridstride.cpu.vector.VectorUnaryLoops;
import dev.gridstride.device.Buffer;
import dev.gridstride.device.DType;
import dev.gridstride.device.Stream;
import dev.gridstride.kernels.Unary;
import dev.gridstride.kernels.Unary.Function;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Elementwise functions of one operand: f32 by vector loops made for each function. */
public final class CpuUnary implements Unary.Kernel {
  /** Made when first used: each is a class of its own. */
  private static final Map<Function, UnaryLoops> VECTOR_LOOPS = new EnumMap<>(Function.class);

  private final Unary op;
  private final UnaryForm form;
  private final Elements elements;
  private final @Nullable UnaryLoops loops;
  private final boolean far;
  private final Apart.Ternary forward = this::forward;
  private final Apart.Ternary backward = this::backward;

  /** A kernel for {@code op}. */
  public CpuUnary(Unary op) {
    this.op = op;
    this.form = UnaryForms.of(op.function());
    this.far = Segments.areFar(2 * op.type().bytes(op.count()));
    this.elements = Elements.of(op.type());
    this.loops = op.type() == DType.F32 && Simd.ENABLED ? loops(op.function(), form) : null;
  }

  private static @Nullable UnaryLoops loops(Function function, UnaryForm form) {
    synchronized (VECTOR_LOOPS) {
      UnaryLoops found = VECTOR_LOOPS.get(function);
      var vector = found == null ? form.vector() : null;
      if (vector != null) {
        found = VectorUnaryLoops.of(vector);
        VECTOR_LOOPS.put(function, found);
      }
      return found;
    }
  }

  @Override
  public String details() {
    return loops != null ? "f32 vectors" : "one by one";
  }

  @Override
  public void forward(Stream stream, Buffer x, Buffer y) {
    MemorySegment xs = x.pinnedSegment();
    long grain = Parallel.grain(op.count());
    Parallel.forRange(op.count(), grain, forward, xs, y.pinnedSegment(), Tiles.ZEROS);
  }

  private void forward(MemorySegment x, MemorySegment y, MemorySegment none, long from, long to) {
    if (loops != null) {
      int n = (int) (to - from);
      loops.forward(x, from * 4, y, from * 4, n, far, op.a(), op.b());
    } else if (op.type().isFloating()) {
      for (long i = from; i < to; i++) {
        elements.set(y, i, form.apply(elements.get(x, i), op.a(), op.b()));
      }
    } else {
      integers(x, y, from, to);
    }
  }

  private void integers(MemorySegment x, MemorySegment y, long from, long to) {
    long a = (long) op.a();
    long b = (long) op.b();
    for (long i = from; i < to; i++) {
      if (op.type() == DType.I64) {
        y.setAtIndex(
            JAVA_LONG_UNALIGNED, i, form.apply(x.getAtIndex(JAVA_LONG_UNALIGNED, i), a, b));
      } else {
        long v = form.apply((long) x.getAtIndex(JAVA_INT_UNALIGNED, i), a, b);
        y.setAtIndex(JAVA_INT_UNALIGNED, i, (int) v);
      }
    }
  }

  @Override
  public void backward(Stream stream, Buffer saved, Buffer dy, Buffer dx) {
    MemorySegment ss = saved.pinnedSegment();
    long grain = Parallel.grain(op.count());
    Parallel.forRange(op.count(), grain, backward, ss, dy.pinnedSegment(), dx.pinnedSegment());
  }

  private void backward(
      MemorySegment saved, MemorySegment dy, MemorySegment dx, long from, long to) {
    if (loops != null) {
      int n = (int) (to - from);
      loops.backward(saved, from * 4, dy, from * 4, dx, from * 4, n, far, op.a(), op.b());
      return;
    }
    for (long i = from; i < to; i++) {
      double g = form.gradient(elements.get(saved, i), elements.get(dy, i), op.a(), op.b());
      elements.set(dx, i, g);
    }
  }
}
