package dev.gridstride;

import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.device.Device;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every differentiable op against central finite differences in f64.
 *
 * <p>The ops are found by reflection: a public method of Tensor that returns tensors, also in an
 * array or a record, without a case here fails {@link #everyDifferentiableMethodHasACase}.
 */
@ExtendWith(TestDevice.class)
class GradientTest {
  private static final Device DEVICE = TestDevice.get();

  static List<GradientCases.Case> cases() {
    return GradientCases.all();
  }

  @Test
  void everyDifferentiableMethodHasACase() {
    var covered = cases().stream().map(GradientCases.Case::method).collect(Collectors.toSet());
    var missing = new TreeSet<String>();
    for (Method m : Tensor.class.getMethods()) {
      if (!Modifier.isStatic(m.getModifiers())
          && returnsTensors(m.getReturnType())
          && !m.isAnnotationPresent(NotDifferentiable.class)
          && !covered.contains(m.getName())) {
        missing.add(m.getName());
      }
    }
    assertThat(missing)
        .as("methods of Tensor with neither a gradient case nor @NotDifferentiable")
        .isEmpty();
  }

  /** Tensors themselves, arrays of them, and records that hold some. */
  private static boolean returnsTensors(Class<?> type) {
    return type == Tensor.class
        || type == Tensor[].class
        || (type.isRecord()
            && Arrays.stream(type.getRecordComponents())
                .anyMatch(c -> returnsTensors(c.getType())));
  }

  @Test
  void seesRecordsOfTensors() {
    assertThat(returnsTensors(TopKResult.class)).isTrue();
    assertThat(returnsTensors(ConvOptions.class)).isFalse();
  }

  /**
   * The directional derivative along a random direction of all leaves, by Richardson-extrapolated
   * central differences (error O(h^4)), against the inner product with the gradients.
   */
  @ParameterizedTest
  @MethodSource("cases")
  void matchesFiniteDifferences(GradientCases.Case c) {
    var random = new SplittableRandom(42);
    double[][] at = new double[c.shapes().length][];
    for (int i = 0; i < at.length; i++) {
      at[i] = normal(Shape.of(c.shapes()[i]).count(), random);
    }
    for (int trial = 0; trial < 3; trial++) {
      double[][] direction =
          Arrays.stream(at).map(v -> normal(v.length, random)).toArray(double[][]::new);
      double[] weights = weights(c, at, random);
      double analytic = analytic(c, at, direction, weights);
      double h = 1e-4;
      double coarse = central(c, at, direction, weights, h);
      double fine = central(c, at, direction, weights, h / 2);
      double numeric = (4 * fine - coarse) / 3;
      double scale = Math.max(1, Math.max(Math.abs(numeric), Math.abs(analytic)));
      assertThat(Math.abs(analytic - numeric) / scale)
          .as("%s: analytic %s, numeric %s", c, analytic, numeric)
          .isLessThanOrEqualTo(1e-7);
    }
  }

  private static double[] normal(long count, SplittableRandom random) {
    var v = new double[Math.toIntExact(count)];
    Arrays.setAll(v, i -> random.nextGaussian());
    return v;
  }

  private static Tensor[] leaves(GradientCases.Case c, double[][] at) {
    var leaves = new Tensor[at.length];
    for (int i = 0; i < at.length; i++) {
      leaves[i] = Tensors.of(DEVICE, at[i], c.shapes()[i]).requiresGrad(true);
    }
    return leaves;
  }

  private static double[] weights(GradientCases.Case c, double[][] at, SplittableRandom random) {
    try (Scope scope = Scope.open()) {
      return normal(c.function().apply(leaves(c, at)).count(), random);
    }
  }

  private static double analytic(
      GradientCases.Case c, double[][] at, double[][] direction, double[] weights) {
    try (Scope scope = Scope.open()) {
      Tensor[] leaves = leaves(c, at);
      Tensor y = c.function().apply(leaves);
      y.backward(Tensors.of(y.device(), weights, y.shape().dims()), false);
      double sum = 0;
      for (int i = 0; i < leaves.length; i++) {
        Tensor grad = leaves[i].grad();
        if (grad != null) {
          double[] g = grad.toDoubleArray();
          for (int k = 0; k < g.length; k++) {
            sum += g[k] * direction[i][k];
          }
        }
      }
      return sum;
    }
  }

  private static double central(
      GradientCases.Case c, double[][] at, double[][] direction, double[] weights, double h) {
    return (value(c, at, direction, weights, h) - value(c, at, direction, weights, -h)) / (2 * h);
  }

  private static double value(
      GradientCases.Case c, double[][] at, double[][] direction, double[] weights, double h) {
    var moved = new double[at.length][];
    for (int i = 0; i < at.length; i++) {
      moved[i] = at[i].clone();
      for (int k = 0; k < moved[i].length; k++) {
        moved[i][k] += h * direction[i][k];
      }
    }
    try (Scope scope = Scope.open()) {
      double[] y = c.function().apply(leaves(c, moved)).toDoubleArray();
      double sum = 0;
      for (int k = 0; k < y.length; k++) {
        sum += y[k] * weights[k];
      }
      return sum;
    }
  }
}
