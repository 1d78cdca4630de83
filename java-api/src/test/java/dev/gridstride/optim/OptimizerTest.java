package dev.gridstride.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.TestDevice;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Optimizers on tensors; the formulas are tested with the kernels. */
@ExtendWith(TestDevice.class)
class OptimizerTest {
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

  static List<Function<List<Tensor>, Optimizer>> optimizers() {
    return List.of(
        p -> new SGD(p, 0.5, 0.9),
        p -> new Adam(p, 0.05),
        p -> new AdamW(p, 0.05, 0.01),
        p -> new RMSprop(p, 0.05),
        p -> new Adagrad(p, 0.3),
        p -> new Adadelta(p, 1));
  }

  private static Tensor parameter() {
    return Tensors.of(DEVICE, new float[] {1, -1, 0.5f, 2}, 1, 4).requiresGrad(true);
  }

  private static double train(Tensor p, Optimizer optimizer, int steps) {
    double last = 0;
    for (int i = 0; i < steps; i++) {
      try (Scope step = Scope.open()) {
        optimizer.zeroGrad();
        Tensor loss = p.crossEntropy(Tensors.of(DEVICE, new long[] {1}, 1));
        loss.backward();
        optimizer.step();
        last = loss.item();
      }
    }
    return last;
  }

  @ParameterizedTest
  @MethodSource("optimizers")
  void lowersTheLossAndResumesFromACheckpoint(Function<List<Tensor>, Optimizer> make) {
    Tensor p = parameter();
    try (Optimizer optimizer = make.apply(List.of(p))) {
      double first = train(p, optimizer, 1);
      assertThat(train(p, optimizer, 20)).isLessThan(first);
      Tensor q = Tensors.of(DEVICE, p.toFloatArray(), 1, 4).requiresGrad(true);
      Map<String, Tensor> state = optimizer.exportState();
      train(p, optimizer, 7);
      try (Optimizer resumed = make.apply(List.of(q))) {
        resumed.importState(state);
        train(q, resumed, 7);
        assertThat(q.toFloatArray()).containsExactly(p.toFloatArray());
      }
    }
  }

  @Test
  void groupsHaveTheirOwnRates() {
    Tensor p = parameter();
    Tensor q = parameter();
    Tensor unused = parameter();
    try (var sgd = new SGD(List.of(p, unused), 1, 0)) {
      var group = sgd.addGroup(List.of(q), 0, t -> dev.gridstride.kernels.Sgd.of(t, 0));
      p.crossEntropy(Tensors.of(DEVICE, new long[] {0}, 1)).backward();
      q.crossEntropy(Tensors.of(DEVICE, new long[] {0}, 1)).backward();
      sgd.step();
      assertThat(p.toFloatArray()).isNotEqualTo(parameter().toFloatArray());
      assertThat(q.toFloatArray()).containsExactly(parameter().toFloatArray());
      assertThat(unused.toFloatArray()).containsExactly(parameter().toFloatArray());
      sgd.learningRate(0.25);
      assertThat(group.learningRate()).isEqualTo(0.25);
      assertThat(sgd.learningRate()).isEqualTo(0.25);
      assertThat(group.parameters()).containsExactly(q);
      assertThatThrownBy(() -> sgd.addGroup(List.of(p), 1, t -> null))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessageStartingWith(
              "optimizer: parameters must each be listed once; twice=f32[1, 4]");
      assertThatThrownBy(() -> sgd.learningRate(-1))
          .hasMessage("optimizer: learningRate must not be negative; learningRate=-1.0");
      assertThatThrownBy(() -> sgd.importState(Map.of()))
          .hasMessageStartingWith("optimizer.importState: state must have an entry 0.0.steps");
    }
  }

  @Test
  void clipsGradients() {
    Tensor p = parameter();
    assertThat(Optimizer.clipGradNorm(List.of(p), 1)).isZero();
    p.crossEntropy(Tensors.of(DEVICE, new long[] {1}, 1)).backward();
    double norm = Optimizer.clipGradNorm(List.of(p), 0.1);
    assertThat(norm).isGreaterThan(0.5);
    assertThat(Optimizer.clipGradNorm(List.of(p), 1)).isCloseTo(0.1, within(1e-5));
  }

  @Test
  void schedules() {
    assertThat(LrSchedule.step(1, 3, 0.7).at(7)).isCloseTo(0.49, within(1e-12));
    assertThat(LrSchedule.multiStep(1, 0.1, 2, 5).at(5)).isCloseTo(0.01, within(1e-12));
    assertThat(LrSchedule.exponential(2, 0.5).at(3)).isCloseTo(0.25, within(1e-12));
    assertThat(LrSchedule.linear(1, 0, 4).at(1)).isCloseTo(0.75, within(1e-12));
    assertThat(LrSchedule.linear(1, 0, 4).at(9)).isZero();
    LrSchedule cosine = LrSchedule.cosine(1, 0.1, 5, 105);
    assertThat(cosine.at(0)).isCloseTo(0.2, within(1e-12));
    assertThat(cosine.at(5)).isCloseTo(1, within(1e-12));
    assertThat(cosine.at(55)).isCloseTo(0.55, within(1e-12));
    assertThat(cosine.at(500)).isCloseTo(0.1, within(1e-12));
    LrSchedule cycle = LrSchedule.oneCycle(1, 100);
    assertThat(cycle.at(0)).isCloseTo(0.04, within(1e-12));
    assertThat(cycle.at(29)).isCloseTo(1, within(1e-12));
    assertThat(cycle.at(99)).isCloseTo(4e-6, within(1e-12));
    assertThatThrownBy(() -> LrSchedule.cosine(1, 0, 5, 5))
        .hasMessageStartingWith("lrSchedule.cosine: warmup must");
    assertThatThrownBy(() -> LrSchedule.step(1, 0, 1))
        .hasMessage("lrSchedule: every must be at least 1; every=0");
  }

  @Test
  void reducesOnPlateau() {
    try (var sgd = new SGD(List.of(parameter()), 1, 0)) {
      var plateau = new ReduceOnPlateau(sgd, 0.1, 1, 0.05);
      assertThat(plateau.report(3)).isFalse();
      assertThat(plateau.report(3)).isFalse();
      assertThat(plateau.report(Double.NaN)).isTrue();
      assertThat(sgd.learningRate()).isCloseTo(0.1, within(1e-12));
      assertThat(plateau.report(2)).isFalse();
      assertThat(plateau.report(2)).isFalse();
      assertThat(plateau.report(2)).isTrue();
      assertThat(sgd.learningRate()).isEqualTo(0.05);
    }
  }
}
