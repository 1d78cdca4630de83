package dev.gridstride.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The daemon threads behind {@link Parallel}, one pool in a process, for one loop at a time; the
 * thread that calls takes part.
 */
final class ThreadPool {
  /** How long an idle worker spins before it sleeps: longer than the gap between two ops. */
  private static final long SPIN_NANOS = 50_000;

  private static final ReentrantLock POOL = new ReentrantLock();
  private static final ThreadLocal<Boolean> INSIDE = ThreadLocal.withInitial(() -> false);

  private static Worker[] workers = new Worker[0];

  /**
   * The number of the loop that the pool runs, even; the odd number after it, between loops. A long
   * counts loops for thousands of years.
   */
  private static volatile long current = 1;

  /** What that loop consists of; changes between loops only. */
  private static final Loop LOOP = new Loop();

  private static final AtomicInteger DONE = new AtomicInteger();
  private static final AtomicReference<@Nullable Throwable> FAILURE = new AtomicReference<>();

  private ThreadPool() {}

  /**
   * Whether the calling thread now has the pool, for its next call of a {@code run} to give back:
   * not from inside of a task, nor while another thread has it, nor for a single task.
   */
  static boolean take(int tasks) {
    return Math.min(Parallel.threads(), tasks) > 1 && !INSIDE.get() && POOL.tryLock();
  }

  /** Runs the loop of {@link Parallel#forRange(long, long, Parallel.Range)}. */
  static void run(Parallel.Range body, long total, long grain, int chunks) {
    LOOP.range = body;
    LOOP.total = total;
    LOOP.grain = grain;
    share(chunks);
  }

  /** Runs the loop of the same over operands. */
  static void run(
      Apart.Ternary body,
      MemorySegment a,
      MemorySegment b,
      MemorySegment c,
      long total,
      long grain,
      int chunks) {
    LOOP.ternary = body;
    LOOP.a = a;
    LOOP.b = b;
    LOOP.c = c;
    LOOP.total = total;
    LOOP.grain = grain;
    share(chunks);
  }

  /** Runs the loop of {@link Parallel#forEach}. */
  static void run(Parallel.Task body, int tasks) {
    LOOP.task = body;
    share(tasks);
  }

  /** Runs the loop whose body has been put into {@link #LOOP}. */
  private static void share(int tasks) {
    INSIDE.set(true);
    try {
      int helpers =
          Math.max(1, Math.min(Parallel.threads(), tasks) - 1); // should it be told less meanwhile
      hire(helpers);
      long number = current + 1;
      LOOP.begin(number, tasks, helpers);
      DONE.set(0);
      FAILURE.set(null);
      current = number;
      try {
        for (int i = 0; i < helpers; i++) {
          workers[i].wake();
        }
        LOOP.work(0);
        await(tasks);
      } finally {
        current = number + 1;
        VarHandle.storeStoreFence(); // what follows in LOOP may not be seen before
      }
    } finally {
      LOOP.forget();
      INSIDE.set(false);
      POOL.unlock();
    }
  }

  private static void hire(int helpers) {
    if (workers.length < helpers) {
      var more = new Worker[helpers];
      System.arraycopy(workers, 0, more, 0, workers.length);
      for (int i = workers.length; i < more.length; i++) {
        more[i] = new Worker(i);
        more[i].thread.start();
      }
      workers = more;
    }
  }

  @SuppressWarnings("ThreadPriorityCheck") // yielding only speeds the wait up
  private static void await(int tasks) {
    for (int spins = 0; DONE.get() < tasks; spins++) {
      if (spins < 10_000) {
        Thread.onSpinWait();
      } else {
        Thread.yield(); // a worker that holds the last task has lost its core
      }
    }
    Throwable t = FAILURE.get();
    if (t instanceof RuntimeException e) {
      throw e;
    }
    if (t instanceof Error e) {
      throw e;
    }
  }

  /**
   * What a loop consists of: one object that each loop fills anew, and a copy of it for each
   * worker.
   *
   * <p>Each participant has a home: an equal stretch of the tasks, the same in each loop of that
   * many tasks. It runs those first, so that it finds in its core's own caches what it wrote there
   * in the loop before; then it helps with what is left of the others'.
   *
   * <p>A worker may come late, when its loop is over and another one has begun. It sees that when
   * it copies, by {@link #current}, as under a sequence lock; or later, since a counter holds the
   * loop's number beside the next task.
   */
  private static final class Loop {
    /** Counters a cache line apart, so that participants at home don't wait for each other. */
    private static final int LINE = 8;

    private long number;
    private int tasks;
    private int helpers;

    // one of three kinds of body, with what belongs to it
    private Parallel.@Nullable Task task;
    private Parallel.@Nullable Range range;
    private Apart.@Nullable Ternary ternary;
    private MemorySegment a = Tiles.ZEROS;
    private MemorySegment b = Tiles.ZEROS;
    private MemorySegment c = Tiles.ZEROS;
    private long total;
    private long grain;

    /** For each home its next task, in the lower half, and the loop's number in the upper. */
    private AtomicLongArray next = new AtomicLongArray(0);

    void begin(long number, int tasks, int helpers) {
      this.number = number;
      this.tasks = tasks;
      this.helpers = helpers;
      if (next.length() < LINE * (helpers + 1)) {
        next = new AtomicLongArray(LINE * (helpers + 1));
      }
      for (int home = 0; home <= helpers; home++) {
        next.set(LINE * home, (number << 32) | first(home));
      }
    }

    /** Copies the current loop; false if there is none but the one that was copied last. */
    boolean copy() {
      long begun = current;
      if (begun % 2 != 0 || begun == number) {
        return false;
      }
      tasks = LOOP.tasks;
      helpers = LOOP.helpers;
      task = LOOP.task;
      range = LOOP.range;
      ternary = LOOP.ternary;
      a = LOOP.a;
      b = LOOP.b;
      c = LOOP.c;
      total = LOOP.total;
      grain = LOOP.grain;
      next = LOOP.next;
      VarHandle.loadLoadFence();
      if (current != begun) {
        return false;
      }
      number = begun;
      return true;
    }

    /** Keeps nothing alive that the loop worked on. */
    void forget() {
      task = null;
      range = null;
      ternary = null;
      a = Tiles.ZEROS;
      b = Tiles.ZEROS;
      c = Tiles.ZEROS;
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
      for (int i = take(counter, end); i >= 0; i = take(counter, end)) {
        try {
          if (FAILURE.get() == null) {
            run(i);
          }
        } catch (Throwable t) {
          FAILURE.compareAndSet(null, t); // handed to the caller by await
        }
        ran++;
      }
      if (ran > 0) { // or it may be another loop by now
        DONE.addAndGet(ran);
      }
    }

    /** A home's next task, or -1 when none is left or the loop is over. */
    private int take(int counter, int end) {
      while (true) {
        long n = next.get(counter);
        int i = (int) n;
        if (n >> 32 != (int) number || i >= end) {
          return -1;
        }
        if (next.compareAndSet(counter, n, n + 1)) {
          return i;
        }
      }
    }

    private void run(int i) {
      long from = i * grain;
      long to = Math.min(total, from + grain);
      if (ternary != null) {
        Apart.run(ternary, a, b, c, from, to);
      } else if (range != null) {
        Apart.run(range, from, to);
      } else if (task != null) {
        Apart.run(task, i);
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
      var loop = new Loop();
      while (true) {
        next(loop);
        if (index < loop.helpers) {
          loop.work(index + 1);
        }
        loop.forget();
      }
    }

    /** Waits for a loop that is not the one before. */
    private void next(Loop loop) {
      long start = System.nanoTime();
      while (!loop.copy()) {
        if (System.nanoTime() - start < SPIN_NANOS) {
          Thread.onSpinWait();
          continue;
        }
        asleep = true;
        // a loop that began before asleep was seen is picked up here, not lost
        if (current % 2 != 0 || current == loop.number) {
          LockSupport.park(this);
        }
        asleep = false;
        start = System.nanoTime();
      }
    }
  }
}
