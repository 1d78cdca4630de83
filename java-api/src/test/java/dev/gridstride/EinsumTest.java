package dev.gridstride;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Einstein summation against the sum over all values of all labels. */
@ExtendWith(TestDevice.class)
class EinsumTest {
  private static final Device DEVICE = TestDevice.get();

  /**
   * Equation, the same with letters for ellipses, shapes: {@code 2x3,3} is a matrix and a vector.
   */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ij,jk->ik | | 2x3,3x4",
        "ij , jk | ij,jk->ik | 2x3,3x4",
        "ba,ca | ba,ca->bc | 2x3,4x3",
        "i,i-> | | 5,5",
        "i,j->ij | | 3,2",
        "ij->ji | | 2x3",
        "ji | ji->ij | 2x3",
        "ij->i | | 2x3",
        "ij-> | | 2x3",
        "ii->i | | 4x4",
        "ii | ii-> | 4x4",
        "iji->j | | 3x2x3",
        "iii->i | | 3x3x3",
        "ijij->ij | | 2x3x2x3",
        "...ii->...i | abii->abi | 2x3x4x4",
        "...ij->...ji | aij->aji | 2x3x4",
        "bij,bjk->bik | | 2x3x4,2x4x5",
        "bhid,bhjd->bhij | | 2x3x4x5,2x3x6x5",
        "ij,kj->ijk | | 2x3,4x3",
        "ij,ik->jk | | 5x2,5x3",
        "i,ij,j-> | | 3,3x4,4",
        "ab,bc,cd->ad | | 2x3,3x4,4x5",
        "ab,cb,bd->acd | | 2x3,4x3,3x2",
        "ij,ij->ij | | 2x3,2x3",
        "ijk,k->ij | | 2x3x4,4",
        "a,b,c->cab | | 2,3,4",
        "ij,kl->il | | 2x3,4x5",
      })
  void isTheSumOfProducts(String equation, String letters, String shapes) {
    long[][] dims =
        Arrays.stream(shapes.split(","))
            .map(s -> Arrays.stream(s.split("x")).mapToLong(Long::parseLong).toArray())
            .toArray(long[][]::new);
    var random = new SplittableRandom(7);
    var values = new double[dims.length][];
    try (Scope scope = Scope.open()) {
      var tensors = new Tensor[dims.length];
      for (int i = 0; i < dims.length; i++) {
        values[i] = random.doubles(Shape.of(dims[i]).count(), -1, 1).toArray();
        tensors[i] = Tensors.of(DEVICE, values[i], dims[i]);
      }
      Tensor y = Tensors.einsum(equation, tensors);
      double[] expected = sum(letters == null ? equation : letters, dims, values);
      assertThat(y.count()).isEqualTo(expected.length);
      double[] actual = y.toDoubleArray();
      for (int i = 0; i < expected.length; i++) {
        // at most 60 products below 1 are summed in f64
        assertThat(actual[i]).as("%s, %d", equation, i).isCloseTo(expected[i], within(1e-13));
      }
      var whole = new Tensor[dims.length];
      for (int i = 0; i < dims.length; i++) {
        long[] rounded = Arrays.stream(values[i]).mapToLong(v -> Math.round(9 * v)).toArray();
        values[i] = Arrays.stream(rounded).asDoubleStream().toArray();
        whole[i] = Tensors.of(DEVICE, rounded, dims[i]);
      }
      assertThat(Tensors.einsum(equation, whole).toDoubleArray())
          .containsExactly(sum(letters == null ? equation : letters, dims, values));
    }
  }

  /** Counts through all values of all labels. */
  private static double[] sum(String equation, long[][] dims, double[][] values) {
    String[] sides = equation.split("->", -1);
    String[] terms = sides[0].split(",");
    Map<Character, Integer> sizes = new HashMap<>();
    for (int t = 0; t < terms.length; t++) {
      for (int d = 0; d < terms[t].length(); d++) {
        sizes.put(terms[t].charAt(d), (int) dims[t][d]);
      }
    }
    Character[] labels = sizes.keySet().toArray(new Character[0]);
    String out = sides[1].strip();
    var result = new double[out.chars().map(c -> sizes.get((char) c)).reduce(1, (a, b) -> a * b)];
    int total = sizes.values().stream().reduce(1, (a, b) -> a * b);
    for (int n = 0; n < total; n++) {
      Map<Character, Integer> at = new HashMap<>();
      int rest = n;
      for (Character label : labels) {
        at.put(label, rest % sizes.get(label));
        rest /= sizes.get(label);
      }
      double product = 1;
      for (int t = 0; t < terms.length; t++) {
        product *= values[t][place(terms[t], at, sizes)];
      }
      result[place(out, at, sizes)] += product;
    }
    return result;
  }

  private static int place(String term, Map<Character, Integer> at, Map<Character, Integer> sizes) {
    int place = 0;
    for (char c : term.toCharArray()) {
      place = place * sizes.get(c) + at.get(c);
    }
    return place;
  }

  @Test
  void broadcastsEllipsesAndOnes() {
    try (Scope scope = Scope.open()) {
      Tensor a = Tensors.arange(DEVICE, dev.gridstride.device.DType.F32, 24).reshape(2, 3, 4);
      Tensor b = Tensors.of(DEVICE, new float[] {1, 2, 3, 4}, 1, 4, 1);
      Tensor y = Tensors.einsum("...ij,...jk->...ik", a, b);
      assertThat(y.shape()).isEqualTo(Shape.of(2, 3, 1));
      assertThat(y.toFloatArray()).containsExactly(20, 60, 100, 140, 180, 220);
      Tensor c = Tensors.of(DEVICE, new float[] {1, 10, 100, 1000});
      assertThat(Tensors.einsum("...j,j", a, c).shape()).isEqualTo(Shape.of(2, 3));
      Tensor one = Tensors.of(DEVICE, new float[] {2}, 1, 1);
      assertThat(Tensors.einsum("ij,jk->ik", a.select(0, 0), one).toFloatArray())
          .containsExactly(12, 44, 76);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ij,jk->ik | must have a term for each tensor",
        "ij->i-> | must consist of letters",
        "i->i | must have a label for each dimension",
        "ijk->i | must have a label for each dimension",
        "i1->i | must consist of letters",
        "ii->i | must give dimensions with one label one size",
        "ij->k | may only name labels of the terms in the output",
        "ij->ii | may name each label once in the output",
        "......ij->i | may have one ellipsis in a term",
      })
  void refusesEquationsThatDoNotFit(String equation, String rule) {
    try (Scope scope = Scope.open()) {
      Tensor x = Tensors.of(DEVICE, new float[6], 2, 3);
      assertThatThrownBy(() -> Tensors.einsum(equation, x))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessageStartingWith("einsum: equation " + rule);
    }
  }
}
