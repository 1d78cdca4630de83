package dev.gridstride.analysis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RandomizedSvdTest {
  private static final Device CPU = Device.cpu();

  /** A matrix with known singular values: rotations of both sides of a diagonal one. */
  private static double[][] matrix(int m, int n, double[] values, Random random) {
    var a = new double[m][n];
    for (int i = 0; i < values.length; i++) {
      a[i][i] = values[i];
    }
    for (int turn = 0; turn < 8 * (m + n); turn++) {
      double angle = random.nextDouble() * 2 * Math.PI;
      double c = Math.cos(angle);
      double s = Math.sin(angle);
      int p = random.nextInt(m);
      int q = (p + 1 + random.nextInt(Math.max(1, m - 1))) % m;
      for (int j = 0; j < n && p != q; j++) {
        double x = a[p][j];
        a[p][j] = c * x - s * a[q][j];
        a[q][j] = s * x + c * a[q][j];
      }
      int u = random.nextInt(n);
      int v = (u + 1 + random.nextInt(Math.max(1, n - 1))) % n;
      for (int i = 0; i < m && u != v; i++) {
        double x = a[i][u];
        a[i][u] = c * x - s * a[i][v];
        a[i][v] = s * x + c * a[i][v];
      }
    }
    return a;
  }

  private static Tensor tensor(DType dtype, double[][] a) {
    var flat = new double[a.length * a[0].length];
    for (int i = 0; i < a.length; i++) {
      System.arraycopy(a[i], 0, flat, i * a[0].length, a[0].length);
    }
    return Tensors.of(CPU, flat, a.length, a[0].length).to(dtype);
  }

  @ParameterizedTest
  @CsvSource({"1,1,1", "1,7,1", "7,1,1", "5,5,5", "40,13,4", "13,40,4", "97,64,3"})
  void findsTheLargestSingularValues(int m, int n, int k) {
    for (DType dtype : new DType[] {DType.F32, DType.F64}) {
      var values = new double[Math.min(m, n)];
      for (int i = 0; i < values.length; i++) {
        values[i] = 10 * Math.pow(0.8, i);
      }
      double[][] a = matrix(m, n, values, new Random(31 * m + n));
      // sums of m rounded products, and the method's own error of 0.8^(4 * 8 * 10) or none
      double eps = (dtype == DType.F32 ? 0x1p-23 : 0x1p-52) * 16 * Math.sqrt(m + n);
      try (Scope scope = Scope.open();
          var svd = RandomizedSvd.of(tensor(dtype, a), k, new Generator(5))) {
        double[] v = svd.vectors().toDoubleArray();
        for (int c = 0; c < k; c++) {
          assertThat(svd.values()[c]).isCloseTo(values[c], within(10 * eps));
          double length = 0;
          double image = 0;
          for (int i = 0; i < n; i++) {
            length += v[i * k + c] * v[i * k + c];
          }
          for (double[] row : a) {
            double y = 0;
            for (int i = 0; i < n; i++) {
              y += row[i] * v[i * k + c];
            }
            image += y * y;
          }
          assertThat(length).isCloseTo(1, within(4 * eps));
          assertThat(Math.sqrt(image)).isCloseTo(values[c], within(40 * eps));
        }
      }
    }
  }

  @Test
  void aMatrixOfLowRankHasZerosBeyond() {
    double[][] a = matrix(30, 20, new double[] {3, 2}, new Random(2));
    try (Scope scope = Scope.open();
        var svd = RandomizedSvd.of(tensor(DType.F64, a), 4, new Generator(5));
        var none = RandomizedSvd.of(Tensors.zeros(CPU, DType.F32, 6, 5), 2, new Generator(5))) {
      assertThat(svd.values()).containsExactly(new double[] {3, 2, 0, 0}, within(1e-7));
      assertThat(none.values()).containsExactly(0, 0);
      assertThat(svd.vectors().shape().toString()).isEqualTo("[20, 4]");
      assertThat(svd.vectors().toDoubleArray()).doesNotContain(Double.NaN);
    }
  }

  @Test
  void brokenRulesAreTold() {
    try (Scope scope = Scope.open()) {
      Tensor x = Tensors.zeros(CPU, DType.F32, 3, 2);
      assertThatThrownBy(() -> RandomizedSvd.of(x, 3, new Generator(1)))
          .hasMessageContaining("randomizedSvd: k must be in 1..min(m, n); k=3");
      assertThatThrownBy(() -> RandomizedSvd.of(x.to(DType.I64), 1, new Generator(1)))
          .hasMessageContaining("must be f32 or f64 [m, n]");
    }
  }
}
