package dev.gridstride.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gridstride.Autograd;
import dev.gridstride.ConvOptions;
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
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Layers against plain loops; their parameters' names, shapes and way through a file. */
@ExtendWith(TestDevice.class)
class LayersTest {
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

  private static Generator g() {
    return new Generator(9);
  }

  private static Tensor normal(long... dims) {
    return new Generator(1).normal(DEVICE, DType.F32, 0, 1, dims);
  }

  @Test
  void activationsComputeTheirFormulas() {
    Map<Module, DoubleUnaryOperator> all =
        Map.of(
            new ReLU(), x -> Math.max(x, 0),
            new LeakyReLU(), x -> x >= 0 ? x : 0.01 * x,
            new LeakyReLU(0.2), x -> x >= 0 ? x : 0.2 * x,
            new ELU(), x -> x >= 0 ? x : Math.expm1(x),
            new SiLU(), x -> x / (1 + Math.exp(-x)),
            new Sigmoid(), x -> 1 / (1 + Math.exp(-x)),
            new Tanh(), Math::tanh,
            new Softplus(), x -> Math.log1p(Math.exp(x)),
            new GELU(GELU.Approximation.TANH),
                x -> x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))));
    Tensor x = normal(3, 7);
    float[] in = x.toFloatArray();
    all.forEach((module, f) -> {
      Tensor y = module.forward(x);
      assertThat(y.shape()).isEqualTo(x.shape());
      float[] out = y.toFloatArray();
      for (int i = 0; i < in.length; i++) {
        // a few roundings of values below 4
        assertThat((double) out[i])
            .as("%s of %s", module.getClass().getSimpleName(), in[i])
            .isCloseTo(f.applyAsDouble(in[i]), within(4 * 4 * 0x1p-24));
      }
    });
    // erf(1 / sqrt 2) = 0.6826894921370859
    assertThat(new GELU().forward(Tensors.of(DEVICE, new double[] {1}, 1)).item())
        .isCloseTo((1 + 0.6826894921370859) / 2, within(1e-14));
    assertThat(new ELU(2).forward(Tensors.of(DEVICE, new double[] {-1}, 1)).item())
        .isCloseTo(2 * Math.expm1(-1), within(1e-14));
  }

  @Test
  void flattens() {
    Tensor x = normal(2, 3, 4, 5);
    assertThat(new Flatten().forward(x).shape()).isEqualTo(Shape.of(2, 60));
    assertThat(new Flatten(2).forward(x).shape()).isEqualTo(Shape.of(2, 3, 20));
  }

  /** Pools one direction at a time by the definition; {@code from} and {@code to} of a window. */
  private interface Window {
    int at(int o);
  }

  private static double[] pool1d(
      float[] x, int rows, int size, int out, Window from, Window to, int divisor, boolean max) {
    var y = new double[rows * out];
    for (int r = 0; r < rows; r++) {
      for (int o = 0; o < out; o++) {
        double best = Double.NEGATIVE_INFINITY;
        double sum = 0;
        for (int i = Math.max(0, from.at(o)); i < Math.min(size, to.at(o)); i++) {
          best = Math.max(best, x[r * size + i]);
          sum += x[r * size + i];
        }
        y[r * out + o] = max ? best : sum / (divisor > 0 ? divisor : to.at(o) - from.at(o));
      }
    }
    return y;
  }

  private static void assertClose(Tensor y, double[] expected) {
    double[] actual = y.toDoubleArray();
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < actual.length; i++) {
      assertThat(actual[i]).as("element %d", i).isCloseTo(expected[i], within(2e-6));
    }
  }

  @Test
  void poolsSignals() {
    Tensor x = normal(2, 3, 10);
    float[] v = x.toFloatArray();
    assertClose(
        new MaxPool1d(3, 2, 1).forward(x),
        pool1d(v, 6, 10, 5, o -> 2 * o - 1, o -> 2 * o + 2, 0, true));
    assertClose(
        new AvgPool1d(3, 2, 1).forward(x),
        pool1d(v, 6, 10, 5, o -> 2 * o - 1, o -> 2 * o + 2, 3, false));
    assertClose(
        new AvgPool1d(4).forward(x), pool1d(v, 6, 10, 2, o -> 4 * o, o -> 4 * o + 4, 4, false));
    assertClose(
        new MaxPool1d(PoolOptions.of(4).withCeil()).forward(x),
        pool1d(v, 6, 10, 3, o -> 4 * o, o -> 4 * o + 4, 0, true));
    Tensor ones = Tensors.ones(DEVICE, DType.F32, 1, 1, 4);
    assertThat(
            new AvgPool1d(PoolOptions.of(3).withStride(1).withPadding(1).withoutPadInAverage())
                .forward(ones)
                .toFloatArray())
        .containsExactly(1, 1, 1, 1);
    assertThat(
            new MaxPool1d(PoolOptions.of(2).withStride(1).withDilation(2))
                .forward(Tensors.of(DEVICE, new float[] {5, 1, 2, 3}, 1, 1, 4))
                .toFloatArray())
        .containsExactly(5, 3);
  }

  @Test
  void poolsImagesAndVolumes() {
    Tensor x = normal(2, 3, 4, 6);
    // in two directions: the pooling of rows, then of columns
    Tensor rows = new MaxPool1d(2).forward(x.reshape(1, 24, 6)).reshape(2, 3, 4, 3);
    Tensor both = new MaxPool1d(2).forward(rows.transpose(2, 3).reshape(1, 18, 4));
    assertThat(new MaxPool2d(2).forward(x).transpose(2, 3).contiguous().toFloatArray())
        .containsExactly(both.toFloatArray());
    Tensor means = x.reshape(2, 3, 2, 2, 3, 2).mean(3, 5);
    assertClose(new AvgPool2d(2, 2, 0).forward(x), means.toDoubleArray());
    assertThat(new MaxPool2d(3, 2, 1).forward(x.channelsLast()).toFloatArray())
        .containsExactly(new MaxPool2d(3, 2, 1).forward(x).toFloatArray());
    Tensor v = normal(1, 2, 4, 2, 6);
    assertClose(
        new AvgPool3d(2).forward(v),
        v.reshape(1, 2, 2, 2, 1, 2, 3, 2).mean(3, 5, 7).toDoubleArray());
    assertClose(
        new MaxPool3d(PoolOptions.of(2, 1, 3)).forward(v),
        v.reshape(1, 2, 2, 2, 2, 2, 3).max(3, 6).toDoubleArray());
    assertThat(new MaxPool3d(2, 1, 0).forward(v).shape()).isEqualTo(Shape.of(1, 2, 3, 1, 5));
    assertThat(new AvgPool3d(2, 1, 0).forward(v).shape()).isEqualTo(Shape.of(1, 2, 3, 1, 5));
  }

  @Test
  void poolsToASize() {
    Tensor x = normal(2, 3, 10);
    float[] v = x.toFloatArray();
    for (int out : new int[] {1, 3, 4, 5, 10, 13}) {
      assertClose(
          new AdaptiveAvgPool1d(out).forward(x),
          pool1d(v, 6, 10, out, o -> o * 10 / out, o -> ((o + 1) * 10 + out - 1) / out, 0, false));
    }
    Tensor images = normal(2, 3, 7, 6);
    Tensor y = new AdaptiveAvgPool2d(3, 2).forward(images);
    Tensor rows = new AdaptiveAvgPool1d(2).forward(images.reshape(1, 42, 6));
    Tensor columns =
        new AdaptiveAvgPool1d(3)
            .forward(rows.reshape(2, 3, 7, 2).transpose(2, 3).reshape(1, 12, 7));
    assertClose(y.transpose(2, 3), columns.toDoubleArray());
    assertClose(new AdaptiveAvgPool2d(1).forward(images), images.mean(2, 3).toDoubleArray());
    assertThat(new AdaptiveAvgPool3d(2).forward(normal(1, 2, 3, 4, 5)).shape())
        .isEqualTo(Shape.of(1, 2, 2, 2, 2));
    assertThatThrownBy(() -> new AdaptiveAvgPool2d(0))
        .hasMessage("adaptiveAvgPool2d: out must be at least 1; out=[0]");
    assertThatThrownBy(
            () -> new AdaptiveAvgPool1d(2).forward(Tensors.ones(DEVICE, DType.F32, 1, 1, 0)))
        .hasMessageStartingWith("adaptiveAvgPool1d: x must not have an empty spatial dimension");
    assertThatThrownBy(() -> new MaxPool2d(2).forward(x))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage(
            "maxPool2d: x must have a batch, channels and 2 spatial dimensions; shape=[2, 3, 10]");
    assertThatThrownBy(() -> new AvgPool1d(PoolOptions.of(2, 2)).forward(x))
        .hasMessageStartingWith("avgPool1d: kernel must have one number");
  }

  @Test
  void convolutionsHaveTheirShapesAndInitialValues() {
    try (var c1 = new Conv1d(DEVICE, g(), 2, 4, 3);
        var c2 = new Conv2d(DEVICE, g(), 2, 4, new long[] {3, 1}, ConvOptions.DEFAULT, false);
        var c3 = new Conv3d(DEVICE, g(), 2, 4, 2, ConvOptions.DEFAULT.withGroups(2), true);
        var t1 = new ConvTranspose1d(DEVICE, g(), 2, 4, 3);
        var t2 =
            new ConvTranspose2d(
                DEVICE,
                g(),
                4,
                2,
                3,
                ConvOptions.DEFAULT.withStride(2).withPadding(1).withOutputPadding(1),
                true);
        var t3 = new ConvTranspose3d(DEVICE, g(), 2, 4, 2)) {
      assertThat(c1.state().get("weight").shape()).isEqualTo(Shape.of(4, 2, 3));
      assertThat(c2.state()).containsOnlyKeys("weight");
      assertThat(c2.parameters().getFirst().shape()).isEqualTo(Shape.of(4, 2, 3, 1));
      assertThat(c3.state().get("weight").shape()).isEqualTo(Shape.of(4, 1, 2, 2, 2));
      assertThat(t2.state().get("weight").shape()).isEqualTo(Shape.of(4, 2, 3, 3));
      assertThat(t2.state().get("bias").shape()).isEqualTo(Shape.of(2));
      double bound = 1 / Math.sqrt(2 * 3 * 3);
      for (double w : t2.state().get("weight").toDoubleArray()) {
        assertThat(w).isBetween(-bound, bound);
      }
      assertThat(c1.forward(normal(2, 2, 9)).shape()).isEqualTo(Shape.of(2, 4, 7));
      assertThat(c2.forward(normal(2, 2, 5, 6)).shape()).isEqualTo(Shape.of(2, 4, 3, 6));
      assertThat(c3.forward(normal(1, 2, 3, 3, 3)).shape()).isEqualTo(Shape.of(1, 4, 2, 2, 2));
      assertThat(t1.forward(normal(1, 2, 5)).shape()).isEqualTo(Shape.of(1, 4, 7));
      assertThat(t2.forward(normal(1, 4, 5, 6)).shape()).isEqualTo(Shape.of(1, 2, 10, 12));
      assertThat(t3.forward(normal(1, 2, 2, 2, 2)).shape()).isEqualTo(Shape.of(1, 4, 3, 3, 3));
      assertThatThrownBy(() -> t2.forward(normal(1, 4, 5)))
          .hasMessageStartingWith("convTranspose2d: x must have a batch");
    }
    assertThatThrownBy(
            () -> new Conv1d(DEVICE, g(), 3, 4, 3, ConvOptions.DEFAULT.withGroups(2), true))
        .hasMessage(
            "conv1d: in and out must be positive multiples of groups; in or out=4 and 3, groups=2");
  }

  /** A signal by the definition, and the adjoint of a transposed convolution. */
  @Test
  void convolutionsComputeTheirFormulas() {
    try (var c = new Conv1d(DEVICE, g(), 2, 3, 3);
        var t =
            new ConvTranspose2d(DEVICE, g(), 2, 3, 3, ConvOptions.DEFAULT.withStride(2), false)) {
      Tensor x = normal(1, 2, 6);
      float[] xs = x.toFloatArray();
      float[] w = c.state().get("weight").toFloatArray();
      float[] b = c.state().get("bias").toFloatArray();
      var expected = new double[12];
      for (int k = 0; k < 3; k++) {
        for (int o = 0; o < 4; o++) {
          expected[k * 4 + o] = b[k];
          for (int i = 0; i < 2; i++) {
            for (int r = 0; r < 3; r++) {
              expected[k * 4 + o] += (double) w[(k * 2 + i) * 3 + r] * xs[i * 6 + o + r];
            }
          }
        }
      }
      assertClose(c.forward(x), expected);
      Tensor small = normal(1, 2, 3, 4);
      Tensor large = normal(1, 3, 7, 9);
      Tensor wt = t.state().get("weight");
      double left = t.forward(small).mul(large).sum().item();
      double right =
          large.conv2d(wt, null, ConvOptions.DEFAULT.withStride(2)).mul(small).sum().item();
      assertThat(left).isCloseTo(right, within(1e-4));
    }
  }

  @Test
  void embedsAndLeavesThePaddingAlone() {
    try (var plain = new Embedding(DEVICE, g(), 5, 3);
        var padded = new Embedding(DEVICE, g(), 5, 3, -4)) {
      Tensor indices = Tensors.of(DEVICE, new long[] {4, 1, 1, -4, 0, 2}, 2, 3);
      Tensor y = plain.forward(indices);
      assertThat(y.shape()).isEqualTo(Shape.of(2, 3, 3));
      float[] w = plain.state().get("weight").toFloatArray();
      float[] v = y.toFloatArray();
      int[] rows = {4, 1, 1, 1, 0, 2};
      for (int i = 0; i < 18; i++) {
        assertThat(v[i]).isEqualTo(w[rows[i / 3] * 3 + i % 3]);
      }
      plain.forward(indices).sum().backward();
      Tensor weight = padded.state().get("weight");
      assertThat(weight.select(0, 1).toFloatArray()).containsOnly(0);
      assertThat(weight.select(0, 0).toFloatArray()).doesNotContain(0);
      Tensor out = padded.forward(indices);
      out.mul(2).sum().backward();
      assertThat(weight.grad()).isNotNull();
      assertThat(weight.grad().toFloatArray())
          .containsExactly(2, 2, 2, 0, 0, 0, 2, 2, 2, 0, 0, 0, 2, 2, 2);
      assertThat(plain.parameters().getFirst().grad()).isNotNull();
      assertThat(plain.parameters().getFirst().grad().toFloatArray())
          .containsExactly(1, 1, 1, 3, 3, 3, 1, 1, 1, 0, 0, 0, 1, 1, 1);
      assertThat(Autograd.noGrad(() -> padded.forward(indices)).toFloatArray())
          .containsExactly(out.toFloatArray());
    }
    assertThatThrownBy(() -> new Embedding(DEVICE, g(), 5, 3, 5))
        .hasMessage("embedding: paddingIndex must name an entry; paddingIndex=5, entries=5");
  }

  private static Sequential network(long seed) {
    var g = new Generator(seed);
    return new Sequential(
        new Conv1d(DEVICE, g, 2, 4, 3),
        new ReLU(),
        new AdaptiveAvgPool1d(3),
        new Flatten(),
        new Linear(DEVICE, g, 12, 2));
  }

  @Test
  void stateGoesThroughAFile(@TempDir Path dir) {
    try (var a = network(3);
        var b = network(77)) {
      Path file = dir.resolve("net.safetensors");
      Safetensors.write(file, a.state());
      b.load(Safetensors.read(DEVICE, file));
      Tensor x = normal(3, 2, 8);
      assertThat(b.forward(x).toFloatArray()).containsExactly(a.forward(x).toFloatArray());
    }
  }

  @Test
  void normalQuantileInvertsTheDistribution() {
    for (double x = -6; x <= 6; x += 0.25) {
      // through the tensor's erf, which shares no code: p carries a rounding of 1e-16, which the
      // inverse magnifies by 1 / density
      double erf = Tensors.of(DEVICE, new double[] {x / Math.sqrt(2)}, 1).erf().item();
      double density = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
      assertThat(NormalQuantile.of((1 + erf) / 2))
          .as("at %s", x)
          .isCloseTo(x, within(1e-14 + 4e-16 / density));
    }
    // far in the tail: 1e-20 and 1e-300 by published tables
    assertThat(NormalQuantile.of(1e-20)).isCloseTo(-9.262340089798408, within(1e-12));
    assertThat(NormalQuantile.of(1e-300)).isCloseTo(-37.0471, within(1e-4));
    assertThat(NormalQuantile.of(0)).isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(NormalQuantile.of(1)).isEqualTo(Double.POSITIVE_INFINITY);
    assertThat(NormalQuantile.of(0.5)).isZero();
  }

  @Test
  void truncatesTheNormalDistribution() {
    double[] x =
        Init.truncatedNormal(g(), DEVICE, DType.F64, 1, 0.5, 0, 2, 200, 200).toDoubleArray();
    double sum = 0;
    double squares = 0;
    for (double v : x) {
      assertThat(v).isBetween(0.0, 2.0);
      sum += v - 1;
      squares += (v - 1) * (v - 1);
    }
    // cut at 2 deviations: variance 0.7737 of the whole; 40,000 samples: within 2%
    assertThat(sum / x.length).isCloseTo(0, within(0.01));
    assertThat(squares / x.length / 0.25).isCloseTo(0.77374, within(0.016));
    float[] tail = Init.truncatedNormal(g(), DEVICE, DType.F32, 0, 1, 3, 4, 50).toFloatArray();
    for (float v : tail) {
      assertThat(v).isBetween(3f, 4f);
    }
    assertThatThrownBy(() -> Init.truncatedNormal(g(), DEVICE, DType.F32, 0, 1, 2, 1, 50))
        .hasMessageStartingWith("truncatedNormal: std, low and high must be");
  }

  @Test
  void orthogonalWeightsAreOrthonormal() {
    long[][] shapes = {{4, 9}, {9, 4}, {5, 5}, {3, 2, 2, 2}, {1, 1}};
    for (long[] dims : shapes) {
      Tensor w = Init.orthogonal(g(), DEVICE, DType.F64, 2, dims);
      assertThat(w.shape()).isEqualTo(Shape.of(dims));
      Tensor m = w.reshape(dims[0], -1);
      m = m.size(0) > m.size(1) ? m.transpose() : m;
      double[] gram = m.matmul(m.transpose()).toDoubleArray();
      int n = (int) m.size(0);
      for (int i = 0; i < gram.length; i++) {
        assertThat(gram[i]).isCloseTo(i / n == i % n ? 4 : 0, within(1e-14));
      }
    }
    assertThatThrownBy(() -> Init.orthogonal(g(), DEVICE, DType.F64, 1, 3))
        .hasMessage("init: dims must be at least 2; dims=[3]");
  }
}
