package dev.gridstride;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Normalizations of tensors: which elements share a mean, formats, dtypes, running averages and
 * errors; accuracy is tested with the kernels.
 */
@ExtendWith(TestDevice.class)
class NormalizationsTest {
  private static final Device DEVICE = TestDevice.get();
  private static final double EPS = 1e-5;
  private Scope scope;

  @BeforeEach
  void open() {
    scope = Scope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private static Tensor normal(DType type, long... dims) {
    return new Generator(3).normal(DEVICE, DType.F64, 1, 2, dims).to(type);
  }

  private static void assertClose(Tensor actual, Tensor expected, double tolerance) {
    assertThat(actual.shape()).isEqualTo(expected.shape());
    double[] a = actual.toDoubleArray();
    double[] e = expected.toDoubleArray();
    for (int i = 0; i < a.length; i++) {
      assertThat(a[i]).as("element %d", i).isCloseTo(e[i], within(tolerance));
    }
  }

  /** By reductions; results are below 8, and 8 roundings of them are 64 epsilons. */
  private static Tensor reference(Tensor x, int... axes) {
    Tensor d = x.sub(x.mean(true, axes));
    return d.div(d.square().mean(true, axes).add(EPS).sqrt());
  }

  @Test
  void dividesByNeighbouringChannels() {
    long[][] shapes = {{2, 5, 3, 2}, {1, 1, 4}, {3, 4}, {0, 3, 2}};
    for (long[] dims : shapes) {
      for (int size : new int[] {1, 2, 3, 4, 9}) {
        Tensor x = normal(DType.F64, dims);
        double[] v = x.toDoubleArray();
        int channels = (int) dims[1];
        int places =
            dims.length == 2
                ? 1
                : (int) Shape.of(dims).count() / Math.max(1, (int) (dims[0] * dims[1]));
        var expected = new double[v.length];
        for (int i = 0; i < v.length; i++) {
          int c = i / places % channels;
          double sum = 0;
          for (int k = c - (size - 1) / 2; k <= c + size / 2; k++) {
            double neighbour = k < 0 || k >= channels ? 0 : v[i + (k - c) * places];
            sum += neighbour * neighbour;
          }
          expected[i] = v[i] / Math.pow(2 + 0.3 / size * sum, 0.75);
        }
        // sums of at most 9 squares below 100, in f64
        assertClose(
            x.localResponseNorm(size, 0.3, 0.75, 2), Tensors.of(DEVICE, expected, dims), 1e-12);
      }
    }
    assertThatThrownBy(() -> normal(DType.F64, 1, 2, 3).localResponseNorm(0, 1, 1, 1))
        .hasMessageStartingWith("localResponseNorm: size must be in");
  }

  @Test
  void sharesMeansAsNamed() {
    for (DType type : new DType[] {DType.F32, DType.F64, DType.BF16, DType.F16}) {
      double tolerance = 64 * type.epsilon();
      Tensor x = normal(type, 3, 4, 5, 2);
      Tensor exact = x.to(DType.F64);
      assertClose(x.layerNorm(2, null, null, EPS), reference(exact, 2, 3), tolerance);
      assertClose(x.instanceNorm(null, null, EPS), reference(exact, 2, 3), tolerance);
      assertClose(x.batchNorm(null, null, EPS), reference(exact, 0, 2, 3), tolerance);
      assertClose(
          x.groupNorm(2, null, null, EPS),
          reference(exact.reshape(3, 2, 20), 2).reshape(3, 4, 5, 2),
          tolerance);
      Tensor root = exact.square().mean(true, 3).add(EPS).sqrt();
      assertClose(x.rmsNorm(1, null, EPS), exact.div(root), tolerance);
      assertThat(x.layerNorm(1, null, null, EPS).dtype()).isEqualTo(type);
    }
  }

  @Test
  void keepsTheMemoryFormat() {
    Tensor x = normal(DType.F64, 2, 4, 3, 5);
    Tensor gamma = normal(DType.F64, 4);
    Tensor last = x.channelsLast();
    assertClose(last.batchNorm(gamma, gamma, EPS), x.batchNorm(gamma, gamma, EPS), 1e-14);
    assertClose(last.groupNorm(2, gamma, null, EPS), x.groupNorm(2, gamma, null, EPS), 1e-14);
    assertThat(Formats.isChannelsLast(last.batchNorm(gamma, gamma, EPS))).isTrue();
    assertThat(Formats.isChannelsLast(last.groupNorm(2, gamma, null, EPS))).isTrue();
    assertThat(Formats.isChannelsLast(last.instanceNorm(null, null, EPS))).isTrue();
    assertThat(x.batchNorm(gamma, gamma, EPS).isContiguous()).isTrue();
  }

  @Test
  void batchNormMovesRunningAverages() {
    Tensor x = Tensors.of(DEVICE, new float[] {1, 2, 3, 6, 0, 0, 4, 4}, 4, 2);
    Tensor mean = Tensors.of(DEVICE, new float[] {8, 0}, 2);
    Tensor variance = Tensors.of(DEVICE, new float[] {1, 2}, 2);
    int before = variance.version();
    x.batchNorm(null, null, mean, variance, 0.5, EPS);
    // batch means 2 and 3, unbiased variances 10/3 and 20/3
    assertThat(mean.toFloatArray()).containsExactly(5, 1.5f);
    assertThat(variance.toFloatArray())
        .containsExactly(new float[] {13f / 6, 13f / 3}, within(1e-6f));
    assertThat(variance.version()).isGreaterThan(before);
    Tensor y = x.batchNormInference(null, null, mean, variance, 0);
    assertThat(y.toFloatArray()[0])
        .isCloseTo((float) ((1 - 5) / Math.sqrt(13.0 / 6)), within(1e-6f));
  }

  @Test
  void findsChangesOfStatisticsBeforeBackward() {
    Tensor x = normal(DType.F32, 4, 3).requiresGrad(true);
    Tensor mean = Tensors.zeros(DEVICE, DType.F32, 3);
    Tensor variance = Tensors.ones(DEVICE, DType.F32, 3);
    Tensor y = x.batchNormInference(null, null, mean, variance, EPS);
    x.batchNorm(null, null, mean, variance, 0.1, EPS);
    assertThatThrownBy(() -> y.sum().backward())
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageStartingWith("batchNormInference backward: input 1 must not be changed");
  }

  @Test
  void computesOnlyWhatIsAskedFor() {
    Tensor x = normal(DType.F32, 4, 3);
    Tensor beta = normal(DType.F32, 3).requiresGrad(true);
    Tensor gamma = normal(DType.F32, 3);
    x.layerNorm(gamma, beta).sum().backward();
    assertThat(beta.grad().toFloatArray()).containsExactly(4, 4, 4);
    assertThat(gamma.grad()).isNull();
    assertThat(x.layerNorm(gamma, null).requiresGrad()).isFalse();
  }

  @Test
  void zeroSizes() {
    Tensor gamma = normal(DType.F32, 3);
    assertThat(normal(DType.F32, 0, 3).layerNorm(gamma, gamma).shape()).isEqualTo(Shape.of(0, 3));
    assertThat(normal(DType.F32, 0, 3, 2).batchNorm(gamma, gamma, EPS).shape())
        .isEqualTo(Shape.of(0, 3, 2));
    assertThat(normal(DType.F32, 2, 0, 2).instanceNorm(null, null, EPS).count()).isZero();
    Tensor x = normal(DType.F32, 0, 3).requiresGrad(true);
    gamma.requiresGrad(true);
    x.rmsNorm(1, gamma, EPS).sum().backward();
    assertThat(gamma.grad().toFloatArray()).containsExactly(0, 0, 0);
  }

  @Test
  void refusesWhatDoesNotFit() {
    Tensor x = normal(DType.F32, 4, 3);
    Tensor three = normal(DType.F32, 3);
    assertThatThrownBy(() -> x.layerNorm(3, null, null, EPS))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage(
            "layerNorm: dims must be a number of the tensor's last dimensions; dims=3, shape=[4, 3]");
    assertThatThrownBy(() -> x.rmsNorm(0, null, EPS)).hasMessageStartingWith("rmsNorm: dims must");
    assertThatThrownBy(() -> x.layerNorm(normal(DType.F32, 4), null))
        .hasMessageStartingWith("layerNorm: gamma must have shape [3], dtype f32");
    assertThatThrownBy(() -> x.layerNorm(three, normal(DType.F64, 3)))
        .hasMessageStartingWith("layerNorm: beta must have shape [3], dtype f32");
    assertThatThrownBy(() -> x.layerNorm(1, null, three, EPS))
        .hasMessageStartingWith("layerNorm: beta must not be given without gamma");
    assertThatThrownBy(() -> three.batchNorm(null, null, EPS))
        .hasMessage("batchNorm: tensor must be [n, c, spatial...]; shape=[3]");
    assertThatThrownBy(() -> x.groupNorm(2, null, null, EPS))
        .hasMessageStartingWith("groupNorm: groups must divide the channels");
    assertThatThrownBy(() -> normal(DType.F32, 1, 3).batchNorm(null, null, EPS))
        .hasMessage(
            "batchNorm: tensor must have more than one element in a channel to train on;"
                + " shape=[1, 3]");
    Tensor leaf = normal(DType.F32, 3).requiresGrad(true);
    assertThatThrownBy(() -> x.batchNormInference(null, null, leaf, three, EPS))
        .hasMessageStartingWith(
            "batchNormInference: mean must be contiguous and not require a gradient; mean=");
    assertThatThrownBy(() -> x.batchNorm(null, null, three, normal(DType.F32, 4), 0.1, EPS))
        .hasMessageStartingWith("batchNorm: runningVar must have shape [3], dtype f32");
  }

  @Test
  void normalizedVectorsHaveLengthOne() {
    Tensor x = Tensors.of(DEVICE, new double[] {3, 4, 0, 0, -5, 12}, 3, 2);
    assertThat(x.normalize(1).toDoubleArray())
        .containsExactly(3 / 5.0, 4 / 5.0, 0, 0, -5 / 13.0, 12 / 13.0);
    assertThat(x.normalize(0).select(1, 0).toDoubleArray())
        .containsExactly(3 / Math.sqrt(34), 0, -5 / Math.sqrt(34));
    assertThat(x.normalize(-1, 10).select(0, 0).toDoubleArray()).containsExactly(.3, .4);
    assertThatThrownBy(() -> x.normalize(1, 0))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage("normalize: eps must be positive and finite; eps=0.0");
    assertThatThrownBy(() -> x.to(DType.F32).normalize(1, 1e-60))
        .hasMessageStartingWith("normalize: eps must be positive");
  }
}
