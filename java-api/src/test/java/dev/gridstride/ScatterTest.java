package dev.gridstride;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Scatters that reduce, and indexing by tuples, against loops over the indices. */
@ExtendWith(TestDevice.class)
class ScatterTest {
  private static final Device DEVICE = TestDevice.get();

  private static double combine(ScatterReduction reduction, double own, double next) {
    return switch (reduction) {
      case REPLACE -> next;
      case ADD -> own + next;
      case MUL -> own * next;
      case MAX -> Math.max(own, next);
      case MIN -> Math.min(own, next);
    };
  }

  /** Small integers, so that every order of sums and products is exact. */
  private static double[] numbers(SplittableRandom random, int n) {
    return random.ints(n, -3, 4).asDoubleStream().toArray();
  }

  @ParameterizedTest
  @EnumSource(ScatterReduction.class)
  void elements(ScatterReduction reduction) {
    var random = new SplittableRandom(5);
    for (int axis = 0; axis < 3; axis++) {
      long[] part = {2, 3, 2};
      part[axis] = 7; // repeats places: the tensor has at most 4 along an axis
      int n = (int) Shape.of(part).count();
      double[] x = numbers(random, 3 * 4 * 2);
      double[] source = numbers(random, n);
      int size = new int[] {3, 4, 2}[axis];
      long[] at = random.longs(n, -size, size).toArray();
      double[] expected = x.clone();
      int k = 0;
      for (int i = 0; i < part[0]; i++) {
        for (int j = 0; j < part[1]; j++) {
          for (int l = 0; l < part[2]; l++, k++) {
            int[] p = {i, j, l};
            p[axis] = (int) (at[k] < 0 ? at[k] + size : at[k]);
            int place = (p[0] * 4 + p[1]) * 2 + p[2];
            expected[place] = combine(reduction, expected[place], source[k]);
          }
        }
      }
      try (Scope scope = Scope.open()) {
        Tensor tensor = Tensors.of(DEVICE, x, 3, 4, 2);
        Tensor y =
            tensor.scatter(
                axis, Tensors.of(DEVICE, at, part), Tensors.of(DEVICE, source, part), reduction);
        assertThat(y.toDoubleArray()).as("axis %d", axis).containsExactly(expected);
        assertThat(tensor.toDoubleArray()).containsExactly(x);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(ScatterReduction.class)
  void entriesByTuples(ScatterReduction reduction) {
    var random = new SplittableRandom(6);
    double[] x = numbers(random, 3 * 4 * 2);
    int queries = 9;
    for (int depth = 1; depth <= 3; depth++) {
      int[] sizes = {3, 4, 2};
      int width = depth == 1 ? 8 : depth == 2 ? 2 : 1;
      double[] source = numbers(random, queries * width);
      var at = new long[queries * depth];
      double[] expected = x.clone();
      for (int q = 0; q < queries; q++) {
        int place = 0;
        for (int d = 0; d < depth; d++) {
          int i = random.nextInt(sizes[d]);
          at[q * depth + d] = random.nextBoolean() ? i : i - sizes[d];
          place = place * sizes[d] + i;
        }
        for (int w = 0; w < width; w++) {
          int p = place * width + w;
          expected[p] = combine(reduction, expected[p], source[q * width + w]);
        }
      }
      long[] rest = Arrays.copyOfRange(new long[] {3, 4, 2}, depth, 3);
      var sourceDims = new long[2 + rest.length];
      sourceDims[0] = 3;
      sourceDims[1] = 3;
      System.arraycopy(rest, 0, sourceDims, 2, rest.length);
      try (Scope scope = Scope.open()) {
        Tensor indices = Tensors.of(DEVICE, at, 3, 3, depth);
        Tensor y =
            Tensors.of(DEVICE, x, 3, 4, 2)
                .scatterNd(indices, Tensors.of(DEVICE, source, sourceDims), reduction);
        assertThat(y.toDoubleArray()).as("tuples of %d", depth).containsExactly(expected);
      }
    }
  }

  @Test
  void gathersByTuples() {
    try (Scope scope = Scope.open()) {
      Tensor x = Tensors.arange(DEVICE, dev.gridstride.device.DType.I32, 24).reshape(2, 3, 4);
      Tensor all = x.gatherNd(Tensors.of(DEVICE, new long[] {1, 2, 3, 0, -1, 0}, 2, 3), 0);
      assertThat(all.shape()).isEqualTo(Shape.of(2));
      assertThat(all.toLongArray()).containsExactly(23, 8);
      Tensor rows = x.gatherNd(Tensors.of(DEVICE, new int[] {1, 0, 0, 2}, 2, 1, 2), 0);
      assertThat(rows.shape()).isEqualTo(Shape.of(2, 1, 4));
      assertThat(rows.toLongArray()).containsExactly(12, 13, 14, 15, 8, 9, 10, 11);
      Tensor batched = x.gatherNd(Tensors.of(DEVICE, new long[] {1, 2}, 2, 1), 1);
      assertThat(batched.shape()).isEqualTo(Shape.of(2, 4));
      assertThat(batched.toLongArray()).containsExactly(4, 5, 6, 7, 20, 21, 22, 23);
      Tensor none = x.gatherNd(Tensors.of(DEVICE, new long[0], 0, 3), 0);
      assertThat(none.shape()).isEqualTo(Shape.of(0));
    }
  }

  @Test
  void refusesBadTuples() {
    try (Scope scope = Scope.open()) {
      Tensor x = Tensors.of(DEVICE, new float[6], 2, 3);
      assertThatThrownBy(() -> x.gatherNd(Tensors.of(DEVICE, new long[] {0, 1, 0, 3}, 2, 2), 0))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessage("gatherNd: indices must be in -3..2; indices[1, 1]=3, size=3");
      assertThatThrownBy(() -> x.gatherNd(Tensors.of(DEVICE, new long[3], 1, 3), 0))
          .hasMessageStartingWith("gatherNd: indices must live with the tensor");
      assertThatThrownBy(() -> x.gatherNd(Tensors.of(DEVICE, new long[3], 3, 1), 1))
          .hasMessageStartingWith("gatherNd: indices must live with the tensor");
      assertThatThrownBy(() -> x.gatherNd(x, 0)).hasMessageContaining("must be i64 or i32");
      Tensor first = Tensors.of(DEVICE, new long[] {0}, 1, 1);
      assertThatThrownBy(() -> x.scatterNd(first, x, ScatterReduction.ADD))
          .hasMessageStartingWith("scatterNd: source must have the tensor's dtype and device");
      assertThatThrownBy(() -> x.scatter(1, first, x, ScatterReduction.MAX))
          .hasMessageStartingWith("scatter: source must have the tensor's dtype and device");
      Tensor far = Tensors.of(DEVICE, new long[] {-4}, 1, 1);
      Tensor one = Tensors.of(DEVICE, new float[1], 1, 1);
      assertThatThrownBy(() -> x.scatter(1, far, one, ScatterReduction.MIN))
          .hasMessage("scatter: indices must be in -3..2; indices[0, 0]=-4, size=3");
    }
  }
}
