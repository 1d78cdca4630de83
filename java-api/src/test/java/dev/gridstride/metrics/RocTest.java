package dev.gridstride.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gridstride.Scope;
import dev.gridstride.Tensors;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RocTest {
  private static final Device CPU = Device.cpu();

  private static Roc roc(double[] scores, long... targets) {
    try (Scope scope = Scope.open()) {
      return Roc.of(
          Tensors.of(CPU, scores, scores.length), Tensors.of(CPU, targets, targets.length));
    }
  }

  @Test
  void pointsOfASmallExample() {
    Roc roc = roc(new double[] {.9, .8, .7, .6, .2}, 1, 0, 1, 1, 0);
    assertThat(roc.falsePositiveRates()).containsExactly(0, 0, .5, .5, .5, 1);
    double third = 1 / 3.0;
    assertThat(roc.truePositiveRates()).containsExactly(0, third, third, 2 * third, 1, 1);
    assertThat(roc.area()).isCloseTo(4 / 6.0, within(1e-15)); // 4 of 6 pairs are in order
  }

  @Test
  void perfectReversedAndAllEqual() {
    assertThat(roc(new double[] {3, 2, 1}, 1, 1, 0).area()).isEqualTo(1);
    assertThat(roc(new double[] {3, 2, 1}, 0, 0, 1).area()).isZero();
    Roc equal = roc(new double[] {0.0, -0.0, 0.0}, 1, 0, 0);
    assertThat(equal.area()).isEqualTo(.5);
    assertThat(equal.falsePositiveRates()).containsExactly(0, 1);
  }

  @Test
  void areaCountsPairs() {
    var random = new Random(4);
    int n = 257;
    var scores = new double[n];
    var targets = new long[n];
    for (int i = 0; i < n; i++) {
      scores[i] = random.nextInt(40); // with ties
      targets[i] = random.nextInt(40) < scores[i] ? 1 : 0;
    }
    double inOrder = 0;
    long pairs = 0;
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        if (targets[i] == 1 && targets[j] == 0) {
          pairs++;
          inOrder += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? .5 : 0;
        }
      }
    }
    Roc roc = roc(scores, targets);
    assertThat(roc.area()).isCloseTo(inOrder / pairs, within(n * Math.ulp(1.0)));
    assertThat(roc.falsePositiveRates()).isSorted().endsWith(1);
    assertThat(roc.truePositiveRates()).isSorted().endsWith(1);
  }

  @Test
  void brokenRulesAreTold() {
    assertThatThrownBy(() -> roc(new double[] {1, 2}, 1, 1))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("roc: targets must hold both classes; positives=2, negatives=0");
    assertThatThrownBy(() -> roc(new double[] {1, Double.NaN}, 1, 0))
        .hasMessageContaining("scores must not be NaN; index=1");
    assertThatThrownBy(() -> roc(new double[] {1, 2}, 1, 2)).hasMessageContaining("target=2");
    assertThatThrownBy(() -> roc(new double[] {1, 2}, 1, 0, 1))
        .hasMessageContaining("one for each of scores");
  }

  @Test
  void equalErrorRates() {
    assertThat(roc(new double[] {3, 2, 1}, 1, 1, 0).equalErrorRate()).isZero();
    assertThat(roc(new double[] {3, 2, 1}, 0, 0, 1).equalErrorRate()).isEqualTo(1);
    assertThat(roc(new double[] {1, 1, 1, 1}, 1, 0, 0, 0).equalErrorRate()).isEqualTo(.5);
    // from (0, 1/3) over (1/2, 1/3) to (1/2, 2/3): both errors are 1/2 on the way
    assertThat(roc(new double[] {.9, .8, .7, .6, .2}, 1, 0, 1, 1, 0).equalErrorRate())
        .isEqualTo(.5);
    // from (0, 1/2) to (1/4, 1): 1 - 1/2 - 2 x = x
    assertThat(roc(new double[] {5, 4, 4, 3, 2, 1}, 1, 1, 0, 0, 0, 0).equalErrorRate())
        .isCloseTo(1 / 6.0, within(1e-15));
  }
}
