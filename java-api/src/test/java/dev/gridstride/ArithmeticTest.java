package dev.gridstride;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.ImageLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Values, broadcasting, formats and refusals of elementwise arithmetic on tensors. */
@ExtendWith(TestDevice.class)
class ArithmeticTest {
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
  void broadcastsAsNumpyDoes() {
    Tensor column = Tensors.of(DEVICE, new float[] {1, 2}, 2, 1);
    Tensor row = Tensors.of(DEVICE, new float[] {10, 20, 30});
    assertThat(column.add(row).shape()).isEqualTo(Shape.of(2, 3));
    assertThat(column.add(row).toFloatArray()).containsExactly(11, 21, 31, 12, 22, 32);
    assertThat(row.sub(1).mul(2).div(4).toFloatArray()).containsExactly(4.5f, 9.5f, 14.5f);
    assertThat(row.pow(2).toFloatArray()).containsExactly(100, 400, 900);
    assertThat(row.maximum(Tensors.of(DEVICE, new float[] {15})).toFloatArray())
        .containsExactly(15, 20, 30);
    assertThat(row.gt(row.add(0)).or(row.eq(row)).toLongArray()).containsExactly(1, 1, 1);
    assertThat(row.addInPlace(Tensors.of(DEVICE, new float[] {1})).toFloatArray())
        .containsExactly(11, 21, 31);
  }

  @Test
  void keepsTheMemoryFormat() {
    Tensor x = Tensors.ones(DEVICE, DType.F32, 2, 3, 4, 5).channelsLast();
    Tensor bias = Tensors.of(DEVICE, new float[] {1, 2, 3}, 3, 1, 1);
    Tensor y = x.add(bias);
    assertThat(y.imageLayout()).isEqualTo(ImageLayout.NHWC);
    assertThat(y.select(1, 2).toFloatArray()).containsOnly(4);
  }

  @Test
  void refusesMixedOperands() {
    Tensor f = Tensors.ones(DEVICE, DType.F32, 2);
    assertThatThrownBy(() -> f.add(Tensors.ones(DEVICE, DType.F64, 2)))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage(
            "add: operands must have one dtype and live on one device; a=f32[2] on "
                + DEVICE
                + ", b=f64[2]"
                + " on "
                + DEVICE);
    assertThatThrownBy(() -> f.mul(Tensors.ones(DEVICE, DType.F32, 3)))
        .hasMessageStartingWith("mul: shapes must be broadcastable");
    assertThatThrownBy(() -> f.addInPlace(Tensors.ones(DEVICE, DType.F32, 2, 2)))
        .hasMessageStartingWith("add: shape must be broadcastable");
    assertThatThrownBy(() -> f.where(f, f)).hasMessageStartingWith("where: condition must be bool");
  }

  @Test
  void powersHaveTheirGradientsAtTheEdges() {
    double[] base = {0, 0, 0, -2, 2, -2};
    double[] exponent = {0, 2, -1, 3, -2, 0};
    Tensor a = Tensors.of(DEVICE, base).requiresGrad(true);
    Tensor b = Tensors.of(DEVICE, exponent).requiresGrad(true);
    a.pow(b).sum().backward();
    assertThat(a.grad()).isNotNull();
    double inf = Double.POSITIVE_INFINITY;
    assertThat(a.grad().toDoubleArray()).containsExactly(0, 0, -inf, 12, -0.25, 0);
    assertThat(b.grad()).isNotNull();
    double[] db = b.grad().toDoubleArray();
    assertThat(db[0]).isZero();
    assertThat(db[1]).isZero();
    assertThat(db[2]).isEqualTo(-inf);
    assertThat(db[3]).isNaN();
    assertThat(db[4]).isCloseTo(Math.log(2) / 4, within(1e-15));
    assertThat(db[5]).isNaN();
  }
}
