package dev.gridstride.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Shape;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.TestDevice;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Modules: names, modes, ownership, state; and the layers' shapes and initial values. */
@ExtendWith(TestDevice.class)
class NnTest {
  private static final Device DEVICE = TestDevice.get();

  private static Sequential network(long seed) {
    var g = new Generator(seed);
    return new Sequential(
        new Conv2d(DEVICE, g, 1, 4, 3),
        new Layer(Tensor::relu),
        new Layer(x -> x.maxPool2d(2)),
        new Dropout(g, 0.5),
        new Layer(x -> x.flatten(1)),
        new Linear(DEVICE, g, 4 * 3 * 3, 10));
  }

  @Test
  void namesParametersAsPyTorchDoes() {
    try (var net = network(1)) {
      assertThat(net.namedParameters().keySet())
          .containsExactly("0.weight", "0.bias", "5.weight", "5.bias");
      assertThat(net.parameterCount()).isEqualTo(36 + 4 + 360 + 10);
      assertThat(net.parameters()).allMatch(Tensor::requiresGrad);
      assertThat(net.parameters().getFirst().shape()).isEqualTo(Shape.of(4, 1, 3, 3));
    }
  }

  @Test
  void trainsEveryParameter() {
    try (var net = network(1);
        Scope scope = Scope.open()) {
      Tensor x = new Generator(2).normal(DEVICE, DType.F32, 0, 1, 5, 1, 8, 8);
      Tensor y = net.forward(x);
      assertThat(y.shape()).isEqualTo(Shape.of(5, 10));
      y.crossEntropy(Tensors.of(DEVICE, new int[] {0, 1, 2, 3, 4})).backward();
      for (Tensor p : net.parameters()) {
        assertThat(p.grad()).isNotNull();
        assertThat(p.grad().shape()).isEqualTo(p.shape());
        assertThat(p.grad().abs().sum().item()).isPositive();
      }
      net.zeroGrad();
      assertThat(net.parameters()).allMatch(p -> p.grad() == null);
    }
  }

  @Test
  void sameSeedSameWeightsOtherwiseNot() {
    try (var a = network(1);
        var b = network(1);
        var c = network(2)) {
      for (int i = 0; i < 4; i++) {
        float[] w = a.parameters().get(i).toFloatArray();
        assertThat(b.parameters().get(i).toFloatArray()).containsExactly(w);
        assertThat(c.parameters().get(i).toFloatArray()).isNotEqualTo(w);
      }
    }
  }

  @Test
  void dropoutOnlyInTraining() {
    var net = new Sequential(new Dropout(new Generator(1), 0.25));
    try (Scope scope = Scope.open()) {
      Tensor x = Tensors.ones(DEVICE, DType.F32, 10_000);
      assertThat(net.isTraining()).isTrue();
      float[] y = net.forward(x).toFloatArray();
      long zeros = Arrays.stream(toDouble(y)).filter(v -> v == 0).count();
      // 10,000 draws with p = 1/4: standard deviation 43
      assertThat(zeros).isBetween(2500L - 260, 2500L + 260);
      for (float v : y) {
        assertThat(v == 0 || Math.abs(v - 4f / 3) < 1e-6).isTrue();
      }
      net.eval();
      assertThat(net.children().getFirst().isTraining()).isFalse();
      assertThat(net.forward(x)).isSameAs(x);
      net.train();
      assertThat(net.isTraining()).isTrue();
    }
  }

  private static double[] toDouble(float[] v) {
    var d = new double[v.length];
    for (int i = 0; i < v.length; i++) {
      d[i] = v[i];
    }
    return d;
  }

  @Test
  void stateGoesFromModuleToModule() {
    try (var a = network(1);
        var b = network(2)) {
      b.load(a.state());
      for (int i = 0; i < 4; i++) {
        assertThat(b.parameters().get(i).toFloatArray())
            .containsExactly(a.parameters().get(i).toFloatArray());
      }
      var missing = new LinkedHashMap<>(a.state());
      missing.remove("5.bias");
      assertThatThrownBy(() -> b.load(missing))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessage(
              "module.load: values must have exactly the module's names; missing=[5.bias],"
                  + " unknown=[]");
      var wrong = new LinkedHashMap<>(a.state());
      wrong.put("5.bias", a.state().get("0.bias"));
      assertThatThrownBy(() -> b.load(wrong))
          .hasMessageStartingWith("module.load: 5.bias must have the module's shape");
    }
  }

  @Test
  void parametersOutliveScopesAndAreFreedByClose() {
    Sequential net;
    try (Scope scope = Scope.open()) {
      net = network(1);
    }
    assertThat(net.parameters()).allMatch(Tensor::isOpen);
    net.close();
    assertThat(net.parameters()).noneMatch(Tensor::isOpen);
  }

  @Test
  void initialValuesHaveTheirVariance() {
    var g = new Generator(3);
    try (Scope scope = Scope.open()) {
      long[] dims = {200, 100, 1, 2};
      Object[][] cases = {
        {Init.kaimingUniform(g, DEVICE, DType.F64, dims), 2.0 / 200},
        {Init.kaimingNormal(g, DEVICE, DType.F64, dims), 2.0 / 200},
        {Init.xavierUniform(g, DEVICE, DType.F64, dims), 2.0 / 600},
        {Init.xavierNormal(g, DEVICE, DType.F64, dims), 2.0 / 600},
        {Init.torchDefault(g, DEVICE, DType.F64, dims), 1.0 / 600}
      };
      for (Object[] c : cases) {
        double[] v = ((Tensor) c[0]).toDoubleArray();
        double variance = Arrays.stream(v).map(x -> x * x).sum() / v.length;
        // 40,000 samples: relative deviation of the variance below 1%
        assertThat(variance / (double) c[1]).isBetween(0.96, 1.04);
        assertThat(Arrays.stream(v).sum() / v.length)
            .isBetween(-0.03 * Math.sqrt((double) c[1]), 0.03 * Math.sqrt((double) c[1]));
      }
    }
  }

  @Test
  void generatorsResume() {
    var g = new Generator(5);
    try (Scope scope = Scope.open()) {
      g.uniform(DEVICE, DType.F32, 0, 1, 7);
      long at = g.position();
      float[] next = g.normal(DEVICE, DType.F32, 0, 1, 9).toFloatArray();
      var h = new Generator(5);
      assertThat(h.seed()).isEqualTo(5);
      h.position(at);
      assertThat(h.normal(DEVICE, DType.F32, 0, 1, 9).toFloatArray()).containsExactly(next);
      assertThat(Arrays.stream(h.integers(DEVICE, DType.I64, -3, 4, 100).toLongArray()).boxed())
          .allMatch(v -> v >= -3 && v < 4);
      assertThat(h.bernoulli(DEVICE, DType.U8, 0.5, 100).toLongArray()).contains(0, 1);
    }
  }

  @Test
  void drawsDoNotOverlap() {
    var g = new Generator(7);
    try (Scope scope = Scope.open()) {
      double[] first = g.uniform(DEVICE, DType.F64, 0, 1, 8).toDoubleArray();
      double[] second = g.uniform(DEVICE, DType.F64, 0, 1, 8).toDoubleArray();
      for (double v : second) {
        assertThat(first).doesNotContain(v);
      }
      assertThat(g.position()).isEqualTo(32);
    }
  }

  @Test
  void drawsPlacesByTheirProbability() {
    var g = new Generator(11);
    int n = 20_000;
    try (Scope scope = Scope.open()) {
      double[] p = {0.1, 0, 0.6, 0.3};
      var logits = new double[p.length];
      for (int i = 0; i < p.length; i++) {
        logits[i] = Math.log(p[i]) + 50; // softmax does not see what all have in common
      }
      for (DType dtype : new DType[] {DType.F64, DType.F32}) {
        Tensor rows = Tensors.of(DEVICE, logits, 1, 4).to(dtype).expand(n, 4);
        Tensor drawn = g.categorical(rows);
        assertThat(drawn.dtype()).isEqualTo(DType.I64);
        assertThat(drawn.shape()).isEqualTo(Shape.of(n));
        long[] places = drawn.toLongArray();
        for (int i = 0; i < p.length; i++) {
          int place = i;
          double share = Arrays.stream(places).filter(x -> x == place).count() / (double) n;
          // five standard deviations of a share: 5 sqrt(0.25 / 20,000) = 0.018; none of p = 0
          assertThat(share).isBetween(p[i] == 0 ? 0 : p[i] - 0.018, p[i] == 0 ? 0 : p[i] + 0.018);
        }
      }
      Tensor one = Tensors.of(DEVICE, new float[] {-3}, 1);
      assertThat(g.categorical(one).toLongArray()).containsExactly(0);
      assertThat(g.categorical(Tensors.ones(DEVICE, DType.BF16, 2, 3, 4)).shape())
          .isEqualTo(Shape.of(2, 3));
      assertThatThrownBy(() -> g.categorical(Tensors.ones(DEVICE, DType.I64, 3)))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessageStartingWith("categorical: logits must be [..., places]");
      assertThatThrownBy(() -> g.categorical(Tensors.ones(DEVICE, DType.F32, 3, 0)))
          .isInstanceOf(InvalidArgumentException.class);
    }
  }

  @Test
  void refusesBadNames() {
    class Twice extends Module {
      Twice() {
        child("a", new Layer(x -> x));
        child("a", new Layer(x -> x));
      }

      @Override
      public Tensor forward(Tensor x) {
        return x;
      }
    }

    assertThatThrownBy(Twice::new).hasMessageStartingWith("module: name must be new");
  }
}
