package dev.gridstride.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A run of a plan allocates nothing, once the JIT has compiled what boxes vectors until then. */
class AllocationTest {
  private static final int RUNS = 100;

  /** Of the calling thread in all of the runs: less than an object each. */
  private static final long FEW_BYTES = RUNS;

  private static final Duration LONGEST = Duration.ofSeconds(60);

  @ParameterizedTest
  @CsvSource({
    "gemm, product, 16, 1",
    "gemm, product, 150, 1",
    "gemm, product, 150, 2",
    "softmax, forward, 64x100, 2",
    "softmax, backward, 64x100, 2",
    "cross-entropy, forward-backward, 64x100, 2",
    "layer-norm, forward, 300x64, 2",
    "layer-norm, backward, 300x64, 2",
    "batch-norm, backward-nhwc, 8x32x13, 1",
    "reduce, sum-rows, 300x64, 2",
    "reduce, sum-columns, 300x64, 1",
    "elementwise, add-row, 300x64, 2",
    "elementwise, relu, 300x64, 2",
    "conv, forward, 1x64x14x64x1x1x0, 2",
    "conv, forward, 1x64x14x64x3x1x1x64, 2"
  })
  void aRunAllocatesNothing(String family, String op, String shape, int threads) throws Exception {
    var bean = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    assumeTrue(bean.isThreadAllocatedMemorySupported());
    var c = new Case(family, op, "f32", shape, threads);
    long from = System.nanoTime();
    try (Contender contender = new Gridstride().prepare(c, Family.named(family).problem(c))) {
      long allocated;
      do {
        allocated = bean.getCurrentThreadAllocatedBytes();
        contender.run(RUNS);
        allocated = bean.getCurrentThreadAllocatedBytes() - allocated;
      } while (allocated > FEW_BYTES && System.nanoTime() - from < LONGEST.toNanos());
      assertThat(allocated).isLessThanOrEqualTo(FEW_BYTES);
    }
  }
}
