package dev.gridstride.analysis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gridstride.Scope;
import dev.gridstride.Shape;
import dev.gridstride.Tensor;
import dev.gridstride.Tensors;
import dev.gridstride.TestDevice;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The Fourier transform and the mel spectrogram against sums by their definitions. */
@ExtendWith(TestDevice.class)
class SpectrumTest {
  private static final Device DEVICE = TestDevice.get();

  private static double[] normal(int n, long seed) {
    var random = new SplittableRandom(seed);
    var x = new double[n];
    Arrays.setAll(x, i -> random.nextGaussian());
    return x;
  }

  /** {@code sum x[t] exp(-2 pi i k t / n)} as real and imaginary part. */
  private static double[] term(double[] re, double[] im, int k, int n) {
    double r = 0;
    double i = 0;
    for (int t = 0; t < re.length; t++) {
      double angle = -2 * Math.PI * ((long) k * t % n) / n;
      r += re[t] * Math.cos(angle) - im[t] * Math.sin(angle);
      i += re[t] * Math.sin(angle) + im[t] * Math.cos(angle);
    }
    return new double[] {r, i};
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4, 8, 64, 1024})
  void transformsByItsDefinitionAndBack(int n) {
    double[] re = normal(n, 1);
    double[] im = normal(n, 2);
    double[] a = re.clone();
    double[] b = im.clone();
    var fft = new Fft(n);
    assertThat(fft.length()).isEqualTo(n);
    fft.forward(a, b);
    // n terms of about 1, each with a few roundings, in the sum and in the transform
    double tolerance = 8 * n * 0x1p-53 * 4;
    for (int k = 0; k < n; k++) {
      double[] expected = term(re, im, k, n);
      assertThat(a[k]).isCloseTo(expected[0], within(tolerance));
      assertThat(b[k]).isCloseTo(expected[1], within(tolerance));
    }
    fft.inverse(a, b);
    for (int t = 0; t < n; t++) {
      assertThat(a[t]).isCloseTo(re[t], within(tolerance));
      assertThat(b[t]).isCloseTo(im[t], within(tolerance));
    }
  }

  @Test
  void refusesOtherLengths() {
    for (int n : new int[] {0, -4, 3, 12, Integer.MIN_VALUE}) {
      assertThatThrownBy(() -> new Fft(n))
          .isInstanceOf(InvalidArgumentException.class)
          .hasMessage("fft: length must be a power of two; length=" + n);
    }
    assertThatThrownBy(() -> new Fft(4).forward(new double[4], new double[3]))
        .hasMessage(
            "fft: re and im must have the transform's length; re.length=4, im.length=3, length=4");
  }

  private static double mel(double f) {
    return 2595 * Math.log10(1 + f / 700);
  }

  @ParameterizedTest
  @ValueSource(ints = {64, 100})
  void spectrogramComputesItsFormula(int window) {
    int rate = 8_000;
    int hop = 40;
    int bands = 6;
    int length = window == 64 ? 64 : 128;
    double[] x = normal(window + 3 * hop - 1, 3); // one sample short of a fourth frame
    var mels = new MelSpectrogram(rate, window, hop, bands, 100, 4_000);
    assertThat(mels.bands()).isEqualTo(bands);
    try (Scope scope = Scope.open()) {
      Tensor y = mels.of(Tensors.of(DEVICE, x, x.length));
      assertThat(y.dtype()).isEqualTo(DType.F32);
      assertThat(y.shape()).isEqualTo(Shape.of(3, bands));
      double[] actual = y.toDoubleArray();
      for (int frame = 0; frame < 3; frame++) {
        var part = new double[window];
        for (int t = 0; t < window; t++) {
          double s = Math.sin(Math.PI * t / window);
          part[t] = x[frame * hop + t] * s * s;
        }
        for (int b = 0; b < bands; b++) {
          double step = (mel(4_000) - mel(100)) / (bands + 1);
          var corner = new double[3];
          for (int i = 0; i < 3; i++) {
            corner[i] = 700 * (Math.pow(10, (mel(100) + (b + i) * step) / 2595) - 1);
          }
          double sum = 0;
          for (int k = 0; k <= length / 2; k++) {
            double f = (double) k * rate / length;
            double weight = 0;
            if (f > corner[0] && f <= corner[1]) {
              weight = (f - corner[0]) / (corner[1] - corner[0]);
            } else if (f > corner[1] && f < corner[2]) {
              weight = (corner[2] - f) / (corner[2] - corner[1]);
            }
            double[] term = term(part, new double[window], k, length);
            sum += weight * (term[0] * term[0] + term[1] * term[1]);
          }
          // rounding to f32 of a logarithm below 10
          assertThat(actual[frame * bands + b]).isCloseTo(Math.log(sum), within(1e-6));
        }
      }
    }
  }

  @Test
  void aToneIsLoudestInItsBand() {
    var mels = new MelSpectrogram(8_000, 256, 80, 20, 50, 4_000);
    try (Scope scope = Scope.open()) {
      double before = -1;
      for (double f : new double[] {200, 500, 1_000, 2_000, 3_500}) {
        var x = new double[400];
        Arrays.setAll(x, t -> Math.sin(2 * Math.PI * f * t / 8_000));
        Tensor y = mels.of(Tensors.of(DEVICE, x, x.length));
        double loudest = y.argMax(1).toLongArray()[0];
        assertThat(loudest).isGreaterThan(before);
        assertThat(y.argMax(1).toLongArray()).containsOnly((long) loudest);
        double expected = (mel(f) - mel(50)) / (mel(4_000) - mel(50)) * 21 - 1;
        assertThat(loudest).isCloseTo(expected, within(1.0));
        before = loudest;
      }
    }
  }

  @Test
  void silenceIsTheFloorAndTooShortIsEmpty() {
    var mels = new MelSpectrogram(8_000, 200, 80, 10, 50, 4_000);
    try (Scope scope = Scope.open()) {
      float[] y = mels.of(Tensors.zeros(DEVICE, DType.F32, 300)).toFloatArray();
      assertThat(y).hasSize(20).containsOnly((float) Math.log(1e-10));
      assertThat(mels.of(Tensors.zeros(DEVICE, DType.F32, 199)).shape()).isEqualTo(Shape.of(0, 10));
      assertThat(mels.frames(279)).isEqualTo(1);
      assertThat(mels.frames(280)).isEqualTo(2);
      var x = new float[200];
      x[100] = Float.NaN;
      assertThat(mels.of(Tensors.of(DEVICE, x, 200)).toFloatArray()).containsOnly(Float.NaN);
      assertThatThrownBy(() -> mels.of(Tensors.zeros(DEVICE, DType.F32, 1, 300)))
          .hasMessageStartingWith("melSpectrogram: samples must be [n] of a floating type");
    }
  }

  @Test
  void refusesBandsWithoutAFrequency() {
    assertThatThrownBy(() -> new MelSpectrogram(8_000, 64, 32, 40, 50, 4_000))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageStartingWith("melSpectrogram: bands must each hold a frequency");
    for (double[] ends : new double[][] {{-1, 100}, {100, 100}, {0, 4_001}, {0, Double.NaN}}) {
      assertThatThrownBy(() -> new MelSpectrogram(8_000, 256, 32, 4, ends[0], ends[1]))
          .hasMessageStartingWith("melSpectrogram: arguments must be positive sizes");
    }
    assertThatThrownBy(() -> new MelSpectrogram(8_000, 256, 0, 4, 0, 100))
        .isInstanceOf(InvalidArgumentException.class);
  }
}
