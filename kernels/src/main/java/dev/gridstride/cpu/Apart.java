package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/**
 * Calls the pieces of a loop so that the JIT compiles each by itself, never as a part of its
 * callers.
 *
 * <p>C2 inlines small methods only 15 calls deep. A program whose calls of one op are hot has them
 * inlined down to the kernel, and there the limit is met inside of the Vector API: an accessor of
 * {@code MemorySegment} stays a call in the innermost loop, with every vector saved around it. Such
 * a loop took 10.7 ns a vector instead of 1.2 (JDK 25, {@code y = max(x, 0)}), or boxed its
 * vectors, and only once all of its callers had been compiled. The same happens to a loop that with
 * what surrounds it has more than 18,000 nodes. A call through a method handle that is not a
 * constant is never inlined, so what is called here always begins at depth 0. It costs a few
 * nanoseconds.
 */
public final class Apart {
  // Not final: then they would be constants, and what they call would be inlined.
  private static MethodHandle task =
      handle(Parallel.Task.class, MethodType.methodType(void.class, int.class));
  private static MethodHandle range =
      handle(Parallel.Range.class, MethodType.methodType(void.class, long.class, long.class));

  private static MethodHandle ternary =
      handle(
          Ternary.class,
          MethodType.methodType(
              void.class,
              MemorySegment.class,
              MemorySegment.class,
              MemorySegment.class,
              long.class,
              long.class));

  private static MethodHandle summed =
      handle(
          Summed.class,
          MethodType.methodType(
              void.class,
              MemorySegment.class,
              long.class,
              MemorySegment.class,
              long.class,
              int.class,
              float.class,
              float[].class));

  private static MethodHandle rows =
      handle(
          Rows.class,
          MethodType.methodType(
              void.class,
              MemorySegment.class,
              MemorySegment.class,
              long.class,
              int.class,
              int.class,
              float[].class));

  private Apart() {}

  /** A stretch of a loop over three operands: what a lambda would have to capture. */
  interface Ternary {
    /** Does the elements {@code from} (included) to {@code to} (excluded). */
    void run(MemorySegment a, MemorySegment b, MemorySegment c, long from, long to);
  }

  /** A function of whole vectors and a number, whose results are added up too. */
  public interface Summed {
    /**
     * Reads {@code bytes} at {@code x + at}, writes as many at {@code y + to} and adds them, lane
     * by lane, to {@code lanes}.
     */
    void run(
        MemorySegment x, long at, MemorySegment y, long to, int bytes, float shift, float[] lanes);
  }

  /** A pass over a few rows. */
  public interface Rows {
    /**
     * Does {@code rows} rows of {@code n} elements, the first at element {@code at}.
     *
     * @param numbers what is known of each row
     */
    void run(MemorySegment x, MemorySegment y, long at, int rows, int n, float[] numbers);
  }

  private static MethodHandle handle(Class<?> type, MethodType signature) {
    try {
      return MethodHandles.lookup().findVirtual(type, "run", signature);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(type + " has no method run", e);
    }
  }

  /** {@code body.run(index)}. */
  static void run(Parallel.Task body, int index) {
    try {
      task.invokeExact(body, index);
    } catch (Throwable e) {
      throw unchecked(e);
    }
  }

  /** {@code body.run(from, to)}. */
  static void run(Parallel.Range body, long from, long to) {
    try {
      range.invokeExact(body, from, to);
    } catch (Throwable e) {
      throw unchecked(e);
    }
  }

  /** {@code body.run(a, b, c, from, to)}. */
  static void run(
      Ternary body, MemorySegment a, MemorySegment b, MemorySegment c, long from, long to) {
    try {
      ternary.invokeExact(body, a, b, c, from, to);
    } catch (Throwable e) {
      throw unchecked(e);
    }
  }

  /** {@code body.run(x, at, y, to, bytes, shift, lanes)}. */
  public static void run(
      Summed body,
      MemorySegment x,
      long at,
      MemorySegment y,
      long to,
      int bytes,
      float shift,
      float[] lanes) {
    try {
      summed.invokeExact(body, x, at, y, to, bytes, shift, lanes);
    } catch (Throwable e) {
      throw unchecked(e);
    }
  }

  /** {@code body.run(x, y, at, rows, n, numbers)}. */
  public static void run(
      Rows body, MemorySegment x, MemorySegment y, long at, int count, int n, float[] numbers) {
    try {
      rows.invokeExact(body, x, y, at, count, n, numbers);
    } catch (Throwable e) {
      throw unchecked(e);
    }
  }

  /** No kind of body declares a checked exception. */
  private static RuntimeException unchecked(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return (RuntimeException) e;
  }
}
