package dev.gridstride;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Shapes, values, gradients and refusals of argMax, argMin and topK on tensors. */
@ExtendWith(TestDevice.class)
class OrderFunctionTest {
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
  void findsPlaces() {
    Tensor x = Tensors.of(DEVICE, new float[] {1, 5, 5, 0, Float.NaN, -2}, 2, 3);
    assertThat(x.argMax(1).toLongArray()).containsExactly(1, 1);
    assertThat(x.argMin(-1).toLongArray()).containsExactly(0, 1);
    assertThat(x.argMax(0).toLongArray()).containsExactly(0, 1, 0);
    assertThat(x.transpose().argMin(1).toLongArray()).containsExactly(1, 1, 1);
    assertThat(x.argMax(1).shape()).isEqualTo(Shape.of(2));
    assertThat(x.argMax(true, 1).shape()).isEqualTo(Shape.of(2, 1));
    assertThat(x.argMin(true, 0).shape()).isEqualTo(Shape.of(1, 3));
    assertThat(x.argMax(0).dtype()).isEqualTo(DType.I64);
    assertThat(Tensors.of(DEVICE, new int[] {3, 1, 2}).argMin(0).item()).isEqualTo(1);
  }

  @Test
  void takesTheBest() {
    Tensor x = Tensors.of(DEVICE, new float[] {1, 5, 5, 0, 7, -2}, 2, 3).requiresGrad(true);
    TopKResult top = x.topK(2, -1);
    assertThat(top.values().toFloatArray()).containsExactly(5, 5, 7, 0);
    assertThat(top.indices().toLongArray()).containsExactly(1, 2, 1, 0);
    assertThat(top.indices().requiresGrad()).isFalse();
    top.values().mul(Tensors.of(DEVICE, new float[] {1, 2, 3, 4}, 2, 2)).sum().backward();
    assertThat(x.grad()).isNotNull();
    assertThat(x.grad().toFloatArray()).containsExactly(0, 1, 2, 4, 3, 0);
    TopKResult least = x.detach().topK(1, 0, false);
    assertThat(least.values().toFloatArray()).containsExactly(0, 5, -2);
    assertThat(least.indices().toLongArray()).containsExactly(1, 0, 1);
    TopKResult ints = Tensors.of(DEVICE, new long[] {3, 9, 4}).topK(3, 0);
    assertThat(ints.values().toLongArray()).containsExactly(9, 4, 3);
    assertThat(x.topK(0, 1).values().shape()).isEqualTo(Shape.of(2, 0));
  }

  @Test
  void indicesMustStayForBackward() {
    Tensor x = Tensors.of(DEVICE, new float[] {1, 5}).requiresGrad(true);
    TopKResult top = x.topK(1, 0);
    top.indices().changed();
    Tensor loss = top.values().sum();
    assertThatThrownBy(loss::backward)
        .hasMessageStartingWith("topK backward: input 1 must not be changed in place");
  }

  @Test
  void refuses() {
    Tensor x = Tensors.ones(DEVICE, DType.F32, 2, 3);
    assertThatThrownBy(() -> x.argMax(2))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage("argMax: axis must name a dimension; axis=2, shape=[2, 3]");
    assertThatThrownBy(() -> x.argMin(-3)).hasMessageStartingWith("argMin: axis");
    assertThatThrownBy(() -> x.topK(1, 5)).hasMessageStartingWith("topK: axis");
    assertThatThrownBy(() -> x.topK(4, 1))
        .hasMessage("topK: k must be in 0..size of the axis; k=4, size=3");
    assertThatThrownBy(() -> Tensors.ones(DEVICE, DType.F32, 2, 0).argMax(1))
        .hasMessageContaining("must not be empty");
  }
}
