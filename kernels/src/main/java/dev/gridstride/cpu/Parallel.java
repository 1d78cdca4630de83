package dev.gridstride.cpu;

import dev.gridstride.device.InvalidArgumentException;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;

/**
 * Parallel loops over one process-wide pool of daemon threads; the caller takes part.
 *
 * <p>How work is cut into tasks never depends on the number of threads, so a kernel that computes
 * each task in a fixed order gives the same bits on any number. A call from inside a task, or while
 * another thread's loop holds the pool, runs its tasks in the calling thread. A loop allocates
 * nothing.
 */
public final class Parallel {
  /** One task of a loop. */
  @FunctionalInterface
  public interface Task {
    /** Does task {@code index}. */
    void run(int index);
  }

  /** A stretch of a loop. */
  @FunctionalInterface
  public interface Range {
    /** Does the elements {@code from} (included) to {@code to} (excluded). */
    void run(long from, long to);
  }

  private static final long LEAST_GRAIN = 1 << 14;
  private static final long ENOUGH_TASKS = 64;

  private static final String PROPERTY = "gridstride.threads";
  private static final int MOST_THREADS = 1024;

  private static volatile int threads = initialThreads();

  private Parallel() {}

  /** Number of threads that share a loop, the caller included. */
  public static int threads() {
    return threads;
  }

  /**
   * Sets the number of threads that share a loop, the caller included.
   *
   * @throws InvalidArgumentException when not in 1..1024
   */
  public static void threads(int count) {
    threads = checkThreads(count);
  }

  private static int checkThreads(int count) {
    if (count < 1 || count > MOST_THREADS) {
      throw InvalidArgumentException.of(
          "threads", "count", "must be in 1..1024", "count=%d", count);
    }
    return count;
  }

  /** What the property says, or else all processors; a property that is wrong stops no program. */
  private static int initialThreads() {
    int processors = Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors());
    String wanted = System.getProperty(PROPERTY);
    if (wanted == null) {
      return processors;
    }
    int count = Integer.getInteger(PROPERTY, 0);
    if (count >= 1 && count <= MOST_THREADS) {
      return count;
    }
    System.getLogger("dev.gridstride")
        .log(
            Level.WARNING,
            "gridstride: -D"
                + PROPERTY
                + " must be in 1..1024; it is '"
                + wanted
                + "', so "
                + processors
                + " are used");
    return processors;
  }

  /**
   * Elements of a task of a few operations each: enough to be worth its hand-over, and up to four
   * times as many where there are tasks enough, 6% of a pass over memory.
   */
  static long grain(long total) {
    return Math.clamp(total / ENOUGH_TASKS, LEAST_GRAIN, 4 * LEAST_GRAIN);
  }

  /**
   * Cuts {@code 0..total} into chunks of {@code grain} elements (the last may be shorter) and runs
   * them, in any order, on several threads.
   */
  public static void forRange(long total, long grain, Range body) {
    if (total <= 0) {
      return;
    }
    if (total <= grain) {
      Apart.run(body, 0, total);
      return;
    }
    int chunks = chunks(total, grain);
    if (ThreadPool.take(chunks)) {
      ThreadPool.run(body, total, grain, chunks);
      return;
    }
    for (int i = 0; i < chunks; i++) {
      Apart.run(body, i * grain, Math.min(total, (i + 1) * grain));
    }
  }

  /** The same over operands, which a body need not hold: one body serves all runs of a kernel. */
  static void forRange(
      long total,
      long grain,
      Apart.Ternary body,
      MemorySegment a,
      MemorySegment b,
      MemorySegment c) {
    if (total <= 0) {
      return;
    }
    if (total <= grain) {
      Apart.run(body, a, b, c, 0, total);
      return;
    }
    int chunks = chunks(total, grain);
    if (ThreadPool.take(chunks)) {
      ThreadPool.run(body, a, b, c, total, grain, chunks);
      return;
    }
    for (int i = 0; i < chunks; i++) {
      Apart.run(body, a, b, c, i * grain, Math.min(total, (i + 1) * grain));
    }
  }

  /**
   * Runs tasks {@code 0..tasks}, in any order, on several threads; returns when all are done.
   *
   * <p>The first exception that a task throws is thrown to the caller, after the running tasks have
   * ended; tasks that were not begun by then are left out.
   */
  public static void forEach(int tasks, Task body) {
    if (ThreadPool.take(tasks)) {
      ThreadPool.run(body, tasks);
      return;
    }
    for (int i = 0; i < tasks; i++) {
      Apart.run(body, i);
    }
  }

  private static int chunks(long total, long grain) {
    return Math.toIntExact((total + grain - 1) / grain);
  }
}
