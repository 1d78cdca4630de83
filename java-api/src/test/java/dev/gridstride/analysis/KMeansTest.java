package dev.gridstride.analysis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.metrics.Metrics;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class KMeansTest {
  private static final Device CPU = Device.cpu();

  @Test
  void findsSeparateGroupsAndTheirMeans() {
    int n = 203;
    int d = 5;
    int k = 4;
    var random = new Random(9);
    var x = new double[n * d];
    var truth = new long[n];
    for (int i = 0; i < n; i++) {
      truth[i] = i % k;
      for (int j = 0; j < d; j++) {
        x[i * d + j] = (j == truth[i] ? 8 : 0) + random.nextGaussian();
      }
    }
    for (DType dtype : new DType[] {DType.F32, DType.F64}) {
      try (Scope scope = Scope.open();
          var found =
              KMeans.fit(Tensors.of(CPU, x, n, d).to(dtype), k, 5, new SplittableRandom(3))) {
        long[] labels = found.labels();
        assertThat(Metrics.adjustedRandIndex(truth, labels)).isEqualTo(1);
        double[] centres = found.centres().toDoubleArray();
        double inertia = 0;
        for (int c = 0; c < k; c++) {
          for (int j = 0; j < d; j++) {
            double sum = 0;
            int count = 0;
            for (int i = 0; i < n; i++) {
              if (labels[i] == c) {
                sum += x[i * d + j];
                count++;
              }
            }
            // a sum of about 50 numbers below 16, each product exact
            double mean = sum / count;
            assertThat(centres[c * d + j])
                .isCloseTo(mean, within(dtype == DType.F32 ? 64 * 16 * 0x1p-24 : 1e-13));
            for (int i = 0; i < n; i++) {
              inertia += labels[i] == c ? Math.pow(x[i * d + j] - mean, 2) : 0;
            }
          }
        }
        // differences of squares up to 150 for distances of about 5
        assertThat(found.inertia() / inertia)
            .isCloseTo(1, within(dtype == DType.F32 ? 1e-4 : 1e-12));
        assertThat(found.iterations()).isBetween(2, 50);
      }
    }
  }

  @Test
  void oneClusterAndAsManyAsRows() {
    try (Scope scope = Scope.open()) {
      Tensor x = Tensors.of(CPU, new float[] {0, 1, 2, 9}, 4, 1);
      try (var one = KMeans.fit(x, 1, 1, new SplittableRandom(1));
          var all = KMeans.fit(x, 4, 3, new SplittableRandom(1));
          var equal =
              KMeans.fit(Tensors.ones(CPU, DType.F32, 5, 2), 3, 2, new SplittableRandom(1))) {
        assertThat(one.centres().toDoubleArray()).containsExactly(3);
        assertThat(one.inertia()).isEqualTo(50);
        assertThat(all.inertia()).isZero();
        assertThat(all.labels()).doesNotHaveDuplicates();
        assertThat(equal.inertia()).isZero();
      }
    }
  }

  @Test
  void brokenRulesAreTold() {
    try (Scope scope = Scope.open()) {
      Tensor x = Tensors.zeros(CPU, DType.F32, 3, 2);
      assertThatThrownBy(() -> KMeans.fit(x, 4, 1, new SplittableRandom(1)))
          .hasMessageContaining("kMeans: k and restarts must be in 1..n and at least 1; k=4");
      assertThatThrownBy(() -> KMeans.fit(x.flatten(0), 1, 1, new SplittableRandom(1)))
          .hasMessageContaining("must be f32 or f64 [n, d]");
    }
  }

  @Test
  void adjustedRandIndexOfKnownPartitions() {
    long[] a = {0, 0, 0, 1, 1, 1};
    assertThat(Metrics.adjustedRandIndex(a, new long[] {7, 7, 7, 2, 2, 2})).isEqualTo(1);
    // pairs: together 2, in a 6, in b 3, of 15; expected 1.2: (2 - 1.2) / (4.5 - 1.2)
    assertThat(Metrics.adjustedRandIndex(a, new long[] {0, 0, 1, 1, 2, 2}))
        .isCloseTo(0.8 / 3.3, within(1e-15));
    assertThat(Metrics.adjustedRandIndex(new long[] {1, 1}, new long[] {0, 0})).isEqualTo(1);
    assertThatThrownBy(() -> Metrics.adjustedRandIndex(a, new long[] {1}))
        .hasMessageContaining("a.length=6, b.length=1");
  }
}
