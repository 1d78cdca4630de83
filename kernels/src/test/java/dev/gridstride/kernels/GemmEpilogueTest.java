package dev.gridstride.kernels;

import static dev.gridstride.kernels.GemmCheck.check;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.kernels.Epilogue.Activation;
import dev.gridstride.testing.TestArray;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What follows a matrix product, bias, activation and their gradients, against double loops. */
@ExtendWith(TestDevice.class)
final class GemmEpilogueTest {
  private static final Device DEVICE = TestDevice.get();

  @ParameterizedTest
  @EnumSource(Activation.class)
  void epilogues(Activation f) {
    for (DType type : new DType[] {DType.F32, DType.F64, DType.BF16}) {
      for (int[] size :
          new int[][] {{5, 3, 4}, {33, 37, 65}, {70, 130, 600}, {1, 50, 9}, {9, 1, 9}}) {
        Gemm op = Gemm.of(size[0], size[1], size[2]).type(type).leading(0, 0, size[1] + 3);
        check(op.with(Epilogue.bias().then(f)), 0.1, 0, false);
        check(op.with(Epilogue.of(f)), 0.1, 0.5, false);
        check(op.with(Epilogue.of(f).biasGradient()), 0.1, 0.5, false);
        if (f != Activation.IDENTITY) {
          check(op.with(Epilogue.bias().then(f).saveAux()), 0.1, 0.5, false);
          check(op.with(Epilogue.backward(f)), 0.1, 0, false);
          check(op.with(Epilogue.backward(f).biasGradient()), 0.1, 0.5, false);
        }
      }
    }
  }

  @Test
  void activationsAtTheEndsOfTheRange() {
    double inf = Double.POSITIVE_INFINITY;
    double[] x = {-inf, -1e30, -30, -6, -0.0, 0, 1e-30, 6, 30, 1e30, inf, Double.NaN};
    double[] ones = new double[x.length];
    Arrays.fill(ones, 1);
    for (Activation f : Activation.values()) {
      for (DType type : new DType[] {DType.F32, DType.F64}) {
        Gemm op = Gemm.of(1, x.length, 0).type(type);
        try (var c = TestArray.of(DEVICE, type, x);
            var d = TestArray.of(DEVICE, type, ones);
            var none = TestArray.output(DEVICE, type, 0)) {
          DEVICE
              .plan(op.with(Epilogue.of(f)))
              .run(DEVICE.defaultStream(), 1, none.buffer(), none.buffer(), 1, c.buffer());
          double[] y = c.get();
          c.set(x);
          if (f != Activation.IDENTITY) {
            DEVICE
                .plan(op.with(Epilogue.backward(f)))
                .run(
                    DEVICE.defaultStream(),
                    1,
                    none.buffer(),
                    none.buffer(),
                    1,
                    d.buffer(),
                    null,
                    c.buffer(),
                    null);
          }
          double[] slope = d.get();
          boolean identity = f == Activation.IDENTITY;
          assertThat(y[0]).as("%s of -inf", f).isEqualTo(identity ? -inf : 0);
          assertThat(y[1]).isCloseTo(identity ? -1e30 : 0, within(1e24));
          assertThat(y[5]).isEqualTo(0);
          assertThat(y[9]).isCloseTo(1e30, within(1e24));
          assertThat(y[10]).isEqualTo(inf);
          assertThat(y[11]).isNaN();
          assertThat(slope[0]).isEqualTo(identity ? 1 : 0);
          assertThat(slope[1]).isEqualTo(identity ? 1 : 0);
          assertThat(slope[9]).isEqualTo(1);
          assertThat(slope[10]).isEqualTo(1);
          if (f == Activation.GELU || f == Activation.GELU_TANH) {
            assertThat(slope[5]).isCloseTo(0.5, within(1e-6));
            assertThat(slope[11]).isNaN();
          }
        }
      }
    }
  }
}
