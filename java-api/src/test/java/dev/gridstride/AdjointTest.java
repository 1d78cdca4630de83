package dev.gridstride;

import static dev.gridstride.GradientCases.s;
import static dev.gridstride.GradientCases.shapes;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gridstride.GradientCases.Case;
import dev.gridstride.device.Device;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The adjoint identity {@code <f(x), w> = <x, f'(x)^T w>} in f64, to 1e-12, for every method that
 * is homogeneous of degree 1 in a leaf: linear ones, and those that select, such as maxima (Euler's
 * theorem). It has no error of differences, which bounds the gradient test at 1e-7.
 */
@ExtendWith(TestDevice.class)
final class AdjointTest {
  private static final Device DEVICE = TestDevice.get();

  /** Linear ones whose cases in {@link GradientCases} end in a function that is not. */
  private static List<Case> linear() {
    ConvOptions strided = ConvOptions.DEFAULT.withStride(2).withPadding(1).withOutputPadding(1);
    return List.of(
        new Case(
            "convTranspose",
            "adjoint",
            shapes(s(2, 4, 3, 4), s(4, 3, 3, 3)),
            t -> t[0].convTranspose(t[1], null, strided.withGroups(2))),
        new Case("sum", "adjoint", shapes(s(3, 4, 5)), t -> t[0].sum(0, 2)),
        new Case("mean", "adjoint", shapes(s(3, 4, 5)), t -> t[0].mean(1)),
        new Case("cumSum", "adjoint", shapes(s(3, 40)), t -> t[0].cumSum(1)),
        new Case("expand", "adjoint", shapes(s(3, 1, 2)), t -> t[0].expand(4, 3, 5, 2)),
        new Case("permute", "adjoint", shapes(s(3, 4, 2)), t -> t[0].permute(2, 0, 1)),
        new Case("slice", "adjoint", shapes(s(3, 9)), t -> t[0].slice(1, 1, 9, 3)),
        new Case("flip", "adjoint", shapes(s(3, 9)), t -> t[0].flip(1)),
        new Case(
            "indexSelect",
            "adjoint",
            shapes(s(5, 3)),
            t -> t[0].indexSelect(0, Tensors.of(DEVICE, new long[] {4, 0, -1, 4}))));
  }

  @Test
  void homogeneousMethodsAreAdjointToTheirGradients() {
    var covered = new TreeSet<String>();
    var cases = new ArrayList<>(GradientCases.all());
    cases.addAll(linear());
    for (Case c : cases) {
      var random = new SplittableRandom(7);
      double[][] at = new double[c.shapes().length][];
      for (int i = 0; i < at.length; i++) {
        at[i] = random.doubles(Shape.of(c.shapes()[i]).count(), -1, 1).toArray();
      }
      double[] y = value(c, at);
      double[] w = random.doubles(y.length, -1, 1).toArray();
      double forward = dot(y, w);
      double size = 1 + norm(y) * norm(w);
      double[][] gradients = gradients(c, at, w);
      for (int i = 0; i < at.length; i++) {
        double[][] doubled = at.clone();
        doubled[i] = Arrays.stream(at[i]).map(v -> 2 * v).toArray();
        if (isTwice(value(c, doubled), y)) {
          assertThat(Math.abs(dot(at[i], gradients[i]) - forward) / size)
              .as("%s, leaf %d", c, i)
              .isLessThanOrEqualTo(1e-12);
          covered.add(c.method());
        }
      }
    }
    // so that a test of nothing does not pass
    assertThat(covered)
        .contains(
            "abs",
            "add",
            "avgPool2d",
            "conv",
            "convTranspose",
            "cumSum",
            "einsum",
            "expand",
            "flip",
            "gather",
            "indexSelect",
            "linear",
            "matmul",
            "max",
            "maxPool2d",
            "mean",
            "pad",
            "permute",
            "relu",
            "slice",
            "sum");
  }

  private static boolean isTwice(double[] a, double[] b) {
    double scale = norm(b);
    for (int i = 0; i < a.length; i++) {
      if (!(Math.abs(a[i] - 2 * b[i]) <= 1e-14 * scale)) {
        return false;
      }
    }
    return scale > 0;
  }

  private static double dot(double[] a, double[] b) {
    double s = 0;
    for (int i = 0; i < a.length; i++) {
      s += a[i] * b[i];
    }
    return s;
  }

  private static double norm(double[] a) {
    return Math.sqrt(dot(a, a));
  }

  private static Tensor[] leaves(Case c, double[][] at) {
    var leaves = new Tensor[at.length];
    for (int i = 0; i < at.length; i++) {
      leaves[i] = Tensors.of(DEVICE, at[i], c.shapes()[i]).requiresGrad(true);
    }
    return leaves;
  }

  private static double[] value(Case c, double[][] at) {
    try (Scope scope = Scope.open()) {
      return c.function().apply(leaves(c, at)).toDoubleArray();
    }
  }

  private static double[][] gradients(Case c, double[][] at, double[] w) {
    try (Scope scope = Scope.open()) {
      Tensor[] leaves = leaves(c, at);
      Tensor y = c.function().apply(leaves);
      y.backward(Tensors.of(y.device(), w, y.shape().dims()), false);
      var gradients = new double[at.length][];
      for (int i = 0; i < at.length; i++) {
        Tensor g = leaves[i].grad();
        gradients[i] = g == null ? new double[at[i].length] : g.toDoubleArray();
      }
      return gradients;
    }
  }
}
