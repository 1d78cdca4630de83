package dev.gridstride;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.gridstride.device.Buffer;
import dev.gridstride.device.ClosedException;
import dev.gridstride.device.DType;
import dev.gridstride.device.Device;
import dev.gridstride.device.InvalidArgumentException;
import dev.gridstride.kernels.Layout;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Making, reading, sharing and closing tensors. */
@ExtendWith(TestDevice.class)
class TensorTest {
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
  void comesFromArraysAndGoesBack() {
    Tensor x = Tensors.of(DEVICE, new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
    assertThat(x.shape()).isEqualTo(Shape.of(2, 3)).hasToString("[2, 3]");
    assertThat(x.rank()).isEqualTo(2);
    assertThat(x.size(-1)).isEqualTo(3);
    assertThat(x.count()).isEqualTo(6);
    assertThat(x.dtype()).isEqualTo(DType.F32);
    assertThat(x.device()).isSameAs(DEVICE);
    assertThat(x.toFloatArray()).containsExactly(1, 2, 3, 4, 5, 6);
    assertThat(x.toDoubleArray()).containsExactly(1, 2, 3, 4, 5, 6);
    assertThat(x.toLongArray()).containsExactly(1, 2, 3, 4, 5, 6);
    assertThat(x).hasToString("f32[2, 3] on " + DEVICE);
    assertThat(Tensors.of(DEVICE, new double[] {1.5}).item()).isEqualTo(1.5);
    assertThat(Tensors.of(DEVICE, new double[] {1, 2}).shape()).isEqualTo(Shape.of(2));
    assertThat(Tensors.of(DEVICE, new int[] {1, -2}).toLongArray()).containsExactly(1, -2);
    assertThat(Tensors.arange(DEVICE, DType.I32, 3).toLongArray()).containsExactly(0, 1, 2);
    assertThat(Tensors.zeros(DEVICE, DType.U8, 2).toFloatArray()).containsExactly(0, 0);
  }

  @Test
  void keepsLongsExact() {
    long big = (1L << 53) + 1;
    assertThat(Tensors.of(DEVICE, new long[] {big, Long.MIN_VALUE}).toLongArray())
        .containsExactly(big, Long.MIN_VALUE);
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void holdsEveryDtype(DType dtype) {
    assertThat(Tensors.ones(DEVICE, dtype, 2, 2).toFloatArray()).containsExactly(1, 1, 1, 1);
    assertThat(Tensors.ones(DEVICE, dtype, 2).toLongArray()).containsExactly(1, 1);
    assertThat(Tensors.ones(DEVICE, dtype).item()).isEqualTo(1);
  }

  @Test
  void readsHostMemory() {
    var bytes = ByteBuffer.allocateDirect(8).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putFloat(0, 1.5f).putFloat(4, -2f);
    assertThat(Tensors.of(DEVICE, DType.F32, bytes, 2).toFloatArray()).containsExactly(1.5f, -2f);
    assertThatThrownBy(() -> Tensors.of(DEVICE, DType.F32, bytes, 3))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessageContaining("source bytes=8");
    assertThatThrownBy(
            () -> Tensors.zeros(DEVICE, DType.F32, 2).copyTo(MemorySegment.ofArray(new float[3])))
        .hasMessageContaining("target must have the tensor's size");
  }

  @Test
  void refusesWrongSizes() {
    assertThatThrownBy(() -> Tensors.of(DEVICE, new float[5], 2, 3))
        .isInstanceOf(InvalidArgumentException.class)
        .hasMessage(
            "tensor.of: values must have as many elements as the shape; values.length=5,"
                + " shape=[2, 3]");
    assertThatThrownBy(() -> Tensors.zeros(DEVICE, DType.F32, 2).item())
        .hasMessage("tensor.item: tensor must have one element; shape=[2]");
    assertThatThrownBy(() -> Shape.of(2, -1)).isInstanceOf(InvalidArgumentException.class);
    assertThatThrownBy(() -> Shape.of(2).dim(1))
        .hasMessage("shape.dim: axis must name a dimension; axis=1, shape=[2]");
    assertThatThrownBy(() -> Shape.of(2, 2).axes("sum", 0, -2))
        .hasMessageContaining("each dimension at most once");
    assertThat(Shape.of(2, 3, 4).axes("sum", -1, 0)).containsExactly(0, 2);
    assertThat(Shape.of(2, 3).axes("sum")).containsExactly(0, 1);
    assertThat(Shape.of(2, 3)).hasSameHashCodeAs(Shape.of(2, 3)).isNotEqualTo(Shape.of(6));
  }

  @Test
  void viewsShareMemoryUntilTheLastIsClosed() {
    Tensor x = Tensors.of(DEVICE, new float[] {1, 2});
    Tensor view = x.view();
    x.close();
    assertThat(view.toFloatArray()).containsExactly(1, 2);
    assertThat(view.detach().buffer().devicePointer()).isEqualTo(view.buffer().devicePointer());
    view.close();
    assertThatThrownBy(view::toFloatArray)
        .isInstanceOf(ClosedException.class)
        .hasMessage("tensor.copyTo: the tensor of shape [2] and dtype f32 has been closed");
    assertThatThrownBy(view::close).isInstanceOf(ClosedException.class);
    assertThatThrownBy(view::buffer).isInstanceOf(ClosedException.class);
    assertThatThrownBy(view::view).isInstanceOf(ClosedException.class);
    assertThat(view.toString()).endsWith("closed");
    assertThat(view.isOpen()).isFalse();
  }

  @Test
  void wrapsBuffers() {
    Buffer buffer = DEVICE.allocate(DType.F32, 4);
    buffer.copyFrom(MemorySegment.ofArray(new float[] {1, 2, 3, 4}));
    assertThatThrownBy(() -> Tensor.wrap(buffer.slice(0, 8), DType.F32, Layout.contiguous(2)))
        .hasMessageContaining("must own its memory");
    assertThatThrownBy(() -> Tensor.wrap(buffer, DType.F32, Layout.contiguous(5)))
        .hasMessageContaining("hold the layout");
    Layout columns = Layout.of(new long[] {2, 2}, new long[] {1, 2});
    Tensor x = Tensor.wrap(buffer, DType.F32, columns);
    assertThat(x.isContiguous()).isFalse();
    assertThat(x.toFloatArray()).containsExactly(1, 3, 2, 4);
    x.close();
    assertThat(buffer.isOpen()).isFalse();
  }
}
