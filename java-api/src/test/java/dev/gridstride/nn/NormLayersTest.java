package dev.gridstride.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gridstride.Generator;
import dev.gridstride.Scope;
import dev.gridstride.Shape;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.TestDevice;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.io.Safetensors;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Normalization layers: names, modes, running averages, way through a file, and errors. */
@ExtendWith(TestDevice.class)
class NormLayersTest {
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

  private static Tensor normal(long... dims) {
    return new Generator(1).normal(DEVICE, DType.F32, 3, 2, dims);
  }

  private static void assertClose(Tensor actual, double... expected) {
    double[] a = actual.toDoubleArray();
    assertThat(a).hasSameSizeAs(expected);
    for (int i = 0; i < a.length; i++) {
      // a few roundings of values below 8
      assertThat(a[i]).as("element %d", i).isCloseTo(expected[i], within(4e-6));
    }
  }

  /** Mean and biased variance of channel c of {@code [n, channels, rest]}. */
  private static double[] moments(Tensor x, int c) {
    double[] v = x.select(1, c).toDoubleArray();
    double mean = 0;
    for (double e : v) {
      mean += e / v.length;
    }
    double variance = 0;
    for (double e : v) {
      variance += (e - mean) * (e - mean) / v.length;
    }
    return new double[] {mean, variance, v.length};
  }

  @Test
  void namesAndInitialValuesAreThoseOfPyTorch() {
    try (var batch = new BatchNorm2d(DEVICE, 3);
        var layer = new LayerNorm(DEVICE, 2, 3);
        var group = new GroupNorm(DEVICE, 2, 4);
        var rms = new RMSNorm(DEVICE, 5)) {
      assertThat(batch.state().keySet())
          .containsExactly("weight", "bias", "running_mean", "running_var", "num_batches_tracked");
      assertThat(batch.namedParameters()).containsOnlyKeys("weight", "bias");
      Map<String, Tensor> state = batch.state();
      assertClose(state.get("weight"), 1, 1, 1);
      assertClose(state.get("bias"), 0, 0, 0);
      assertClose(state.get("running_mean"), 0, 0, 0);
      assertClose(state.get("running_var"), 1, 1, 1);
      assertThat(state.get("num_batches_tracked").dtype()).isEqualTo(DType.I64);
      assertThat(state.get("num_batches_tracked").shape()).isEqualTo(Shape.of());
      assertThat(state.get("running_mean").requiresGrad()).isFalse();
      assertThat(layer.state()).containsOnlyKeys("weight", "bias");
      assertThat(layer.state().get("weight").shape()).isEqualTo(Shape.of(2, 3));
      assertThat(group.state()).containsOnlyKeys("weight", "bias");
      assertThat(rms.state()).containsOnlyKeys("weight");
    }
    var none = BatchNormOptions.DEFAULT.withoutAffine().withoutTracking();
    assertThat(new BatchNorm1d(DEVICE, 3, none).state()).isEmpty();
    assertThat(new LayerNorm(DEVICE, 1e-5, false, true, 3).state()).isEmpty();
    assertThat(new GroupNorm(DEVICE, 1, 3, 1e-5, false).state()).isEmpty();
    assertThat(new RMSNorm(DEVICE, 1e-6, false, 3).state()).isEmpty();
    try (var layer = new LayerNorm(DEVICE, 1e-5, true, false, 3)) {
      assertThat(layer.state()).containsOnlyKeys("weight");
    }
  }

  @Test
  void batchNormTrainsAndEvaluates() {
    try (var layer = new BatchNorm2d(DEVICE, 3)) {
      Tensor x = normal(4, 3, 2, 5);
      Tensor y = layer.forward(x);
      var mean = new double[3];
      var variance = new double[3];
      for (int c = 0; c < 3; c++) {
        double[] m = moments(x, c);
        double[] after = moments(y, c);
        assertThat(after[0]).isCloseTo(0, within(1e-6));
        assertThat(after[1]).isCloseTo(m[1] / (m[1] + 1e-5), within(1e-6));
        mean[c] = 0.1 * m[0];
        variance[c] = 0.9 + 0.1 * m[1] * 40 / 39;
      }
      Map<String, Tensor> state = layer.state();
      assertClose(state.get("running_mean"), mean);
      assertClose(state.get("running_var"), variance);
      assertThat(state.get("num_batches_tracked").item()).isEqualTo(1);

      layer.eval();
      Tensor one = x.slice(0, 0, 1).slice(2, 0, 1).slice(3, 0, 1);
      float[] v = one.toFloatArray();
      float[] z = layer.forward(one).toFloatArray();
      for (int c = 0; c < 3; c++) {
        double expected = (v[c] - mean[c]) / Math.sqrt(variance[c] + 1e-5);
        assertThat((double) z[c]).isCloseTo(expected, within(4e-6));
      }
      assertClose(state.get("running_mean"), mean);
      assertThat(state.get("num_batches_tracked").item()).isEqualTo(1);
    }
  }

  @Test
  void averagesAllBatches() {
    var options = BatchNormOptions.DEFAULT.withCumulativeAverage();
    try (var layer = new BatchNorm1d(DEVICE, 1, options)) {
      for (float v : new float[] {1, 2, 6}) {
        layer.forward(Tensors.of(DEVICE, new float[] {v - 1, v + 1}, 2, 1));
      }
      assertClose(layer.state().get("running_mean"), 3);
      assertClose(layer.state().get("running_var"), 2);
      assertThat(layer.state().get("num_batches_tracked").item()).isEqualTo(3);
    }
  }

  @Test
  void otherMomentumEpsAndNoAverages() {
    Tensor x = Tensors.of(DEVICE, new float[] {-1, 1}, 2, 1);
    try (var half =
            new BatchNorm1d(DEVICE, 1, BatchNormOptions.DEFAULT.withMomentum(0.5).withEps(3));
        var untracked = new BatchNorm1d(DEVICE, 1, BatchNormOptions.DEFAULT.withoutTracking())) {
      assertClose(half.forward(x), -0.5, 0.5);
      assertClose(half.state().get("running_var"), 1.5);
      untracked.eval();
      double one = 1 / Math.sqrt(1 + 1e-5);
      assertClose(untracked.forward(x), -one, one);
    }
  }

  @Test
  void eachRankHasItsLayer() {
    try (var b1 = new BatchNorm1d(DEVICE, 3);
        var b3 = new BatchNorm3d(DEVICE, 3);
        var group = new GroupNorm(DEVICE, 3, 3);
        var layer = new LayerNorm(DEVICE, 4, 5)) {
      Tensor x = normal(2, 3, 4, 5);
      float[] expected = b1.forward(x.reshape(2, 3, 20)).toFloatArray();
      assertThat(b3.forward(x.reshape(2, 3, 2, 2, 5)).toFloatArray()).containsExactly(expected);
      assertThat(b1.forward(normal(5, 3)).shape()).isEqualTo(Shape.of(5, 3));
      assertClose(group.forward(x), layer.forward(x).toDoubleArray());
    }
    try (var rms = new RMSNorm(DEVICE, 2)) {
      double r = Math.sqrt(12.5);
      assertClose(rms.forward(Tensors.of(DEVICE, new float[] {3, 4}, 1, 2)), 3 / r, 4 / r);
    }
  }

  private static Sequential network() {
    var g = new Generator(5);
    return new Sequential(
        new Conv2d(DEVICE, g, 1, 4, 3),
        new BatchNorm2d(DEVICE, 4),
        new ReLU(),
        new Flatten(),
        new Linear(DEVICE, g, 16, 6),
        new LayerNorm(DEVICE, 6),
        new Linear(DEVICE, g, 6, 2));
  }

  @Test
  void runningAveragesGoThroughAFile(@TempDir Path dir) {
    try (var a = network();
        var b = network()) {
      Tensor x = normal(8, 1, 4, 4);
      a.forward(x).sum().backward();
      for (Tensor p : a.parameters()) {
        assertThat(p.grad()).isNotNull();
      }
      a.forward(x);
      Path file = dir.resolve("net.safetensors");
      Safetensors.write(file, a.state());
      Map<String, Tensor> read = Safetensors.read(DEVICE, file);
      assertThat(read)
          .containsKeys("1.weight", "1.running_mean", "1.running_var", "1.num_batches_tracked");
      assertThat(read.get("1.num_batches_tracked").toLongArray()).containsExactly(2);
      a.eval();
      b.eval();
      assertThat(b.forward(x).toFloatArray()).isNotEqualTo(a.forward(x).toFloatArray());
      b.load(read);
      assertThat(b.forward(x).toFloatArray()).containsExactly(a.forward(x).toFloatArray());
    }
  }

  @Test
  void refusesWhatDoesNotFit() {
    try (var batch = new BatchNorm2d(DEVICE, 3);
        var one = new BatchNorm1d(DEVICE, 3);
        var group = new GroupNorm(DEVICE, 1, 3)) {
      assertThatThrownBy(() -> batch.forward(normal(2, 3, 4)))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessage(
              "batchNorm2d: x must have a batch, channels and 2 spatial dimensions;"
                  + " shape=[2, 3, 4]");
      assertThatThrownBy(() -> batch.forward(normal(2, 4, 3, 3)))
          .hasMessage(
              "batchNorm2d: x must have the layer's channels; shape=[2, 4, 3, 3], channels=3");
      assertThatThrownBy(() -> one.forward(normal(1, 3)))
          .hasMessageStartingWith("batchNorm: tensor must have more than one element in a channel");
      assertThat(one.state().get("num_batches_tracked").item()).isZero();
      assertThatThrownBy(() -> group.forward(normal(1, 4)))
          .hasMessageStartingWith("groupNorm: x must be [n, channels, spatial...]");
    }
    assertThatThrownBy(() -> new BatchNorm1d(DEVICE, 0))
        .hasMessage("batchNorm1d: channels must be at least 1; channels=0");
    assertThatThrownBy(() -> new BatchNorm3d(DEVICE, 1, BatchNormOptions.DEFAULT.withMomentum(2)))
        .hasMessage("batchNorm3d: momentum must be in 0..1; momentum=2.0");
    assertThatThrownBy(() -> new BatchNorm3d(DEVICE, 1, BatchNormOptions.DEFAULT.withEps(-1)))
        .hasMessage("batchNorm3d: eps must be finite and not negative; eps=-1.0");
    assertThatThrownBy(() -> new GroupNorm(DEVICE, 2, 3))
        .hasMessage("groupNorm: groups must divide the channels; groups=2, channels=3");
    assertThatThrownBy(() -> new LayerNorm(DEVICE))
        .hasMessage("layerNorm: shape must have dimensions, of at least 1 each; shape=[]");
    assertThatThrownBy(() -> new RMSNorm(DEVICE, 3, 0)).hasMessageContaining("shape=[3, 0]");
  }

  @Test
  void localResponseNormIsTheOp() {
    Tensor x = new Generator(1).normal(DEVICE, DType.F32, 0, 1, 2, 6, 3, 3);
    assertThat(new LocalResponseNorm(5).forward(x).toFloatArray())
        .containsExactly(x.localResponseNorm(5, 1e-4, 0.75, 1).toFloatArray());
    assertThat(new LocalResponseNorm(3, 0.5, 0.6, 2).forward(x).toFloatArray())
        .containsExactly(x.localResponseNorm(3, 0.5, 0.6, 2).toFloatArray());
    assertThatThrownBy(() -> new LocalResponseNorm(0))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage("localResponseNorm: size must be at least 1; size=0");
  }
}
