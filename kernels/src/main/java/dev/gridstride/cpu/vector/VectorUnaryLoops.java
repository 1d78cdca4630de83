package dev.gridstride.cpu.vector;

import static dev.gridstride.cpu.Segments.exact;
import static dev.gridstride.cpu.vector.VectorMath.F;

import dev.gridstride.cpu.Scratch;
import dev.gridstride.cpu.Specialized;
import dev.gridstride.cpu.UnaryLoops;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/**
 * Elementwise f32 loops; each function has a copy of this class, see {@link Specialized}.
 *
 * <p>Two loops, see {@link VectorStep}, each in a method of its own, and a tail that goes through a
 * padded vector of scratch: with the function twice, methods are so large that the JIT stops
 * inlining (18,000 nodes), and then every vector is boxed.
 */
public final class VectorUnaryLoops implements UnaryLoops {
  private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
  private static final int LANES = F.length();
  private static final int WIDTH = F.vectorByteSize();
  private static final Scratch TAILS = new Scratch();
  private static final VectorUnary FORM =
      Specialized.constant(MethodHandles.lookup(), VectorUnary.class);

  /** The loops of one function. */
  public static UnaryLoops of(VectorUnary form) {
    return Specialized.copy(MethodHandles.lookup(), form, UnaryLoops.class);
  }

  @Override
  public void forward(
      MemorySegment x,
      long xAt,
      MemorySegment y,
      long yAt,
      int count,
      boolean far,
      double a,
      double b) {
    int whole = count / LANES;
    if (!far && count >= VectorStep.LONG) {
      longForward(x, xAt, y, yAt, whole, (float) a, (float) b);
    } else {
      forward(x, xAt, y, yAt, whole, (float) a, (float) b);
    }
    long rest = 4L * (count % LANES);
    if (rest > 0) {
      long done = (long) whole * WIDTH;
      MemorySegment t = TAILS.get(WIDTH);
      MemorySegment.copy(x, xAt + done, t, 0, rest);
      forward(t, 0, t, 0, 1, (float) a, (float) b);
      MemorySegment.copy(t, 0, y, yAt + done, rest);
    }
  }

  private static void longForward(
      MemorySegment x, long xAt, MemorySegment y, long yAt, int vectors, float a, float b) {
    x = exact(x);
    y = exact(y);
    for (int at = 0, end = vectors * WIDTH; at < end; at += WIDTH) {
      FloatVector v = FloatVector.fromMemorySegment(F, x, xAt + at, LE);
      FORM.apply(v, a, b).intoMemorySegment(y, yAt + at, LE);
    }
  }

  private static void forward(
      MemorySegment x, long xAt, MemorySegment y, long yAt, int vectors, float a, float b) {
    x = exact(x);
    y = exact(y);
    int step = VectorStep.bytes();
    for (long at = 0, end = (long) vectors * WIDTH; at < end; at += step) {
      FloatVector v = FloatVector.fromMemorySegment(F, x, xAt + at, LE);
      FORM.apply(v, a, b).intoMemorySegment(y, yAt + at, LE);
    }
  }

  @Override
  public void backward(
      MemorySegment saved,
      long savedAt,
      MemorySegment dy,
      long dyAt,
      MemorySegment dx,
      long dxAt,
      int count,
      boolean far,
      double a,
      double b) {
    int whole = count / LANES;
    if (!far && count >= VectorStep.LONG) {
      longBackward(saved, savedAt, dy, dyAt, dx, dxAt, whole, (float) a, (float) b);
    } else {
      backward(saved, savedAt, dy, dyAt, dx, dxAt, whole, (float) a, (float) b);
    }
    long rest = 4L * (count % LANES);
    if (rest > 0) {
      long done = (long) whole * WIDTH;
      MemorySegment t = TAILS.get(2L * WIDTH);
      MemorySegment.copy(saved, savedAt + done, t, 0, rest);
      MemorySegment.copy(dy, dyAt + done, t, WIDTH, rest);
      backward(t, 0, t, WIDTH, t, 0, 1, (float) a, (float) b);
      MemorySegment.copy(t, 0, dx, dxAt + done, rest);
    }
  }

  private static void longBackward(
      MemorySegment saved,
      long savedAt,
      MemorySegment dy,
      long dyAt,
      MemorySegment dx,
      long dxAt,
      int vectors,
      float a,
      float b) {
    saved = exact(saved);
    dy = exact(dy);
    dx = exact(dx);
    for (int at = 0, end = vectors * WIDTH; at < end; at += WIDTH) {
      FloatVector s = FloatVector.fromMemorySegment(F, saved, savedAt + at, LE);
      FloatVector g = FloatVector.fromMemorySegment(F, dy, dyAt + at, LE);
      FORM.gradient(s, g, a, b).intoMemorySegment(dx, dxAt + at, LE);
    }
  }

  private static void backward(
      MemorySegment saved,
      long savedAt,
      MemorySegment dy,
      long dyAt,
      MemorySegment dx,
      long dxAt,
      int vectors,
      float a,
      float b) {
    saved = exact(saved);
    dy = exact(dy);
    dx = exact(dx);
    int step = VectorStep.bytes();
    for (long at = 0, end = (long) vectors * WIDTH; at < end; at += step) {
      FloatVector s = FloatVector.fromMemorySegment(F, saved, savedAt + at, LE);
      FloatVector g = FloatVector.fromMemorySegment(F, dy, dyAt + at, LE);
      FORM.gradient(s, g, a, b).intoMemorySegment(dx, dxAt + at, LE);
    }
  }
}
