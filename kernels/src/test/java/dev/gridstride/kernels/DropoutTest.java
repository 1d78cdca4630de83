package dev.gridstride.kernels;

import static dev.gridstride.testing.Close.assertClose;
import static dev.gridstride.testing.Close.assertSameBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.testing.TestArray;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Dropout against its definition in words. */
@ExtendWith(TestDevice.class)
class DropoutTest {
  private static final Device DEVICE = TestDevice.get();

  private static double[] run(Dropout op, long seed, long offset, double[] x) {
    try (var in = TestArray.of(DEVICE, op.type(), x);
        var out = TestArray.output(DEVICE, op.type(), x.length)) {
      DEVICE.plan(op).forward(DEVICE.defaultStream(), seed, offset, in.buffer(), out.buffer());
      double[] y = out.get();
      DEVICE.plan(op).backward(DEVICE.defaultStream(), seed, offset, in.buffer(), in.buffer());
      assertSameBits("in place", in.get(), y);
      return y;
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"F64", "F32", "BF16", "F16"})
  void dropsByWords(DType type) {
    for (double p : new double[] {0, 0.25, 0.5, 0.9, 1}) {
      for (int n : new int[] {0, 1, 3, 8, 15, 16, 17, 33, 4093, 20_001}) {
        for (long offset : new long[] {0, 3}) {
          double[] x = new double[n];
          Arrays.setAll(x, i -> i % 61 - 30);
          var expected = new double[n];
          Arrays.setAll(
              expected,
              i -> {
                long word = Integer.toUnsignedLong(Philox.word(7, offset + i));
                return word < Math.round(p * 0x1p32) ? 0 : x[i] / (1 - p);
              });
          double eps = type.epsilon();
          assertClose("y", run(new Dropout(type, n, p), 7, offset, x), expected, eps, 0);
        }
      }
    }
  }

  @Test
  void dropsTheStatedShareAndKeepsTheMean() {
    int n = 100_000;
    var ones = new double[n];
    Arrays.fill(ones, 1);
    double[] y = run(new Dropout(DType.F32, n, 0.25), 3, 0, ones);
    double dropped = Arrays.stream(y).filter(v -> v == 0).count() / (double) n;
    assertThat(dropped).isCloseTo(0.25, within(5 * Math.sqrt(0.25 * 0.75 / n)));
    assertThat(Arrays.stream(y).average().orElseThrow()).isCloseTo(1, within(0.01));
  }

  @Test
  void aDroppedElementIsZeroWhateverItWas() {
    double[] x = new double[64];
    for (int i = 0; i < 64; i++) {
      x[i] = i % 2 == 0 ? Double.NaN : Double.POSITIVE_INFINITY;
    }
    for (DType type : new DType[] {DType.F32, DType.F64}) {
      assertThat(run(new Dropout(type, 64, 1), 3, 0, x)).containsOnly(0);
      double[] y = run(new Dropout(type, 64, 0.5), 3, 0, x);
      var expected = new double[64];
      Arrays.setAll(expected, i -> Philox.word(3, i) >= 0 ? 0 : x[i]);
      assertClose("y", y, expected, 0, 0);
    }
    assertThat(run(new Dropout(DType.F32, 64, 0), 3, 0, x)).isEqualTo(x);
  }

  @Test
  @ResourceLock("threads")
  void sameBitsForAnyNumberOfThreads() {
    int before = DEVICE.threads();
    double[] x = TestArray.normal(100_003, 1);
    try {
      DEVICE.threads(1);
      double[] one = run(new Dropout(DType.F32, x.length, 0.3), 1, 5, x);
      DEVICE.threads(3);
      assertSameBits("y", run(new Dropout(DType.F32, x.length, 0.3), 1, 5, x), one);
    } finally {
      DEVICE.threads(before);
    }
  }

  @Test
  void refusesBadArguments() {
    assertThatThrownBy(() -> new Dropout(DType.F32, 4, 1.5))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage("dropout: p must be in 0..1; p=1.5");
    assertThatThrownBy(() -> new Dropout(DType.I32, 4, 0.5))
        .hasMessage("dropout: type must be f64, f32, bf16 or f16; type=i32");
    assertThatThrownBy(() -> new Dropout(DType.F32, -4, 0.5))
        .hasMessage("dropout: count must not be negative; count=-4");
    assertThatThrownBy(() -> run(new Dropout(DType.F32, 1, 0.5), 0, -1, new double[1]))
        .hasMessage("dropout: offset must be in 0..2^61 - count; offset=-1, count=1");
  }
}
