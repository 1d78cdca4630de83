package dev.gridstride.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.gridstride.Scope;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.TestDevice;
import dev.gridstride.device.ClosedException;
import dev.gridstride.device.Device;
import dev.gridstride.device.Graph;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.device.Support;
import dev.gridstride.kernels.Sgd;
import dev.gridstride.kernels.StepScaling;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Function;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Steps whose numbers live on the device, beside those that Java passes. */
@ExtendWith(TestDevice.class)
class GradScalerTest {
  private static final Device DEVICE = TestDevice.get();

  /** Ten steps of f32. */
  private static final Offset<Float> NEAR = within(2e-6f);

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
    return OptimizerTest.optimizers();
  }

  private static Tensor parameter() {
    return Tensors.of(DEVICE, new float[] {1, -1, 0.5f, 2}, 1, 4).requiresGrad(true);
  }

  private static Tensor loss(Tensor p, long target) {
    return p.crossEntropy(Tensors.of(DEVICE, new long[] {target}, 1));
  }

  private static void plainStep(Optimizer optimizer, Tensor p, double maxNorm) {
    try (Scope step = Scope.open()) {
      optimizer.zeroGrad();
      loss(p, 1).backward();
      Optimizer.clipGradNorm(List.of(p), maxNorm);
      optimizer.step();
    }
  }

  private static void scaledStep(GradScaler scaler, Optimizer optimizer, Tensor p) {
    try (Scope step = Scope.open()) {
      optimizer.zeroGrad();
      scaler.scale(loss(p, 1)).backward();
      scaler.step();
    }
  }

  private static void assertNear(Tensor actual, Tensor expected) {
    float[] a = actual.toFloatArray();
    float[] e = expected.toFloatArray();
    for (int i = 0; i < e.length; i++) {
      assertThat(a[i]).as("element %d", i).isCloseTo(e[i], NEAR);
    }
  }

  @ParameterizedTest
  @MethodSource("optimizers")
  void stepsAsTheOptimizerDoesAndGivesItsStepsBack(Function<List<Tensor>, Optimizer> make) {
    Tensor p = parameter();
    Tensor q = parameter();
    try (Optimizer plain = make.apply(List.of(p));
        Optimizer scaled = make.apply(List.of(q))) {
      plainStep(plain, p, Double.POSITIVE_INFINITY);
      plainStep(scaled, q, Double.POSITIVE_INFINITY);
      try (var scaler = GradScaler.dynamic(scaled)) {
        for (int i = 0; i < 5; i++) {
          plainStep(plain, p, Double.POSITIVE_INFINITY);
          scaledStep(scaler, scaled, q);
        }
        plain.learningRate(0.02);
        scaled.learningRate(0.02);
        plainStep(plain, p, Double.POSITIVE_INFINITY);
        scaledStep(scaler, scaled, q);
        assertThat(scaler.state().step()).isEqualTo(8);
        assertThat(scaled.exportState().get("0.0.steps").item()).isEqualTo(7);
      }
      plainStep(plain, p, Double.POSITIVE_INFINITY);
      plainStep(scaled, q, Double.POSITIVE_INFINITY);
      assertNear(q, p);
      assertThat(scaled.exportState().get("0.0.steps").item()).isEqualTo(8);
    }
  }

  @Test
  void clipsByTheNormOverAllGroups() {
    Tensor p = parameter();
    Tensor q = parameter();
    Tensor p2 = Tensors.of(DEVICE, new float[] {3, 4}, 2).requiresGrad(true);
    Tensor q2 = Tensors.of(DEVICE, new float[] {3, 4}, 2).requiresGrad(true);
    try (Optimizer plain = new SGD(List.of(p), 0.5, 0.9);
        Optimizer scaled = new SGD(List.of(q), 0.5, 0.9)) {
      plain.addGroup(List.of(p2), 0.1, t -> Sgd.of(t, 0.9));
      scaled.addGroup(List.of(q2), 0.1, t -> Sgd.of(t, 0.9));
      try (var scaler = GradScaler.clipping(scaled, 0.25)) {
        for (int i = 0; i < 3; i++) {
          try (Scope step = Scope.open()) {
            plain.zeroGrad();
            loss(p, 1).add(p2.mul(p2).sum()).backward();
            double norm = Optimizer.clipGradNorm(List.of(p, p2), 0.25);
            plain.step();
            scaled.zeroGrad();
            scaler.scale(loss(q, 1).add(q2.mul(q2).sum())).backward();
            scaler.step();
            assertThat(scaler.state().norm()).isCloseTo(norm, within(1e-5 * norm));
          }
        }
        assertNear(q, p);
        assertNear(q2, p2);
      }
    }
  }

  @Test
  void skipsAStepThatIsNotFiniteAndLowersTheScale() {
    Tensor p = parameter();
    try (Optimizer optimizer = new Adam(List.of(p), 0.1)) {
      try (var scaler = new GradScaler(optimizer, 1024, t -> new StepScaling(t, 1e9, 2, 0.5, 2))) {
        scaledStep(scaler, optimizer, p);
        float[] before = p.toFloatArray();
        try (Scope step = Scope.open()) {
          optimizer.zeroGrad();
          scaler.scale(p.mul(Tensors.full(DEVICE, p.dtype(), 1e38)).sum()).backward();
          scaler.step();
        }
        assertThat(p.toFloatArray()).containsExactly(before);
        var state = scaler.state();
        assertThat(state.step()).isEqualTo(2);
        assertThat(state.lossScale()).isEqualTo(512);
        scaledStep(scaler, optimizer, p);
        scaledStep(scaler, optimizer, p);
        assertThat(scaler.state().lossScale()).isEqualTo(1024);
        assertThat(p.toFloatArray()).isNotEqualTo(before);
      }
    }
  }

  @Test
  void aGraphReplaysAWholeStepOfTraining() {
    assumeTrue(Graph.supports(DEVICE) instanceof Support.Supported, "graphs");
    Tensor p = parameter();
    Tensor q = parameter();
    Tensor x = Tensors.of(DEVICE, new float[] {1, 2, 3, 4}, 1, 4);
    try (Optimizer plain = new Adam(List.of(p), 0.05);
        Optimizer graphed = new Adam(List.of(q), 0.05);
        var scaler = GradScaler.dynamic(graphed)) {
      Runnable step =
          () -> {
            try (Scope inside = Scope.open()) {
              graphed.zeroGrad();
              scaler.scale(q.mul(x).mul(q).sum()).backward();
              scaler.step();
            }
          };
      step.run();
      plainProduct(plain, p, x);
      try (var graph = Graph.capture(DEVICE.defaultStream(), step)) {
        for (int i = 0; i < 6; i++) {
          float[] next = {i, 2, 3 - i, 1};
          x.copyFrom(MemorySegment.ofArray(next));
          graphed.learningRate(0.05 / (i + 1));
          graph.replay();
          plain.learningRate(0.05 / (i + 1));
          plainProduct(plain, p, x);
        }
      }
      assertNear(q, p);
      assertThat(scaler.state().step()).isEqualTo(8);
    }
  }

  private static void plainProduct(Optimizer optimizer, Tensor p, Tensor x) {
    try (Scope step = Scope.open()) {
      optimizer.zeroGrad();
      p.mul(x).mul(p).sum().backward();
      optimizer.step();
    }
  }

  @Test
  void refusesWhatWouldMixTheSteps() {
    Tensor p = parameter();
    Tensor q = Tensors.of(DEVICE, new double[] {1}, 1).requiresGrad(true);
    try (Optimizer optimizer = new SGD(List.of(p), 0.5, 0)) {
      var scaler = GradScaler.dynamic(optimizer);
      assertThatThrownBy(optimizer::step)
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessageContaining("must not be in the hands of a GradScaler");
      assertThatThrownBy(() -> GradScaler.dynamic(optimizer))
          .isInstanceOf(InvalidArgumentException.class);
      assertThatThrownBy(() -> optimizer.importState(optimizer.exportState()))
          .isInstanceOf(InvalidArgumentException.class);
      scaler.close();
      scaler.close();
      assertThatThrownBy(scaler::step)
          .isInstanceOf(ClosedException.class)
          .hasMessageContaining("gradScaler.step");
      optimizer.step();
      optimizer.addGroup(List.of(q), 0.1, t -> Sgd.of(t, 0));
      assertThatThrownBy(() -> GradScaler.dynamic(optimizer))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessageContaining("one dtype on one device");
    }
  }

  @Test
  void aGroupMayBeEmptyOrWithoutGradients() {
    Tensor p = parameter();
    Tensor q = parameter();
    try (Optimizer optimizer = new SGD(List.of(), 0.5, 0.9)) {
      optimizer.addGroup(List.of(q), 0.5, t -> Sgd.of(t, 0.9));
      optimizer.addGroup(List.of(p), 0.5, t -> Sgd.of(t, 0.9));
      try (var scaler = GradScaler.clipping(optimizer, 1)) {
        float[] before = q.toFloatArray();
        scaledStep(scaler, optimizer, p);
        assertThat(p.toFloatArray()).isNotEqualTo(before);
        assertThat(q.toFloatArray()).containsExactly(before);
      }
    }
  }

  @Test
  void refusesParametersOfDifferentAges() {
    Tensor p = parameter();
    Tensor q = parameter();
    try (Optimizer optimizer = new SGD(List.of(p, q), 0.5, 0)) {
      loss(p, 1).backward();
      optimizer.step();
      assertThatThrownBy(() -> GradScaler.clipping(optimizer, 1))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessageContaining("same number of steps");
      optimizer.zeroGrad();
    }
  }
}
