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

/** Losses of tensors: shapes, dtypes and errors; their values are tested with the kernels. */
@ExtendWith(TestDevice.class)
class LossesTest {
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

  @Test
  void crossEntropyOfEqualLogitsIsLogOfClasses() {
    for (DType type : new DType[] {DType.F32, DType.F64, DType.BF16, DType.F16}) {
      Tensor x = Tensors.zeros(DEVICE, type, 2, 4).requiresGrad(true);
      Tensor loss = x.crossEntropy(Tensors.of(DEVICE, new int[] {3, 0}));
      assertThat(loss.dtype()).isEqualTo(type == DType.F64 ? DType.F64 : DType.F32);
      assertThat(loss.rank()).isZero();
      assertThat(loss.item()).isCloseTo(Math.log(4), within(1e-6));
      loss.backward();
      assertThat(x.grad().toDoubleArray())
          .containsExactly(.125, .125, .125, -.375, -.375, .125, .125, .125);
    }
  }

  @Test
  void crossEntropyRefusesShapes() {
    Tensor x = Tensors.zeros(DEVICE, DType.F32, 2, 4);
    assertThatThrownBy(() -> x.crossEntropy(Tensors.of(DEVICE, new long[] {1, 2, 3})))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage(
            "crossEntropy: targets must have the logits' shape without the class dimension;"
                + " logits=[2, 4], targets=[3]");
    assertThatThrownBy(() -> x.crossEntropy(Tensors.zeros(DEVICE, DType.F32, 4, 2)))
        .hasMessage(
            "crossEntropy: targets must have the logits' shape; logits=[2, 4], targets=[4, 2]");
    Tensor one = Tensors.full(DEVICE, DType.F32, 1);
    assertThatThrownBy(() -> one.crossEntropy(one))
        .hasMessageStartingWith("crossEntropy: logits must have shape [classes] or [n, classes");
    var weights = CrossEntropyOptions.DEFAULTS.withWeight(Tensors.ones(DEVICE, DType.F32, 3));
    Tensor t = Tensors.of(DEVICE, new long[] {1, 2});
    assertThatThrownBy(() -> x.crossEntropy(t, weights))
        .hasMessageStartingWith(
            "crossEntropy: weight must be contiguous, have shape [classes] and dtype f32;");
  }
}
