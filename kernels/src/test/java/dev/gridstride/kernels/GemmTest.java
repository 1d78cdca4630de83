package dev.gridstride.kernels;

import static dev.gridstride.kernels.GemmCheck.check;
import static dev.gridstride.testing.Close.assertSameBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gridstride.cuda.VendorChoice;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.kernels.Epilogue.Activation;
import dev.gridstride.kernels.GemmCheck.Result;
import dev.gridstride.testing.TestArray;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The matrix product against double loops. */
@ExtendWith(TestDevice.class)
final class GemmTest {
  private static final Device DEVICE = TestDevice.get();
  private static final int[] ROWS = {0, 1, 5, 6, 7, 13};
  private static final int[] COLUMNS = {0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 65};

  @ParameterizedTest
  @CsvSource({
    "F32, false, false",
    "F32, true, false",
    "F32, false, true",
    "F32, true, true",
    "F64, false, false",
    "F64, true, true",
    "BF16, false, false",
    "F16, true, true"
  })
  void everyEdge(DType type, boolean transA, boolean transB) {
    for (int m : ROWS) {
      for (int n : COLUMNS) {
        for (int k : new int[] {0, 1, 16, 35}) {
          check(Gemm.of(m, n, k).type(type).trans(transA, transB), 1, 0, false);
        }
      }
    }
  }

  /** Sizes on either side of blocks, panels and steps, and every transposition. */
  @ParameterizedTest
  @CsvSource({
    "F32, 150, 170, 90",
    "F32, 67, 300, 130",
    "F32, 253, 33, 513",
    "F32, 65, 129, 1100",
    "F32, 13, 10, 3000",
    "F32, 3, 700, 70",
    "F32, 310, 533, 20",
    "F32, 1300, 1201, 1",
    "F64, 150, 170, 90",
    "F64, 65, 129, 1100",
    "F64, 67, 300, 130",
    "F64, 410, 533, 9",
  })
  void blockedSizes(DType type, int m, int n, int k) {
    for (int t = 0; t < 4; t++) {
      Gemm op = Gemm.of(m, n, k).type(type).trans((t & 1) != 0, (t & 2) != 0);
      check(op, 1, 0, false);
      check(op, -0.75, 0.5, false);
      check(op, 2, 3, true);
    }
  }

  /** Products of one column and one row, dense or not, of whole tiles and what is left. */
  @ParameterizedTest
  @CsvSource({"F32, 200, 352", "F32, 333, 129", "F32, 6, 4000", "F64, 90, 275"})
  void outerProducts(DType type, int m, int n) {
    for (int t = 0; t < 4; t++) {
      boolean a = (t & 1) != 0;
      boolean b = (t & 2) != 0;
      Gemm op = Gemm.of(m, n, 1).type(type).trans(a, b);
      check(op, 1, 0, false);
      check(op.leading(a ? m + 3 : 2, b ? 3 : n + 1, n + 5), 1, 0, false);
      check(op.batched(2), 1, 0, false);
    }
  }

  /** Products large enough that B is packed in slabs: one of them, several, of several steps. */
  @ParameterizedTest
  @CsvSource({
    "F32, F32, 200, 645, 1100, 1",
    "F64, F64, 193, 610, 2100, 1",
    "BF16, F32, 200, 540, 1030, 2"
  })
  void slabs(DType in, DType out, int m, int n, int k, int batch) {
    for (int t = 0; t < 2; t++) {
      Gemm op = Gemm.of(m, n, k).types(in, in, out).trans(t != 0, t == 0).batched(batch);
      check(op, t == 0 ? 1 : 0.5, t, false);
    }
    check(Gemm.of(m, n, k).types(in, in, out).with(Epilogue.bias()), 1, 0, false);
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F32", "F64", "BF16", "F16"})
  void vectors(DType type) {
    for (int t = 0; t < 4; t++) {
      for (int size : new int[] {1, 17, 300}) {
        for (int k : new int[] {1, 100, 1031}) {
          boolean a = (t & 1) != 0;
          boolean b = (t & 2) != 0;
          check(Gemm.of(1, size, k).type(type).trans(a, b), 1, 0, false);
          check(Gemm.of(size, 1, k).type(type).trans(a, b), 1.5, 0.25, false);
          check(
              Gemm.of(size, 1, k).type(type).trans(a, b).leading(k + size + 1, k + 2, 3),
              1,
              0.5,
              false);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "BF16, BF16, BF16",
    "BF16, BF16, F32",
    "F16, F16, F16",
    "F16, F16, F32",
    "BF16, F32, F32",
    "F32, F16, BF16"
  })
  void narrowTypes(DType a, DType b, DType c) {
    for (int t = 0; t < 4; t++) {
      Gemm op = Gemm.of(37, 45, 700).types(a, b, c).trans((t & 1) != 0, (t & 2) != 0);
      check(op, 1, 0, false);
      check(op, 0.5, 2, false);
      check(Gemm.of(70, 90, 30).types(a, b, c).leading(t == 0 ? 33 : 0, 0, 95), 1, 1, false);
    }
  }

  /** Bias gradients and parts of k for all types, and TF32 where a device has it. */
  @ParameterizedTest
  @CsvSource({"F32, F32", "F64, F64", "BF16, BF16", "F16, F16", "BF16, F32", "F32, BF16"})
  void longSumsWithEpilogues(DType in, DType out) {
    for (int t = 0; t < 4; t++) {
      Gemm op = Gemm.of(9, 34, 2100).types(in, in, out).trans((t & 1) != 0, (t & 2) != 0);
      check(op.with(Epilogue.bias().then(Activation.RELU).saveAux()), 0.1, 0.5, false);
      check(op.with(Epilogue.backward(Activation.GELU).biasGradient()), 0.1, 0, false);
      if (in == DType.F32) {
        check(op.allowTf32(), 1, 0.5, false);
      }
    }
  }

  /** Rows of whole 16 bytes: what loads by boxes takes. */
  @ParameterizedTest
  @CsvSource({"BF16, BF16", "F16, F32"})
  void narrowTypesInAlignedRows(DType in, DType out) {
    for (int t = 0; t < 4; t++) {
      Gemm op = Gemm.of(136, 264, 200).types(in, in, out).trans((t & 1) != 0, (t & 2) != 0);
      check(op.batched(2), 1, 0, false);
      check(op.with(Epilogue.bias().then(Activation.GELU).saveAux()), 0.1, 0.5, false);
    }
  }

  @Test
  void explainsWhichKernelRuns() {
    assumeTrue(!TestDevice.isCpu() && VendorChoice.GIVEN.names().isEmpty());
    Gemm f32 = Gemm.of(70, 80, 90);
    assertThat(DEVICE.plan(f32).explain().implementation()).isEqualTo("simt");
    assertThat(DEVICE.plan(f32).explain().toString())
        .contains("refused mma: mma takes bf16 or f16, or f32 with tf32 allowed");
    assertThat(DEVICE.plan(f32.allowTf32()).explain().implementation()).isEqualTo("mma");
    assertThat(DEVICE.plan(Gemm.of(64, 80, 90).type(DType.BF16)).explain().toString())
        .contains("gemm on " + DEVICE.name() + ": mma", "refused wgmma: wgmma needs ");
    String aligned = DEVICE.plan(Gemm.of(136, 264, 200).type(DType.BF16)).explain().toString();
    assertThat(aligned).containsAnyOf(": wgmma", "refused wgmma: wgmma needs compute capability");
    assertThat(DEVICE.plan(f32.types(DType.BF16, DType.F16, DType.F32)).explain().toString())
        .contains("refused mma: mma needs A and B of one type");
  }

  private static double[] nans(int n) {
    var x = new double[n];
    Arrays.fill(x, Double.NaN);
    return x;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7})
  void batches(int batch) {
    for (int t = 0; t < 4; t++) {
      Gemm op = Gemm.of(9, 20, 33).trans((t & 1) != 0, (t & 2) != 0);
      check(op.batched(batch), 1, 0, false);
      check(op.batched(batch, 0, 33 * 20, 9 * 20 + 5), 1, 0.5, false);
      check(op.batched(batch, 9 * 33 + 7, 0, 9 * 20), 2, 0, false);
      check(op.leading(40, 41, 42).batched(batch), 1, 1, false);
    }
    check(Gemm.of(3, 4, 5).batched(batch).with(Epilogue.bias().then(Activation.RELU)), 1, 0, false);
    check(Gemm.of(3, 4, 5).batched(batch).with(Epilogue.NONE.biasGradient()), 1, 0, false);
  }

  @Test
  void manySmallProducts() {
    check(Gemm.of(2, 2, 2).batched(65_536), 1, 0, true);
  }

  @Test
  void gapsBetweenRowsStay() {
    for (int t = 0; t < 4; t++) {
      Gemm op = Gemm.of(70, 75, 80).trans((t & 1) != 0, (t & 2) != 0);
      check(op.leading(81, 83, 77), 1, 0, false);
      check(op.leading(128, 128, 128), 1.5, 0.5, false);
    }
  }

  @Test
  void betaZeroNeverReadsC() {
    // check fills C with NaN when beta is 0; here with a saved value that must not matter
    for (int n : new int[] {1, 7, 40, 200}) {
      double[] nan = nans(n * n);
      check(
          Gemm.of(n, n, n),
          1,
          0,
          false,
          TestArray.normal(n * n, 1),
          TestArray.normal(n * n, 2),
          nan);
      check(
          Gemm.of(n, n, n),
          0,
          0,
          false,
          TestArray.normal(n * n, 1),
          TestArray.normal(n * n, 2),
          nan);
    }
  }

  @Test
  void alphaZeroReadsNeitherInput() {
    for (int n : new int[] {1, 7, 40}) {
      double[] nan = nans(n * n);
      double[] c = TestArray.normal(n * n, 3);
      check(Gemm.of(n, n, n), 0, 1, false, nan, nan, c);
      check(Gemm.of(n, n, n), 0, -2, false, nan, nan, c);
      check(Gemm.of(n, n, n), 0, 0, false, nan, nan, c);
      check(Gemm.of(n, n, n).with(Epilogue.bias()), 0, 0, false, nan, nan, c);
    }
  }

  @Test
  void aNanStaysInItsRowOrColumn() {
    int n = 71;
    double[] a = TestArray.normal(n * n, 1);
    a[30 * n + 7] = Double.NaN;
    check(Gemm.of(n, n, n), 1, 0, false, a, TestArray.normal(n * n, 2));
    check(Gemm.of(n, n, n), 1, 0, false, TestArray.normal(n * n, 2), a);
    check(Gemm.of(n, n, n).transB(), 1, 0, false, TestArray.normal(n * n, 2), a);
    a[30 * n + 7] = Double.POSITIVE_INFINITY;
    check(Gemm.of(n, n, n).transA(), 1, 0, false, a, TestArray.normal(n * n, 2));
  }

  @Test
  void integersAreExact() {
    for (DType type : new DType[] {DType.F32, DType.F64}) {
      for (int t = 0; t < 4; t++) {
        Gemm op = Gemm.of(67, 130, 1000).type(type).trans((t & 1) != 0, (t & 2) != 0);
        double[] a = TestArray.integers(op.countA(), 1);
        double[] b = TestArray.integers(op.countB(), 2);
        double[] c = TestArray.integers(op.countC(), 3);
        double[] exact = new GemmOracle(op, 2, a, b, -1, c, c, c).c;
        assertSameBits("c", check(op, 2, -1, true, a, b, c).c(), exact);
      }
    }
  }

  /** All terms positive: partial sums grow, and so does the error of a long chain. */
  @Test
  void longSumsOfPositiveTermsKeepTheirAccuracy() {
    int k = 65_536;
    var random = new SplittableRandom(1);
    double[] a = new double[7 * k];
    double[] b = new double[20 * k];
    Arrays.setAll(a, i -> random.nextDouble());
    Arrays.setAll(b, i -> random.nextDouble());
    check(Gemm.of(7, 20, k), 1, 0, false, a, b);
    check(Gemm.of(7, 20, k).transA().transB(), 1, 0, false, a, b);
    check(Gemm.of(1, 20, k), 1, 0, false, Arrays.copyOf(a, k), b);
    check(Gemm.of(1, 20, k).transB(), 1, 0, false, Arrays.copyOf(a, k), b);
  }

  @Test
  @ResourceLock("threads")
  void sameBitsForAnyNumberOfThreads() {
    int before = DEVICE.threads();
    try {
      for (Gemm op :
          new Gemm[] {
            Gemm.of(64, 128, 9216).transB(),
            Gemm.of(40, 300, 4100).transA().with(Epilogue.bias().then(Activation.RELU)),
            Gemm.of(33, 65, 5000).transA().type(DType.F64),
            Gemm.of(100, 101, 102).transB(),
            Gemm.of(9000, 5, 30),
            Gemm.of(1000, 1000, 1).transA(),
            Gemm.of(300, 500, 200),
            Gemm.of(130, 600, 64).transA(),
            Gemm.of(10, 20, 30).batched(500),
            Gemm.of(1, 3000, 700),
            Gemm.of(200, 700, 9).with(Epilogue.NONE.biasGradient())
          }) {
        for (double beta : new double[] {0, -0.5}) {
          double alpha = beta == 0 ? 1 : 0.75;
          DEVICE.threads(1);
          Result one = check(op, alpha, beta, false);
          DEVICE.threads(3);
          Result three = check(op, alpha, beta, false);
          assertSameBits("c", three.c(), one.c());
          assertSameBits("bias", three.bias(), one.bias());
        }
      }
    } finally {
      DEVICE.threads(before);
    }
  }

  @Test
  void splittingTheSumDoesNotChangeBits() {
    assumeTrue(TestDevice.isCpu(), "chains of 512 terms are the CPU's");
    // the same rows alone, where k is split, and as part of a product that is not split
    int k = 9216;
    double[] a = TestArray.normal(400L * k, 1);
    double[] b = TestArray.normal(300L * k, 2);
    double[] part =
        check(
                Gemm.of(64, 128, k).transB(),
                1,
                0,
                false,
                Arrays.copyOf(a, 64 * k),
                Arrays.copyOf(b, 128 * k))
            .c();
    try (var x = TestArray.of(DEVICE, DType.F32, a);
        var w = TestArray.of(DEVICE, DType.F32, b);
        var y = TestArray.output(DEVICE, DType.F32, 400 * 300)) {
      DEVICE
          .plan(Gemm.of(400, 300, k).transB())
          .run(DEVICE.defaultStream(), 1, x.buffer(), w.buffer(), 0, y.buffer());
      double[] whole = y.get();
      for (int i = 0; i < 64; i++) {
        assertSameBits(
            "row " + i,
            Arrays.copyOfRange(whole, i * 300, i * 300 + 128),
            Arrays.copyOfRange(part, i * 128, i * 128 + 128));
      }
    }
  }

  @Test
  void transposedOperandsGiveTheTransposedProduct() {
    int m = 50;
    int n = 70;
    int k = 60;
    double[] a = TestArray.normal(m * k, 1);
    double[] b = TestArray.normal(k * n, 2);
    double[] c = check(Gemm.of(m, n, k), 1, 0, false, a, b).c();
    double[] t = check(Gemm.of(n, m, k).transA().transB(), 1, 0, false, b, a).c();
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        assertThat(t[j * m + i]).isEqualTo(c[i * n + j]);
      }
    }
  }

  /** Heap memory goes another way (through scratch memory); the bits are those of a plan. */
  @ParameterizedTest
  @CsvSource({"1, 1, 1", "16, 16, 16", "7, 35, 9", "150, 170, 600", "65, 129, 1100", "1, 90, 80"})
  void heapArraysGiveTheBitsOfAPlan(int m, int n, int k) {
    assumeTrue(TestDevice.isCpu(), "short forms compute on the CPU");
    for (int t = 0; t < 4; t++) {
      Gemm op = Gemm.of(m, n, k).trans((t & 1) != 0, (t & 2) != 0).leading(m + k + 1, n + k, n + t);
      double[] x = TestArray.normal(op.countA(), 1);
      double[] y = TestArray.normal(op.countB(), 2);
      double[] z = TestArray.normal(op.countC(), 3);
      double[] expected = check(op, 1.5, 0.5, false, x, y, z).c();
      float[] a = floats(x);
      float[] b = floats(y);
      float[] c = floats(z);
      Gemm.sgemm(
          op.transposedA(),
          op.transposedB(),
          m,
          n,
          k,
          1.5f,
          a,
          (int) op.lda(),
          b,
          (int) op.ldb(),
          0.5f,
          c,
          (int) op.ldc());
      var got = new double[c.length];
      Arrays.setAll(got, i -> c[i]);
      assertSameBits("sgemm", got, expected);
      double[] wide = check(op.type(DType.F64), 1.5, 0.5, false, x, y, z).c();
      Gemm.dgemm(
          op.transposedA(),
          op.transposedB(),
          m,
          n,
          k,
          1.5,
          x,
          (int) op.lda(),
          y,
          (int) op.ldb(),
          0.5,
          z,
          (int) op.ldc());
      assertSameBits("dgemm", z, wide);
    }
  }

  private static float[] floats(double[] v) {
    var f = new float[v.length];
    for (int i = 0; i < f.length; i++) {
      f[i] = (float) v[i];
    }
    return f;
  }
}
