package dev.gridstride.cpu;

import dev.gridstride.device.InvalidArgumentException;
import java.lang.System.Logger.Level;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Parallel loops over one process-wide pool of daemon threads; the caller takes part.
 *
 * <p>How work is cut into tasks never depends on the number of threads, so a kernel that computes
 * each task in a fixed order gives the same bits on any number. A call from inside a task, or while
 * another thread's loop holds the pool, runs its tasks in the calling thread.
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

  /** How long an idle worker spins before it sleeps: longer than the gap between two ops. */
  private static final long SPIN_NANOS = 50_000;

  private static final long LEAST_GRAIN = 1 << 14;
  private static final long ENOUGH_TASKS = 64;

  private static final String PROPERTY = "gridstride.threads";
  private static final int MOST_THREADS = 1024;

  private static final ReentrantLock POOL = new ReentrantLock();
  private static final ThreadLocal<Boolean> INSIDE = ThreadLocal.withInitial(() -> false);

  private static volatile int threads = initialThreads();
  private static Worker[] workers = new Worker[0];
  private static volatile @Nullable Job current;

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
    int chunks = Math.toIntExact((total + grain - 1) / grain);
    forEach(chunks, i -> Apart.run(body, i * grain, Math.min(total, (i + 1) * grain)));
  }

  /**
   * Runs tasks {@code 0..tasks}, in any order, on several threads; returns when all are done.
   *
   * <p>The first exception that a task throws is thrown to the caller, after the running tasks have
   * ended; tasks that were not begun by then are left out.
   */
  public static void forEach(int tasks, Task body) {
    int helpers = Math.min(threads, tasks) - 1;
    if (helpers <= 0 || INSIDE.get() || !POOL.tryLock()) {
      for (int i = 0; i < tasks; i++) {
        Apart.run(body, i);
      }
      return;
    }
    INSIDE.set(true);
    try {
      var job = new Job(body, tasks, helpers);
      start(job);
      job.work(0);
      job.await();
    } finally {
      current = null;
      INSIDE.set(false);
      POOL.unlock();
    }
  }

  private static void start(Job job) {
    if (workers.length < job.helpers) {
      var more = new Worker[job.helpers];
      System.arraycopy(workers, 0, more, 0, workers.length);
      for (int i = workers.length; i < more.length; i++) {
        more[i] = new Worker(i);
        more[i].thread.start();
      }
      workers = more;
    }
    current = job;
    for (int i = 0; i < job.helpers; i++) {
      workers[i].wake();
    }
  }

  /**
   * One loop. Holds its own counters, so that a late worker can't take part in the next loop.
   *
   * <p>Each participant has a home: an equal stretch of the tasks, the same in each loop of that
   * many tasks. It runs those first, so that it finds in its core's own caches what it wrote there
   * in the loop before; then it helps with what is left of the others'.
   */
  private static final class Job {
    /** Counters a cache line apart, so that participants at home don't wait for each other. */
    private static final int LINE = 16;

    final Task body;
    final int tasks;
    final int helpers;
    final AtomicIntegerArray next;
    final AtomicInteger done = new AtomicInteger();
    final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    Job(Task body, int tasks, int helpers) {
      this.body = body;
      this.tasks = tasks;
      this.helpers = helpers;
      next = new AtomicIntegerArray(LINE * (helpers + 1));
      for (int home = 1; home <= helpers; home++) {
        next.setPlain(LINE * home, first(home));
      }
    }

    /** The first task of a home; that of the home after the last one is the number of tasks. */
    private int first(int home) {
      return (int) ((long) tasks * home / (helpers + 1));
    }

    /** The caller is participant 0. */
    void work(int participant) {
      int homes = helpers + 1;
      for (int k = 0; k < homes; k++) {
        int home = (participant + k) % homes;
        work(LINE * home, first(home + 1));
      }
    }

    private void work(int counter, int end) {
      int ran = 0;
      for (int i = next.getAndIncrement(counter); i < end; i = next.getAndIncrement(counter)) {
        try {
          if (failure.get() == null) {
            Apart.run(body, i);
          }
        } catch (Throwable t) {
          failure.compareAndSet(null, t); // handed to the caller by await
        }
        ran++;
      }
      done.addAndGet(ran);
    }

    @SuppressWarnings("ThreadPriorityCheck") // yielding only speeds the wait up
    void await() {
      for (int spins = 0; done.get() < tasks; spins++) {
        if (spins < 10_000) {
          Thread.onSpinWait();
        } else {
          Thread.yield(); // a worker that holds the last task has lost its core
        }
      }
      Throwable t = failure.get();
      if (t instanceof RuntimeException e) {
        throw e;
      }
      if (t instanceof Error e) {
        throw e;
      }
    }
  }

  private static final class Worker implements Runnable {
    final int index;
    final Thread thread;
    volatile boolean asleep;

    Worker(int index) {
      this.index = index;
      thread = Thread.ofPlatform().daemon().name("gridstride-" + index).unstarted(this);
    }

    void wake() {
      if (asleep) {
        LockSupport.unpark(thread);
      }
    }

    @Override
    public void run() {
      INSIDE.set(true);
      @Nullable Job seen = null;
      while (true) {
        Job job = next(seen);
        if (index < job.helpers) {
          job.work(index + 1);
        }
        seen = job;
      }
    }

    private Job next(@Nullable Job seen) {
      long start = System.nanoTime();
      while (true) {
        Job job = current;
        if (job != null && job != seen) {
          return job;
        }
        if (System.nanoTime() - start < SPIN_NANOS) {
          Thread.onSpinWait();
          continue;
        }
        asleep = true;
        job = current; // a job published before asleep was seen is picked up here, not lost
        if (job == null || job == seen) {
          LockSupport.park(this);
        }
        asleep = false;
        start = System.nanoTime();
      }
    }
  }
}
