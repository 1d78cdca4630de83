package dev.gridstride.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.testing.TestArray;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The test program of the BLAS, SBLAT3 (Dongarra et al., A set of level 3 basic linear algebra
 * subprograms, 1990): the error of each element as a multiple of {@code eps (|alpha| |A| |B| +
 * |beta| |C|)}, with eps = 2^-23. The program allows 16; a chain of k <= 64 is held to 4.
 */
@ExtendWith(TestDevice.class)
final class GemmAccuracyTest {
  private static final Device DEVICE = TestDevice.get();
  private static final double EPS = 0x1p-23;

  /** What the operands are filled with. */
  enum Data {
    /** SBLAT3's own: uniform in (-0.5, 0.5). */
    UNIFORM,
    /** All of one sign: partial sums grow. */
    POSITIVE,
    /** Rows and columns of sizes from 2^-30 to 2^30. */
    GRADED,
    /** Each term is followed by its negative, almost. */
    CANCELLING,
    /** Results and some products are denormal. */
    DENORMAL;

    double[] values(long count, long columns, long seed) {
      var random = new SplittableRandom(seed);
      IntToDoubleFunction f =
          switch (this) {
            case UNIFORM -> i -> random.nextDouble() - 0.5;
            case POSITIVE -> i -> random.nextDouble();
            case GRADED ->
                i -> Math.scalb(random.nextDouble() - 0.5, (int) (i / columns % 61) - 30);
            case CANCELLING -> i -> (i % 2 == 0 ? 1 : -1) * (1 + 1e-4 * random.nextDouble());
            case DENORMAL -> i -> Math.scalb(random.nextDouble() - 0.5, -60 - random.nextInt(20));
          };
      var v = new double[Math.toIntExact(count)];
      Arrays.setAll(v, f);
      return v;
    }
  }

  /** The largest error of an element, as SBLAT3's SMMCH computes it. */
  private static double worst(Gemm op, double alpha, double beta, Data data) {
    double[] c0 = data.values(op.countC(), op.leadingC(), 3);
    try (var a = TestArray.of(DEVICE, DType.F32, data.values(op.countA(), op.leadingA(), 1));
        var b = TestArray.of(DEVICE, DType.F32, data.values(op.countB(), op.leadingB(), 2));
        var c = TestArray.of(DEVICE, DType.F32, c0)) {
      // alpha and beta as f32 holds them, as in SBLAT3
      double f = (float) alpha;
      double g = (float) beta;
      var oracle = new GemmOracle(op, f, a.get(), b.get(), g, c.get(), null, null);
      DEVICE.plan(op).run(DEVICE.defaultStream(), f, a.buffer(), b.buffer(), g, c.buffer());
      double[] got = c.get();
      double worst = 0;
      for (int i = 0; i < got.length; i++) {
        // below the normal numbers each addition rounds by up to half of the smallest of all
        double underflow = (op.k() + 2) * 0.5 * Float.MIN_VALUE;
        double error = Math.max(0, Math.abs(got[i] - oracle.c[i]) - underflow);
        double gauge = oracle.magnitude[i];
        worst = Math.max(worst, gauge == 0 ? error / EPS : error / EPS / gauge);
        assertThat(got[i]).isFinite();
      }
      return worst;
    }
  }

  /** The sizes, factors and transpositions of sblat3.in. */
  @ParameterizedTest
  @EnumSource(Data.class)
  void smallProductsStayWithinFour(Data data) {
    int[] sizes = TestDevice.isCpu() ? new int[] {0, 1, 2, 3, 5, 9, 35} : new int[] {1, 3, 9};
    for (int m : sizes) {
      for (int n : sizes) {
        for (int k : sizes) {
          for (int t = 0; t < 4; t++) {
            Gemm op = Gemm.of(m, n, k).trans((t & 1) != 0, (t & 2) != 0);
            op = op.leading(op.leadingA() + 1, op.leadingB() + 1, n + 1);
            for (double[] f : new double[][] {{0, 1.3}, {1, 0}, {0.7, 1.3}, {1, 1}}) {
              assertThat(worst(op, f[0], f[1], data)).as("%s", op).isLessThanOrEqualTo(4);
            }
          }
        }
      }
    }
    for (int k : new int[] {17, 31, 32, 33, 64}) {
      for (int t = 0; t < 4; t++) {
        Gemm op = Gemm.of(37, 50, k).trans((t & 1) != 0, (t & 2) != 0);
        assertThat(worst(op, 0.7, 1.3, data)).as("%s", op).isLessThanOrEqualTo(4);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Data.class)
  void longSumsStayWithinSixteen(Data data) {
    int[] lengths = TestDevice.isCpu() ? new int[] {511, 513, 4097, 65_536} : new int[] {513, 4097};
    for (int k : lengths) {
      for (int t = 0; t < 4; t++) {
        Gemm op = Gemm.of(7, 19, k).trans((t & 1) != 0, (t & 2) != 0);
        assertThat(worst(op, 1, 0, data)).as("%s", op).isLessThanOrEqualTo(16);
        Gemm vector = Gemm.of(1, 19, k).trans((t & 1) != 0, (t & 2) != 0);
        assertThat(worst(vector, 0.7, 1.3, data)).as("%s", vector).isLessThanOrEqualTo(16);
      }
    }
  }

  /**
   * SBLAT3's illegal calls of SGEMM in its order. The four with a transposition that does not exist
   * can't be written in Java; a null operand stands in for each.
   */
  @Test
  void illegalCallsAreReported() {
    float[] x = new float[4];
    int reported = 0;
    for (int missing = 0; missing < 4; missing++) {
      float[] a = missing == 0 || missing == 3 ? null : x;
      float[] b = missing == 1 ? null : x;
      float[] c = missing >= 2 ? null : new float[4];
      assertThatThrownBy(() -> Gemm.sgemm(false, false, 1, 1, 1, 1, a, 1, b, 1, 0, c, 1))
          .isInstanceOf(NullPointerException.class);
      reported++;
    }
    String[] names = {"sizes", "sizes", "sizes", "lda", "ldb", "ldc"};
    for (int rule = 0; rule < names.length; rule++) {
      for (int t = 0; t < 4; t++) {
        boolean ta = (t & 1) != 0;
        boolean tb = (t & 2) != 0;
        int m = rule == 0 ? -1 : rule == 3 && ta ? 2 : 1;
        int n = rule == 1 ? -1 : rule == 5 || (rule == 4 && !tb) ? 2 : 1;
        int k = rule == 2 ? -1 : (rule == 3 && !ta) || (rule == 4 && tb) ? 2 : 1;
        int lda = rule == 3 ? 1 : 2;
        int ldb = rule == 4 ? 1 : 2;
        int ldc = rule == 5 ? 1 : 2;
        assertThatThrownBy(
                () -> Gemm.sgemm(ta, tb, m, n, k, 1, x, lda, x, ldb, 0, new float[4], ldc))
            .isInstanceOf(InvalidArgumentException.class)
            .hasMessageStartingWith("sgemm: " + names[rule]);
        reported++;
      }
    }
    assertThat(reported).isEqualTo(28);
  }
}
