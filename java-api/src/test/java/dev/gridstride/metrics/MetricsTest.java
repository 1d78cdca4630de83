package dev.gridstride.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.TestDevice;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(TestDevice.class)
class MetricsTest {
  private static final Device DEVICE = TestDevice.get();
  private Scope scope;

  @BeforeEach
  void open() {
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private static Tensor scores() {
    float nan = Float.NaN;
    return Tensors.of(DEVICE, new float[] {1, 2, 0, 3, 3, 1, 0, nan, 5, -0f, 0f, -1}, 4, 3);
  }

  private static Tensor targets(long... t) {
    return Tensors.of(DEVICE, t, t.length);
  }

  @Test
  void accuracyAndTopK() {
    assertThat(Metrics.accuracy(scores(), targets(1, 0, 1, 0))).isEqualTo(1);
    assertThat(Metrics.accuracy(scores(), targets(0, 1, 2, 1))).isZero();
    assertThat(Metrics.topK(scores(), targets(0, 1, 2, 1), 2)).isEqualTo(1);
    assertThat(Metrics.topK(scores(), targets(2, 2, 0, 2), 2)).isZero();
    assertThat(Metrics.topK(scores(), targets(2, 2, 0, 2), 3)).isEqualTo(1);
    assertThat(Metrics.accuracy(scores(), targets(1, 0, 0, 1))).isEqualTo(.5);
    assertThat(
            Metrics.accuracy(
                Tensors.zeros(DEVICE, DType.F32, 0, 3), Tensors.zeros(DEVICE, DType.I64, 0)))
        .isNaN();
  }

  @Test
  void errorsOfRegression() {
    Tensor p = Tensors.of(DEVICE, new float[] {1, 2, 3, 4}, 4);
    Tensor t = Tensors.of(DEVICE, new float[] {1, 4, 0, 4}, 4);
    assertThat(Metrics.mae(p, t)).isEqualTo(1.25);
    assertThat(Metrics.rmse(p, t)).isCloseTo(Math.sqrt(13 / 4.0), within(1e-15));
    assertThatThrownBy(() -> Metrics.mae(p, Tensors.zeros(DEVICE, DType.F32, 4, 1)))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageStartingWith("mae: target must have the prediction's shape");
  }

  @Test
  void confusionMatrixCounts() {
    var m = new ConfusionMatrix(List.of("cat", "dog", "elephant"));
    m.add(scores(), targets(1, 0, 0, 2));
    m.add(2, 2);
    assertThat(m.count(1, 1)).isEqualTo(1);
    assertThat(m.count(0, 0)).isEqualTo(1);
    assertThat(m.count(0, 1)).isEqualTo(1);
    assertThat(m.count(2, 0)).isEqualTo(1);
    assertThat(m.total()).isEqualTo(5);
    assertThat(m.accuracy()).isEqualTo(.6);
    assertThat(m.precision(0)).isEqualTo(.5);
    assertThat(m.recall(2)).isEqualTo(.5);
    assertThat(m.f1(1)).isCloseTo(2 / 3.0, within(1e-15));
    assertThat(m.names()).hasSize(3);
    assertThat(m.toString())
        .isEqualTo(
            """
                           cat      dog elephant  recall  precision
                  cat        1        1        0  0.5000     0.5000
                  dog        0        1        0  1.0000     0.5000
             elephant        1        0        1  0.5000     1.0000
            accuracy 0.6000 of 5
            """);
    var empty = new ConfusionMatrix(2);
    assertThat(empty.accuracy()).isNaN();
    assertThat(empty.recall(0)).isNaN();
    assertThat(empty.names()).containsExactly("0", "1");
    empty.add(0, 0);
    assertThat(empty.toString())
        .isEqualTo(
            """
                         0      1  recall  precision
                  0      1      0  1.0000     1.0000
                  1      0      0       -          -
            accuracy 1.0000 of 1
            """);
  }

  @Test
  void wrongUse() {
    var m = new ConfusionMatrix(3);
    assertThatThrownBy(() -> m.add(scores(), targets(1, 0, 1, 3)))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage("confusionMatrix.add: target must be in 0..classes; target=3, classes=3");
    assertThatThrownBy(() -> m.add(0, -1)).isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(() -> new ConfusionMatrix(2).add(scores(), targets(1, 0, 1, 1)))
        .isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(() -> Metrics.accuracy(scores(), targets(1)))
        .isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(() -> Metrics.topK(scores(), targets(1, 0, 1, 1), 0))
        .isInstanceOf(InvalidArgumentException.class);
  }

  @Test
  void runningMean() {
    var mean = new RunningMean();
    assertThat(mean.mean()).isNaN();
    mean.add(1);
    mean.add(4, 2);
    assertThat(mean.mean()).isEqualTo(3);
    assertThat(mean.weight()).isEqualTo(3);
    mean.reset();
    assertThat(mean.mean()).isNaN();
  }
}
