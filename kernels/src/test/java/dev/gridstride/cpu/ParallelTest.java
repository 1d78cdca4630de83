package dev.gridstride.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The thread pool: every task once, exceptions to the caller, nesting, several callers. */
@Isolated("sets the number of threads of the process")
class ParallelTest {
  private int before;

  @BeforeEach
  void remember() {
    before = Parallel.threads();
  }

  @AfterEach
  void restore() {
    Parallel.threads(before);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 8})
  void runsEveryTaskOnce(int threads) {
    Parallel.threads(threads);
    for (int tasks : new int[] {0, 1, 2, 7, 100, 5000}) {
      var count = new AtomicIntegerArray(tasks);
      Parallel.forEach(tasks, count::incrementAndGet);
      for (int i = 0; i < tasks; i++) {
        assertThat(count.get(i)).isEqualTo(1);
      }
    }
  }

  @Test
  void cutsRangesBySizeOnly() {
    for (int threads : new int[] {1, 4}) {
      Parallel.threads(threads);
      var sum = new AtomicLong();
      Parallel.forRange(
          1001,
          10,
          (from, to) -> {
            assertThat(from % 10).isZero();
            assertThat(to).isEqualTo(Math.min(1001, from + 10));
            sum.addAndGet(to - from);
          });
      assertThat(sum).hasValue(1001);
    }
    Parallel.forRange(
        0,
        10,
        (from, to) -> {
          throw new AssertionError("nothing to do");
        });
  }

  @Test
  void handsTheFirstExceptionToTheCallerAndGoesOn() {
    Parallel.threads(3);
    for (int round = 0; round < 20; round++) {
      assertThatThrownBy(() ->
              Parallel.forEach(
                  50,
                  i -> {
                    if (i == 13) {
                      throw new IllegalStateException("task 13");
                    }
                  }))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("task 13");
      assertThatThrownBy(() ->
              Parallel.forEach(
                  4,
                  i -> {
                    throw new StackOverflowError("deep");
                  }))
          .isInstanceOf(StackOverflowError.class);
    }
    var done = new AtomicLong();
    Parallel.forEach(100, i -> done.incrementAndGet());
    assertThat(done).hasValue(100);
  }

  @Test
  void beginsWithTheSameTasksInEachLoop() {
    Parallel.threads(2);
    for (int round = 0; round < 50; round++) {
      var firstOfHelper = new AtomicInteger(-1);
      var begun = new CountDownLatch(1);
      Thread caller = Thread.currentThread();
      Parallel.forEach(
          9,
          i -> {
            if (Thread.currentThread() != caller) {
              firstOfHelper.compareAndSet(-1, i);
              begun.countDown();
            } else if (i == 0) {
              awaitOrFail(begun);
            }
          });
      assertThat(firstOfHelper).hasValue(4);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 4, 8})
  void leavesNothingToAThreadThatIsBusy(int busy) {
    Parallel.threads(2);
    var others = new CountDownLatch(8);
    Parallel.forEach(
        9,
        i -> {
          if (i == busy) {
            awaitOrFail(others);
          } else {
            others.countDown();
          }
        });
    assertThat(others.getCount()).isZero();
  }

  private static void awaitOrFail(CountDownLatch latch) {
    try {
      assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** One object serves all loops: with more threads than processors, workers come late. */
  @Test
  void runsOnlyItsOwnTasksWhoeverComesLate() {
    Parallel.threads(6);
    var before = new AtomicIntegerArray(0);
    for (int loop = 0; loop < 20_000; loop++) {
      var ran = new AtomicIntegerArray(2 + 7 * loop % 13);
      if (loop % 2 == 0) {
        Parallel.forEach(ran.length(), ran::incrementAndGet);
      } else {
        Parallel.forRange(
            3L * ran.length() - 1, 3, (from, to) -> ran.incrementAndGet((int) from / 3));
      }
      for (AtomicIntegerArray counts : List.of(before, ran)) {
        for (int i = 0; i < counts.length(); i++) {
          assertThat(counts.get(i)).isEqualTo(1);
        }
      }
      before = ran;
    }
  }

  @Test
  void runsNestedLoopsInPlace() {
    Parallel.threads(2);
    var done = new AtomicLong();
    Parallel.forEach(8, i -> Parallel.forEach(8, j -> done.incrementAndGet()));
    assertThat(done).hasValue(64);
  }

  @Test
  void servesSeveralCallers() throws Exception {
    Parallel.threads(2);
    var done = new AtomicLong();
    var callers = new Thread[6];
    for (int c = 0; c < callers.length; c++) {
      Runnable work =
          () -> {
            for (int k = 0; k < 200; k++) {
              Parallel.forEach(5, i -> done.incrementAndGet());
            }
          };
      callers[c] = c % 2 == 0 ? Thread.ofVirtual().start(work) : Thread.ofPlatform().start(work);
    }
    for (Thread t : callers) {
      t.join();
    }
    assertThat(done).hasValue(6 * 200 * 5);
  }
}
