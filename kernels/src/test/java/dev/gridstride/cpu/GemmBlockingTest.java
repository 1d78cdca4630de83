package dev.gridstride.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.device.DType;
import dev.gridstride.kernels.Gemm;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Products cut into many small pieces, as those of gigabytes are, beside sums in f64. */
class GemmBlockingTest {
  private static final int M = 71;
  private static final int N = 203;
  private static final int K = 45;

  @ParameterizedTest
  @CsvSource({
    // rows, columns, depth, slab, chunk
    "12, 64, 16, 64, 24",
    "12, 64, 16, 128, 12",
    "24, 128, 45, 128, 48",
    "18, 64, 16, 192, 0",
    "12, 64, 16, 256, 24",
    "72, 64, 20, 64, 72",
    "24, 64, 16, 0, 0",
    "72, 224, 20, 0, 0",
  })
  void anyCutGivesTheSameSums(int rows, int columns, int depth, int slab, int chunk) {
    for (DType type : new DType[] {DType.F32, DType.F64}) {
      for (boolean ta : new boolean[] {false, true}) {
        for (boolean tb : new boolean[] {false, true}) {
          for (double beta : new double[] {0, 1, -2}) {
            Gemm op = Gemm.of(M, N, K).type(type).trans(ta, tb);
            var blocking = new GemmBlocking(rows, columns, depth, false, slab, chunk, 1);
            check(op, blocking, 3, beta);
            check(op, blocking, 1, beta); // reads A where it lies
          }
        }
      }
    }
  }

  /** Small integers: every sum is exact in both types. */
  private static void check(Gemm op, GemmBlocking blocking, double alpha, double beta) {
    var random = new SplittableRandom(11);
    double[] a = integers(random, M * K);
    double[] b = integers(random, K * N);
    double[] old = integers(random, M * N);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment c = memory(arena, op.cType(), old);
      MemorySegment left = memory(arena, op.cType(), a);
      MemorySegment right = memory(arena, op.cType(), b);
      new CpuGemm(op, blocking).run(alpha, left, right, beta, c, null, null);
      var expected = new double[M * N];
      var actual = new double[M * N];
      for (int i = 0; i < M; i++) {
        for (int j = 0; j < N; j++) {
          double sum = 0;
          for (int p = 0; p < K; p++) {
            sum +=
                a[op.transposedA() ? p * M + i : i * K + p]
                    * b[op.transposedB() ? j * K + p : p * N + j];
          }
          expected[i * N + j] = alpha * sum + beta * old[i * N + j];
          actual[i * N + j] = at(op.cType(), c, i * N + j);
        }
      }
      assertThat(actual).as("%s, %s, %s, %s", op, blocking, alpha, beta).isEqualTo(expected);
    }
  }

  private static double[] integers(SplittableRandom random, int count) {
    return random.ints(count, -8, 9).asDoubleStream().toArray();
  }

  private static MemorySegment memory(Arena arena, DType type, double[] values) {
    MemorySegment m = arena.allocate(type.bytes(values.length), 64);
    for (int i = 0; i < values.length; i++) {
      if (type == DType.F64) {
        m.setAtIndex(ValueLayout.JAVA_DOUBLE, i, values[i]);
      } else {
        m.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) values[i]);
      }
    }
    return m;
  }

  private static double at(DType type, MemorySegment m, int i) {
    return type == DType.F64
        ? m.getAtIndex(ValueLayout.JAVA_DOUBLE, i)
        : m.getAtIndex(ValueLayout.JAVA_FLOAT, i);
  }
}
